"""The run's data survives kills and hostile text, and says the right exit code."""

from __future__ import annotations

import json

import pytest
from synthetic import SECRET, SYSTEMS, T0, judged, one, run, story

from featuresync.errors import ConfigFault
from featuresync.evidence.record import (
    STOPPED,
    DeclaredRecord,
    Part,
    RequirementRecord,
    RunRecord,
    SystemRecord,
    TestRecord,
    closing_line,
    collect,
    exit_code,
    load,
    utc,
)
from featuresync.evidence.redaction import Redactor
from featuresync.judge.verdict import Verdict

ALPHA = SystemRecord(title="Alpha", fingerprint="Engine 6.1.5", standin=True)


@pytest.fixture
def folder(tmp_path):
    RunRecord(bench="lab", bench_reason="asked for", started=utc(T0)).save(tmp_path)
    return tmp_path


def part(folder, vendor="alpha", system=ALPHA, **more):
    return Part(folder / "parts" / vendor, vendor, system, **more)


def totals(*verdicts: Verdict) -> RunRecord:
    tests = tuple(one("alpha", f"a/t{i}", verdict) for i, verdict in enumerate(verdicts))
    count = {str(v): verdicts.count(v) for v in Verdict}
    return RunRecord(bench="lab", started=utc(T0), tests=tests, totals=count)


def test_run_json_is_that_of_the_contract(folder):
    mine = part(folder)
    record = one("alpha", "phone_side/dnd_on", Verdict.FAIL, "no", feature="dnd", side="phone")
    mine.start(record)
    mine.end(record.with_judgements(judged(story())))
    collect(folder).save(folder)
    said = json.loads((folder / "run.json").read_text())
    assert {key: said[key] for key in ("schema", "bench", "bench_reason", "exit_code", "started")} == {
        "schema": 1, "bench": "lab", "bench_reason": "asked for", "exit_code": 1,
        "started": "2026-11-23T15:00:00.123456Z",
    }  # fmt: skip
    assert said["totals"] == {"pass": 0, "deviation": 0, "warning": 0, "fail": 1, "broken": 0, "skipped": 0}
    alpha = {"title": "Alpha", "fingerprint": "Engine 6.1.5", "standin": True, "facts": [], "quirks": []}
    assert said["systems"] == {"alpha": alpha}
    (test,) = said["tests"]
    assert {key: test[key] for key in ("id", "vendor", "scenario", "feature", "side", "verdict")} == {
        "id": "alpha/phone_side/dnd_on", "vendor": "alpha", "scenario": "phone_side/dnd_on", "feature": "dnd",
        "side": "phone", "verdict": "fail",
    }  # fmt: skip
    assert test["requirements"][1] == {
        "id": "NO-04", "verdict": "fail", "level": "M",
        "clause": "RFC 6665 4.1.3", "text": "The text of NO-04.",
        "detail": "expected Subscription-State in every NOTIFY; seen no Subscription-State header",
    }  # fmt: skip
    assert (test["requirement"], test["expected"], test["seen"]) == (
        "NO-04", "Subscription-State in every NOTIFY", "no Subscription-State header",
    )  # fmt: skip
    assert load(folder) == collect(folder)


def test_a_killed_run_keeps_what_ended_and_tells_what_ran(folder):
    mine = part(folder)
    mine.start(one("alpha", "a/first", Verdict.PASS))
    mine.end(one("alpha", "a/first", Verdict.PASS))
    mine.start(one("alpha", "a/second", Verdict.PASS))
    found = {test.scenario: (test.verdict, test.message) for test in collect(folder).tests}
    assert found == {"a/first": (Verdict.PASS, ""), "a/second": (Verdict.BROKEN, STOPPED)}


