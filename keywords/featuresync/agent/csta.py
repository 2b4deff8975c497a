"""What a phone makes of INFO requests (RFC 6086) with uaCSTA events in them.

It answers 200, inside a call or out of any dialog, and goes on showing what it showed: the guide's phones
do not refresh their state from these events. A line can be told to follow them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featuresync.sip.message import Message, reply
from featuresync.sync.csta import is_csta, read_csta
from featuresync.sync.feature import Feature, FeatureState

if TYPE_CHECKING:
    from .phone import Phone

REMEMBERED = 1000
"""Events kept; later ones are still answered."""


@dataclass(frozen=True, slots=True)
class CstaEvent:
    """An event that the phone was sent: when (seconds since the epoch), and what it said."""

    time: float
    message: Message
    states: dict[Feature, FeatureState]


class CstaListener:
    """The phone's ear for uaCSTA. ``follow`` lets events change the phone's display."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self.follow = False
        self.told: list[CstaEvent] = []

    def takes(self, request: Message) -> bool:
        """Whether the request carries uaCSTA, in a dialog or not."""
        return request.method == "INFO" and is_csta(request.header("content-type"))

    def receive(self, request: Message, now: float) -> None:
        """Answer an INFO: one with uaCSTA 200, or 400 when no document can be read in it (RFC 3261 21.4.1).

        415 would say that the type is not known here. Any other INFO that is of no call of ours is
        answered 481 (RFC 6086 4.2.2, RFC 3261 12.2.2).
        """
        status, reason = 481, "Call/Transaction Does Not Exist"
        if self.takes(request):
            body = read_csta(request.body)
            status, reason = (200, "OK") if body.root else (400, "Unreadable Body")
            if body.root and len(self.told) < REMEMBERED:
                self.told.append(CstaEvent(now, request, body.states))
            if self.follow:
                self._phone.shown.update(body.states)
        self._phone.respond(request, reply(request, status, reason, to_tag=self._phone.tokens()), now)
