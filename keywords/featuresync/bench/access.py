"""Access to a server's administration: what every kind of it can do. Each kind has its own file.

An access logs in once, runs one step of a recipe at a time, each under a deadline, and keeps a transcript
of everything that was sent and answered. Secrets are put into what is sent and never into the transcript.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Request, Step

from .placeholders import RESERVED, hide, names
from .transcript import Exchange, Transcript

OUTPUT_LIMIT = 256 * 1024
"""Bytes of one answer; the state of an account is a few lines."""
NO_VALUES: Mapping[str, str] = {}


class LoginFault(BenchFault):
    """Nobody we know answers at the address, or it does not let us in: no step was carried out."""


def no_one(secret: str) -> None:
    """Where nobody has to know what is secret: restore, tests."""


class Access(ABC):
    """One kind of access. ``values`` and ``secrets`` are those of the bench's ``[admin]``, in clear.

    ``owner`` is the bench file: paths are relative to it, and ConfigFaults name it. ``clock`` gives seconds
    since the epoch. ``on_secret`` is told what becomes secret on the way: a token.
    """

    def __init__(
        self,
        owner: Path,
        values: Mapping[str, str],
        secrets: Mapping[str, str],
        clock: Callable[[], float],
        on_secret: Callable[[str], None] = no_one,
    ) -> None:
        for name in secrets:
            if name in values or name in RESERVED:
                taken = "admin.values" if name in values else "a recipe's own placeholders"
                raise ConfigFault(owner, f"admin.secrets.{name}", f"a name that is not among {taken}", name)
        self.transcript = Transcript()
        self._owner, self._values, self._secrets, self._clock = owner, values, secrets, clock
        self._on_secret, self._hidden = on_secret, [*secrets.values()]

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def connect(self) -> None:
        """Be ready for a step: log in, where that is not done or no longer holds.

        Called before each sequence of steps. Raises LoginFault, or ConfigFault for the file's mistakes.
        """

    @abstractmethod
    def run(self, step: Step, values: Mapping[str, str]) -> str:
        """Carry out one step, never twice; its answer's text. Raises BenchFault or ConfigFault."""

    @abstractmethod
    def shown(self, step: Step, values: Mapping[str, str]) -> str:
        """The step as it would be sent, secrets hidden. Raises ConfigFault for values that do not fit."""

    @abstractmethod
    def check(self, step: Step, known: frozenset[str], key: str) -> None:
        """Raise ConfigFault, naming ``key``, for what can be known to be wrong before anything is sent.

        ``known`` are the placeholders that Administration will give values for.
        """

    @abstractmethod
    def close(self) -> None:
        """Leave as the recipe says and close. May be called twice."""

    @abstractmethod
    def abandon(self) -> None:
        """Leave without a word: whatever was half done there is given up, and ``connect`` starts afresh."""

    def hide(self, text: str) -> str:
        """The text without what nobody may see."""
        return hide(text, self._hidden)

    def _record(self, started: float, command: str, output: str, end: str, sign: str = "$ ") -> None:
        self.transcript.add(Exchange(started, command, self.hide(output), end, sign))

    def _demand_known(self, found: set[str], known: frozenset[str], key: str) -> None:
        """Raise ConfigFault for a placeholder that would be sent as it stands: a misspelling."""
        for name in sorted(found - known):
            expected = f"placeholders known there: {', '.join(sorted(known)) or 'none'}"
            raise ConfigFault(self._owner, key, expected, f"{{{name}}}")


def texts(step: Step) -> tuple[str, ...]:
    """Every text of a step that may hold placeholders."""
    if isinstance(step, Request):
        return (step.path, step.body, *step.headers.values())
    return (step,)


def step_names(*steps: Step) -> set[str]:
    """The placeholders that the steps name."""
    return names(text for step in steps for text in texts(step))


def first_words(text: str) -> str:
    """The first line that says something, short and printable, for a message."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return printable(" ".join(line.split())[:200])


def printable(text: str) -> str:
    """The text with ``?`` for whatever would play tricks on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)
