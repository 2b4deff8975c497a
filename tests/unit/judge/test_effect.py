"""Where calls go: what counts as reached, and when it means something that nobody was."""

from __future__ import annotations

import pytest

from featuresync.judge.catalogue import CATALOGUE
from featuresync.judge.topics import UNPLUGGED
from featuresync.judge.trace import Note
from featuresync.sip.message import Message, reply

from .calling import Dialled, calls
from .faults import edit, put
from .scenarios_of_codes import EVENT, changed_by, registered
from .switch import Leg
from .test_catalogue import broken, findings
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Outgoing, Stage, off, on

EFFECTS = {"EF-01", "EF-02", "EF-03", "EF-04", "EF-05"}


def house(known: bool = True):
    """The line under test, a caller and the phone that forwards point at."""
    stage = Stage()
    if known:
        stage.read()
    desk, target = registered(stage), registered(stage, "target", "target")
    return stage, desk, target, registered(stage, "caller", "other")


def seen(stage: Stage) -> dict[str, list[tuple[bool, str]]]:
    return {id: [(f.ok, f.seen) for f in some] for id, some in findings(stage.trace).items() if id in EFFECTS}


def judged(stage: Stage) -> dict[str, list[bool]]:
    return {id: [ok for ok, _ in some] for id, some in seen(stage).items()}


def test_a_finding_says_where_the_call_went():
    stage, desk, target, caller = house()
    stage.flip(on(NO_ANSWER, "2003", 1))
    calls(caller, "2001", desk, target, deadline="no_answer")
    ((ok, words),) = seen(stage)["EF-04"]
    assert ok
    assert words == "reached desk of 2001 after 0.1 s, then target of 2003 after 6.1 s"


def test_a_state_that_nobody_knows_is_not_taken_for_off():
    stage, desk, _, caller = house(known=False)
    calls(caller, "2001", desk)
    assert judged(stage) == {}


def test_a_call_to_oneself_or_to_a_stranger_is_nobodys_effect():
    stage, desk, _, caller = house()
    Dialled(caller, "2002")
    Dialled(desk, "5551234")
    assert judged(stage) == {}


def test_a_call_that_was_never_placed_proves_nothing():
    stage, _, _, caller = house()
    stage.flip(on(DND))
    Dialled(caller, "2001", "wrong")
    stage.wait(60)
    assert judged(stage) == {}


@pytest.mark.parametrize("leave", ["unregisters", "is unplugged"])
def test_a_phone_that_is_not_there_need_not_be_reached(leave):
    stage, desk, _, caller = house()
    if leave == "unregisters":
        desk.register(expires=0)
    else:
        stage.contacts.remove(desk)
        stage.trace.add(Note(stage.now, "desk", UNPLUGGED, "leaves"))
        stage.wait(1)
    Dialled(caller, "2001")
    assert judged(stage) == {}


def test_a_caller_who_gives_up_at_once_proves_no_absence():
    stage, _, _, caller = house()
    stage.switch.call = lambda leg, user: stage.switch.respond(leg, 180)  # type: ignore[method-assign]
    call = Dialled(caller, "2001")
    stage.wait(1)
    call.give_up()
    assert judged(stage) == {}


def test_a_wait_for_something_else_proves_no_absence():
    stage, _, _, caller = house()
    stage.switch.call = lambda leg, user: stage.switch.respond(leg, 180)  # type: ignore[method-assign]
    call = Dialled(caller, "2001")
    caller.waits(False, "something else", "quiet")
    call.give_up()
    assert judged(stage) == {}


def test_a_call_that_rings_nowhere_for_long_enough_is_an_absence():
    stage, desk, _, caller = house()
    stage.switch.call = lambda leg, user: stage.switch.respond(leg, 180)  # type: ignore[method-assign]
    calls(caller, "2001", desk)
    assert seen(stage) == {"EF-05": [(False, "reached no phone: 487 No, given up by the phone")]}


@pytest.mark.parametrize("number", ["2003", "sip:2003@lab"])
def test_a_forward_to_the_target_may_be_written_as_an_address(number):
    stage, _, target, caller = house()
    stage.flip(on(ALWAYS, number))
    stage.switch.call_on = lambda leg, number: stage.switch.ring(leg, "2003")  # type: ignore[method-assign]
    calls(caller, "2001", target)
    assert judged(stage) == {"EF-02": [True]}


def test_a_forward_to_a_number_outside_is_judged_by_the_silence_of_the_phone():
    stage, desk, _, caller = house()
    stage.flip(on(ALWAYS, "5551234"))
    Dialled(caller, "2001")
    assert judged(stage) == {"EF-02": [True]}
    stage.switch.call_on = lambda leg, number: stage.switch.ring(leg, "2001")  # type: ignore[method-assign]
    calls(caller, "2001", desk)
    assert judged(stage)["EF-02"] == [True, False]


@pytest.mark.parametrize("feature", [BUSY, NO_ANSWER])
def test_other_forwards_to_a_number_outside_are_not_followed(feature):
    stage, _, _, caller = house()
    stage.flip(on(feature, "5551234"))
    Dialled(caller, "2001").give_up()
    assert judged(stage) == {}


def test_dnd_and_a_forward_together_are_the_vendors_choice():
    stage, _, target, caller = house()
    stage.flip(on(DND))
    stage.flip(on(ALWAYS, "2003"))
    calls(caller, "2001", target)
    assert judged(stage) == {}


def test_dnd_may_send_the_caller_to_the_busy_forward():
    stage, _, _, caller = house()
    stage.flip(on(DND))
    stage.flip(on(BUSY, "2003"))
    stage.switch.call = lambda leg, user: stage.switch.call_on(leg, "2003")  # type: ignore[method-assign]
    Dialled(caller, "2001")
    stage.wait(6)
    stage.read("other")
    assert judged(stage) == {"EF-01": [True]}


