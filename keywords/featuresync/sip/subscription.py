"""Event subscriptions (RFC 6665): the header both sides write, and the subscriber. Pure.

The notifier is in ``notifier.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from .dialog import Dialog
from .message import Message
from .timers import Timers
from .uri import parse_parameters

ENDS_USAGE = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
"""Responses that end the subscription: to a refresh (4.1.2.2) and to a NOTIFY (4.2.2)."""

PROBATION = 60.0
"""Seconds before another try where the notifier wants one later and does not say when (4.1.3)."""

# What a reason makes of a new subscription (4.1.3): seconds to wait for it, None never. Whether
# retry-after counts too. An unknown reason, or none, is read like ``giveup``.
_RESUBSCRIBE: dict[str, tuple[float | None, bool]] = {
    "deactivated": (0.0, False),
    "timeout": (0.0, False),
    "probation": (PROBATION, True),
    "giveup": (0.0, True),
    "rejected": (None, False),
    "noresource": (None, False),
    "invariant": (None, False),
}

# RFC 6665 8.4 with RFC 3261 25.1: token *( SEMI token [ EQUAL ( token / quoted-string ) ] )
_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_GRAMMAR = re.compile(rf'{_TOKEN}(?:\s*;\s*{_TOKEN}(?:\s*=\s*(?:{_TOKEN}|"(?:[^"\\]|\\.)*"))?)*')
_SECONDS = re.compile(r"[0-9]{1,10}")


class SubscriptionState(StrEnum):
    NOTIFY_WAIT = "notify-wait"
    PENDING = "pending"
    ACTIVE = "active"
    TERMINATED = "terminated"


_ON_WIRE = {state.value: state for state in SubscriptionState if state != SubscriptionState.NOTIFY_WAIT}


@dataclass(frozen=True, slots=True)
class SubscriptionStateHeader:
    """The value of Subscription-State. ``state`` is None when it is missing or an extension."""

    state: SubscriptionState | None
    expires: int | None = None
    """Seconds left."""
    reason: str = ""
    retry_after: int | None = None
    """Seconds."""
    problems: tuple[str, ...] = ()
    """Every breach of the grammar of RFC 6665 8.4, in words."""

    @classmethod
    def parse(cls, text: str) -> SubscriptionStateHeader:
        """Read leniently (``active, expires=60`` too), report strictly. Never raises."""
        text = text[:1000].strip()
        problems: list[str] = []
        if not _GRAMMAR.fullmatch(text):
            problems.append(f"not 'state *(;parameter)' (RFC 6665 8.4): {text[:80]!r}")
        word, _, rest = text.replace(",", ";").partition(";")
        names = [item.partition("=")[0].strip().lower() for item in rest.split(";") if item.strip()]
        problems += [
            f"parameter {name} stands twice" for name in sorted({n for n in names if names.count(n) > 1})
        ]
        parameters = parse_parameters(rest)
        expires, retry_after = (_seconds(name, parameters, problems) for name in ("expires", "retry-after"))
        state = _ON_WIRE.get(word.strip().lower())
        reason = (parameters.get("reason") or "").lower()
        return cls(state, expires, reason, retry_after, tuple(problems))

    def __str__(self) -> str:
        text = str(self.state) if self.state else ""
        text += f";expires={self.expires}" if self.expires is not None else ""
        text += f";reason={self.reason}" if self.reason else ""
        return text + (f";retry-after={self.retry_after}" if self.retry_after is not None else "")


@dataclass(frozen=True, slots=True)
class RefreshDue:
    """Time to send a refreshing SUBSCRIBE. Said once; again after a refresh that failed."""


@dataclass(frozen=True, slots=True)
class NoNotify:
    """Timer N: no NOTIFY within 64*T1 of a SUBSCRIBE; the subscription has failed (4.1.2.4)."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The time ran out without a refresh or a final NOTIFY."""


SubscriberEvent = RefreshDue | NoNotify | Expired


