"""Allure's result files: the stock listener's defects are cured, each by name."""

from __future__ import annotations

import json
import re

import pytest
from synthetic import SECRET, SYSTEMS, judged, one, story

from featuresync.evidence.allure import (
    CATEGORIES,
    AllureWriter,
    Exhibit,
    exhibits,
    severity,
    write_surroundings,
)
from featuresync.evidence.record import STOPPED, RequirementRecord
from featuresync.evidence.redaction import Redactor
from featuresync.evidence.steps import Step
from featuresync.judge.verdict import Level, Verdict


@pytest.fixture
def writer(tmp_path):
    links = {"NO-04": "https://example.org/NO-04"}
    return AllureWriter(
        tmp_path, SYSTEMS["alpha"], Redactor([SECRET]), host="lab", thread="1001", links=links
    )


def results(folder):
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*-result.json"))]


def only(folder):
    (result,) = results(folder)
    return result


def labels(result, name):
    return [label["value"] for label in result["labels"] if label["name"] == name]


@pytest.mark.parametrize(
    ("verdict", "status"),
    [("pass", "passed"), ("deviation", "passed"), ("warning", "passed"), ("fail", "failed"),
     ("broken", "broken"), ("skipped", "skipped")],
)  # fmt: skip
def test_status_tells_a_broken_bench_from_a_failed_device(writer, tmp_path, verdict, status):
    writer.end_test(one("alpha", "a/b", Verdict(verdict), "why"))
    assert only(tmp_path)["status"] == status


def test_a_test_in_flight_is_there_when_the_run_is_killed(writer, tmp_path):
    writer.start_test(one("alpha", "a/b", Verdict.BROKEN, STOPPED))
    result = only(tmp_path)
    assert (result["status"], result["statusDetails"]["message"]) == ("broken", STOPPED)
    writer.end_test(one("alpha", "a/b", Verdict.PASS))
    assert only(tmp_path)["status"] == "passed"
    assert only(tmp_path)["uuid"] == result["uuid"]


def test_a_suite_teardown_that_fails_rewrites_the_result_with_all_it_had(writer, tmp_path):
    step = Step("Press", args=["on"], status="PASS", start=1.0, stop=2.0)
    exhibit = Exhibit("Ladder", "image/svg+xml", "svg", b"<svg/>")
    writer.end_test(one("alpha", "a/b", Verdict.PASS), [step], [exhibit])
    writer.amend(one("alpha", "a/b", Verdict.BROKEN, "could not put the state back"))
    result = only(tmp_path)
    assert result["status"] == "broken"
    assert result["statusDetails"]["message"] == "could not put the state back"
    assert [one["name"] for one in result["steps"]] == ["Press  on"]
    (attachment,) = result["attachments"]
    assert (tmp_path / attachment["source"]).read_bytes() == b"<svg/>"


def test_a_skipped_test_that_never_started_is_written(writer, tmp_path):
    writer.end_test(one("alpha", "a/b", Verdict.SKIPPED, "not claimed: no code"))
    assert only(tmp_path)["statusDetails"]["message"] == "not claimed: no code"


def test_one_scenario_of_two_vendors_is_two_tests_not_a_retry(tmp_path):
    for vendor in ("alpha", "beta"):
        mine = AllureWriter(tmp_path, SYSTEMS[vendor], Redactor(()), host="lab", thread="1001")
        mine.end_test(one(vendor, "a/b", Verdict.PASS))
    assert len({result["historyId"] for result in results(tmp_path)}) == 2
    again = AllureWriter(tmp_path, SYSTEMS["beta"], Redactor(()), host="lab", thread="1001")
    again.end_test(one("beta", "a/b", Verdict.PASS))
    assert len({result["historyId"] for result in results(tmp_path)}) == 2


def test_labels_title_links_and_parameters(writer, tmp_path):
    record = one(
        "alpha", "phone_side/dnd_on", Verdict.FAIL, "NO-04", feature="dnd", side="phone", tags=("sync",)
    )
    writer.end_test(record.with_judgements(judged(story())))
    result = only(tmp_path)
    assert result["name"] == "Dnd on"
    assert result["fullName"] == "alpha/phone_side/dnd_on"
    assert result["titlePath"] == ["Alpha", "phone_side"]
    named = {
        name: labels(result, name)
        for name in ("epic", "feature", "story", "severity", "host", "thread", "tag")
    }
    assert named == {
        "epic": ["Alpha"], "feature": ["DND"], "story": ["phone → server"], "severity": ["critical"],
        "host": ["lab"], "thread": ["1001"], "tag": ["sync"],
    }  # fmt: skip
    assert labels(result, "requirement") == ["ST-01", "NO-04", "PH-02", "BD-05"]
    assert result["links"] == [{"type": "link", "url": "https://example.org/NO-04", "name": "NO-04"}]
    assert {"name": "system", "value": "Alpha · stand-in on Engine 6.1.5", "excluded": True} in result[
        "parameters"
    ]
    assert result["statusDetails"]["message"] == "NO-04"
    assert (result["start"], result["stop"]) == (
        round(record.started.timestamp() * 1000),
        result["start"] + 500,
    )


