"""Allure results, written by ourselves: the stock listener knows no ``broken``, eats ``<sip:...>``, and
takes two vendors for retries of one test.

Every result is written when its test starts (as ``broken``: stopped) and again, in place, when it ends,
so that a killed run keeps them all. A suite's failed setup or teardown rewrites them once more.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    ExecutableItem,
    Label,
    Link,
    Parameter,
    StatusDetails,
    TestAfterResult,
    TestBeforeResult,
    TestResult,
    TestResultContainer,
    TestStepResult,
)

from featuresync.judge.verdict import Level, Verdict
from featuresync.sync.feature import Feature

from .record import RequirementRecord, SystemRecord, TestRecord
from .redaction import Redactor
from .steps import Step
from .text import printable

STATUS = {
    Verdict.PASS: "passed", Verdict.DEVIATION: "passed", Verdict.WARNING: "passed",
    Verdict.OBSERVED: "passed",
    Verdict.FAIL: "failed", Verdict.BROKEN: "broken", Verdict.SKIPPED: "skipped",
}  # fmt: skip
_STEP_STATUS = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}
_SIDES = {"phone": "phone → server", "server": "server → phone"}
# A test is as severe as the strongest requirement it judges.
_SEVERITIES = [
    (Level.MUST, "critical"), (Level.PRACTICE, "normal"), (Level.ROBUST, "normal"), (Level.SHOULD, "minor"),
    (Level.OBSERVE, "trivial"),
]  # fmt: skip

CATEGORIES = [
    # JavaScript regular expressions in Allure 3, Java's in Allure 2: [\s\S] means the same in both.
    {"name": "Device defect: a requirement was broken", "matchedStatuses": ["failed"]},
    # How the listener begins the message of a test that our own side broke.
    {"name": "Tester fault", "matchedStatuses": ["broken"],
     "messageRegex": r"(featuresync|the scenario) itself failed[\s\S]*"},
    {"name": "Bench trouble: says nothing of the device", "matchedStatuses": ["broken"]},
    {"name": "Deviation, as the profile declares", "matchedStatuses": ["passed"],
     "messageRegex": r"Declared deviation[\s\S]*"},
    {"name": "Warning: a recommendation not followed", "matchedStatuses": ["passed"],
     "messageRegex": r"Warning[\s\S]*"},
    {"name": "Not claimed by the system", "matchedStatuses": ["skipped"]},
]  # fmt: skip

Item = TypeVar("Item", bound=ExecutableItem)


@dataclass(frozen=True)
class Exhibit:
    """One attachment: a name for people, a media type, the file's extension, and the bytes."""

    name: str
    media_type: str
    extension: str
    data: bytes


@dataclass
class _Written:
    """What is needed to write a result again."""

    uuid: str
    steps: Sequence[Step] = ()
    attachments: list[Attachment] = field(default_factory=list)


