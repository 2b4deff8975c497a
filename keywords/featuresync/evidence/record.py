"""The run's data: what ``run.json`` holds (schema 1). Every report of a run is drawn from it.

Each vendor of a run writes into a folder of its own (its *part*), one JSON line per test, forced to
disk at the test's start and at its end, so that a killed run loses nothing. ``collect`` merges the parts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from featuresync.errors import ConfigFault
from featuresync.judge.verdict import Judgement, Level, Verdict

from .redaction import Redactor
from .text import printable

STOPPED = "the run was stopped while this test ran"
TOTALS = (Verdict.PASS, Verdict.DEVIATION, Verdict.WARNING, Verdict.FAIL, Verdict.BROKEN, Verdict.SKIPPED)
GOOD = (Verdict.PASS, Verdict.DEVIATION, Verdict.WARNING)

Text = Annotated[str, BeforeValidator(lambda value: printable(value) if isinstance(value, str) else value)]
"""Text of a record can always be written into XML and JSON, whatever a device put into it."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class RequirementRecord(Model):
    """What was said of one requirement in one test."""

    id: Text
    verdict: Verdict
    detail: Text = ""
    level: Level = Level.MUST
    clause: Text = ""
    text: Text = ""


class TestRecord(Model):
    """One test of one vendor. As long as nothing else is said of it, it is ``broken``: it was stopped."""

    __test__ = False  # not a test class, whatever pytest makes of the name

    id: Text
    """``vendor/scenario``."""
    vendor: Text
    scenario: Text
    title: Text = ""
    """The test as a sentence; empty where the scenario's id has to do."""
    feature: Text = ""
    side: Literal["phone", "server", ""] = ""
    """Where the toggle happens; empty for a scenario without one."""
    verdict: Verdict = Verdict.BROKEN
    seconds: float = 0.0
    message: Text = STOPPED
    """Why the test is not simply ``pass``: one line for a person."""
    requirement: Text = ""
    """The first requirement that was not met, with what was ``expected`` and what was ``seen``."""
    expected: Text = ""
    seen: Text = ""
    requirements: tuple[RequirementRecord, ...] = ()
    evidence: dict[str, Text] = Field(default_factory=dict)
    """Kind (``ladder``, ``capture``, ``admin`` ...) → path relative to the run folder."""
    tags: tuple[Text, ...] = ()
    doc: Text = ""
    started: AwareDatetime
    finished: AwareDatetime | None = None

    def with_judgements(self, judgements: Iterable[Judgement]) -> TestRecord:
        """This record with the judge's requirements and, of the worst of them, expected and seen."""
        judged = list(judgements)
        changes: dict[str, Any] = {"requirements": tuple(map(_requirement, judged))}
        breaches = [j for j in judged if j.worst and j.verdict in _BREACHES]
        if breaches:
            first = min(breaches, key=lambda j: _BREACHES.index(j.verdict))
            finding = first.worst
            assert finding is not None
            changes |= {
                "requirement": first.requirement.id,
                "expected": finding.expected,
                "seen": finding.seen,
            }
        # Not model_copy: that would take the device's words without cleaning them.
        return TestRecord.model_validate(self.model_dump() | changes)


_BREACHES = (Verdict.FAIL, Verdict.BROKEN, Verdict.DEVIATION, Verdict.WARNING)


def _requirement(judgement: Judgement) -> RequirementRecord:
    row, finding, detail = judgement.requirement, judgement.worst, judgement.detail
    if finding and not detail:
        detail = f"expected {finding.expected}; seen {finding.seen}"
    return RequirementRecord(
        id=row.id, verdict=judgement.verdict, detail=detail, level=row.level, clause=row.clause, text=row.text
    )


class DeclaredRecord(Model):
    """A deviation the vendor's profile declares; without ``scenarios`` it is declared for all."""

    requirement: Text
    reason: Text
    scenarios: tuple[Text, ...] = ()


