"""Verdicts: what is said of a requirement and of a test, and how the one follows from the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from .trace import Event, Trace


class Verdict(StrEnum):
    """From best to worst; ``OBSERVED`` and ``SKIPPED`` never decide a test that judged something."""

    PASS = "pass"
    OBSERVED = "observed"
    SKIPPED = "skipped"
    WARNING = "warning"
    DEVIATION = "deviation"
    FAIL = "fail"
    BROKEN = "broken"


class Level(StrEnum):
    """Where a requirement's force comes from (protocol.md)."""

    MUST = "M"
    SHOULD = "S"
    PRACTICE = "P"
    OBSERVE = "O"
    ROBUST = "R"


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at one occasion of a requirement. ``at`` is the judged event, if there is one."""

    ok: bool
    expected: str
    seen: str
    at: Event | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row of the catalogue. ``judge`` yields a finding per occasion in the trace, or none.

    ``how`` says how it is judged, ``unjudged`` why nothing judges it ("" for a row that is judged).
    """

    id: str
    level: Level
    clause: str
    text: str
    applies: frozenset[str]
    judge: Callable[[Trace], Iterable[Finding]]
    how: str = ""
    unjudged: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A deviation the profile declares: ``seen`` is a regular expression searched in what was seen.

    ``scenarios`` limits it to some scenario ids; empty means all.
    """

    requirement: str
    reason: str
    link: str = ""
    seen: str = ""
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge says of one requirement over one trace."""

    requirement: Requirement
    verdict: Verdict
    findings: tuple[Finding, ...]
    detail: str = ""
    declared: Declared | None = None

    @property
    def worst(self) -> Finding | None:
        """The first finding that broke the requirement, or None."""
        return next((finding for finding in self.findings if not finding.ok), None)
