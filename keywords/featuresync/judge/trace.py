"""The trace: everything that happened in a test, in order. Scenarios record it, the judge reads it.

Times are seconds since the Unix epoch (float, UTC). One list holds what went over the wire, what
was done at the server's administration, and what the scenario meant by it, so that every reader
(requirement functions, ladder, capture) sees the same story.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from featuresync.sip.message import Message
from featuresync.sync.feature import FeatureState, States

Address = tuple[str, int]


@dataclass(frozen=True)
class Wire:
    """One SIP message as it crossed our socket."""

    time: float
    actor: str
    """Which of our phones: the name it has in the scenario."""
    sent: bool
    """True when we sent it, False when we received it."""
    transport: str
    """``udp``, ``tcp`` or ``tls``: the true one, whatever Via says."""
    local: Address
    remote: Address
    data: bytes

    @cached_property
    def message(self) -> Message:
        return Message(self.data)


@dataclass(frozen=True, slots=True)
class Press:
    """Phone side: the user of ``actor`` changed a feature; the phone now tells the server."""

    time: float
    actor: str
    account: str
    state: FeatureState


@dataclass(frozen=True, slots=True)
class Flip:
    """Server side: a feature was changed through the server's administration.

    ``time`` is when the command was sent, ``done`` when it was answered.
    """

    time: float
    done: float
    account: str
    state: FeatureState


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's state of one account, read back through its administration."""

    time: float
    account: str
    states: States


@dataclass(frozen=True, slots=True)
class Quiet:
    """``actor`` listened from ``time`` to ``until`` and whatever came is in the trace: absence is proved."""

    time: float
    until: float
    actor: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """The scenario waited for something. ``met`` is False when the named deadline passed without it."""

    time: float
    actor: str
    what: str
    deadline: str
    """Name and length of the deadline, as in ``confirmation (5 s)``."""
    met: bool
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader of the ladder should know: ``topic`` is machine readable, ``text`` is not."""

    time: float
    actor: str
    topic: str
    text: str


Event = Wire | Press | Flip | Reading | Quiet | Awaited | Note
E = TypeVar("E", Wire, Press, Flip, Reading, Quiet, Awaited, Note)


@dataclass(frozen=True)
class Setting:
    """What the judge must know about the system besides the trace; plain data from profile and bench.

    ``assigned`` are the features the account has on the server; ``facts`` are the profile's expected
    values by dotted name (``expect.full_state`` → ``"multipart"``), None where unknown.
    """

    families: frozenset[str]
    """The "Applies" letters of protocol.md that this system answers to (``R``, ``B``, ``K`` ...)."""
    assigned: tuple[str, ...]
    accounts: dict[str, str]
    """Role (``primary``, ``other``) → user part of the account's address of record."""
    facts: dict[str, Any] = field(default_factory=dict)
    assigned_to: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The same by account (user part), for those that have not all of them."""
    deadlines: dict[str, float] = field(default_factory=dict)
    """Named time limits in seconds: ``confirmation``, ``push``, ``full_state``, ``answer``, ``quiet``."""


@dataclass
class Trace:
    """Events of one test in the order they happened."""

    setting: Setting
    events: list[Event] = field(default_factory=list)

    def add(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> Iterator[E]:
        return (event for event in self.events if isinstance(event, kind))

    def index(self, event: Event) -> int:
        """Place of this very event (identity, not equality): how findings point into the trace."""
        return next(i for i, other in enumerate(self.events) if other is event)
