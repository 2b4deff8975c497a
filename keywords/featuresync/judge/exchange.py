"""Requests of ours with what came back, the server's requests with our answers: put together from a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from featuresync.sip.message import Message
from featuresync.sip.subscription import SubscriptionStateHeader
from featuresync.sync.as_feature_event import Body, read_body, read_set
from featuresync.sync.feature import Feature, FeatureState

from .trace import Wire

_NONCE = re.compile(r'(?<![A-Za-z])nonce\s*=\s*"?([^",]*)', re.IGNORECASE)
CHALLENGES = ("www-authenticate", "proxy-authenticate")
CREDENTIALS = ("authorization", "proxy-authorization")


def package_of(message: Message) -> str:
    """The event package's name, as written: it is compared octet by octet (RFC 6665 8.2.1)."""
    return message.header("event").partition(";")[0].strip()


def number_in(message: Message, header: str) -> int | None:
    """A header that must be a whole number, as one; None when it is absent or not."""
    text = message.header(header)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


class Kind(StrEnum):
    """What a SUBSCRIBE is for."""

    START = "start"
    FETCH = "fetch"
    REFRESH = "refresh"
    SET = "set"
    END = "end"
    ODD = "odd"
    """In a dialog, with a body that asks for none of the features."""


@dataclass(eq=False)
class Attempt:
    """One request of ours; ``copies`` are its retransmissions, ``responses`` all that came back."""

    request: Wire
    copies: list[Wire] = field(default_factory=list)
    responses: list[Wire] = field(default_factory=list)

    final: Wire | None = None
    """The first final response."""

    def answer(self, wire: Wire) -> None:
        self.responses.append(wire)
        if self.final is None and wire.message.status >= 200:
            self.final = wire

    @property
    def credentialed(self) -> bool:
        return any(self.request.message.has(name) for name in CREDENTIALS)


@dataclass(eq=False)
class Exchange:
    """A request of ours, its retries after challenges, and how it ended."""

    attempts: list[Attempt]
    wrong_password: bool = False
    """Made with a wrong password on purpose."""
    odd: str = ""
    """What is odd about it on purpose."""

    @property
    def first(self) -> Wire:
        return self.attempts[0].request

    @property
    def request(self) -> Wire:
        """The last attempt's request: the one that was accepted, if any was."""
        return self.attempts[-1].request

    @property
    def actor(self) -> str:
        return self.first.actor

    @property
    def method(self) -> str:
        return self.first.message.method

    @property
    def final(self) -> Wire | None:
        return self.attempts[-1].final

    @property
    def status(self) -> int:
        """Of the last attempt's final response, 0 when there is none."""
        return self.final.message.status if self.final else 0

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """For a person: ``403 Forbidden``."""
        return f"{self.status} {self.final.message.reason}" if self.final else "no final response"

    @property
    def answered(self) -> float:
        """When the final response came; when the request went where none did."""
        return self.final.time if self.final else self.request.time

    @cached_property
    def requested(self) -> int | None:
        """Seconds asked for; None without a readable Expires."""
        return number_in(self.request.message, "expires")

    @cached_property
    def granted(self) -> int:
        """Seconds granted: the 2xx's Expires, else what was asked for, else an hour."""
        said = number_in(self.final.message, "expires") if self.final else None
        asked = 3600 if self.requested is None else self.requested
        return asked if said is None else said

    @property
    def credentialed(self) -> bool:
        return self.attempts[-1].credentialed

    @cached_property
    def asked(self) -> FeatureState | None:
        """The feature state that the request's body asks for."""
        body = self.first.message.body
        return read_set(body) if body else None

    @cached_property
    def kind(self) -> Kind:
        message = self.first.message
        ends = number_in(message, "expires") == 0
        if not message.to.tag:
            return Kind.FETCH if ends else Kind.START
        if message.body.strip():
            return Kind.SET if self.asked else Kind.ODD
        return Kind.END if ends else Kind.REFRESH

    def continues_with(self, wire: Wire) -> bool:
        """True when ``wire`` answers the challenge that this exchange's last attempt got."""
        last = self.attempts[-1]
        if last.final is None or last.final.message.status not in (401, 407):
            return False
        if wire.message.body != last.request.message.body:
            return False
        offered = _nonces(last.final.message, CHALLENGES)
        used = _nonces(wire.message, CREDENTIALS)
        return bool(used & offered) and not used & _nonces(last.request.message, CREDENTIALS)