class Subscriber:
    """One subscription of ours. The agent writes and sends the SUBSCRIBEs, with their credentials.

    After each SUBSCRIBE it sends: ``on_sent``; each final response: ``on_response``; Timer F:
    ``on_timeout``; each NOTIFY: ``on_notify``, which gives the status to answer. Then ``deadline``
    and ``tick``. In-dialog SUBSCRIBEs are drafted by ``dialog.request``.
    """

    def __init__(self, event: str, event_id: str = "", timers: Timers = Timers()) -> None:  # noqa: B008
        self.event, self.event_id = event, event_id
        self.state = SubscriptionState.NOTIFY_WAIT
        self.dialog: Dialog | None = None
        """Formed by the 2xx or the first NOTIFY, whichever comes first (4.1.2.4)."""
        self.requested: int | None = None
        """Seconds asked for by the last SUBSCRIBE; None when it had no Expires."""
        self.expires_at: float | None = None
        self.refresh_at: float | None = None
        self.min_expires: int | None = None
        """Seconds of the last 423: ask for no less (4.1.2.1). After an initial 423 make a new object."""
        self.failure = 0
        """The status code that ended the subscription, 0 when none did."""
        self.reason = ""
        """The reason of the final NOTIFY."""
        self.resubscribe_at: float | None = None
        """After the end: from when a new subscription may be tried; None never."""
        self.problems: list[str] = []
        """What the peer did wrong and we lived with, each kind once."""
        self._timers = timers
        self._subscribe: Message | None = None
        self._no_notify_at: float | None = None
        self._notified = False
        self._expired = False

    @property
    def live(self) -> bool:
        return self.state is not SubscriptionState.TERMINATED

    @property
    def ending(self) -> bool:
        """True after a SUBSCRIBE with Expires 0: an end or a fetch (4.1.2.3, 4.4.3)."""
        return self.requested == 0

    def on_sent(self, request: Message, now: float) -> None:
        """A SUBSCRIBE went out, first, refreshing or ending: Timer N starts (4.1.2.2 to 4.1.2.4)."""
        self._subscribe = request
        self.requested = _header_seconds(request, "expires")
        if self.live:
            self._no_notify_at = now + self._timers.timeout
            self.refresh_at = None

    def on_response(self, response: Message, now: float) -> None:
        """The final response to the last SUBSCRIBE. A 401 that the agent answers is not: it sends again."""
        status = response.status
        if not self.live or self._subscribe is None or status < 200:
            return
        if status < 300:
            self._accepted(self._subscribe, response, now)
            return
        self.min_expires = _header_seconds(response, "min-expires") if status == 423 else None
        if self.dialog is None or status in ENDS_USAGE:
            # 481: the server has lost the dialog, a new one may be tried at once (4.1.2.2).
            self._end(now, failure=status, wait=0.0 if status in (423, 481) else None)
        else:
            self._refresh_failed(now)

    def on_timeout(self, now: float) -> None:
        """Timer F: no response to the last SUBSCRIBE. A living subscription goes on until it expires."""
        if self.live and self.dialog is None:
            self._end(now, failure=408, wait=0.0)
        elif self.live:
            self._refresh_failed(now)

    def on_notify(self, notify: Message, now: float) -> int:
        """Take a NOTIFY; returns the status to answer it with (4.1.3).

        481: not of this subscription, or it is over. 489: another package. 400: unreadable CSeq. 500:
        CSeq out of order. 200: taken.
        """
        if not self.matches(notify):
            return 481
        package, _, parameters = notify.header("event").partition(";")
        if not notify.has("event"):
            self._problem("NOTIFY without Event, matched by its dialog")
        elif package.strip() != self.event:
            return 489
        elif (parse_parameters(parameters).get("id") or "") != self.event_id:
            return 481
        header = SubscriptionStateHeader.parse(notify.header("subscription-state"))
        # The final NOTIFY of a subscription that ran out may be on its way when our own clock rings.
        if not self.live and not (self._expired and header.state is SubscriptionState.TERMINATED):
            return 481
        if notify.cseq < 0:
            return 400
        status = self._in_dialog(notify)
        if status == 0:
            self._taken(header, now)
        return status or 200

    def matches(self, notify: Message) -> bool:
        """Whether a NOTIFY is of this subscription's dialog (4.4.1), or may form it."""
        if self.dialog is not None and self.dialog.matches(notify):
            return True
        # RFC 6665 4.4.1: it is the first NOTIFY that makes the dialog, even where the 2xx had another tag.
        return (
            not self._notified
            and self._subscribe is not None
            and notify.call_id == self._subscribe.call_id
            and notify.to.tag == self._subscribe.from_.tag
            and bool(notify.from_.tag)
        )

    def deadline(self) -> float | None:
        due = (self.refresh_at, self._no_notify_at, self.expires_at)
        return min((at for at in due if at is not None), default=None)

    def tick(self, now: float) -> list[SubscriberEvent]:
        """What is due by ``now``: at most one event; an end hides the refresh."""
        if self.expires_at is not None and now >= self.expires_at:
            self._end(now, reason="timeout", wait=0.0)
            self._expired = True
            return [Expired()]
        if self._no_notify_at is not None and now >= self._no_notify_at:
            self._end(now, wait=0.0)
            return [NoNotify()]
        if self.refresh_at is not None and now >= self.refresh_at:
            self.refresh_at = None
            return [RefreshDue()]
        return []

    # -- inside ---------------------------------------------------------------------------------------

    def _accepted(self, request: Message, response: Message, now: float) -> None:
        if self.dialog is None:
            self.dialog = Dialog.as_caller(request, response)
        else:
            self.dialog.refresh_target(response)
            if response.to.tag != self.dialog.remote_tag:
                self._problem("the 2xx has another To tag than the dialog")
        if response.status == 204:
            self._no_notify_at = None  # RFC 5839: no NOTIFY will come
        granted = _header_seconds(response, "expires")
        if granted is None:
            self._problem("2xx without a readable Expires")
            granted = self.requested
        if granted is not None and not self.ending:
            self._lasts(granted, now)
        elif self.ending:
            self.expires_at = self.refresh_at = None

    def _in_dialog(self, notify: Message) -> int:
        """0, or the status to refuse with; forms the dialog from the first NOTIFY if need be."""
        assert self._subscribe is not None
        if self.dialog is None or not self.dialog.matches(notify):
            if self.dialog is not None:
                self._problem("the first NOTIFY has another From tag than the 2xx's To tag")
            self.dialog = Dialog.as_subscriber(self._subscribe, notify)
            return 0
        status = self.dialog.accept(notify)
        if status == 0:
            self.dialog.refresh_target(notify)
        return status

    def _taken(self, header: SubscriptionStateHeader, now: float) -> None:
        self._no_notify_at, self._notified = None, True
        for problem in header.problems:
            self._problem(f"Subscription-State: {problem}")
        if not self.live:
            return
        if header.state is SubscriptionState.TERMINATED:
            wait, heeds = _RESUBSCRIBE.get(header.reason, (0.0, True))
            if heeds and header.retry_after is not None:
                wait = float(header.retry_after)
            self._end(now, reason=header.reason, wait=None if self.ending else wait)
            return
        self.state = header.state or SubscriptionState.ACTIVE
        if header.expires is not None and not self.ending:
            self._lasts(header.expires, now)  # authoritative over the 2xx (4.1.3)

    def _lasts(self, seconds: int, now: float) -> None:
        self.expires_at = now + seconds
        self.refresh_at = now + self._timers.refresh_after(seconds)

    def _refresh_failed(self, now: float) -> None:
        """Still valid until it expires (4.1.2.2): try once more half-way to the end."""
        self._no_notify_at = None
        left = (self.expires_at or now) - now
        if not self.ending and left > self._timers.t2:
            self.refresh_at = now + left / 2

    def _end(self, now: float, *, failure: int = 0, reason: str = "", wait: float | None = None) -> None:
        self.state = SubscriptionState.TERMINATED
        self.failure, self.reason = failure, reason
        self.resubscribe_at = None if wait is None else now + wait
        self.expires_at = self.refresh_at = self._no_notify_at = None

    def _problem(self, text: str) -> None:
        if text not in self.problems and len(self.problems) < 100:
            self.problems.append(text)


def _seconds(name: str, parameters: dict[str, str | None], problems: list[str]) -> int | None:
    if name not in parameters:
        return None
    value = parameters[name] or ""
    if _SECONDS.fullmatch(value):
        return int(value)
    problems.append(f"{name} is no number of seconds: {value[:40]!r}")
    return None


def _header_seconds(message: Message, name: str) -> int | None:
    value = message.header(name)
    return int(value) if _SECONDS.fullmatch(value) else None
