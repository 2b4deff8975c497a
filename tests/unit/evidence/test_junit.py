"""The run as CI systems count it."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from synthetic import T0, one, run

from featuresync.evidence.junit import junit, write
from featuresync.evidence.record import RunRecord, utc
from featuresync.judge.verdict import Verdict


def case(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(element for element in root.iter("testcase") if element.get("name") == name)


def test_counts_are_those_of_the_run(tmp_path):
    write(run(), tmp_path / "xunit.xml")
    root = ElementTree.parse(tmp_path / "xunit.xml").getroot()
    counts = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "53", "failures": "1", "errors": "16", "skipped": "8"}
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["alpha", "beta", "gamma"]
    assert suites["gamma"].get("errors") == "16"
    said = {prop.get("name"): prop.get("value") for prop in suites["alpha"].find("properties")}
    assert said == {"system": "Alpha · stand-in on Engine 6.1.5", "bench": "lab"}


def test_each_verdict_has_its_element():
    root = ElementTree.fromstring(junit(run()))
    failed = case(root, "dnd_reaches_the_other_phone")
    assert failed.get("classname") == "alpha.phone_side"
    assert failed.find("failure").get("type") == "device"
    assert failed.find("failure").text == (
        "NO-04\nexpected: Subscription-State in every NOTIFY\nseen: no Subscription-State header"
    )
    gamma = next(e for e in root.iter("testcase") if e.get("classname") == "gamma.phone_side")
    assert gamma.find("error").get("message") == "ssh 127.0.0.1:2222: connection refused"
    skipped = [
        element.find("skipped") for element in root.iter("testcase") if element.find("skipped") is not None
    ]
    assert len(skipped) == 8
    assert "no way to tell the phone" in skipped[0].get("message")


def test_a_deviation_is_a_pass_that_gives_its_reason():
    root = ElementTree.fromstring(junit(run()))
    declared = case(root, "cf_no_answer_rings")
    assert {child.tag for child in declared} == {"properties", "system-out"}
    said = {prop.get("name"): prop.get("value") for prop in declared.find("properties")}
    assert said == {"verdict": "deviation", "reason": "BD-08: the ring count is never reported"}
    assert declared.find("system-out").text.endswith("expected: a ring count\nseen: <none> & \\x00")


@given(st.binary(max_size=60), st.sampled_from(list(Verdict)))
def test_it_is_valid_whatever_bytes_a_message_holds(data, verdict):
    text = data.decode("utf-8", "surrogateescape")
    test = one(
        "alpha", "a/b", verdict, text, requirement="X", expected=text, seen=text, evidence={"ladder": text}
    )
    record = RunRecord(bench="lab", started=utc(T0), tests=(test,))
    root = ElementTree.fromstring(junit(record).encode("utf-8"))
    assert root.get("tests") == "1"


def test_a_run_without_tests_is_an_empty_but_valid_file():
    root = ElementTree.fromstring(junit(RunRecord(bench="lab", started=utc(T0))))
    assert (root.get("tests"), len(root)) == ("0", 0)