@dataclass(eq=False)
class Received:
    """A request of the server's as it first came; ``copies`` are its retransmissions.

    ``answers`` are our responses.
    """

    wire: Wire
    copies: list[Wire] = field(default_factory=list)
    answers: list[Wire] = field(default_factory=list)

    @property
    def time(self) -> float:
        return self.wire.time

    @property
    def actor(self) -> str:
        return self.wire.actor

    @property
    def message(self) -> Message:
        return self.wire.message

    @property
    def status(self) -> int:
        """Of our final response, 0 while there is none."""
        return next((a.message.status for a in self.answers if a.message.status >= 200), 0)


@dataclass(eq=False)
class Notify(Received):
    """A NOTIFY, whatever it is of."""

    @cached_property
    def body(self) -> Body:
        return read_body(self.message.header("content-type"), self.message.body)

    @property
    def has_body(self) -> bool:
        return bool(self.message.body.strip())

    @property
    def states(self) -> dict[Feature, FeatureState]:
        return self.body.states

    @cached_property
    def subscription_state(self) -> SubscriptionStateHeader:
        return SubscriptionStateHeader.parse(self.message.header("subscription-state"))

    @property
    def terminated(self) -> bool:
        return self.subscription_state.state == "terminated"


class Pairing:
    """One pass over the wires of a trace, in order."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.notifies: list[Notify] = []
        self.received: list[Received] = []
        """All other requests of the server's, but its ACKs."""
        self.strays: list[Wire] = []
        """Responses whose branch is that of no request of ours."""
        self._attempts: dict[tuple[str, str, str], Attempt] = {}
        self._arrived: dict[tuple[str, ...], Received] = {}

    def read(self, wire: Wire) -> None:
        message = wire.message
        if wire.sent and message.is_request and message.method != "ACK":
            self._request(wire)
        elif not wire.sent and not message.is_request:
            attempt = self._attempts.get((wire.actor, message.branch, message.cseq_method))
            if attempt is None:
                self.strays.append(wire)
            else:
                attempt.answer(wire)
        elif message.method != "ACK":
            self._receive(wire)

    def requests(self) -> Iterator[Attempt]:
        return (attempt for exchange in self.exchanges for attempt in exchange.attempts)

    def _request(self, wire: Wire) -> None:
        message = wire.message
        key = (wire.actor, message.branch, message.method)
        if key in self._attempts:
            self._attempts[key].copies.append(wire)
            return
        self._attempts[key] = attempt = Attempt(wire)
        for exchange in reversed(self.exchanges):
            first = exchange.first
            if (first.actor, first.message.method, first.message.call_id) == (
                wire.actor,
                message.method,
                message.call_id,
            ):
                if exchange.continues_with(wire):
                    exchange.attempts.append(attempt)
                    return
                break
        self.exchanges.append(Exchange([attempt]))

    def _receive(self, wire: Wire) -> None:
        """A request of the server's, or our answer to one."""
        message = wire.message
        # A retransmission has the branch and the CSeq of the first copy (RFC 3261 17.1.2), a CANCEL has
        # those of its INVITE (9.1).
        branch = message.branch or wire.data.hex()
        key = (wire.actor, message.method, branch, message.call_id, str(message.cseq))
        known = self._arrived.get(key)
        if wire.sent:
            if known is not None:
                known.answers.append(wire)
        elif known is not None:
            known.copies.append(wire)
        elif message.method == "NOTIFY":
            self._arrived[key] = notify = Notify(wire)
            self.notifies.append(notify)
        else:
            self._arrived[key] = received = Received(wire)
            self.received.append(received)


def _nonces(message: Message, names: tuple[str, ...]) -> set[str]:
    return {nonce for name in names for value in message.headers(name) for nonce in _NONCE.findall(value)}
