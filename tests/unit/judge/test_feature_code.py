"""Feature codes, effects on calls and uaCSTA: good traces break nothing, each fault breaks just its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from featuresync.judge.trace import Trace
from featuresync.sync.feature import FeatureState

from .codes import (
    ALWAYS,
    BUSY,
    DND,
    NO_ANSWER,
    CodeStage,
    Handset,
    calls,
    facts,
    flips,
    switches,
    told_flips,
    wrong_codes,
)  # fmt: skip
from .test_catalogue import broken, findings
from .traces import Stage, off, on

GOOD: dict[str, tuple[CodeStage, Callable[[CodeStage], None], str]] = {
    "switches": (CodeStage(), switches, "FC-01 FC-02 FC-03 FC-09 FC-10 ST-08"),
    "switches early": (CodeStage(early=True), switches, "FC-01 FC-02 FC-03 ST-08"),
    "flips": (CodeStage(), flips, "FC-04 NO-11 ST-08"),
    "told flips": (CodeStage("uacsta"), told_flips, "CS-01 CS-04 ST-08"),
    "wrong codes": (CodeStage(), wrong_codes, "FC-05 FC-06 FC-07 FC-08 FC-09 FC-10"),
    "calls": (CodeStage(), calls, "EF-01 EF-02 EF-03 EF-04 EF-05 FC-01 FC-02 FC-09 FC-10 ST-08"),
}
FORM = {"TR-02", "TR-07", "AU-03"}
"""Rows about the form of responses and about credentials, which any such trace gives an occasion to."""


def played(stage: CodeStage, scenario: Callable[[CodeStage], None]) -> Trace:
    """A fresh stage like this one, played."""
    fresh = replace(stage)
    scenario(fresh)
    return fresh.trace


@pytest.mark.parametrize("name", GOOD)
def test_a_good_trace_breaks_nothing_and_judges_just_what_it_should(name):
    stage, scenario, judged = GOOD[name]
    trace = played(stage, scenario)
    assert broken(trace) == {}
    assert set(findings(trace)) - FORM == set(judged.split())


@pytest.mark.parametrize("name", GOOD)
def test_a_trace_cut_short_anywhere_breaks_nothing(name):
    stage, scenario, _ = GOOD[name]
    whole = played(stage, scenario)
    for end in range(0, len(whole.events), 2):
        assert broken(Trace(whole.setting, whole.events[:end])) == {}, f"after {end} events"


# -- faults -------------------------------------------------------------------------------------------


def code_ignored(stage: CodeStage) -> None:
    stage.stores = lambda user, state: None


def changed_but_refused(stage: CodeStage) -> None:
    stage.final = lambda dialled: 404
    stage.early = False
    act, dial = stage.act, stage.dial

    def refuse(phone, dialled, credentials=True):  # type: ignore[no-untyped-def]
        dial(phone, dialled, credentials)
        act(phone.account, dialled)

    stage.dial = refuse  # type: ignore[method-assign]


def wrong_feature(stage: CodeStage) -> None:
    def store(user, state):  # type: ignore[no-untyped-def]
        stage.store(user, replace(state, feature=ALWAYS) if state.feature is BUSY else state)

    stage.stores = store


def wrong_number(stage: CodeStage) -> None:
    stage.stores = lambda user, state: stage.store(user, replace(state, number=state.number + "9"))


def toggles(stage: CodeStage) -> None:
    def store(user, state):  # type: ignore[no-untyped-def]
        on_already = state.on and stage.states[user][DND].on and state.feature is DND
        stage.store(user, off(DND) if on_already else state)

    stage.stores = store


def pushes_a_notify(stage: CodeStage) -> None:
    stage.tells = stage.notify


def pushes_an_info(stage: CodeStage) -> None:
    stage.tells = stage.info


def off_code_hits_the_other(stage: CodeStage) -> None:
    final = stage.final
    stage.final = lambda dialled: 200 if dialled == "*732002" else final(dialled)
    act = stage.act
    stage.act = lambda user, dialled: (  # type: ignore[method-assign]
        stage.store("2002", off(ALWAYS)) if dialled == "*732002" else act(user, dialled)
    )


def without_number_nothing_happens(stage: CodeStage) -> None:
    stage.stores = lambda user, state: None if state.number == "voicemail" else stage.store(user, state)


def without_number_the_other_forward(stage: CodeStage) -> None:
    stage.stores = lambda user, state: stage.store(user, on(BUSY, ""))


def unknown_code_takes_all_off(stage: CodeStage) -> None:
    final = stage.final

    def status(dialled: str) -> int:
        if dialled == "*000999":
            stage.store("2001", off(BUSY))
        return final(dialled)

    stage.final = status


def no_credentials_needed(stage: CodeStage) -> None:
    stage.demands_credentials = False


def never_hangs_up(stage: CodeStage) -> None:
    stage.hangs_up = False


def bye_of_another_dialog(stage: CodeStage) -> None:
    stage.bye_of = lambda draft: draft.put("From", "<sip:x@lab>;tag=other")


def answer_without_contact(stage: CodeStage) -> None:
    stage.answer_of = lambda draft: draft.drop("Contact")


def dnd_rings(stage: CodeStage) -> None:
    route = stage.goes
    stage.goes = lambda callee: [callee] if stage.states[callee][DND].on else route(callee)


def forward_rings_the_phone(stage: CodeStage) -> None:
    route = stage.goes
    stage.goes = lambda callee: [callee] if stage.states[callee][ALWAYS].on else route(callee)


def forward_rings_both(stage: CodeStage) -> None:
    route = stage.goes
    stage.goes = lambda callee: [callee, *route(callee)] if stage.states[callee][ALWAYS].on else route(callee)


def busy_is_busy(stage: CodeStage) -> None:
    route = stage.goes
    stage.goes = lambda callee: [callee] if stage.states[callee][BUSY].on else route(callee)


def no_answer_goes_at_once(stage: CodeStage) -> None:
    route = stage.goes
    stage.goes = lambda callee: route(callee)[1:] if stage.states[callee][NO_ANSWER].on else route(callee)


def calls_ring_elsewhere(stage: CodeStage) -> None:
    route = stage.goes
    stage.goes = lambda callee: (
        ["2003"] if not any(state.on for state in stage.states[callee].values()) else route(callee)
    )


def calls_ring_nowhere(stage: CodeStage) -> None:
    route = stage.goes
    stage.goes = lambda callee: (
        [] if not any(state.on for state in stage.states[callee].values()) else route(callee)
    )


def push_missing(stage: CodeStage) -> None:
    stage.tells = lambda user, state: None


def push_to_one_phone(stage: CodeStage) -> None:
    info = stage.tells

    def tell(user, state):  # type: ignore[no-untyped-def]
        phones, stage.phones = stage.phones, stage.phones[:1]
        info(user, state)
        stage.phones = phones

    stage.tells = tell


def event_with_the_old_value(stage: CodeStage) -> None:
    stage.tells = lambda user, state: stage.info(user, replace(state, on=not state.on))


def event_in_broken_xml(stage: CodeStage) -> None:
    stage.event_of = lambda draft: setattr(draft, "body", draft.body.replace(b"</device>", b""))


def event_of_no_edition(stage: CodeStage) -> None:
    stage.event_of = lambda draft: setattr(draft, "body", draft.body.replace(b"csta/ed3", b"other"))


def event_of_another_type(stage: CodeStage) -> None:
    stage.event_of = lambda draft: draft.put("Content-Type", "text/xml")


MUTANTS = [
    ("switches", code_ignored, "FC-01 FC-02"),
    ("switches early", code_ignored, "FC-01 FC-02"),
    ("switches", changed_but_refused, "FC-01 FC-02"),
    ("switches", wrong_feature, "FC-02 ST-08"),
    ("switches", wrong_number, "FC-02"),
    ("switches", toggles, "FC-01 FC-03"),
    ("flips", pushes_a_notify, "FC-04 NO-11"),
    ("flips", pushes_an_info, "FC-04"),
    ("wrong codes", off_code_hits_the_other, "FC-05"),
    ("wrong codes", without_number_nothing_happens, "FC-06"),
    ("wrong codes", without_number_the_other_forward, "FC-06"),
    ("wrong codes", unknown_code_takes_all_off, "FC-07"),
    ("wrong codes", no_credentials_needed, "FC-08"),
    ("switches", never_hangs_up, "FC-09"),
    ("switches", bye_of_another_dialog, "FC-10"),
    ("switches", answer_without_contact, "FC-10"),
    ("calls", dnd_rings, "EF-01"),
    ("calls", forward_rings_the_phone, "EF-02"),
    ("calls", forward_rings_both, "EF-02"),
    ("calls", busy_is_busy, "EF-03"),
    ("calls", no_answer_goes_at_once, "EF-04"),
    ("calls", calls_ring_elsewhere, "EF-05"),
    ("calls", calls_ring_nowhere, "EF-05"),
    ("told flips", push_missing, "CS-04"),
    ("told flips", push_to_one_phone, "CS-04"),
    ("told flips", event_with_the_old_value, "CS-04"),
    ("told flips", event_in_broken_xml, "CS-01 CS-04"),
    ("told flips", event_of_no_edition, "CS-01"),
    ("told flips", event_of_another_type, "CS-01"),
]


@pytest.mark.parametrize(
    ("name", "fault", "rows"), MUTANTS, ids=[f"{fault.__name__}-{name}" for name, fault, _ in MUTANTS]
)
def test_a_fault_is_caught_by_its_rows_alone(name, fault, rows):
    stage, scenario, _ = GOOD[name]
    fresh = replace(stage)
    fault(fresh)
    scenario(fresh)
    assert set(broken(fresh.trace)) == set(rows.split())


def test_a_phone_whose_busy_code_is_the_unconditional_one_is_caught():
    """The server is right, the phone is provisioned wrongly: what was meant is not what was changed."""
    stage = CodeStage()
    stage.read()
    stage.press(stage.phone("desk"), on(BUSY, "2003"), dialled="*722003")
    stage.read()
    found = broken(stage.trace)
    assert set(found) == {"FC-02", "ST-08"}
    assert found["ST-08"].seen == "unconditional forward → 2003 (was: unconditional forward off)"


@pytest.mark.parametrize("claimed", ["prompt", "refused"])
def test_what_a_code_without_a_number_does_is_the_vendors_claim(claimed):
    stage = CodeStage(more={"features.cf_busy.codes.without_number": claimed})
    wrong_codes(stage)
    assert set(broken(stage.trace)) == {"FC-06"}
    stage = CodeStage(more={"features.cf_busy.codes.without_number": claimed})
    without_number_nothing_happens(stage)
    wrong_codes(stage)
    assert broken(stage.trace) == {}


# -- a subscribed account -----------------------------------------------------------------------------


def dialled_on_a_subscribed_account(pushed: FeatureState | None, claimed: bool = True) -> Trace:
    """DND set by its code while a phone of the account is subscribed; ``pushed`` is what the NOTIFY says."""
    known = {"expect.challenge": True, "expect.full_state": "multipart", "expect.notify_after_code": claimed}
    stage = Stage(families="R B FC", facts={**facts("as-feature-event"), **known})
    desk = stage.phone()
    desk.register()
    desk.subscribe()
    dialler = CodeStage(now=stage.now)
    dialler.trace = stage.trace
    dialler.press(Handset("desk", desk.account, desk.port), on(DND))
    stage.now = dialler.now
    if pushed is not None:
        stage.states[desk.account][DND] = pushed
        stage.push(desk.account, pushed, None, "flip")
    stage.now += 6.0
    stage.read()
    return stage.trace


@pytest.mark.parametrize(
    ("pushed", "claimed", "rows"),
    [
        (on(DND), True, set()),
        (off(DND), True, {"ST-23", "FC-01"}),
        (None, True, {"ST-23", "FC-01"}),
        (None, False, {"FC-01"}),
    ],
)
def test_a_change_by_code_is_told_to_subscriptions(pushed, claimed, rows):
    assert set(broken(dialled_on_a_subscribed_account(pushed, claimed))) == rows
    judged = set(findings(dialled_on_a_subscribed_account(pushed, claimed)))
    assert ("ST-23" in judged) is claimed
    assert not judged & {"ST-01", "ST-09", "NO-10"}, "neither a set in a dialog nor a flip"
