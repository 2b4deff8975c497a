"""Calls as the trace tells them: what they are for, how they end, and what is made of them."""

from __future__ import annotations

import math

import pytest

from featuresync.judge.calls import CallRules
from featuresync.judge.catalogue import CATALOGUE
from featuresync.judge.story import Story
from featuresync.judge.topics import OFF_WITH_DIGITS, UNKNOWN_CODE, WITHOUT_NUMBER, WRONG_PASSWORD
from featuresync.judge.trace import Awaited, Flip, Note, Press, Reading, Trace, Wire
from featuresync.sync.feature_code import FeatureCodes

from .calling import Dialled, dials, dials_wrongly
from .faults import edit, lose
from .scenarios_of_codes import changed_by, registered, wrong_codes
from .switch import Leg
from .test_catalogue import broken
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Stage, off, on


def started() -> tuple[Stage, object]:
    stage = Stage()
    changed_by(stage, "feature-code", "none")
    stage.read()
    return stage, registered(stage)


def findings(stage: Stage, row: str):
    return list(CATALOGUE[row].judge(stage.trace))


def said(stage: Stage, row: str) -> list[tuple[bool, str]]:
    return [(finding.ok, finding.seen) for finding in findings(stage, row)]


def first_call(stage: Stage):
    return Story(stage.trace).calls[0]


# -- what a call is for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "dialled"),
    [
        ("*78", "*78"),
        ("%2A78", "*78"),
        ("*922003%23", "*922003#"),
        ("*722003;phone-context=lab", "*722003"),
        ("*722003;phone-context=lab@lab;user=dialstring;x", "*722003"),
    ],
)
def test_what_was_dialled_is_read_from_the_request_uri(user, dialled):
    stage, desk = started()
    Dialled(desk, user)
    assert first_call(stage).dialled == dialled


def test_a_code_call_is_a_change_apart_from_sets_and_flips():
    stage, desk = started()
    dials(desk, on(DND))
    stage.flip(off(DND))
    code, flip = Story(stage.trace).changes
    assert (code.state, code.origin, code.call is not None, code.flipped) == (on(DND), None, True, False)
    assert (flip.call, flip.flipped) == (None, True)
    assert code.time < code.done == code.call.end < flip.time


def test_a_code_without_a_key_press_means_what_it_says():
    """As in a capture from the field."""
    stage, desk = started()
    for state in (on(DND), on(BUSY, "2003"), off(BUSY)):
        dials(desk, state)
        stage.has(state)
    kept = [event for event in stage.trace.events if isinstance(event, Wire | Flip | Reading)]
    part = Trace(stage.trace.setting, kept)
    assert [change.state for change in Story(part).changes] == [on(DND), on(BUSY, "2003"), off(BUSY)]
    assert len(list(CATALOGUE["FC-02"].judge(part))) == 2
    assert broken(part) == {}


def test_the_key_press_says_what_was_meant():
    stage, desk = started()
    dials(desk, on(BUSY, "2003"), instead="*722003")
    (change,) = Story(stage.trace).changes
    assert (change.state, change.call.asked) == (on(BUSY, "2003"), on(ALWAYS, "2003"))


def test_no_code_carries_rings():
    stage, desk = started()
    stage.trace.add(Press(stage.now, "desk", "2001", on(NO_ANSWER, "2003", 4)))
    stage.wait(1)
    Dialled(desk, "*922003")
    assert Story(stage.trace).changes[0].state == on(NO_ANSWER, "2003")


def test_a_call_to_somebody_is_no_change_and_takes_no_key_press():
    stage, desk = started()
    stage.trace.add(Press(stage.now, "desk", "2001", on(DND)))
    stage.wait(1)
    Dialled(desk, "2002")
    assert Story(stage.trace).changes == []
    stage.wait(1)
    Dialled(desk, "*99")
    assert [change.state for change in Story(stage.trace).changes] == [on(DND)]


def test_a_key_press_that_was_told_by_a_set_is_not_meant_again():
    stage = Stage()
    stage.read()
    desk = registered(stage)
    desk.subscribe()
    desk.press(on(DND))
    Dialled(desk, "*99")
    assert [change.origin is not None for change in Story(stage.trace).changes] == [True]


def test_a_refresh_between_key_press_and_call_changes_nothing():
    stage = Stage()
    desk = registered(stage)
    desk.subscribe()
    stage.trace.add(Press(stage.now, "desk", "2001", on(BUSY, "2003")))
    desk.refresh()
    Dialled(desk, "*722003")
    assert [change.state for change in Story(stage.trace).changes] == [on(BUSY, "2003")]


