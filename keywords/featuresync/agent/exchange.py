"""Requests of ours with their retries for credentials, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from featuresync.sip.digest import Authenticator
from featuresync.sip.message import Draft, Message
from featuresync.sip.transaction import ResponseReceived

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, UPDATE, INFO"
"""The methods that the phone understands."""


@dataclass(eq=False)
class Exchange:
    """A request until its final response.

    ``authenticator`` answers challenges; None sends the request bare and takes the 401 as final.
    ``eager`` sends credentials with the first try when a challenge is known: inside dialogs.
    """

    purpose: str
    draft: Draft
    authenticator: Authenticator | None
    eager: bool = False
    next_cseq: Callable[[], int] | None = None
    """The number of a retry where a dialog or a registration counts; else it is the last one plus one."""
    on_sent: Callable[[Message, float], None] = lambda _request, _now: None
    on_response: Callable[[Message, float], None] = lambda _response, _now: None
    """Called for each response, provisional or final, but not for a challenge that is answered."""
    on_failure: Callable[[float], None] = lambda _now: None
    sent: list[Message] = field(default_factory=list)
    """Every request sent for it, in order; the last one is the one that ``final`` answers."""
    final: Message | None = None
    failure: str = ""
    """Why there is no final response: no answer in time, or what happened to the connection."""

    @property
    def done(self) -> bool:
        return self.final is not None or bool(self.failure)

    @property
    def status(self) -> int:
        """The final response's status code, 0 when there is none."""
        return self.final.status if self.final else 0

    @property
    def outcome(self) -> str:
        """For a person: ``200 OK``, or why there is no answer."""
        return f"{self.final.status} {self.final.reason}" if self.final else self.failure or "no answer yet"

    def retry_cseq(self) -> int:
        """The CSeq number of the next try (RFC 3261 22.2)."""
        return self.next_cseq() if self.next_cseq else self.sent[-1].cseq + 1


class Exchanges:
    """All exchanges under way. ``transmit`` sends a draft: the request as sent, its transaction's key."""

    def __init__(self, transmit: Callable[[Draft, float], tuple[Message, str]]) -> None:
        self._transmit = transmit
        self._under_way: dict[str, Exchange] = {}

    def start(self, exchange: Exchange, now: float) -> Exchange:
        """Send the exchange's request and follow it to its final response."""
        if exchange.eager:
            _authorise(exchange)
        self._send(exchange, now)
        return exchange

    def on_response(self, event: ResponseReceived, now: float) -> None:
        response, exchange = event.message, self._under_way.get(event.key)
        if exchange is None:
            return
        challenged = response.status in (401, 407) and exchange.authenticator is not None
        if challenged and exchange.authenticator.remember(response):  # type: ignore[union-attr]
            del self._under_way[event.key]
            exchange.draft.put("CSeq", f"{exchange.retry_cseq()} {event.request.method}")
            _authorise(exchange)
            self._send(exchange, now)
            return
        # The 2xx of an INVITE may come again, and each one wants its ACK (RFC 3261 13.2.2.4).
        if response.status >= 300 or (response.status >= 200 and response.cseq_method != "INVITE"):
            del self._under_way[event.key]
        if response.status >= 200:
            exchange.final = exchange.final or response
        exchange.on_response(response, now)

    def fail(self, key: str, failure: str, now: float) -> None:
        exchange = self._under_way.pop(key, None)
        if exchange is not None and not exchange.done:
            exchange.failure = failure
            exchange.on_failure(now)

    def fail_all(self, failure: str, now: float) -> None:
        for key in list(self._under_way):
            self.fail(key, failure, now)

    def _send(self, exchange: Exchange, now: float) -> None:
        request, key = self._transmit(exchange.draft, now)
        exchange.sent.append(request)
        exchange.on_sent(request, now)
        self._under_way[key] = exchange


def _authorise(exchange: Exchange) -> None:
    method, uri = exchange.draft.start_line.split(" ")[:2]
    if exchange.authenticator is None:
        return
    exchange.draft.drop("Authorization").drop("Proxy-Authorization")
    exchange.draft.headers += exchange.authenticator.headers(method, uri, exchange.draft.body)
