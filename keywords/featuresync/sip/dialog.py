"""Dialogs (RFC 3261 12): what two ends remember of each other, and requests written from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .message import Draft, Message
from .uri import NameAddr, parse_parameters


@dataclass(slots=True)
class Dialog:
    """One end's view. URIs are bare text, routes are Route values as the peer wrote them.

    ``remote_cseq`` is None until the peer's first request. ``local_cseq`` is the last one we used.
    """

    call_id: str
    local_uri: str
    local_tag: str
    remote_uri: str
    remote_tag: str
    local_cseq: int
    remote_cseq: int | None
    remote_target: str
    route_set: tuple[str, ...] = ()
    secure: bool = False

    @classmethod
    def as_caller(cls, request: Message, response: Message) -> Dialog:
        """From a request we sent and its response (RFC 3261 12.1.2): Record-Route reversed.

        A response without Contact (a breach) leaves the request's own URI as the target.
        """
        return cls(
            request.call_id,
            request.from_.uri,
            request.from_.tag,
            request.to.uri,
            response.to.tag,
            request.cseq,
            None,
            contact_uri(response) or request.request_uri,
            tuple(reversed(response.headers("record-route"))),
            request.request_uri.lower().startswith("sips:"),
        )

    @classmethod
    def as_callee(cls, request: Message, local_tag: str) -> Dialog:
        """From a request we received and answer (RFC 3261 12.1.1). The first own CSeq will be 1."""
        return cls(
            request.call_id,
            request.to.uri,
            local_tag,
            request.from_.uri,
            request.from_.tag,
            0,
            request.cseq,
            contact_uri(request) or request.from_.uri,
            tuple(request.headers("record-route")),
            request.request_uri.lower().startswith("sips:"),
        )

    @classmethod
    def as_subscriber(cls, subscribe: Message, notify: Message) -> Dialog:
        """From a SUBSCRIBE we sent and the first NOTIFY of it (RFC 6665 4.4.1)."""
        dialog = cls.as_callee(notify, subscribe.from_.tag)
        dialog.local_cseq = subscribe.cseq
        dialog.secure = subscribe.request_uri.lower().startswith("sips:")
        return dialog

    def matches(self, message: Message) -> bool:
        """Whether a request from the peer belongs here: Call-ID and both tags (RFC 3261 12.2.2)."""
        return (
            message.call_id == self.call_id
            and message.to.tag == self.local_tag
            and message.from_.tag == self.remote_tag
        )

    def request(
        self,
        method: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        cseq: int | None = None,
    ) -> Draft:
        """A request inside the dialog, still without Via (RFC 3261 12.2.1.1).

        CSeq is the next one, unless given: an ACK repeats its INVITE's.
        """
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        uri, routes = self.routing()
        to = f"<{self.remote_uri}>" + (f";tag={self.remote_tag}" if self.remote_tag else "")
        draft = Draft(f"{method} {uri} SIP/2.0", body=body)
        draft.add("Max-Forwards", "70").add("From", f"<{self.local_uri}>;tag={self.local_tag}").add("To", to)
        draft.add("Call-ID", self.call_id).add("CSeq", f"{cseq} {method}")
        draft.headers += [("Route", route) for route in routes]
        draft.headers += headers
        return draft

    def routing(self) -> tuple[str, tuple[str, ...]]:
        """Request-URI and Route values: loose routing, or strict when the first route has no ``lr``."""
        if not self.route_set or _is_loose(self.route_set[0]):
            return self.remote_target, self.route_set
        first = NameAddr.parse(self.route_set[0]).uri.partition("?")[0]
        return first, (*self.route_set[1:], f"<{self.remote_target}>")

    def accept(self, request: Message) -> int:
        """0 when the peer's request is in order, else the status to refuse it with (RFC 3261 12.2.2).

        A gap is fine; lower is 500, and so is an equal number in a new transaction. ACK and CANCEL
        carry the number of their INVITE and are always in order.
        """
        if request.method in ("ACK", "CANCEL"):
            return 0
        if request.cseq < 0 or (self.remote_cseq is not None and request.cseq <= self.remote_cseq):
            return 500
        self.remote_cseq = request.cseq
        return 0

    def refresh_target(self, message: Message) -> None:
        """Take over the peer's new Contact, if it names one (RFC 3261 12.2.1.2, 12.2.2)."""
        self.remote_target = contact_uri(message) or self.remote_target


def contact_uri(message: Message) -> str:
    """The URI of the first Contact; "" when there is none, or only ``*``."""
    uri = NameAddr.parse(message.header("contact")).uri
    return "" if uri == "*" else uri


def _is_loose(route: str) -> bool:
    address = NameAddr.parse(route)
    return "lr" in parse_parameters(address.uri.partition(";")[2]) or "lr" in address.parameters
