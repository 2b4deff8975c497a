"""The phone's subscription to its features: RFC 6665 requests with credentials, refreshed by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featuresync.sip.digest import Authenticator
from featuresync.sip.message import Draft, Message
from featuresync.sip.subscription import RefreshDue, Subscriber
from featuresync.sip.uri import parse_parameters
from featuresync.sync.as_feature_event import MEDIA_TYPE

from .exchange import Exchange

if TYPE_CHECKING:
    from .phone import Phone


LIMIT = 50
"""A server that ends each subscription at once must not keep the phone busy for ever."""


class FeatureSubscription:
    """One subscription from its first SUBSCRIBE to its end.

    ``expires`` is in seconds; None leaves the header out. ``accept`` None leaves Accept out.
    """

    def __init__(
        self,
        phone: Phone,
        event: str,
        accept: tuple[str, ...] | None,
        expires: int | None,
        authenticator: Authenticator | None,
    ) -> None:
        package, _, parameters = event.partition(";")
        self.machine = Subscriber(package.strip(), parse_parameters(parameters).get("id") or "")
        self.exchange: Exchange
        """The one that started it."""
        self._phone = phone
        self._event, self._accept, self._expires = event, accept, expires
        self._authenticator = authenticator
        self._replaced = False

    def start(self, now: float) -> None:
        """The initial SUBSCRIBE, outside any dialog."""
        phone = self._phone
        uri = phone.line.address_of_record
        draft = phone.draft("SUBSCRIBE", uri, phone.tokens(), phone.tokens(), 1)
        draft.headers += self._headers(self._expires)
        self.exchange = Exchange("subscribe", draft, self._authenticator)
        self._send(self.exchange, now)

    def refresh(self, now: float, expires: int | None = None) -> Exchange:
        """An in-dialog SUBSCRIBE without body; None asks for the same length as before."""
        return self._in_dialog("refresh", now, self._expires if expires is None else expires)

    def end(self, now: float) -> Exchange:
        """SUBSCRIBE with Expires 0 (RFC 6665 4.1.2.3)."""
        return self._in_dialog("unsubscribe", now, 0)

    def set(
        self,
        body: bytes,
        now: float,
        expires: int | None = None,
        credentials: Authenticator | bool = True,
    ) -> Exchange:
        """An in-dialog SUBSCRIBE with a change in its body; it restarts the subscription's clock too.

        ``credentials``: our own, none (False), or those of another authenticator.
        """
        return self._in_dialog("set", now, self._expires if expires is None else expires, body, credentials)

    @property
    def live(self) -> bool:
        """Accepted, not ended: a change can be sent in its dialog."""
        return self.machine.live and self.machine.dialog is not None and not self.machine.ending

    @property
    def ended(self) -> bool:
        return not self.machine.live

    def matches(self, notify: Message) -> bool:
        return self.machine.matches(notify)

    def on_notify(self, notify: Message, now: float) -> int:
        """Take a NOTIFY; returns the status to answer with."""
        return self.machine.on_notify(notify, now)

    def deadline(self) -> float | None:
        return self._again_at if self.ended else self.machine.deadline()

    def tick(self, now: float) -> None:
        """Refresh before the end; subscribe anew when the server ended it and lets us (RFC 6665 4.1.3)."""
        if any(isinstance(event, RefreshDue) for event in self.machine.tick(now)):
            self.refresh(now)
        if self.ended and self._again_at is not None and now >= self._again_at:
            self._replaced = True
            self._phone.subscribe(now, expires=self._expires, event=self._event, accept=self._accept)

    @property
    def _again_at(self) -> float | None:
        """When a subscription that once lived may be made anew; one that was refused is not tried again."""
        once_lived = self.machine.dialog is not None and not self._replaced
        if len(self._phone.subscriptions) >= LIMIT:
            return None
        return self.machine.resubscribe_at if once_lived else None

    # -- inside -----------------------------------------------------------------------------------

    def _headers(self, expires: int | None) -> list[tuple[str, str]]:
        headers = [("Contact", self._phone.contact), ("Event", self._event)]
        if self._accept is not None:
            headers.append(("Accept", ", ".join(self._accept)))
        if expires is not None:
            headers.append(("Expires", str(expires)))
        return headers

    def _in_dialog(
        self,
        purpose: str,
        now: float,
        expires: int | None,
        body: bytes = b"",
        credentials: Authenticator | bool = True,
    ) -> Exchange:
        dialog = self.machine.dialog
        assert dialog is not None, "no 2xx and no NOTIFY has made a dialog yet"
        headers = self._headers(expires)
        if body:
            headers.append(("Content-Type", MEDIA_TYPE))
        draft: Draft = dialog.request("SUBSCRIBE", headers, body)
        if isinstance(credentials, bool):
            authenticator = self._authenticator if credentials else None
        else:
            authenticator = credentials

        def next_cseq() -> int:
            dialog.local_cseq += 1
            return dialog.local_cseq

        exchange = Exchange(purpose, draft, authenticator, eager=True, next_cseq=next_cseq)
        self._send(exchange, now)
        return exchange

    def _send(self, exchange: Exchange, now: float) -> None:
        exchange.on_sent = self.machine.on_sent
        exchange.on_response = self.machine.on_response
        exchange.on_failure = self.machine.on_timeout
        self._phone.start(exchange, now)