def test_a_call_with_a_wrong_password_is_no_change():
    stage, desk = started()
    stage.trace.add(Note(stage.now, "desk", WRONG_PASSWORD, "on purpose"))
    assert Dialled(desk, "*78", "wrong").status == 403
    stage.read()
    assert Story(stage.trace).changes == []
    assert broken(stage.trace) == {}


def test_a_challenge_that_is_not_answered_is_no_change_and_no_end():
    stage, desk = started()
    Dialled(desk, "*78", "none")
    story = Story(stage.trace)
    assert (story.changes, story.calls[0].end) == ([], math.inf)


@pytest.mark.parametrize("topic", [OFF_WITH_DIGITS, WITHOUT_NUMBER, UNKNOWN_CODE])
def test_a_call_that_is_wrong_on_purpose_is_no_change(topic):
    stage, desk = started()
    dials_wrongly(desk, topic, "*78")
    assert Story(stage.trace).changes == []


def test_the_facts_say_which_codes_there_are():
    stage = Stage()
    stage.facts |= {"features.cf_busy.codes.off": None, "features.dnd.codes.toggle": "*76"}
    rules = CallRules.of(stage.trace.setting)
    assert rules.codes[DND] == FeatureCodes("*78", "*79", "*76")
    assert rules.codes[BUSY] == FeatureCodes("*90{number}", "")
    stage.facts.clear()
    assert CallRules.of(stage.trace.setting) == CallRules({}, frozenset(), False, 30.0)


# -- how a call ends ------------------------------------------------------------------------------


def announcing(stage: Stage, answer: str = "early", release: int = 480) -> None:
    stage.facts |= {"call.answer": answer, "call.final_early": (480, 487)}
    stage.switch.early, stage.switch.release = True, release


@pytest.mark.parametrize(
    ("answer", "body", "accepted"),
    [
        ("early", True, True),
        ("either", False, True),
        ("established", True, True),
        ("established", False, False),
    ],
)
def test_an_early_announcement_is_sound_or_what_the_profile_says(answer, body, accepted):
    stage, desk = started()
    announcing(stage, answer)
    if not body:
        edit(stage, lambda m: setattr(m.draft, "body", b""), kind="response", why="announce")
    dials(desk, on(DND))
    call = first_call(stage)
    assert (call.accepted, call.refused, call.announced_early) == (accepted, not accepted, accepted)
    stage.has(on(DND))
    assert [finding.ok for finding in findings(stage, "FC-01")] == [accepted]


def test_an_expected_release_without_an_announcement_is_a_refusal():
    stage, desk = started()
    stage.facts |= {"call.answer": "either", "call.final_early": (480,)}
    stage.switch.means = lambda dialled: None  # type: ignore[method-assign]
    edit(stage, lambda m: setattr(m.draft, "start_line", "SIP/2.0 480 No"), kind="response", why="call")
    dials(desk, on(DND))
    assert first_call(stage).refused


def given_up(stage: Stage, after: float) -> None:
    """An early announcement that does not end; the phone cancels, and is answered 487."""
    announcing(stage)
    stage.switch.announce = lambda leg, state: (  # type: ignore[method-assign]
        stage.switch.respond(leg, 183, [("Content-Type", "application/sdp")], b"v=0\r\n")
    )
    desk = registered(stage)
    stage.trace.add(Press(stage.now, "desk", "2001", on(DND)))
    call = Dialled(desk, "*78")
    stage.wait(after)
    call.give_up()
    stage.has(on(DND))


def test_a_release_that_the_phone_asked_for_is_not_the_servers():
    """487 may end an early announcement, but not because the phone gave up at its cap."""
    stage = Stage()
    stage.read()
    given_up(stage, 30)
    call = first_call(stage)
    assert (call.status, call.accepted, call.cut_short) == (487, False, False)
    assert said(stage, "FC-01") == [
        (False, "announcement, then 487 No, given up by the phone; read back: DND off")
    ]


def test_a_call_that_the_phone_cut_short_decides_nothing():
    stage = Stage()
    stage.read()
    given_up(stage, 2)
    assert first_call(stage).cut_short
    assert findings(stage, "FC-01") == []


