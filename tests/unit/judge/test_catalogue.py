"""The catalogue: its form; each row passes on good traces and says nothing where there is no occasion."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from featuresync.judge.catalogue import CATALOGUE, requirement
from featuresync.judge.trace import Reading, Trace
from featuresync.judge.verdict import Finding

from .scenarios import ALL
from .traces import Stage
from .variants import VARIANTS

# Rows that any trace with a subscription gives an occasion to.
ALWAYS_JUDGED = set(
    "AU-01 AU-03 BD-01 BD-02 BD-03 BD-04 BD-05 BD-07 BD-09 BD-13 BD-14 EX-02 EX-07 MP-01 MP-03 MP-04 MP-06 "
    "NO-01 NO-02 NO-03 NO-04 NO-05 NO-06 NO-07 NO-08 NO-12 SU-01 SU-02 SU-03 SU-04 SU-05 SU-11 SU-20 "
    "TR-02 TR-06 TR-07 UN-01 UN-02".split()
)

# The same of a trace with calls and no subscription.
ALWAYS_JUDGED_OF_CALLS = {"TR-02", "TR-07"}
WITHOUT_SUBSCRIPTION = {"keys", "wrong_codes", "silence", "events", "effects"}

# What else each scenario gives an occasion to; all other rows must have nothing to say about it.
JUDGED = {
    "round_trips": "BD-06 BD-08 BD-15 MP-02 ST-01 ST-02 ST-03 ST-04 ST-05 ST-06 ST-07 ST-08 ST-20",
    "flips": "BD-06 BD-08 MP-02 NO-10 ST-08 ST-09 ST-10 ST-20",
    "lifecycle": "BD-06 BD-15 MP-02 NO-10 RF-01 RF-02 RF-03 RF-04 RF-05 RF-07 UN-03 UN-04 "
    "ST-01 ST-08 ST-09 ST-10 ST-11 ST-12 ST-20",
    "starts": "EX-01 SU-07 SU-08 SU-12 SU-13 UN-05 ST-12",
    "credentials": "AU-02 AU-05",
    "rapid": "BD-15 MP-02 ST-01 ST-02 ST-08 ST-19 ST-20",
    "devices": "BD-06 BD-15 MP-02 NO-10 RF-05 UN-03 ST-06 ST-09 ST-20 MS-01 MS-02 MS-03 MS-04",
    "unsubscribed": "NO-10 NO-11 ST-08 ST-09 MP-02",
    "typed": "BD-06 BD-15 MP-02 ST-08 ST-14",
    "keys": "ST-08 FC-01 FC-02 FC-03 FC-09 FC-10",
    "wrong_codes": "ST-08 FC-01 FC-05 FC-06 FC-07 FC-08 FC-09 FC-10",
    "told_codes": "BD-06 MP-02 ST-08 ST-20 ST-23 FC-01 FC-02 FC-09 FC-10",
    "silence": "NO-11 ST-08 FC-04",
    "events": "NO-11 ST-08 CS-01 CS-04",
    "effects": "ST-08 EF-01 EF-02 EF-03 EF-04 EF-05",
}


def findings(trace: Trace) -> dict[str, list[Finding]]:
    found = {id: list(row.judge(trace)) for id, row in CATALOGUE.items()}
    return {id: some for id, some in found.items() if some}


def broken(trace: Trace) -> dict[str, Finding]:
    return {id: f for id, some in findings(trace).items() for f in some if not f.ok}


def test_all_rows_are_there():
    order = "TR AU SU EX NO RF UN BD MP ST ER MS CO FC FV CS EF XF PH".split()
    assert [id[:2] for id in CATALOGUE] == sorted([id[:2] for id in CATALOGUE], key=order.index)


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=CATALOGUE)
def test_a_row_reads_well(row):
    assert re.fullmatch(r"[A-Z]{2}-\d{2}", row.id)
    assert row.text[0].isupper() or row.text.startswith(("doNotDisturbOn", "forwardTo", "ringCount"))
    assert row.text.endswith(".")
    assert row.text.count(". ") == 0, "one sentence"
    assert re.match(r"RFC \d|XML 1\.0|ECMA TR/87|package practice|inferred", row.clause)
    assert "§" not in row.clause
    assert row.applies


def test_requirement_finds_a_row_by_its_id():
    assert requirement("NO-04").clause == "RFC 6665 4.2.2, 8.4"
    with pytest.raises(KeyError):
        requirement("XX-99")


@pytest.mark.parametrize("name", ALL)
def test_a_good_trace_breaks_nothing_and_judges_just_what_it_should(good, name):
    assert broken(good[name]) == {}
    always = ALWAYS_JUDGED_OF_CALLS if name in WITHOUT_SUBSCRIPTION else ALWAYS_JUDGED
    assert set(findings(good[name])) == always | set(JUDGED[name].split())


@pytest.mark.parametrize("setup", VARIANTS, ids=lambda setup: setup.__name__)
@pytest.mark.parametrize("name", ALL)
def test_another_way_of_doing_it_right_breaks_nothing(setup: Callable[[Stage], None], name):
    stage = Stage()
    setup(stage)
    ALL[name](stage)
    assert broken(stage.trace) == {}


@pytest.mark.parametrize("setup", VARIANTS, ids=lambda setup: setup.__name__)
def test_a_variant_does_differ(good, setup: Callable[[Stage], None]):
    stage = Stage()
    setup(stage)
    for scenario in ALL.values():
        scenario(stage)
    said = [event.data for event in stage.trace.events if hasattr(event, "data")]
    plain = [event.data for trace in good.values() for event in trace.events if hasattr(event, "data")]
    times = [round(event.time, 3) for event in stage.trace.events]
    steps = {round(b - a, 3) for a, b in pairwise(times)}
    assert (
        len(said) != len(plain)
        or {len(data) for data in said} != {len(data) for data in plain}
        or 0.51 in steps
    )


def test_nothing_is_said_of_an_empty_trace():
    assert findings(Stage().trace) == {}


def test_nothing_but_the_form_of_responses_is_said_of_a_registration():
    stage = Stage()
    stage.read()
    stage.phone().register()
    assert set(findings(stage.trace)) == {"TR-02", "TR-07"}


def test_every_finding_says_what_was_expected_and_seen_in_one_line(good):
    for trace in good.values():
        for some in findings(trace).values():
            for finding in some:
                assert finding.expected
                assert finding.seen
                assert "\n" not in finding.expected + finding.seen
                assert len(finding.seen) <= 500
                assert finding.at is None or trace.index(finding.at) >= 0


@pytest.mark.parametrize("name", ALL)
def test_a_trace_cut_short_anywhere_breaks_nothing(good, name):
    """What has not come by the end of a capture may come yet."""
    whole = good[name]
    for end in range(0, len(whole.events), 3):
        part = Trace(whole.setting, whole.events[:end])
        assert broken(part) == {}, f"after {end} events"


@pytest.mark.parametrize("name", ["flips", "keys", "wrong_codes", "told_codes", "events", "effects"])
def test_hostile_bytes_are_judged_without_an_error(good, name):
    """Whatever a server sends, judging it never raises."""
    whole = good[name]
    for seed in range(60):
        part = Trace(whole.setting, list(whole.events))
        for place, event in enumerate(part.events):
            if hasattr(event, "data") and not event.sent and (place + seed) % 7 == 0:
                at = (seed * 37) % max(len(event.data), 1)
                bad = event.data[:at] + bytes([seed, 255, 10]) * (seed % 5) + event.data[at + seed % 9 :]
                part.events[place] = type(event)(
                    event.time, event.actor, False, event.transport, event.local, event.remote, bad
                )
        findings(part)


@pytest.mark.parametrize("name", ["round_trips", "keys", "wrong_codes"])
def test_a_reading_of_some_features_is_enough(good, name):
    whole = good[name]
    events = [
        Reading(e.time, e.account, dict(list(e.states.items())[:1])) if isinstance(e, Reading) else e
        for e in whole.events
    ]
    assert broken(Trace(whole.setting, events)) == {}
