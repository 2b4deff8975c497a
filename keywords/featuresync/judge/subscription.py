"""One subscription of ours as the trace tells it: its SUBSCRIBEs, its NOTIFYs, its time to live."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from featuresync.sip.subscription import ENDS_USAGE
from featuresync.sip.uri import Uri

from .exchange import Exchange, Kind, Notify


def user_of(uri: str) -> str:
    """The user part of an address, "" where there is none."""
    try:
        return Uri.parse(uri).user
    except ValueError:
        return ""


@dataclass(eq=False)
class Subscription:
    """All that has one actor, one Call-ID and one From tag of ours."""

    exchanges: list[Exchange]
    """Its SUBSCRIBEs in order; the first is the initial one unless the capture began later."""
    notifies: list[Notify] = field(default_factory=list)
    abandoned: float = math.inf
    """When the phone left the wire."""

    @property
    def actor(self) -> str:
        return self.exchanges[0].actor

    @property
    def call_id(self) -> str:
        return self.exchanges[0].first.message.call_id

    @property
    def local_tag(self) -> str:
        return self.exchanges[0].first.message.from_.tag

    @cached_property
    def account(self) -> str:
        """User part of the subscriber's address of record."""
        return user_of(self.exchanges[0].first.message.from_.uri)

    @property
    def initial(self) -> Exchange | None:
        """The accepted SUBSCRIBE that made the dialog; None when there is none in the trace."""
        first = self.exchanges[0]
        return first if first.accepted and first.kind in (Kind.START, Kind.FETCH) else None

    @cached_property
    def remote_tag(self) -> str:
        """The server's tag: of the first 2xx, else as our first in-dialog request has it."""
        for exchange in self.exchanges:
            if exchange.final is not None and exchange.accepted:
                return exchange.final.message.to.tag
        return self.exchanges[-1].first.message.to.tag

    @property
    def accepted(self) -> Iterator[Exchange]:
        return (exchange for exchange in self.exchanges if exchange.accepted)

    @cached_property
    def since(self) -> float:
        """When it came to life; infinite when it never did."""
        first = self.exchanges[0]
        if first.kind is Kind.FETCH or (first.kind is Kind.START and not first.accepted):
            return math.inf
        return first.answered if first.kind is Kind.START else first.first.time

    @cached_property
    def until(self) -> float:
        """From when on no NOTIFY is due any more: an end was asked for, or happened."""
        return min([self.abandoned, *self._ends()])

    def live(self, at: float) -> bool:
        return self.since <= at < self.until

    def after(self, exchange: Exchange) -> float:
        """When the next SUBSCRIBE of the dialog went out; infinite when none did."""
        place = self.exchanges.index(exchange) + 1
        return self.exchanges[place].first.time if place < len(self.exchanges) else math.inf

    def next_subscribe(self, after: float) -> float:
        """When the first SUBSCRIBE after that time went out; infinite when none did."""
        return min((e.first.time for e in self.exchanges if e.first.time > after), default=math.inf)

    def heard(self, since: float, until: float) -> list[Notify]:
        """NOTIFYs that came in that time, the end excluded."""
        return [notify for notify in self.notifies if since <= notify.time < until]

    def seconds_left(self, at: float) -> list[float]:
        """What a NOTIFY at that time may say is left of the subscription.

        More than one value while a SUBSCRIBE is unanswered: a NOTIFY may overtake the 2xx (RFC 6665
        4.1.2.4).
        """
        left: list[float] = []
        for exchange in self.accepted:
            if exchange.request.time > at:
                break
            if exchange.answered <= at:
                left = [exchange.granted - (at - exchange.answered)]
            else:
                left.append(float(exchange.granted))
        return left

    def _ends(self) -> Iterator[float]:
        for exchange in self.exchanges:
            if exchange.requested == 0:
                yield exchange.first.time
            elif exchange.status in ENDS_USAGE:
                yield exchange.answered
            elif exchange.accepted:
                again = next((e for e in self.accepted if e.request.time > exchange.answered), None)
                expiry = exchange.answered + exchange.granted
                if again is None or again.request.time > expiry:
                    yield expiry
        for notify in self.notifies:
            if notify.terminated:
                yield notify.time
            gone = any(answer.message.status == 481 for answer in notify.answers)
            if gone and notify.message.from_.tag == self.remote_tag:
                yield notify.time
