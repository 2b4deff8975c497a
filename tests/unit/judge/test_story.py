"""The trace as the judge reads it: what belongs together, what was meant, what its absence means."""

from __future__ import annotations

import math

import pytest

from featuresync.judge.catalogue import CATALOGUE
from featuresync.judge.exchange import Kind
from featuresync.judge.story import Story, story_of
from featuresync.judge.topics import UNPLUGGED
from featuresync.judge.trace import Awaited, Flip, Note, Trace, Wire

from .faults import edit, lose
from .test_catalogue import broken
from .traces import DND, Stage, off, on


def subscribed(stage: Stage, expires: int = 3600):
    desk = stage.phone()
    desk.register()
    desk.subscribe(expires)
    return desk


def findings(stage: Stage, row: str):
    return list(CATALOGUE[row].judge(stage.trace))


# -- exchanges and subscriptions ------------------------------------------------------------------


def test_a_challenged_request_and_its_retry_are_one_exchange(good):
    story = Story(good["round_trips"])
    start = next(e for e in story.exchanges if e.method == "SUBSCRIBE")
    assert [attempt.credentialed for attempt in start.attempts] == [False, True]
    assert (start.kind, start.status, start.outcome) == (Kind.START, 200, "200 OK")
    assert start.attempts[0].final.message.status == 401


def test_a_later_request_is_no_retry_of_a_refused_one(good):
    story = Story(good["credentials"])
    kinds = [(e.kind, e.status, len(e.attempts), e.wrong_password) for _, e in story.subscribes]
    assert kinds == [
        (Kind.START, 401, 1, False),
        (Kind.START, 200, 2, False),
        (Kind.SET, 401, 1, False),
        (Kind.SET, 403, 2, True),
        (Kind.END, 200, 2, False),
    ]


def test_subscribes_are_known_by_what_they_are_for(good):
    story = Story(good["lifecycle"])
    assert [e.kind for e in story.subscriptions[0].exchanges] == [
        Kind.START, Kind.REFRESH, Kind.SET, Kind.REFRESH, Kind.END, Kind.REFRESH,
    ]  # fmt: skip
    assert len(story.subscriptions) == 2
    assert story.subscriptions[0].account == "2001"


def test_retransmissions_are_folded(good):
    stage = Stage()
    stage.edits.append(lambda message: setattr(message, "copies", 3))
    subscribed(stage)
    story = Story(stage.trace)
    assert [len(notify.copies) for notify, _ in story.notifies] == [2]
    assert [len(notify.answers) for notify, _ in story.notifies] == [3]


def test_other_packages_are_none_of_our_business():
    stage = Stage()
    stage.edits.append(
        lambda m: (
            m.draft.put("Event", "message-summary").put("Call-ID", "mwi").put("To", "<sip:x@y>;tag=z")
            if m.kind == "notify"
            else None
        )
    )
    subscribed(stage)
    story = Story(stage.trace)
    assert story.notifies == []
    assert story.stray_notifies != []  # its body is ours
    stage = Stage()
    stage.full = lambda user: ("application/simple-message-summary", b"Messages-Waiting: no\r\n")
    stage.edits.append(
        lambda m: (
            m.draft.put("Event", "message-summary").put("Call-ID", "mwi").put("To", "<sip:x@y>;tag=z")
            if m.kind == "notify"
            else None
        )
    )
    subscribed(stage)
    assert Story(stage.trace).stray_notifies == []


def test_a_capture_that_begins_in_a_dialog_is_read(good):
    whole = good["round_trips"]
    first = next(
        i
        for i, e in enumerate(whole.events)
        if isinstance(e, Wire) and e.sent and e.message.method == "SUBSCRIBE" and e.message.body
    )
    part = Trace(whole.setting, whole.events[first:])
    story = Story(part)
    assert story.subscriptions[0].initial is None
    assert story.subscriptions[0].live(story.changes[0].time)
    assert broken(part) == {}
    assert list(CATALOGUE["ST-01"].judge(part))


@pytest.mark.parametrize("scenario", ["round_trips", "flips", "rapid", "typed"])
def test_a_field_capture_without_notes_is_judged_from_the_wire(good, scenario):
    whole = good[scenario]
    part = Trace(whole.setting, [event for event in whole.events if isinstance(event, Wire | Flip)])
    assert broken(part) == {}
    assert list(CATALOGUE["ST-01" if scenario in ("round_trips", "rapid") else "NO-04"].judge(part))


# -- life and death -------------------------------------------------------------------------------


def test_a_subscription_lives_from_its_2xx_to_its_end():
    stage = Stage()
    desk = subscribed(stage)
    stage.wait(10)
    before = stage.now
    desk.end()
    sub = Story(stage.trace).subscriptions[0]
    assert sub.live(before - 1)
    assert not sub.live(before + 1)
    assert not sub.live(1000.0)


def test_a_subscription_lapses_when_it_is_not_refreshed():
    stage = Stage()
    subscribed(stage, expires=60)
    sub = Story(stage.trace).subscriptions[0]
    assert sub.until == pytest.approx(sub.since + 60)


def test_a_refresh_puts_the_lapse_off():
    stage = Stage()
    desk = subscribed(stage, expires=60)
    stage.wait(30)
    desk.refresh()
    sub = Story(stage.trace).subscriptions[0]
    assert sub.until == pytest.approx(sub.exchanges[1].answered + 60)


def test_a_fetch_never_lives():
    stage = Stage()
    stage.phone().subscribe(0)
    assert Story(stage.trace).subscriptions[0].since == math.inf