def test_a_line_torn_by_the_kill_is_passed_over(folder):
    mine = part(folder)
    mine.start(one("alpha", "a/first", Verdict.PASS))
    whole = mine.file.read_bytes()
    mine.file.write_bytes(whole + whole[: len(whole) // 2])
    assert [test.message for test in collect(folder).tests] == [STOPPED]
    mine.end(one("alpha", "a/first", Verdict.PASS))
    assert [test.verdict for test in collect(folder).tests] == [Verdict.PASS]


def test_a_run_that_was_never_collected_is_not_green(folder):
    assert (load(folder).exit_code, load(folder).tests) == (2, ())


def test_the_last_word_on_a_test_counts(folder):
    mine = part(folder)
    mine.end(one("alpha", "a/first", Verdict.PASS))
    mine.end(one("alpha", "a/first", Verdict.BROKEN, "the suite's teardown failed"))
    assert collect(folder).totals["broken"] == 1
    assert collect(folder).totals["pass"] == 0


def test_every_part_is_merged(folder):
    for vendor in ("beta", "alpha"):
        part(folder, vendor, SYSTEMS[vendor]).end(one(vendor, "a/first", Verdict.PASS))
    merged = collect(folder)
    assert [test.id for test in merged.tests] == ["alpha/a/first", "beta/a/first"]
    assert merged.systems["beta"].said == "Beta PBX · Beta 18.0.1 build 7"
    assert merged.systems["alpha"].said == "Alpha · stand-in on Engine 6.1.5"
    assert merged.finished == max(test.finished for test in merged.tests)
    assert collect(folder, utc(T0 + 99)).finished == utc(T0 + 99)


def test_what_a_device_said_is_written_without_secrets_and_printable(folder):
    hostile = b"\xff\x00 \xe9".decode("utf-8", "surrogateescape")
    record = one("alpha", "a/first", Verdict.FAIL).model_copy(
        update={
            "message": f"{hostile} {SECRET}",
            "requirements": (RequirementRecord(id="A", verdict="fail"),),
        }
    )
    part(folder, redactor=Redactor([SECRET])).end(record)
    (test,) = collect(folder).tests
    assert test.message == rf"\xff\x00 \xe9 {'x' * len(SECRET)}"


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.PASS, Verdict.DEVIATION, Verdict.WARNING, Verdict.SKIPPED], 0),
        ([Verdict.PASS, Verdict.FAIL, Verdict.BROKEN], 1),
        ([Verdict.PASS, Verdict.BROKEN], 2),
        ([], 2),
        ([Verdict.SKIPPED], 2),
    ],
)
def test_exit_code(verdicts, code):
    assert exit_code(totals(*verdicts)) == code


def test_a_system_without_a_single_test_is_bench_trouble():
    record = totals(Verdict.PASS).model_copy(update={"systems": {"alpha": ALPHA, "beta": SYSTEMS["beta"]}})
    assert exit_code(record) == 2


def test_closing_line():
    assert closing_line(run()) == "28 passed, 17 failed, 8 skipped"


@pytest.mark.parametrize(
    ("verdicts", "scenarios", "surprised"),
    [
        (["pass"], (), True),
        (["pass", "deviation"], (), False),
        (["deviation"], (), False),
        ([], (), False),
        (["pass"], ("a/t0",), True),
        (["pass"], ("a/other",), False),
    ],
)
def test_a_declared_deviation_that_did_not_happen_is_a_surprise(folder, verdicts, scenarios, surprised):
    declared = DeclaredRecord(requirement="SU-02", reason="answers 202", scenarios=scenarios)
    mine = part(folder, system=ALPHA.model_copy(update={"declared": (declared,)}))
    for number, verdict in enumerate(verdicts):
        rows = (RequirementRecord(id="SU-02", verdict=verdict), RequirementRecord(id="SU-01", verdict="pass"))
        mine.end(one("alpha", f"a/t{number}", Verdict.PASS, requirements=rows))
    found = [(row.vendor, row.requirement, row.reason) for row in collect(folder).surprises]
    assert found == ([("alpha", "SU-02", "answers 202")] if surprised else [])


def test_a_folder_that_is_no_run_is_a_fault_of_the_user(tmp_path):
    with pytest.raises(ConfigFault, match=r"run\.json: file: expected the run\.json of a run folder"):
        load(tmp_path)
    (tmp_path / "run.json").write_text('{"schema": 7}')
    with pytest.raises(ConfigFault, match=r"schema: expected run\.json of schema 1"):
        load(tmp_path)


def test_a_record_is_broken_until_somebody_judges_it():
    record = TestRecord(id="a/b", vendor="a", scenario="b", started=utc(T0))
    assert (record.verdict, record.message) == (Verdict.BROKEN, STOPPED)