class FactRecord(Model):
    """One statement of the vendor's profile, and how sure it is."""

    name: Text
    value: Text
    """"unknown" where the profile does not say."""
    sure: Text
    source: Text
    note: Text = ""


class SystemRecord(Model):
    """The device under test of one vendor: what it is, and whether something stood in for it."""

    title: Text
    fingerprint: Text = ""
    standin: bool = False
    facts: tuple[FactRecord, ...] = ()
    quirks: tuple[Text, ...] = ()
    """What a reader of a failure should know of this system."""
    declared: tuple[DeclaredRecord, ...] = Field((), exclude=True)

    @property
    def said(self) -> str:
        """The system in one line: ``Title · stand-in on Engine 1.2``."""
        if self.standin:
            return f"{self.title} · stand-in on {self.fingerprint or 'an unnamed version'}"
        return f"{self.title} · {self.fingerprint}" if self.fingerprint else self.title


class Surprise(Model):
    """A declared deviation that did not happen although its requirement was judged: the profile is old."""

    vendor: Text
    requirement: Text
    reason: Text


class RunRecord(Model):
    """``run.json``."""

    schema_version: Literal[1] = Field(1, alias="schema")
    bench: Text
    bench_reason: Text = ""
    partial: bool = False
    """The user asked for some of the scenarios only."""
    phone: tuple[Text, ...] = ()
    """Which settings were taken from the phone's own configuration, and which are not known."""
    started: AwareDatetime
    finished: AwareDatetime | None = None
    exit_code: int = 2
    totals: dict[str, int] = Field(default_factory=lambda: dict.fromkeys(map(str, TOTALS), 0))
    tests: tuple[TestRecord, ...] = ()
    systems: dict[str, SystemRecord] = Field(default_factory=dict)
    surprises: tuple[Surprise, ...] = ()

    def save(self, run_dir: Path) -> None:
        """Write ``run.json``, whole or not at all."""
        _replace(run_dir / "run.json", self.model_dump_json(by_alias=True, indent=1) + "\n")


class Part:
    """One vendor's share of a run: ``tests.jsonl`` and ``system.json`` in a folder one process writes.

    Every text of a record goes through the redactor and comes out printable before it is written.
    """

    def __init__(
        self, folder: Path, vendor: str, system: SystemRecord | None, redactor: Redactor | None = None
    ) -> None:
        """``system`` None adds to a part whose system was announced before."""
        self._clean = (redactor or Redactor(())).text
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "tests.jsonl"
        if system is None:
            return
        declared = [row.model_dump() for row in system.declared]
        announced = _Announcement(vendor=vendor, system=system.model_dump() | {"declared": declared})
        _replace(folder / "system.json", announced.model_dump_json())

    def start(self, record: TestRecord) -> None:
        """Say that the test runs now: what stays of it when the run is killed."""
        stopped = {"verdict": Verdict.BROKEN, "message": STOPPED, "finished": None}
        self._append(record.model_copy(update=stopped))

    def end(self, record: TestRecord) -> None:
        """The test's last word; said again (suite teardown, rerun), the newest counts."""
        self._append(record)

    def _append(self, record: TestRecord) -> None:
        record = TestRecord.model_validate(_each_text(record.model_dump(), self._clean))
        with self.file.open("ab+") as out:
            torn = b""
            if out.tell():
                out.seek(-1, os.SEEK_END)
                torn = b"" if out.read(1) == b"\n" else b"\n"
            out.write(torn + record.model_dump_json().encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())


class _Announcement(Model):
    vendor: str
    system: dict[str, Any]


def load(run_dir: Path) -> RunRecord:
    """Read ``run.json``. Raises ConfigFault when the folder is no run folder."""
    file = run_dir / "run.json"
    try:
        return RunRecord.model_validate_json(file.read_bytes())
    except OSError:
        raise ConfigFault(file, "file", "the run.json of a run folder", "no readable file") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "file"
        raise ConfigFault(file, key, "run.json of schema 1", str(first["msg"])) from None