def test_a_busy_forward_does_nothing_to_a_phone_that_rings():
    stage, desk, _, caller = house()
    stage.flip(on(BUSY, "2003"))
    calls(caller, "2001", desk)
    assert judged(stage) == {}


def test_a_no_answer_forward_does_nothing_to_a_phone_that_is_busy():
    stage, desk, _, caller = house()
    desk.busy = True
    stage.flip(on(NO_ANSWER, "2003"))
    calls(caller, "2001")
    assert judged(stage) == {}


def test_a_caller_whom_the_server_hides_is_known_while_nobody_else_calls():
    stage, desk, _, caller = house()
    edit(stage, put("From", "<sip:anonymous@lab>;tag=x"), kind="request", why="invite")
    calls(caller, "2001", desk)
    assert judged(stage) == {"EF-05": [True]}


def test_calls_at_the_same_time_are_told_apart_by_their_callers():
    """Another account calls the target while the line under test is being called."""
    stage, desk, target, caller = house()
    first = Dialled(caller, "2001")
    stage.wait(1)
    second = Dialled(desk, "2003")
    second.give_up()
    first.give_up()
    assert judged(stage) == {"EF-05": [True]}
    assert target.rung == 1


def test_a_call_under_which_the_state_changes_counts_until_then():
    stage, desk, target, caller = house()
    call = Dialled(caller, "2001")
    stage.flip(on(ALWAYS, "2003"))
    leg = next(iter(stage.switch.legs.values()))
    stage.switch.ring(leg, "2003")
    call.give_up()
    assert judged(stage) == {"EF-05": [True]}
    assert (desk.rung, target.rung) == (1, 1)


def test_the_servers_own_call_id_may_be_the_callers():
    stage, desk, _, caller = house()
    call_ids: list[str] = []

    def same(message: Outgoing) -> None:
        message.draft.put("Call-ID", call_ids[-1]).put("From", "<sip:x@lab>;tag=x")

    dialled = stage.switch.dialled

    def remember(leg: Leg, user: str) -> None:
        call_ids.append(leg.invite.call_id)
        dialled(leg, user)

    stage.switch.dialled = remember  # type: ignore[method-assign]
    edit(stage, same, kind="request", why="invite")
    calls(caller, "2001", desk)
    assert judged(stage) == {"EF-05": [True]}


# -- uaCSTA ---------------------------------------------------------------------------------------


def informed(state: str = "true", feature=DND):
    stage = Stage()
    changed_by(stage, "feature-code", "none")
    stage.facts[f"features.{feature}.server_side"] = "uacsta"
    stage.push = lambda *_: None  # type: ignore[method-assign]
    stage.read()
    desk = registered(stage)
    return stage, desk, EVENT.format(on=state).encode()


def csta(stage: Stage) -> list[tuple[bool, str]]:
    return [(finding.ok, finding.seen) for finding in CATALOGUE["CS-04"].judge(stage.trace)]


def test_an_event_that_may_still_come_is_not_missing():
    stage, _, _ = informed()
    stage.flip(on(DND))
    stage.wait(4)
    stage.read("other")
    assert csta(stage) == []
    stage.wait(2)
    stage.read("other")
    assert csta(stage) == [(False, "no event about the DND")]


def test_the_last_event_counts():
    stage, desk, body = informed()
    stage.flip(on(DND))
    stage.switch.inform(desk, body.replace(b"true", b"false"))
    assert csta(stage) == []
    stage.switch.inform(desk, body)
    assert csta(stage) == [(True, "last event: DND on, answered 200")]


def test_an_event_that_comes_late_says_how_late():
    stage, desk, body = informed()
    stage.flip(on(DND))
    stage.wait(7)
    stage.switch.inform(desk, body)
    assert csta(stage) == [(False, "event with DND on only after 7.0 s")]


def test_nothing_need_be_told_when_nothing_changed():
    stage, _, _ = informed()
    stage.flip(off(DND))
    stage.wait(10)
    stage.read("other")
    assert csta(stage) == []


def test_what_was_flipped_before_counts_though_nobody_read_it_back():
    """Off again: the last reading is older than the flip before."""
    stage, _, _ = informed()
    stage.flip(on(DND))
    stage.wait(1)
    stage.flip(off(DND))
    stage.wait(6)
    stage.read("other")
    assert csta(stage) == [(False, "no event about the DND")]


def test_forwards_are_told_where_that_is_claimed():
    stage, desk, _ = informed(feature=ALWAYS)
    body = EVENT.replace("DoNotDisturbEvent", "ForwardingEvent").replace(
        "<doNotDisturbOn>{on}</doNotDisturbOn>",
        "<forwardingType>forwardImmediate</forwardingType><forwardStatus>true</forwardStatus>"
        "<forwardTo>2003</forwardTo>",
    )
    stage.flip(on(ALWAYS, "2003"))
    stage.switch.inform(desk, body.encode())
    assert csta(stage) == [(True, "last event: unconditional forward → 2003, answered 200")]
    assert broken(stage.trace) == {}


def test_a_phone_that_refuses_an_event_was_not_told():
    stage, desk, body = informed()
    stage.flip(on(DND))
    desk.answers = lambda request: None
    stage.switch.inform(desk, body)
    assert csta(stage) == [(True, "last event: DND on")]
    event = Message(stage.trace.events[-1].data)
    desk.wire(reply(event, 400, "Unreadable Body", to_tag="p").encode(), True)
    assert csta(stage) == [(False, "last event: DND on, answered 400")]
