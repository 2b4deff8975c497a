"""Calls that our phones make, as the trace tells them: to feature codes, and to other phones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import unquote

from featuresync.sip import sdp
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.feature_code import FeatureCodes, read_code

from .exchange import Exchange, Received
from .subscription import user_of
from .topics import OFF_WITH_DIGITS, UNKNOWN_CODE, WITHOUT_CREDENTIALS, WITHOUT_NUMBER
from .trace import Event, Note, Press, Setting, Wire

WRONG_ON_PURPOSE = frozenset({OFF_WITH_DIGITS, WITHOUT_NUMBER, UNKNOWN_CODE, WITHOUT_CREDENTIALS})
CAP = 30.0
"""Seconds that a call to a code is held where the profile does not say."""
_EARLY = 0.5
"""Seconds by which the phone's own clock may differ from that of the trace."""


@dataclass(frozen=True, slots=True)
class CallRules:
    """What the profile says of calls to codes."""

    codes: Mapping[Feature, FeatureCodes]
    final_early: frozenset[int]
    """Final responses that mean no failure after an early announcement."""
    early: bool
    """Whether announcements may be early: then each 18x is one, whatever it has in it."""
    cap: float
    """Seconds from the first INVITE until the phone gives the call up."""

    @classmethod
    def of(cls, setting: Setting) -> CallRules:
        facts = setting.facts
        codes = {}
        for feature in Feature:
            names = (f"features.{feature}.codes.{kind}" for kind in ("on", "off", "toggle"))
            on, off, toggle = (str(facts.get(name) or "") for name in names)
            if on or off or toggle:
                codes[feature] = FeatureCodes(on, off, toggle)
        return cls(
            codes=codes,
            final_early=frozenset(facts.get("call.final_early") or ()),
            early=facts.get("call.answer") in ("early", "either"),
            cap=float(facts.get("call.cap") or CAP),
        )


@dataclass(eq=False)
class Call:
    """One call from its first INVITE to its end."""

    exchange: Exchange
    rules: CallRules
    press: Press | None = None
    """What the user meant by it, when it came from a key of the phone."""
    topic: str = ""
    """Why it is wrong on purpose, "" when it is not."""
    requests: list[Received] = field(default_factory=list)
    """What the server sent in it, in order."""
    hang_ups: list[Wire] = field(default_factory=list)
    """BYE and CANCEL of our phone, in order."""

    # -- what it is for ---------------------------------------------------------------------------

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
        return unquote(user_of(self.exchange.first.message.request_uri).partition(";")[0])

    @property
    def start(self) -> float:
        return self.press.time if self.press else self.exchange.first.time

    @cached_property
    def asked(self) -> FeatureState | None:
        """What its code says, whatever the user meant."""
        return read_code(self.dialled, self.rules.codes)

    @property
    def by_code(self) -> bool:
        """It was made to a feature code, or was meant to be."""
        return self.press is not None or bool(self.topic) or self.asked is not None

    @cached_property
    def meant(self) -> FeatureState | None:
        """The state that the caller wanted; None for a call that is no change, or is wrong on purpose.

        No code carries rings.
        """
        if self.topic or self.exchange.wrong_password or self.unproved:
            return None
        state = self.press.state if self.press else self.asked
        return replace(state, rings=None) if state else None

    @cached_property
    def touches(self) -> Feature | None:
        """The feature whose code was dialled, rightly or with digits behind it; None when it is none."""
        if self.asked is not None:
            return self.asked.feature
        offs = [(one.off, feature) for feature, one in self.rules.codes.items() if self.digits_after(one.off)]
        return max(offs, key=lambda pair: len(pair[0]))[1] if offs else None

    def digits_after(self, code: str) -> str:
        """What was dialled behind the code, "" when it was dialled bare or not at all."""
        return self.dialled.removeprefix(code) if code and self.dialled.startswith(code) else ""

    # -- what came of it --------------------------------------------------------------------------

    @property
    def status(self) -> int:
        return self.exchange.status

    @property
    def unproved(self) -> bool:
        """It ended, as far as the trace goes, with a challenge that our phone did not answer."""
        return self.status in (401, 407) and not self.exchange.credentialed

    @property
    def answered(self) -> bool:
        return self.exchange.accepted

    @cached_property
    def announced_early(self) -> bool:
        """Something could be heard before the final response."""
        provisional = [wire.message for attempt in self.exchange.attempts for wire in attempt.responses]
        return any(
            (message.media_type == sdp.MEDIA_TYPE and bool(message.body.strip()))
            or (self.rules.early and 180 <= message.status < 190)
            for message in provisional
            if 100 < message.status < 200
        )

    @cached_property
    def given_up(self) -> Wire | None:
        """The message by which our phone ended it before the server did."""
        over = min((one.time for one in self.requests if one.message.method == "BYE"), default=math.inf)
        for wire in self.hang_ups:
            # A CANCEL that crossed the final response ended nothing (RFC 3261 9.1).
            crossed = wire.message.method == "CANCEL" and self.status not in (0, 487)
            if not crossed:
                return wire if wire.time < over else None
        return None

    @property
    def cut_short(self) -> bool:
        """Our phone ended it before it had to: what the server would have done is not known."""
        limit = self.exchange.first.time + self.rules.cap - _EARLY
        return self.given_up is not None and self.given_up.time < limit

    @property
    def accepted(self) -> bool:
        """Answered, or announced early and then released by the server as the profile expects."""
        early = self.announced_early and self.status in self.rules.final_early
        return self.answered or (early and self.given_up is None)

    @property
    def refused(self) -> bool:
        return self.status >= 300 and not self.accepted

    @cached_property
    def bye(self) -> Wire | None:
        """The first BYE, from either side."""
        theirs = [one.wire for one in self.requests if one.message.method == "BYE"]
        ours = [wire for wire in self.hang_ups if wire.message.method == "BYE"]
        return min([*theirs, *ours], key=lambda wire: wire.time, default=None)

    @property
    def end(self) -> float:
        """When it was over; infinite while it is not."""
        if self.unproved and self.topic != WITHOUT_CREDENTIALS:
            return math.inf  # the answer to the challenge is still to come
        if self.status >= 300:
            return self.exchange.answered
        last = self.given_up or (self.bye if self.answered else None)
        return last.time if last else math.inf

    @property
    def outcome(self) -> str:
        """For a person: ``200 OK``, ``announcement, then 480 ...``, ``no final response``."""
        gave_up = ", given up by the phone" if self.given_up and not self.answered else ""
        announced = "announcement, then " if self.announced_early and not self.answered else ""
        return f"{announced}{self.exchange.outcome}{gave_up}"

    # -- putting it together ----------------------------------------------------------------------

    def owns(self, request: Received) -> bool:
        """Whether the server's request is of this call: one wrong field must not hide whose it is."""
        message, invite = request.message, self.exchange.request.message
        if request.actor != self.actor or request.time < self.exchange.first.time:
            return False
        return bool(message.to.tag) and (
            message.call_id == invite.call_id or message.to.tag == invite.from_.tag
        )


