"""Keywords as they ran, as nested steps. Reads Robot's result objects by their shape, without Robot."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from .redaction import Redactor
from .text import one_line

DEEPEST = 30
_KEYWORDS = ("KEYWORD", "SETUP", "TEARDOWN")
# Plain variables only: anything else in braces may run code or read the environment (%{...}).
_VARIABLE = re.compile(r"[$@&]\{[A-Za-z_][\w .-]*\}")


@dataclass
class Step:
    """One keyword or control structure. ``status`` is Robot's: PASS, FAIL, SKIP or NOT RUN."""

    name: str
    kind: str = "KEYWORD"
    """Robot's type: KEYWORD, SETUP, TEARDOWN, FOR, IF ..."""
    args: list[str] = field(default_factory=list)
    status: str = "NOT RUN"
    message: str = ""
    start: float | None = None
    stop: float | None = None
    steps: list[Step] = field(default_factory=list)


class StepCollector:
    """Turns a listener's start and end calls (API version 3) into steps, one collector per process.

    The listener forwards ``start_body_item`` and ``end_body_item`` here, so that FOR, IF and TRY become
    steps with a name too. ``resolve`` gives a variable's value; an argument whose variables it cannot
    give stays as written. A value that hides itself (Robot's Secret) is shown as it prints itself.
    """

    def __init__(self, redactor: Redactor, resolve: Callable[[str], object] | None = None) -> None:
        self._clean = redactor.text
        self._resolve = resolve
        self._open: list[Step] = []
        self._done: list[Step] = []

    def start_keyword(self, data: Any, result: Any) -> None:
        step = Step("", str(getattr(result, "type", "KEYWORD")))
        if step.kind in _KEYWORDS:
            step.name = one_line(self._clean(str(result.name or "")), 160)
            step.args = [self._shown(arg) for arg in result.args or ()]
        elif step.kind == "ITERATION":
            values = getattr(result, "assign", None) or {}  # WHILE has none
            step.name = (
                ", ".join(f"{n} = {one_line(self._clean(str(v)), 80)}" for n, v in values.items()) or "round"
            )
        else:
            # A control structure has no name; as text it is the line of the suite.
            step.name = one_line(self._clean(str(result)), 160)
        step.start = _epoch(getattr(result, "start_time", None))
        if len(self._open) < DEEPEST:
            (self._open[-1].steps if self._open else self._done).append(step)
        self._open.append(step)

    def end_keyword(self, data: Any, result: Any) -> None:
        if not self._open:
            return
        step = self._open.pop()
        step.status = str(getattr(result, "status", "NOT RUN"))
        step.message = one_line(self._clean(str(getattr(result, "message", "") or "")))
        step.start = step.start or _epoch(getattr(result, "start_time", None))
        step.stop = _epoch(getattr(result, "end_time", None)) or step.start

    def take(self) -> list[Step]:
        """The steps since the last time, without those that did not run; ends what is still open."""
        taken, self._done, self._open = self._done, [], []
        return _ran(taken)

    def _shown(self, arg: object) -> str:
        text = arg if isinstance(arg, str) else str(arg)
        if self._resolve and isinstance(arg, str):
            text = _VARIABLE.sub(self._value, text)
        return one_line(self._clean(text))

    def _value(self, match: re.Match[str]) -> str:
        assert self._resolve is not None
        try:
            return str(self._resolve(match[0]))
        except Exception:  # a variable that does not exist is the test's to report, not ours
            return match[0]


def _ran(steps: list[Step]) -> list[Step]:
    kept: list[Step] = []
    for step in steps:
        inner = _ran(step.steps)
        if step.kind.endswith(" ROOT"):  # Robot's bracket around the branches of IF and TRY
            kept += inner
        elif step.status != "NOT RUN":
            kept.append(replace(step, steps=inner))
    return kept


def _epoch(time: object) -> float | None:
    """Seconds since the epoch; Robot's times are naive and local."""
    if not isinstance(time, datetime):
        return None
    return time.astimezone(UTC).timestamp()
