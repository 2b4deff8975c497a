"""One binding at a registrar (RFC 3261 10.2): REGISTER drafts, the granted time, refresh, removal. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .message import Draft, Message
from .timers import Timers
from .uri import NameAddr, Uri

DEFAULT_EXPIRES = 3600
"""Seconds; also what an unreadable ``expires`` of a Contact means (20.10)."""


class RegistrationState(StrEnum):
    UNREGISTERED = "unregistered"
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True)
class RefreshDue:
    """Time to send the next ``request``. Said once; again after a refresh that failed."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The binding ran out without a refresh."""


RegistrationEvent = RefreshDue | Expired


class Registration:
    """The binding of ``contact`` to ``address_of_record`` (bare URIs). ``expires`` is in seconds.

    All REGISTERs share Call-ID and From tag, and count CSeq (10.2). The agent adds Via and credentials;
    to send again with credentials it asks for another ``request``.
    """

    def __init__(
        self,
        registrar: str,
        address_of_record: str,
        contact: str,
        call_id: str,
        tag: str,
        expires: int = DEFAULT_EXPIRES,
        timers: Timers = Timers(),  # noqa: B008
    ) -> None:
        self.registrar, self.address_of_record, self.contact = registrar, address_of_record, contact
        self.call_id, self.tag, self.expires = call_id, tag, expires
        self.state = RegistrationState.UNREGISTERED
        self.cseq = 0
        self.expires_at: float | None = None
        self.refresh_at: float | None = None
        self.min_expires: int | None = None
        """Seconds of the last 423; ``expires`` has been raised to it, send the next ``request`` (10.2.8)."""
        self.failure = 0
        """The status code of the last refusal, 0 after a success; 408 for Timer F."""
        self.problems: tuple[str, ...] = ()
        """What was wrong with the last 2xx."""
        self._timers = timers
        self._wanted = expires

    def request(self) -> Draft:
        """The next REGISTER: it makes or refreshes the binding."""
        return self._request(self.expires)

    def unregister(self) -> Draft:
        """The REGISTER that removes the binding (10.2.2)."""
        return self._request(0)

    def _request(self, seconds: int) -> Draft:
        self.cseq += 1
        self._wanted = seconds
        self.refresh_at = None
        draft = Draft(f"REGISTER {self.registrar} SIP/2.0")
        draft.add("Max-Forwards", "70").add("From", f"<{self.address_of_record}>;tag={self.tag}")
        draft.add("To", f"<{self.address_of_record}>").add("Call-ID", self.call_id)
        draft.add("CSeq", f"{self.cseq} REGISTER")
        return draft.add("Contact", f"<{self.contact}>;expires={seconds}").add("Expires", str(seconds))

    def on_response(self, response: Message, now: float) -> None:
        """The final response to the last REGISTER. A 401 that the agent answers is not: it sends again."""
        status = response.status
        if status < 200:
            return
        if status < 300:
            self._bound(response, now)
            return
        self.failure = status
        least = _seconds(response.header("min-expires")) if status == 423 else None
        self.min_expires = least
        if least is not None:
            self.expires = max(self.expires, least)
        self._refresh_failed(now)

    def on_timeout(self, now: float) -> None:
        """Timer F: no response. The old binding, if any, lasts until it expires."""
        self.failure = 408
        self._refresh_failed(now)

    def deadline(self) -> float | None:
        return min((at for at in (self.refresh_at, self.expires_at) if at is not None), default=None)

    def tick(self, now: float) -> list[RegistrationEvent]:
        """What is due by ``now``: at most one event."""
        if self.expires_at is not None and now >= self.expires_at:
            self._unbound()
            return [Expired()]
        if self.refresh_at is not None and now >= self.refresh_at:
            self.refresh_at = None
            return [RefreshDue()]
        return []

    def _bound(self, response: Message, now: float) -> None:
        self.failure, self.min_expires = 0, None
        granted, self.problems = granted_expires(response, self.contact, self._wanted)
        if granted == 0:
            self._unbound()
            return
        self.state = RegistrationState.REGISTERED
        self.expires_at = now + granted
        self.refresh_at = now + self._timers.refresh_after(granted)

    def _unbound(self) -> None:
        self.state = RegistrationState.UNREGISTERED
        self.expires_at = self.refresh_at = None

    def _refresh_failed(self, now: float) -> None:
        left = (self.expires_at or now) - now
        if self._wanted and left > self._timers.t2:
            self.refresh_at = now + left / 2


def granted_expires(response: Message, contact: str, wanted: int) -> tuple[int, tuple[str, ...]]:
    """Seconds our binding has by a 2xx (10.2.4, 10.3 step 8), and what was wrong with the answer.

    Our Contact's ``expires``, else the Expires header, else what we wanted. A registrar that rewrites
    the Contact (network address translation) is believed when it lists just one.
    """
    if wanted == 0:
        return 0, ()
    bindings = [NameAddr.parse(value) for value in response.headers("contact")]
    ours = next((b for b in bindings if _same(b.uri, contact)), None)
    problems: tuple[str, ...] = ()
    if ours is None:
        problems = ("the 2xx does not list our Contact",)
        ours = bindings[0] if len(bindings) == 1 else None
    if ours is not None and "expires" in ours.parameters:
        seconds = _seconds(ours.parameters["expires"] or "")
        if seconds is None:
            return DEFAULT_EXPIRES, (*problems, "the Contact's expires is no number of seconds")
        return seconds, problems
    header = _seconds(response.header("expires"))
    if header is None:
        return wanted, (*problems, "the 2xx has no expires for our Contact")
    return header, problems


def _same(uri: str, other: str) -> bool:
    """Whether two Contacts are one: scheme, user, host, port (the part of RFC 3261 19.1.4 that counts)."""
    try:
        one, two = Uri.parse(uri), Uri.parse(other)
    except ValueError:
        return uri == other
    return _place(one) == _place(two)


def _place(uri: Uri) -> Iterable[object]:
    return uri.scheme, uri.user, uri.host.lower(), uri.port


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
