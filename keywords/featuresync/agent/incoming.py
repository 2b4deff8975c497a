"""Calls that reach the phone: rung, or treated by the phone's own features where the server does not.

With Feature Sync off the phone executes its features: DND answers 486, a forward answers 302 with the
target in Contact (RFC 3261 21.3.3). With it on the server executes them and the phone just rings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featuresync.sip.message import Draft, Message, reply
from featuresync.sync.feature import Feature

if TYPE_CHECKING:
    from .phone import Phone

RING_SECONDS = 6.0
"""One ring, as most servers count it; a call nobody answers rings as long as the no-answer forward says."""
DEFAULT_RINGS = 3
NO_ANSWER_LIMIT = 120.0


@dataclass(slots=True)
class Ringing:
    """A call that rings and has no final response yet. ``until`` is when the phone gives up or forwards."""

    invite: Message
    tag: str
    until: float


class IncomingCalls:
    """The phone's answers to INVITE, CANCEL, BYE and ACK. It never picks up."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self.ringing: dict[str, Ringing] = {}
        self.received: list[Message] = []
        """Every INVITE that reached the phone, rung or not."""

    def receive(self, request: Message, now: float) -> None:
        if request.method == "INVITE":
            self.received.append(request)
            self._on_invite(request, now)
        elif request.method == "CANCEL":
            call = self.ringing.pop(request.call_id, None)
            status, reason = (200, "OK") if call else (481, "Call/Transaction Does Not Exist")
            self._phone.respond(request, reply(request, status, reason, to_tag=self._phone.tokens()), now)
            if call:
                self._answer(call.invite, 487, "Request Terminated", call.tag, now)
        elif request.method == "BYE":
            refusal = reply(request, 481, "Call/Transaction Does Not Exist", to_tag=self._phone.tokens())
            self._phone.respond(request, refusal, now)

    def deadline(self) -> float | None:
        return min((call.until for call in self.ringing.values()), default=None)

    def tick(self, now: float) -> None:
        for call_id, call in list(self.ringing.items()):
            if now >= call.until:
                del self.ringing[call_id]
                if not self._forward(call.invite, Feature.CF_NO_ANSWER, call.tag, now):
                    self._answer(call.invite, 480, "Temporarily Unavailable", call.tag, now)

    def _on_invite(self, invite: Message, now: float) -> None:
        tag = self._phone.tokens()
        local = not self._phone.line.feature_sync
        if local and self._forward(invite, Feature.CF_ALWAYS, tag, now):
            return
        if local and self._phone.shown[Feature.DND].on:
            self._answer(invite, 486, "Busy Here", tag, now)
        elif self.ringing:
            if not (local and self._forward(invite, Feature.CF_BUSY, tag, now)):
                self._answer(invite, 486, "Busy Here", tag, now)
        else:
            wait = NO_ANSWER_LIMIT
            forward = self._phone.shown[Feature.CF_NO_ANSWER]
            if local and forward.on:
                wait = (forward.rings or DEFAULT_RINGS) * RING_SECONDS
            self.ringing[invite.call_id] = Ringing(invite, tag, now + wait)
            self._answer(invite, 180, "Ringing", tag, now)

    def _forward(self, invite: Message, feature: Feature, tag: str, now: float) -> bool:
        """Answer 302 when the phone itself forwards; False when that feature is off here."""
        state = self._phone.shown[feature]
        if self._phone.line.feature_sync or not state.on or not state.number:
            return False
        target = f"<sip:{state.number}@{self._phone.line.domain}>"
        draft = reply(invite, 302, "Moved Temporarily", [("Contact", target)], tag)
        self._phone.respond(invite, draft, now)
        return True

    def _answer(self, invite: Message, status: int, reason: str, tag: str, now: float) -> None:
        draft: Draft = reply(invite, status, reason, [("Contact", self._phone.contact)], tag)
        self._phone.respond(invite, draft, now)