def test_a_deviation_carries_its_tag_and_its_reason(writer, tmp_path):
    writer.end_test(one("alpha", "a/b", Verdict.DEVIATION, "BD-08: never <reported>"))
    result = only(tmp_path)
    assert labels(result, "tag") == ["deviation"]
    assert result["statusDetails"]["message"] == "Declared deviation: BD-08: never <reported>"
    assert result["description"] == "BD-08: never &lt;reported&gt;"


def test_sip_addresses_stay_and_secrets_go(writer, tmp_path):
    inner = Step("Send", args=["From: <sip:101@pbx>;tag=1"], status="FAIL", message=f"{SECRET}\x00")
    writer.end_test(
        one("alpha", "a/b", Verdict.PASS, doc="calls <sip:101@pbx>"),
        [Step("A", status="PASS", steps=[inner])],
    )
    result = only(tmp_path)
    assert result["steps"][0]["steps"][0]["name"] == "Send  From: <sip:101@pbx>;tag=1"
    assert result["description"] == "calls &lt;sip:101@pbx&gt;"
    assert SECRET not in json.dumps(result)
    assert result["steps"][0]["steps"][0]["statusDetails"]["message"] == "x" * len(SECRET) + r"\x00"


def test_setup_and_teardown_stand_where_allure_has_them(writer, tmp_path):
    kinds = [("Open", "SETUP"), ("Press", "KEYWORD"), ("Close", "TEARDOWN")]
    steps = [Step(name, kind, status="PASS", start=1.0, stop=2.0) for name, kind in kinds]
    writer.end_test(one("alpha", "a/b", Verdict.PASS), steps)
    (file,) = tmp_path.glob("*-container.json")
    container = json.loads(file.read_text())
    assert [one["name"] for one in container["befores"] + container["afters"]] == ["Open", "Close"]
    assert (container["befores"][0]["start"], container["befores"][0]["stop"]) == (1000, 2000)
    assert container["children"] == [only(tmp_path)["uuid"]]
    assert [one["name"] for one in only(tmp_path)["steps"]] == ["Press"]


def test_every_requirement_is_a_line_of_the_last_step(writer, tmp_path):
    writer.end_test(one("alpha", "a/b", Verdict.FAIL, "no").with_judgements(judged(story())))
    group = only(tmp_path)["steps"][-1]
    assert (group["name"], group["status"]) == ("Requirements judged: 1 of 4 kept", "failed")
    assert [(step["name"], step["status"]) for step in group["steps"]][:2] == [
        ("ST-01 pass · The text of ST-01. · RFC 6665 4.1.3", "passed"),
        ("NO-04 fail · The text of NO-04. · RFC 6665 4.1.3", "failed"),
    ]


@pytest.mark.parametrize(
    ("levels", "words"),
    [("", "normal"), ("OSM", "critical"), ("SP", "normal"), ("S", "minor"), ("O", "trivial"),
     ("R", "normal")],
)  # fmt: skip
def test_severity_is_that_of_the_strongest_requirement(levels, words):
    rows = [RequirementRecord(id=level, verdict="pass", level=Level(level)) for level in levels]
    assert severity(rows) == words


def test_evidence_files_become_attachments_with_their_type(tmp_path):
    (tmp_path / "ladder.svg").write_bytes(b"<svg/>")
    found = exhibits(tmp_path, {"ladder": "ladder.svg", "capture": "gone.pcapng"})
    assert found == [Exhibit("Ladder", "image/svg+xml", "svg", b"<svg/>")]


@pytest.mark.parametrize(
    ("status", "message", "name"),
    [
        ("failed", "NO-04\nseen", "Device defect: a requirement was broken"),
        ("broken", "featuresync itself failed: Trace\nback", "Tester fault"),
        ("broken", "the scenario itself failed: no keyword", "Tester fault"),
        ("broken", "ssh: connection refused", "Bench trouble: says nothing of the device"),
        ("passed", "Declared deviation: BD-08\nseen", "Deviation, as the profile declares"),
        ("passed", "Warning: SU-05", "Warning: a recommendation not followed"),
        ("skipped", "no", "Not claimed by the system"),
    ],
)
def test_categories_put_the_blame_where_it_belongs(status, message, name):
    def matches(rule):
        return status in rule["matchedStatuses"] and re.search(rule.get("messageRegex", ""), message)

    assert next(rule["name"] for rule in CATEGORIES if matches(rule)) == name


def test_surroundings(tmp_path):
    env = {"GITLAB_CI": "true", "CI_JOB_NAME": "night", "CI_PIPELINE_IID": "7", "CI_JOB_URL": "https://ci/7"}
    write_surroundings(tmp_path, {"the bench": "läb\n2", "path": "a\\b"}, env)
    assert json.loads((tmp_path / "categories.json").read_text()) == CATEGORIES
    assert "(?" not in (tmp_path / "categories.json").read_text()  # inline flags never match in JavaScript
    lines = (tmp_path / "environment.properties").read_text().splitlines()
    assert lines == ["the\\ bench = l\\u00e4b 2", "path = a\\\\b"]
    assert json.loads((tmp_path / "executor.json").read_text()) == {
        "type": "gitlab", "name": "GitLab CI", "buildName": "night #7", "buildOrder": 7, "buildUrl": "https://ci/7",
    }  # fmt: skip


def test_no_executor_is_made_up_outside_of_ci(tmp_path):
    write_surroundings(tmp_path, {}, {"CI": "true"})
    assert not (tmp_path / "executor.json").exists()