def test_a_phone_that_hangs_up_early_says_nothing_of_the_server():
    stage, desk = started()
    stage.switch.hangs_up = False
    call = Dialled(desk, "*78")
    stage.wait(1)
    call.give_up()
    stage.has(on(DND))
    assert first_call(stage).bye.sent
    assert findings(stage, "FC-09") == []


def test_the_bye_to_another_fork_ends_nothing():
    stage, desk = started()
    stage.switch.hangs_up = False
    call = Dialled(desk, "*78")
    call.cseq += 1
    call._send("BYE", call.cseq, "fork")
    assert first_call(stage).end == math.inf


def test_a_call_that_goes_on_has_changed_nothing_yet():
    stage, desk = started()
    stage.switch.hangs_up = False
    Dialled(desk, "*78")
    stage.states["2001"][DND] = off(DND)
    stage.read()
    assert first_call(stage).end == math.inf
    assert findings(stage, "FC-01") == []


def test_a_call_that_nobody_answers_at_all_breaks_the_row():
    stage, desk = started()
    edit(stage, lose, kind="response", why="call")
    stage.switch.means = lambda dialled: None  # type: ignore[method-assign]
    dials(desk, on(DND))
    assert findings(stage, "FC-01") == []
    stage.wait(33)
    stage.trace.add(Awaited(stage.now, "desk", "the end of the call", "cap (34 s)", False))
    assert said(stage, "FC-01") == [(False, "no final response; read back: nothing")]


def test_a_refusal_that_nobody_looked_after_decides_nothing():
    """The status alone never decides."""
    stage, desk = started()
    stage.switch.means = lambda dialled: None  # type: ignore[method-assign]
    dials(desk, on(DND))
    assert first_call(stage).status == 404
    assert findings(stage, "FC-01") == []
    stage.has(on(DND))
    assert said(stage, "FC-01") == [(False, "404 No; read back: DND off")]


def test_both_ways_of_going_wrong_say_what_was_seen():
    stage, desk = started()
    stage.switch.obey = lambda user, state: None  # type: ignore[method-assign]
    dials(desk, on(DND))
    stage.has(on(DND))
    (finding,) = findings(stage, "FC-01")
    assert (finding.expected, finding.seen) == (
        "*78 answered, and DND on at the server",
        "200 OK; read back: DND off",
    )


# -- codes dialled wrongly ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claimed", "becomes", "ok"),
    [
        ("voicemail", on(BUSY, "8000"), True),
        ("voicemail", off(BUSY), False),
        ("voicemail", on(BUSY), False),
        ("voicemail", on(BUSY, "2004"), False),
        ("stored", on(BUSY, "2004"), True),
        ("stored", on(BUSY, "8000"), False),
        ("stored", off(BUSY), False),
        ("prompt", off(BUSY), True),
        ("prompt", on(BUSY, "8000"), False),
        ("refused", off(BUSY), True),
        ("refused", on(BUSY, "2004"), False),
        (None, on(BUSY, "8000"), None),
    ],
)
def test_a_code_without_a_number_does_what_the_profile_says(claimed, becomes, ok):
    stage, desk = started()
    stage.facts["features.cf_busy.codes.without_number"] = claimed
    stage.flip(on(BUSY, "2004"))
    stage.flip(off(BUSY))
    stage.switch.without_number = lambda leg, feature: stage.switch.announce(leg, becomes)  # type: ignore
    dials_wrongly(desk, WITHOUT_NUMBER, "*90")
    stage.read()
    assert [finding.ok for finding in findings(stage, "FC-06")] == ([] if ok is None else [ok])


def test_a_stored_number_that_nobody_knows_cannot_be_judged():
    stage, desk = started()
    stage.facts["features.cf_busy.codes.without_number"] = "stored"
    dials_wrongly(desk, WITHOUT_NUMBER, "*90")
    stage.read()
    assert findings(stage, "FC-06") == []


def test_what_was_flipped_before_a_wrong_code_counts_as_held():
    """The last reading is older than the flip; still the flip is known."""
    stage, desk = started()
    stage.flip(on(ALWAYS, "2003"))
    dialled = stage.switch.dialled

    def ends_it(leg: Leg, user: str) -> None:
        stage.states["2001"][ALWAYS] = off(ALWAYS)
        dialled(leg, user)

    stage.switch.dialled = ends_it  # type: ignore[method-assign]
    dials_wrongly(desk, UNKNOWN_CODE, "*000999")
    stage.read()
    assert said(stage, "FC-07") == [
        (False, "404 No; unconditional forward off (was: unconditional forward → 2003)")
    ]