def test_an_unplugged_phone_misses_nothing():
    stage = Stage()
    stage.read()
    desk = subscribed(stage)
    stage.trace.add(Note(stage.now, "desk", UNPLUGGED, "pulled out"))
    edit(stage, lose)
    stage.wait(1)
    stage.flip(on(DND))
    stage.wait(60)
    stage.read()
    assert desk.to_tag
    assert broken(stage.trace) == {}


# -- changes --------------------------------------------------------------------------------------


def test_sets_that_nobody_meant_are_no_changes(good):
    assert Story(good["credentials"]).changes == []


def test_sets_and_flips_are_changes(good):
    story = Story(good["devices"])
    assert [(c.state, c.origin is None) for c in story.changes][1][1] is False
    assert [c.origin is None for c in story.changes] == [True, False, True]


def test_a_flip_to_the_present_value_need_not_be_told():
    stage = Stage()
    stage.read()
    subscribed(stage)
    edit(stage, lose)
    stage.flip(off(DND))
    stage.wait(60)
    assert broken(stage.trace) == {}


def test_a_flip_that_the_server_did_not_keep_is_bench_trouble():
    stage = Stage()
    stage.read()
    subscribed(stage)
    edit(stage, lose, why="flip")
    stage.flip(on(DND))
    stage.states["2001"][DND] = off(DND)
    stage.wait(6)
    stage.read()
    assert findings(stage, "ST-09") == []


# -- absence --------------------------------------------------------------------------------------


def lost_push(seconds: float) -> Stage:
    stage = Stage()
    stage.read()
    subscribed(stage)
    stage.wait(1)
    edit(stage, lose, why="flip")
    stage.flip(on(DND))
    stage.wait(seconds)
    stage.read("other")
    return stage


def test_absence_counts_when_the_deadline_has_passed():
    assert [finding.ok for finding in findings(lost_push(5.1), "NO-10")] == [False]


def test_absence_means_nothing_before():
    assert findings(lost_push(4.8), "NO-10") == []


def test_absence_counts_when_the_scenario_gave_up():
    stage = lost_push(1)
    stage.trace.add(Awaited(stage.now, "desk", "a NOTIFY", "push (1 s)", False))
    assert [finding.ok for finding in findings(stage, "NO-10")] == [False]


def test_another_phones_wait_says_nothing():
    stage = lost_push(1)
    stage.trace.add(Awaited(stage.now, "home", "a NOTIFY", "push (1 s)", False))
    assert findings(stage, "NO-10") == []


def test_a_wrong_last_word_is_not_final_while_more_may_come():
    stage = Stage()
    stage.read()
    desk = subscribed(stage)
    stage.stores = lambda at, user, state: None
    desk.press(on(DND), settle=False)
    assert findings(stage, "ST-01") == []
    stage.wait(6)
    stage.read("other")
    assert [finding.seen for finding in findings(stage, "ST-01")] == ["last NOTIFY: DND off"]


def test_the_story_is_made_again_when_the_trace_has_grown():
    stage = Stage()
    subscribed(stage)
    first = story_of(stage.trace)
    assert story_of(stage.trace) is first
    stage.flip(on(DND))
    assert len(story_of(stage.trace).changes) == 1


# -- our phones -----------------------------------------------------------------------------------


def test_whose_a_phone_is_and_when_it_is_there():
    stage = Stage()
    desk, other = stage.phone(), stage.phone("stranger", "other")
    desk.register()
    other.options()
    there = stage.now + 1
    stage.wait(2)
    desk.register(expires=0)
    away = stage.now + 1
    stage.wait(2)
    desk.register()
    back = stage.now + 1
    stage.wait(2)
    stage.trace.add(Note(stage.now, "desk", UNPLUGGED, "leaves"))
    gone = stage.now + 1
    stage.wait(2)
    desk.register()
    phones = Story(stage.trace).phones
    assert [phones.account_of(name) for name in ("desk", "stranger", "nobody")] == ["2001", "2002", ""]
    assert phones.registered("2001", 999.0) == []
    assert [phones.registered("2001", at) for at in (there, away, back, gone, stage.now)] == [
        ["desk"], [], ["desk"], [], ["desk"],
    ]  # fmt: skip
    assert phones.registered("2002", stage.now) == []


def test_what_an_account_holds_is_what_was_last_set_or_read():
    stage = Stage()
    assert Story(stage.trace).held("2001", DND, 2000.0) is None
    desk = subscribed(stage)
    told = Story(stage.trace).held("2001", DND, stage.now + 1)
    assert told == off(DND), "a NOTIFY counts where there is nothing better"
    stage.flip(on(DND))
    flipped = stage.now
    assert Story(stage.trace).held("2001", DND, flipped) == on(DND)
    stage.states["2001"][DND] = off(DND)
    stage.read()
    assert Story(stage.trace).held("2001", DND, stage.now) == off(DND)
    assert Story(stage.trace).held("2001", DND, flipped) == on(DND)
    assert desk.to_tag


def test_a_system_without_the_package_need_not_list_it():
    stage = Stage()
    edit(stage, lambda m: m.draft.put("Allow-Events", "presence"), kind="response", why="options")
    stage.phone().options()
    assert [finding.ok for finding in findings(stage, "SU-08")] == [False]
    stage.facts |= {"features.dnd.phone_side": "feature-code", "features.dnd.server_side": "none"}
    assert findings(stage, "SU-08") == []