class AllureWriter:
    """Writes the results of one vendor. ``host`` is the bench, ``thread`` the phone: the timeline's lanes.

    ``links`` gives the address of a requirement's page by id; without it, requirements are labels only.
    """

    def __init__(
        self, folder: Path, system: SystemRecord, redactor: Redactor, *, host: str, thread: str,
        links: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._files = AllureFileLogger(str(folder))  # type: ignore[no-untyped-call]
        self._system, self._redactor, self._links = system, redactor, links or {}
        self._host, self._thread = host, thread
        self._written: dict[str, _Written] = {}

    def start_test(self, record: TestRecord) -> None:
        """Write what stays of the test when the run is killed now."""
        self._written[record.id] = _Written(str(uuid4()))
        self._write(record)

    def end_test(
        self, record: TestRecord, steps: Sequence[Step] = (), exhibits: Sequence[Exhibit] = ()
    ) -> None:
        """Write the outcome. A test that never started (Robot skipped it) is written all the same."""
        written = self._written.setdefault(record.id, _Written(str(uuid4())))
        written.steps = steps
        written.attachments += [self._attach(exhibit) for exhibit in exhibits]
        self._write(record)
        self._write_fixtures(record, written)

    def amend(self, record: TestRecord) -> None:
        """Write the outcome again, with the steps and attachments it had: the suite's teardown failed."""
        self._written.setdefault(record.id, _Written(str(uuid4())))
        self._write(record)

    # -- a result -----------------------------------------------------------------------------------

    def _write(self, record: TestRecord) -> None:
        written = self._written[record.id]
        identity = hashlib.md5(record.id.encode(), usedforsecurity=False).hexdigest()
        result = TestResult(
            uuid=written.uuid,
            name=self._clean(record.title or record.scenario),
            fullName=record.id,
            historyId=identity,
            testCaseId=identity,
            titlePath=[self._system.title, *record.scenario.split("/")[:-1]],
            status=STATUS[record.verdict],
            stage="finished",
            statusDetails=self._details(record),
            description=self._description(record),
            labels=self._labels(record),
            links=[Link("link", self._links[r.id], r.id) for r in record.requirements if r.id in self._links],
            parameters=self._parameters(record),
            steps=[self._step(step) for step in written.steps if step.kind not in ("SETUP", "TEARDOWN")],
            attachments=written.attachments,
            start=_ms(record.started),
            stop=_ms(record.finished or record.started),
        )
        result.steps += self._judged(record)
        # The same name each time: a later word on the test replaces the earlier one.
        result.file_pattern = f"{written.uuid}-result.json"
        self._files.report_result(result)  # type: ignore[no-untyped-call]

    def _details(self, record: TestRecord) -> StatusDetails | None:
        if record.verdict is Verdict.PASS:
            return None
        lead = {Verdict.DEVIATION: "Declared deviation: ", Verdict.WARNING: "Warning: "}.get(
            record.verdict, ""
        )
        return StatusDetails(message=self._clean(lead + record.message))

    def _description(self, record: TestRecord) -> str | None:
        # Markdown: an empty line between paragraphs. Angle brackets are escaped, or <sip:...> vanishes.
        parts = [record.doc]
        if record.verdict in (Verdict.DEVIATION, Verdict.WARNING):
            parts.append(record.message)
        said = self._clean("\n\n".join(part for part in parts if part))
        return re.sub(r"[<>&]", lambda c: {"<": "&lt;", ">": "&gt;", "&": "&amp;"}[c[0]], said) or None

    def _labels(self, record: TestRecord) -> list[Label]:
        feature = record.feature
        if feature in set(Feature):
            feature = Feature(feature).label
        folder = record.scenario.rpartition("/")[0].replace("_", " ")
        pairs = [
            ("epic", self._system.title),
            ("feature", feature or folder or "other"),
            ("story", _SIDES.get(record.side, folder or "other")),
            ("parentSuite", self._system.title),
            ("suite", folder or "other"),
            ("severity", severity(record.requirements)),
            ("host", self._host),
            ("thread", self._thread),
            ("framework", "featuresync"),
            ("language", "robotframework"),
        ]
        pairs += [("requirement", row.id) for row in record.requirements]
        tags = list(record.tags)
        if record.verdict in (Verdict.DEVIATION, Verdict.WARNING):
            tags.append(str(record.verdict))
        return [
            Label(name, self._clean(value))
            for name, value in [*pairs, *(("tag", t) for t in dict.fromkeys(tags))]
        ]

    def _parameters(self, record: TestRecord) -> list[Parameter]:
        # Shown, not part of the identity: a new firmware is the same test with a history.
        given = {"system": self._system.said, "bench": self._host}
        return [Parameter(name, self._clean(value), excluded=True) for name, value in given.items()]

    # -- steps and attachments ------------------------------------------------------------------------

    def _step(self, step: Step) -> TestStepResult:
        return self._fill(TestStepResult(), step)

    def _fill(self, item: Item, step: Step) -> Item:
        item.name = self._clean(f"{step.name}  {'  '.join(step.args)}".rstrip())
        item.status = _STEP_STATUS.get(step.status, "broken")
        item.stage = "finished"
        if step.message and step.status != "PASS":
            item.statusDetails = StatusDetails(message=self._clean(step.message))
        item.steps = [self._step(inner) for inner in step.steps]
        item.start, item.stop = (
            None if time is None else round(time * 1000) for time in (step.start, step.stop)
        )
        return item

    def _judged(self, record: TestRecord) -> list[TestStepResult]:
        """The requirements as the last step of their test: one line each, with its outcome."""
        rows, at = record.requirements, _ms(record.finished or record.started)
        steps = []
        for row in rows:
            said = " · ".join(part for part in (f"{row.id} {row.verdict}", row.text, row.clause) if part)
            step = TestStepResult(name=self._clean(said), status=STATUS[row.verdict], stage="finished")
            step.start = step.stop = at
            if row.detail:
                step.statusDetails = StatusDetails(message=self._clean(row.detail))
            steps.append(step)
        status = next((s for s in ("failed", "broken") if any(step.status == s for step in steps)), "passed")
        kept = sum(row.verdict is Verdict.PASS for row in rows)
        name = f"Requirements judged: {kept} of {len(rows)} kept"
        group = TestStepResult(name=name, status=status, stage="finished", steps=steps, start=at, stop=at)
        return [group] if rows else []

    def _write_fixtures(self, record: TestRecord, written: _Written) -> None:
        """The test's own setup and teardown, in the places Allure has for them."""
        befores = [self._fill(TestBeforeResult(), step) for step in written.steps if step.kind == "SETUP"]
        afters = [self._fill(TestAfterResult(), step) for step in written.steps if step.kind == "TEARDOWN"]
        if befores or afters:
            container = TestResultContainer(uuid=str(uuid4()), name=record.id, children=[written.uuid])
            container.befores, container.afters = befores, afters
            self._files.report_container(container)  # type: ignore[no-untyped-call]

    def _attach(self, exhibit: Exhibit) -> Attachment:
        name = f"{uuid4()}-attachment.{exhibit.extension}"
        self._files.report_attached_data(exhibit.data, name)  # type: ignore[no-untyped-call]
        return Attachment(self._clean(exhibit.name), name, exhibit.media_type)

    def _clean(self, text: str) -> str:
        return printable(self._redactor.text(text))


def severity(requirements: Sequence[RequirementRecord]) -> str:
    """Allure's severity of a test: that of the strongest level among its requirements."""
    levels = {row.level for row in requirements}
    return next((words for level, words in _SEVERITIES if level in levels), "normal")


def exhibits(run_dir: Path, evidence: Mapping[str, str]) -> list[Exhibit]:
    """The evidence files of a test as attachments. What is not there is left out."""
    found = []
    for kind, path in evidence.items():
        name, media_type = _KINDS.get(kind, (kind, "text/plain"))
        file = run_dir / path
        if file.is_file():
            found.append(Exhibit(name, media_type, file.suffix.lstrip(".") or "txt", file.read_bytes()))
    return found


_KINDS = {
    "ladder": ("Ladder", "image/svg+xml"),
    "capture": ("Capture (Wireshark)", "application/vnd.tcpdump.pcap"),
    "admin": ("Administration transcript", "text/plain"),
    "state": ("State before and after", "application/json"),
}


def write_surroundings(
    folder: Path, environment: Mapping[str, str], env: Mapping[str, str] | None = None
) -> None:
    """``categories.json``, ``environment.properties`` and, in a CI run, ``executor.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "categories.json").write_text(json.dumps(CATEGORIES, indent=1), encoding="utf-8")
    lines = (f"{_property(name)} = {_property(value, of_value=True)}" for name, value in environment.items())
    (folder / "environment.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")
    executor = _executor(os.environ if env is None else env)
    if executor:
        (folder / "executor.json").write_text(json.dumps(executor, indent=1), encoding="utf-8")


def _executor(env: Mapping[str, str]) -> dict[str, object]:
    """Who ran this, where the CI system says so."""
    known = {
        "JENKINS_URL": ("jenkins", "Jenkins", "JOB_NAME", "BUILD_NUMBER", "BUILD_URL"),
        "GITLAB_CI": ("gitlab", "GitLab CI", "CI_JOB_NAME", "CI_PIPELINE_IID", "CI_JOB_URL"),
        "GITHUB_ACTIONS": ("github", "GitHub Actions", "GITHUB_WORKFLOW", "GITHUB_RUN_NUMBER", ""),
    }
    for mark, (kind, name, job, number, url) in known.items():
        if env.get(mark):
            order = env.get(number, "")
            said: dict[str, object] = {
                "type": kind,
                "name": name,
                "buildName": f"{env.get(job, '')} #{order}".strip(),
            }
            if order.isascii() and order.isdigit():
                said["buildOrder"] = int(order)
            if env.get(url):
                said["buildUrl"] = env[url]
            return said
    return {}


def _property(text: str, of_value: bool = False) -> str:
    """Text for a Java properties file: one line, separators of the name escaped, ASCII only."""
    line = " ".join(text.split()).replace("\\", "\\\\")
    if not of_value:
        line = re.sub(r"[ =:#!]", lambda c: "\\" + c[0], line)
    return "".join(c if " " <= c <= "~" else "".join(f"\\u{u:04x}" for u in _utf16(c)) for c in line)


def _utf16(char: str) -> list[int]:
    raw = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)