@pytest.mark.parametrize("status", [200, 404])
def test_an_unknown_code_is_judged_by_what_it_changes(status):
    """An announcement that says so is as good as a refusal; without a look nothing can be said."""
    stage, desk = started()

    def answer(leg: Leg, user: str) -> None:
        leg.answered = status == 200
        stage.switch.respond(leg, status)

    stage.switch.dialled = answer  # type: ignore[method-assign]
    dials_wrongly(desk, UNKNOWN_CODE, "*000999")
    assert findings(stage, "FC-07") == []
    stage.read()
    assert [finding.ok for finding in findings(stage, "FC-07")] == [True]


def test_digits_that_name_nobody_are_judged_against_everybody():
    stage, desk = started()
    for role in ("other", "target"):
        stage.read(role)
    dials_wrongly(desk, OFF_WITH_DIGITS, "*735")
    for role in ("other", "target"):
        stage.read(role)
    assert [f.expected for f in findings(stage, "FC-05")] == [
        "no change at 2002 by *735",
        "no change at 2003 by *735",
    ]


def test_a_wrong_code_may_do_to_its_own_feature_what_it_says():
    """The digits are ignored: the forward goes off, and ST-08 and FC-05 have nothing against it."""
    stage = Stage()
    dialled = stage.switch.dialled

    def ignored(leg: Leg, user: str) -> None:
        if user == "*732002":
            return stage.switch.announce(leg, off(ALWAYS))
        return dialled(leg, user)

    stage.switch.dialled = ignored  # type: ignore[method-assign]
    wrong_codes(stage)
    assert stage.states["2001"][ALWAYS] == off(ALWAYS)
    assert broken(stage.trace) == {}


# -- in a call ------------------------------------------------------------------------------------


def test_requests_of_the_server_in_a_call_count_up():
    stage, desk = started()
    hang_up = stage.switch.hang_up

    def after_an_info(leg: Leg) -> None:
        leg.cseq = 41
        stage.ask(leg.phone, stage.switch.request("INFO", leg), "info")
        hang_up(leg)

    stage.switch.hang_up = after_an_info  # type: ignore[method-assign]
    stage.edits.append(lambda message: setattr(message, "copies", 2 if message.kind == "request" else 1))
    dials(desk, on(DND))
    assert said(stage, "FC-10") == [(True, "all good"), (True, "CSeq 41"), (True, "CSeq 42")]


def test_record_routes_that_can_be_used_are_in_order():
    stage, desk = started()
    stage.switch.routes = ("<sip:p1.lab;lr>", "<sips:[::1]:5061;lr>")
    dials(desk, on(DND))
    assert {finding.ok for finding in findings(stage, "FC-10")} == {True}


# -- silence --------------------------------------------------------------------------------------


def test_silence_means_nothing_when_nobody_listened():
    stage, _ = started()
    stage.flip(on(DND))
    stage.wait(60)
    stage.read()
    assert findings(stage, "FC-04") == []


def test_silence_of_a_system_that_claims_to_tell_is_another_rows():
    stage, _ = started()
    stage.facts["features.dnd.server_side"] = "as-feature-event"
    stage.flip(on(DND))
    stage.quiet("desk")
    assert findings(stage, "FC-04") == []


def test_a_phone_that_is_not_registered_is_not_expected_to_be_told():
    stage, desk = started()
    desk.register(expires=0)
    stage.flip(on(DND))
    stage.quiet("desk")
    assert findings(stage, "FC-04") == []


def test_what_answers_the_phones_own_subscribe_is_no_push():
    stage, desk = started()
    stage.push = lambda *_: None  # type: ignore[method-assign]
    stage.flip(on(DND))
    desk.subscribe()
    stage.quiet("desk")
    assert findings(stage, "FC-04") == []


# -- told after a code ----------------------------------------------------------------------------


def test_nothing_need_be_told_after_a_code_where_nobody_says_so():
    stage = Stage()
    stage.read()
    desk = registered(stage)
    desk.subscribe()
    dials(desk, on(DND))
    stage.wait(10)
    stage.has(on(DND))
    assert findings(stage, "ST-23") == []
    assert broken(stage.trace) == {}
    stage.facts["expect.notify_after_code"] = True
    assert [f.seen for f in CATALOGUE["ST-23"].judge(Trace(stage.trace.setting, stage.trace.events))] == [
        "no NOTIFY about the DND"
    ]