class CallReading:
    """One pass over the events of a trace, in order: whose key press or note stands before which call."""

    def __init__(self, setting: Setting) -> None:
        self.calls: list[Call] = []
        self._rules = CallRules.of(setting)
        self._accounts = set(setting.accounts.values())
        self._presses: dict[str, Press] = {}
        self._topics: dict[str, str] = {}

    def read(self, event: Event, started: Exchange | None) -> None:
        """``started`` is the exchange that the event, a request of ours, is the first of."""
        if isinstance(event, Press):
            self._presses[event.actor] = event
        elif isinstance(event, Note) and event.topic in WRONG_ON_PURPOSE:
            self._topics[event.actor] = event.topic
        elif isinstance(event, Wire) and event.sent and event.message.is_request:
            message = event.message
            if started is not None and message.method == "SUBSCRIBE" and message.body:
                self._presses.pop(event.actor, None)
            elif started is not None and message.method == "INVITE" and not message.to.tag:
                self._start(started)
            elif message.method in ("BYE", "CANCEL"):
                self._hang_up(event)

    def share(self, received: Iterable[Received]) -> None:
        """Give each call the server's requests in it."""
        for request in received:
            own = [call for call in self.calls if call.owns(request)]
            if own:
                own[-1].requests.append(request)

    def _start(self, exchange: Exchange) -> None:
        call = Call(exchange, self._rules)
        # A call to somebody is no key press.
        if call.dialled not in self._accounts:
            call.press = self._presses.pop(call.actor, None)
            call.topic = self._topics.pop(call.actor, "")
        self.calls.append(call)

    def _hang_up(self, wire: Wire) -> None:
        message = wire.message
        for call in reversed(self.calls):
            answer = call.exchange.final
            if (call.actor, call.exchange.first.message.call_id) != (wire.actor, message.call_id):
                continue
            # The BYE to another fork ends nothing here (RFC 3261 13.2.2.4).
            if message.method == "CANCEL" or answer is None or message.to.tag == answer.message.to.tag:
                call.hang_ups.append(wire)
            return
