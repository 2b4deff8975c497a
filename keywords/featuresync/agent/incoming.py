"""Calls that reach the phone: rung, or treated by the phone's own features where the server does not.

With Feature Sync off the phone executes its features: DND answers 486, a forward answers 302 with the
target in Contact (RFC 3261 21.3.3). With it on the server executes them and the phone just rings. A phone
that is ``busy`` answers 486 before all else, whoever executes features.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featuresync.sip.call import IncomingCall
from featuresync.sip.message import Message, reply
from featuresync.sync.feature import Feature

if TYPE_CHECKING:
    from .phone import Phone

RING_SECONDS = 6.0
"""One ring, as most servers count it; a call nobody answers rings as long as the no-answer forward says."""
DEFAULT_RINGS = 3
NO_ANSWER_LIMIT = 120.0
MOST_CALLS = 1000
"""Calls that are written down; later ones are still answered."""


@dataclass(slots=True)
class Ringing:
    """A call that rings, and when the phone gives up or forwards."""

    call: IncomingCall
    until: float


@dataclass(frozen=True, slots=True)
class Rung:
    """A call that made the phone ring. ``caller`` is the user part of its From, or the URI without one.

    It rings until its ``call_id`` is gone from ``IncomingCalls.ringing``.
    """

    time: float
    caller: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A call with the final response that the phone gave it: at once, or when it had rung."""

    time: float
    caller: str
    call_id: str
    status: int


class IncomingCalls:
    """The phone's answers to INVITE, CANCEL, BYE and ACK outside the calls it made. It never picks up."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self.ringing: dict[str, Ringing] = {}
        self.rung: list[Rung] = []
        self.refused: list[Refused] = []

    def receive(self, request: Message, now: float) -> None:
        if request.method == "INVITE" and not request.to.tag:
            self._on_invite(request, now)
        elif request.method != "ACK":
            ringing = self.ringing.get(request.call_id)
            status = ringing.call.on_request(request) if ringing else 481
            reason = "OK" if status == 200 else "Call/Transaction Does Not Exist"
            self._phone.respond(request, reply(request, status, reason, to_tag=self._phone.tokens()), now)
            if ringing and request.method == "CANCEL" and status == 200:
                del self.ringing[request.call_id]
                self._answer(ringing.call, 487, "Request Terminated", now)

    def deadline(self) -> float | None:
        return min((ringing.until for ringing in self.ringing.values()), default=None)

    def tick(self, now: float) -> None:
        for call_id, ringing in list(self.ringing.items()):
            if now >= ringing.until:
                del self.ringing[call_id]
                if not self._forward(ringing.call, Feature.CF_NO_ANSWER, now):
                    self._answer(ringing.call, 480, "Temporarily Unavailable", now)

    def _on_invite(self, invite: Message, now: float) -> None:
        call = IncomingCall(invite, self._phone.tokens(), self._phone.contact)
        local = not self._phone.line.feature_sync
        if self._phone.busy:
            self._answer(call, 486, "Busy Here", now)
            return
        if self._forward(call, Feature.CF_ALWAYS, now):
            return
        if local and self._phone.shown[Feature.DND].on:
            self._answer(call, 486, "Busy Here", now)
        elif self.ringing:
            if not self._forward(call, Feature.CF_BUSY, now):
                self._answer(call, 486, "Busy Here", now)
        else:
            forward = self._phone.shown[Feature.CF_NO_ANSWER]
            rings = (
                (forward.rings or DEFAULT_RINGS) * RING_SECONDS if local and forward.on else NO_ANSWER_LIMIT
            )
            self.ringing[invite.call_id] = Ringing(call, now + rings)
            self._answer(call, 180, "Ringing", now)

    def _forward(self, call: IncomingCall, feature: Feature, now: float) -> bool:
        """Answer 302 when the phone itself forwards; False when that feature is off here."""
        state = self._phone.shown[feature]
        if self._phone.line.feature_sync or not state.on or not state.number:
            return False
        self._answer(
            call, 302, "Moved Temporarily", now, [("Contact", f"<{self._phone.call_uri(state.number)}>")]
        )
        return True

    def _answer(
        self, call: IncomingCall, status: int, reason: str, now: float, extra: Iterable[tuple[str, str]] = ()
    ) -> None:
        draft = call.respond(status, reason, now, extra)
        if draft is None:
            return
        self._phone.respond(call.invite, draft, now)
        caller, call_id = _caller(call.invite), call.invite.call_id
        if status < 200 and len(self.rung) < MOST_CALLS:
            self.rung.append(Rung(now, caller, call_id))
        elif status >= 200 and len(self.refused) < MOST_CALLS:
            self.refused.append(Refused(now, caller, call_id, status))


def _caller(invite: Message) -> str:
    uri = invite.from_.uri[:200]
    user, at, _ = uri.partition("@")
    return user.partition(":")[2] if at else uri