def collect(run_dir: Path, finished: datetime | None = None) -> RunRecord:
    """Merge every part below the run folder into the record that its ``run.json`` opened.

    A test that only started is ``broken``. ``finished`` is when the run ended; without it, when its
    last test did. Raises ConfigFault when the folder is no run folder.
    """
    header = load(run_dir)
    tests: dict[str, TestRecord] = {}
    systems: dict[str, SystemRecord] = {}
    for folder in sorted(file.parent for file in run_dir.rglob("system.json")):
        announced = _Announcement.model_validate_json((folder / "system.json").read_bytes())
        systems[announced.vendor] = SystemRecord.model_validate(announced.system)
        for record in _lines(folder / "tests.jsonl"):
            tests[record.id] = record
    ended = [test.finished for test in tests.values() if test.finished]
    merged = header.model_copy(
        update={
            "finished": finished or max(ended, default=header.started),
            "tests": tuple(tests.values()),
            "systems": systems,
            "totals": {str(v): sum(test.verdict is v for test in tests.values()) for v in TOTALS},
            "surprises": tuple(_surprises(systems, tuple(tests.values()), header.partial)),
        }
    )
    return merged.model_copy(update={"exit_code": exit_code(merged)})


def exit_code(record: RunRecord) -> int:
    """0 all as claimed; 1 a device failed; 2 bench trouble only.

    A run that judged nothing (no test at all, or only skipped ones) and a system that announced itself
    but has no test are bench trouble too: green must mean that something was tested.
    """
    verdicts = {test.verdict for test in record.tests}
    if Verdict.FAIL in verdicts:
        return 1
    silent = set(record.systems) - {test.vendor for test in record.tests}
    return 2 if Verdict.BROKEN in verdicts or silent or not verdicts & set(GOOD) else 0


def closing_line(record: RunRecord) -> str:
    """The last line of a run: ``N passed, N failed, N skipped``."""
    passed, failed, skipped = (
        sum(record.totals.get(verdict, 0) for verdict in group)
        for group in (GOOD, (Verdict.FAIL, Verdict.BROKEN), (Verdict.SKIPPED,))
    )
    return f"{passed} passed, {failed} failed, {skipped} skipped"


def utc(epoch: float) -> datetime:
    """Seconds since the Unix epoch as the records write time."""
    return datetime.fromtimestamp(epoch, UTC)


def _lines(file: Path) -> Iterator[TestRecord]:
    """The records of a part. A line torn by a kill is passed over: the test's start stands before it."""
    if not file.exists():
        return
    for line in file.read_bytes().splitlines():
        try:
            yield TestRecord.model_validate_json(line)
        except ValidationError:
            continue


def _surprises(
    systems: dict[str, SystemRecord], tests: Sequence[TestRecord], partial: bool
) -> Iterator[Surprise]:
    """Declared, judged, and nowhere seen. Of a partial run only what its own scenarios were to show."""
    for vendor, system in systems.items():
        for row in system.declared:
            if partial and not row.scenarios:
                continue
            said = {
                judged.verdict
                for test in tests
                if test.vendor == vendor and (not row.scenarios or test.scenario in row.scenarios)
                for judged in test.requirements
                if judged.id == row.requirement
            }
            if Verdict.PASS in said and Verdict.DEVIATION not in said:
                yield Surprise(vendor=vendor, requirement=row.requirement, reason=row.reason)


def _each_text(value: Any, clean: Callable[[str], str]) -> Any:
    """The same structure with every text in it cleaned; enumerations are not text."""
    if isinstance(value, dict):
        return {key: _each_text(inner, clean) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(inner, clean) for inner in value]
    return clean(value) if type(value) is str else value


def _replace(file: Path, content: str) -> None:
    """Write a file so that a reader, or a kill, never meets half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f"{file.name}.{os.getpid()}.half")
    half.write_text(content, encoding="utf-8")
    half.replace(file)
