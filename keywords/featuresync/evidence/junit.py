"""``xunit.xml``: the run in the form that CI systems count. Valid XML whatever a device said."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from featuresync.judge.verdict import Verdict

from .record import RunRecord, TestRecord

_KINDS = {Verdict.FAIL: "failure", Verdict.BROKEN: "error", Verdict.SKIPPED: "skipped"}


def junit(record: RunRecord) -> str:
    """One ``testsuite`` per vendor. A failed test is a failure, a broken one an error.

    A deviation passed as declared: it is a plain test case with the reason as property and output.
    """
    root = ElementTree.Element("testsuites", {"name": "featuresync"} | _counts(record.tests))
    for vendor in dict.fromkeys(test.vendor for test in record.tests):
        tests = [test for test in record.tests if test.vendor == vendor]
        system = record.systems.get(vendor)
        suite = ElementTree.SubElement(root, "testsuite", {"name": vendor} | _counts(tests))
        suite.set("timestamp", tests[0].started.strftime("%Y-%m-%dT%H:%M:%S"))
        properties = ElementTree.SubElement(suite, "properties")
        _property(properties, "system", system.said if system else vendor)
        _property(properties, "bench", record.bench)
        for test in tests:
            _case(suite, test)
    ElementTree.indent(root)
    # The records hold printable text only, which is what makes this XML valid.
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def write(record: RunRecord, file: Path) -> None:
    file.write_text(junit(record), encoding="utf-8")


def _case(suite: ElementTree.Element, test: TestRecord) -> None:
    folder, _, name = test.scenario.rpartition("/")
    place = ".".join(part for part in (test.vendor, *folder.split("/")) if part)
    about = {"classname": place, "name": name, "time": f"{test.seconds:.3f}"}
    case = ElementTree.SubElement(suite, "testcase", about)
    properties = ElementTree.SubElement(case, "properties")
    _property(properties, "verdict", test.verdict)
    for kind, path in test.evidence.items():
        _property(properties, f"evidence.{kind}", path)
    if test.verdict in _KINDS:
        outcome = ElementTree.SubElement(case, _KINDS[test.verdict], message=test.message)
        if test.verdict is not Verdict.SKIPPED:
            outcome.set("type", "device" if test.verdict is Verdict.FAIL else "bench")
        outcome.text = sentence(test)
    elif test.verdict is not Verdict.PASS:
        _property(properties, "reason", test.message)
        ElementTree.SubElement(
            case, "system-out"
        ).text = f"{test.verdict}: {test.message}\n{sentence(test)}".strip()


def sentence(test: TestRecord) -> str:
    """Requirement, expected, seen, in this order; empty where no requirement was broken."""
    if not test.requirement:
        return ""
    return f"{test.requirement}\nexpected: {test.expected}\nseen: {test.seen}"


def _counts(tests: tuple[TestRecord, ...] | list[TestRecord]) -> dict[str, str]:
    counts = {f"{k}s" if k != "skipped" else k: sum(t.verdict is v for t in tests) for v, k in _KINDS.items()}
    seconds = sum(test.seconds for test in tests)
    return {"tests": str(len(tests)), "time": f"{seconds:.3f}"} | {k: str(n) for k, n in counts.items()}


def _property(parent: ElementTree.Element, name: str, value: str) -> None:
    ElementTree.SubElement(parent, "property", name=name, value=value)
