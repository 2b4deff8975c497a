"""Calls that our phones make, as the trace tells them: to feature codes, and to other phones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from featuresync.sip.message import Message
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.feature_code import FeatureCodes, read_code

from . import topics
from .exchange import Exchange
from .subscription import user_of
from .trace import Event, Note, Press, Setting, Wire

WRONG_ON_PURPOSE = frozenset(
    {topics.OFF_WITH_DIGITS, topics.WITHOUT_NUMBER, topics.UNKNOWN_CODE, topics.WITHOUT_CREDENTIALS}
)


@dataclass(eq=False)
class Call:
    """One call from its first INVITE to its end. Times are those of the trace."""

    exchange: Exchange
    press: Press | None = None
    """What the user meant by it, when it came from a key of the phone."""
    topic: str = ""
    """Why it is wrong on purpose, "" when it is not."""
    asked: FeatureState | None = None
    """What its code says, whatever the user meant."""
    early_final: tuple[int, ...] = ()
    """Final responses that mean no failure after an early announcement."""
    early_without_sound: bool = False
    """Whether a provisional response without a description counts as an announcement."""
    wires: list[Wire] = field(default_factory=list)
    """Everything of this Call-ID at the caller's phone."""

    @property
    def actor(self) -> str:
        return self.exchange.actor

    @cached_property
    def account(self) -> str:
        """User part of the caller's address of record."""
        return user_of(self.exchange.first.message.from_.uri)

    @cached_property
    def dialled(self) -> str:
        """What was dialled, percent-decoded, without the parameters of a dial string (RFC 4967)."""
        return dialled_in(self.exchange.first.message)

    @property
    def start(self) -> float:
        return self.press.time if self.press else self.exchange.first.time

    @property
    def meant(self) -> FeatureState | None:
        """The state that the caller wanted, None for a call that is no key press."""
        if self.topic:
            return None
        return self.press.state if self.press else self.asked

    @property
    def early_announcement(self) -> bool:
        provisional = [w for a in self.exchange.attempts for w in a.responses if 100 < w.message.status < 200]
        return any(wire.message.body.strip() or self.early_without_sound for wire in provisional)

    @property
    def accepted(self) -> bool:
        """Answered, or announced early and then released as the profile expects it."""
        early = self.early_announcement and self.exchange.status in self.early_final
        return self.exchange.accepted or early

    @cached_property
    def bye(self) -> Wire | None:
        return next((w for w in self.wires if w.message.is_request and w.message.method == "BYE"), None)

    @property
    def end(self) -> float:
        """When it was over; infinite while it is not."""
        challenged = self.exchange.status in (401, 407) and not self.exchange.credentialed
        if challenged and self.topic != topics.WITHOUT_CREDENTIALS:
            return math.inf  # the answer to the challenge is still to come
        if self.exchange.status >= 300:
            return self.exchange.answered
        return self.bye.time if self.bye and self.exchange.accepted else math.inf


def dialled_in(invite: Message) -> str:
    return unquote(user_of(invite.request_uri).partition(";")[0])


def codes_of(setting: Setting) -> dict[Feature, FeatureCodes]:
    """The codes of the system, as its profile has them."""
    found = {}
    for feature in Feature:
        facts = (setting.facts.get(f"features.{feature}.codes.{kind}") for kind in ("on", "off", "toggle"))
        on, off, toggle = (str(fact or "") for fact in facts)
        if on or off or toggle:
            found[feature] = FeatureCodes(on, off, toggle)
    return found


def calls_in(events: Iterable[Event], exchanges: Iterable[Exchange], setting: Setting) -> Iterator[Call]:
    """The calls of the trace, each with the key press or the note that stands before it."""
    codes = codes_of(setting)
    by_wire = {id(e.first): e for e in exchanges if e.method == "INVITE" and not e.first.message.to.tag}
    presses: dict[str, Press] = {}
    notes: dict[str, str] = {}
    found: dict[tuple[str, str], Call] = {}
    for event in events:
        if isinstance(event, Press):
            presses[event.actor] = event
        elif isinstance(event, Note) and event.topic in WRONG_ON_PURPOSE:
            notes[event.actor] = event.topic
        elif isinstance(event, Wire):
            key = (event.actor, event.message.call_id)
            if id(event) in by_wire:
                call = _call(by_wire[id(event)], codes, setting.facts)
                call.press, call.topic = presses.pop(event.actor, None), notes.pop(event.actor, "")
                found[key] = call
            elif event.sent and event.message.method == "SUBSCRIBE":
                presses.pop(event.actor, None)
            if key in found:
                found[key].wires.append(event)
    yield from found.values()


def _call(exchange: Exchange, codes: Mapping[Feature, FeatureCodes], facts: Mapping[str, object]) -> Call:
    early = facts.get("call.final_early")
    return Call(
        exchange,
        asked=read_code(dialled_in(exchange.first.message), codes),
        early_final=early if isinstance(early, tuple) else (),
        early_without_sound=facts.get("call.answer") in ("early", "either"),
    )
