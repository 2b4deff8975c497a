"""The notifier of one event package (RFC 6665 4.2): who is subscribed, until when, and the NOTIFYs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .dialog import Dialog, contact_uri
from .message import Draft, Message, reply
from .subscription import ENDS_USAGE, SubscriptionState, SubscriptionStateHeader
from .uri import parse_parameters

_HOUR = 3600


@dataclass(eq=False, slots=True)
class Subscription:
    """One subscriber, seen from the notifier. ``event`` is the Event value its NOTIFYs repeat."""

    dialog: Dialog
    event: str
    expires_at: float
    state: SubscriptionState = SubscriptionState.ACTIVE
    reason: str = ""
    retry_after: int | None = None

    def header(self, now: float) -> SubscriptionStateHeader:
        """Subscription-State as of ``now``, with the whole seconds left (4.2.2)."""
        if self.state is SubscriptionState.TERMINATED:
            return SubscriptionStateHeader(self.state, None, self.reason, self.retry_after)
        return SubscriptionStateHeader(self.state, max(0, int(self.expires_at - now)))


class Notifier:
    """Grants subscriptions to one package. Lengths are seconds.

    The user sends the answer of ``on_subscribe``; when a subscription comes with it, a ``notify`` of the
    state at once (4.2.1.2). The ``notify`` after ``terminate``, an end or an expiry is the last one.
    """

    def __init__(
        self,
        event: str,
        contact: str,
        types: tuple[str, ...],
        *,
        minimum: int = 60,
        maximum: int = 3600,
        default: int = 3600,
    ) -> None:
        self.event, self.contact, self.types = event, contact, types
        self.minimum, self.maximum, self.default = minimum, maximum, default
        self.subscriptions: list[Subscription] = []

    # -- SUBSCRIBE ------------------------------------------------------------------------------------

    def on_subscribe(self, request: Message, local_tag: str, now: float) -> tuple[Draft, Subscription | None]:
        """The answer to a SUBSCRIBE and, when it was accepted, the subscription that now needs a NOTIFY.

        ``local_tag`` becomes the dialog's tag when the request starts one. Initial, refresh, end and
        fetch are told apart by the To tag and Expires (4.2.1, 4.4.3).
        """
        refusal = self._refusal(request)
        if refusal is not None:
            return reply(request, *refusal, to_tag=local_tag), None
        seconds = self._granted(request)
        if request.to.tag:
            subscription = self._find(request)
            if subscription is None:
                return reply(request, 481, "Subscription Does Not Exist"), None
            if subscription.dialog.accept(request):
                return reply(request, 500, "CSeq Out Of Order"), None
            subscription.dialog.refresh_target(request)
        else:
            dialog = Dialog.as_callee(request, local_tag)
            subscription = Subscription(dialog, request.header("event"), now)
            self.subscriptions.append(subscription)
        subscription.expires_at = now + seconds
        if seconds == 0:
            self.terminate(subscription, "timeout")
        extra = [("Expires", str(seconds)), ("Contact", self.contact)]
        return reply(request, 200, "OK", extra, local_tag), subscription

    def _refusal(self, request: Message) -> tuple[int, str, Iterable[tuple[str, str]]] | None:
        """Status, reason and headers of the refusal, None when the request is acceptable (4.2.1.1)."""
        if request.header("event").partition(";")[0].strip() != self.event:
            return 489, "Bad Event", [("Allow-Events", self.event)]
        if not contact_uri(request):
            return 400, "Contact Missing", []
        expires = request.header("expires")
        if request.has("expires") and not (expires.isascii() and expires.isdigit() and len(expires) <= 10):
            return 400, "Expires Unreadable", []
        if not self._acceptable(request):
            return 406, "Not Acceptable", []
        # 423 only for what is under an hour (4.2.1.1); an end or a fetch is never too brief.
        if 0 < self._granted(request) < min(self.minimum, _HOUR):
            return 423, "Interval Too Brief", [("Min-Expires", str(self.minimum))]
        return None

    def _granted(self, request: Message) -> int:
        wanted = int(request.header("expires")) if request.has("expires") else self.default
        return min(wanted, self.maximum)

    def _acceptable(self, request: Message) -> bool:
        """Whether one of our types is wanted; no Accept means the package's own (3.2.1)."""
        wanted = {value.partition(";")[0].strip().lower() for value in request.headers("accept")}
        ours = {pattern for name in self.types for pattern in (name, name.partition("/")[0] + "/*", "*/*")}
        return not request.has("accept") or bool(wanted & ours)

    def _find(self, request: Message) -> Subscription | None:
        key = _event_id(request.header("event"))
        for subscription in self.subscriptions:
            live = subscription.state is not SubscriptionState.TERMINATED
            if live and subscription.dialog.matches(request) and _event_id(subscription.event) == key:
                return subscription
        return None

    # -- NOTIFY ---------------------------------------------------------------------------------------

    def notify(
        self, subscription: Subscription, now: float, content_type: str = "", body: bytes = b""
    ) -> Draft:
        """A NOTIFY of the present state, without Via (4.2.2). The last one of a subscription forgets it."""
        state = subscription.header(now)
        headers = [
            ("Contact", self.contact),
            ("Event", subscription.event),
            ("Subscription-State", str(state)),
        ]
        if body:
            headers.append(("Content-Type", content_type))
        if state.state is SubscriptionState.TERMINATED:
            self._forget(subscription)
        return subscription.dialog.request("NOTIFY", headers, body)

    def terminate(self, subscription: Subscription, reason: str, retry_after: int | None = None) -> None:
        """End a subscription; the next ``notify`` says so and is the last."""
        subscription.state = SubscriptionState.TERMINATED
        subscription.reason, subscription.retry_after = reason, retry_after

    def on_notify_response(self, subscription: Subscription, status: int) -> None:
        """The final response to a NOTIFY, 408 for Timer F: 481 and its like remove (4.2.2), others do not."""
        if status in ENDS_USAGE or status == 408:
            self._forget(subscription)

    def _forget(self, subscription: Subscription) -> None:
        if subscription in self.subscriptions:
            self.subscriptions.remove(subscription)

    # -- time -----------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        return min((s.expires_at for s in self._live()), default=None)

    def tick(self, now: float) -> list[Subscription]:
        """Subscriptions that ran out by ``now``; each needs its final ``notify`` (4.2.1.4)."""
        over = [s for s in self._live() if s.expires_at <= now]
        for subscription in over:
            self.terminate(subscription, "timeout")
        return over

    def _live(self) -> Iterable[Subscription]:
        return (s for s in self.subscriptions if s.state is not SubscriptionState.TERMINATED)


def _event_id(event: str) -> str:
    return parse_parameters(event.partition(";")[2]).get("id") or ""
