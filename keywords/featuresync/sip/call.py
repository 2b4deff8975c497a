"""The little of a call that feature tests need (RFC 3261 9, 12, 13, 15): ring, answer, hang up. Pure.

Bodies (offer and answer) are the user's. Drafts come without Via, except CANCEL, whose Via is its
INVITE's own (9.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from .dialog import Dialog, contact_uri
from .message import Draft, Message, reply
from .timers import Timers


class CallState(StrEnum):
    CALLING = "calling"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


ANSWERS = {"BYE": 200, "OPTIONS": 200, "INFO": 200, "INVITE": 488, "UPDATE": 488}
"""What a request inside a call is answered with; 405 for any other. Media is never changed (488)."""


class OutgoingCall:
    """A call we make. ``invite`` is the INVITE as sent; after a retry with credentials call ``on_sent``."""

    def __init__(self, invite: Message) -> None:
        self.invite = invite
        self.state = CallState.CALLING
        self.dialog: Dialog | None = None
        """Formed by the first 2xx."""
        self.early_media = False
        """Whether a provisional response had a body."""
        self.status = 0
        """The latest status code: who rings is 180, who refused is 486, 408 for no answer at all."""
        self.redirect = ""
        """The URI a 3xx sends us to."""
        self._cancel_wanted = False
        self._cancelled = False

    def on_sent(self, invite: Message) -> None:
        self.invite = invite
        self.state = CallState.CALLING

    def on_response(self, response: Message) -> list[Draft]:
        """Take a response to the INVITE; returns what is to be sent now.

        Every 2xx is acknowledged, the repeated one too (13.2.2.4). A 2xx of another fork, or one that
        crossed our CANCEL, is acknowledged and hung up. The ACK of a refusal is the transaction's.
        """
        if 200 <= response.status < 300:
            return self._answered(response)
        if self.state in (CallState.ANSWERED, CallState.ENDED):
            return []
        self.status = response.status
        if response.status < 200:
            if response.status > 100:
                self.state = CallState.RINGING
                self.early_media = self.early_media or bool(response.body)
            return self._cancel() if self._cancel_wanted else []
        self.state = CallState.ENDED
        self.redirect = contact_uri(response) if response.status < 400 else ""
        return []

    def on_timeout(self) -> None:
        """Timer B or C: no final response."""
        if self.state in (CallState.CALLING, CallState.RINGING):
            self.state, self.status = CallState.ENDED, 408

    def cancel(self) -> list[Draft]:
        """Give the call up before it is answered. CANCEL waits for a provisional response (9.1)."""
        if self.state in (CallState.ANSWERED, CallState.ENDED):
            return []
        self._cancel_wanted = True
        return self._cancel() if self.status else []

    def bye(self) -> Draft | None:
        """Hang up an answered call (15.1.1); None when there is nothing to hang up."""
        return _hang_up(self)

    def on_request(self, request: Message) -> int:
        """The status to answer a request with: 481 when it is not of this call; 0 for ACK, none."""
        return _in_call(self, request)

    def _answered(self, response: Message) -> list[Draft]:
        dialog = Dialog.as_caller(self.invite, response)
        if self.dialog is None:
            self.dialog, self.status = dialog, response.status
            crossed = self._cancelled or self.state is CallState.ENDED
            self.state = CallState.ANSWERED
            ack = dialog.request("ACK", cseq=self.invite.cseq)
            bye = self.bye() if crossed else None
            return [ack] if bye is None else [ack, bye]
        ack = dialog.request("ACK", cseq=self.invite.cseq)
        if dialog.remote_tag != self.dialog.remote_tag:
            return [ack, dialog.request("BYE")]
        return [ack]

    def _cancel(self) -> list[Draft]:
        """One CANCEL: Request-URI, top Via, From, To, Call-ID, CSeq number and Route of the INVITE (9.1)."""
        if self._cancelled:
            return []
        self._cancelled = True
        invite = self.invite
        draft = Draft(f"CANCEL {invite.request_uri} SIP/2.0").add("Via", invite.header("via"))
        draft.add("Max-Forwards", "70").add("From", invite.header("from")).add("To", invite.header("to"))
        draft.add("Call-ID", invite.call_id).add("CSeq", f"{invite.cseq} CANCEL")
        draft.headers += [("Route", route) for route in invite.headers("route")]
        return [draft]


class IncomingCall:
    """A call that reaches us. ``contact`` is our Contact value, ``tag`` our tag of the dialog."""

    def __init__(self, invite: Message, tag: str, contact: str, timers: Timers = Timers()) -> None:  # noqa: B008
        self.invite, self.tag, self.contact = invite, tag, contact
        self.state = CallState.CALLING
        self.dialog: Dialog | None = None
        self.status = 0
        """The last status code we gave."""
        self.acknowledged = False
        self._timers = timers
        self._answer: Draft | None = None
        self._interval = 0.0
        self._repeat_at: float | None = None
        self._give_up_at: float | None = None

    def respond(
        self, status: int, reason: str, now: float, extra: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> Draft | None:
        """The response to send, say 180, 486, 302 (Contact in ``extra``) or 200; None after a final one.

        A 2xx is due again from ``tick`` until its ACK comes (13.3.1.4).
        """
        if self.state in (CallState.ANSWERED, CallState.ENDED):
            return None
        self.status = status
        headers = [("Contact", self.contact), *extra] if 100 < status < 300 else list(extra)
        draft = reply(self.invite, status, reason, headers, "" if status == 100 else self.tag, body)
        if 100 < status < 200:
            self.state = CallState.RINGING
        elif 200 <= status < 300:
            self.state = CallState.ANSWERED
            self.dialog = Dialog.as_callee(self.invite, self.tag)
            self._answer, self._interval = draft, self._timers.t1
            self._repeat_at, self._give_up_at = now + self._interval, now + self._timers.timeout
        elif status >= 300:
            self.state = CallState.ENDED
        return draft

    def on_request(self, request: Message) -> int:
        """The status to answer a request with: 481 when it is not of this call; 0 for ACK, none.

        A CANCEL of the unanswered INVITE is answered 200; then ``respond`` with 487 (9.2).
        """
        if request.method == "CANCEL":
            same = (request.call_id, request.cseq, request.branch)
            return 200 if same == (self.invite.call_id, self.invite.cseq, self.invite.branch) else 481
        status = _in_call(self, request)
        if self.dialog is not None and self.dialog.matches(request):
            if request.method == "ACK" and request.cseq == self.invite.cseq:
                self.acknowledged = True
                self._settle()
            elif self.state is CallState.ENDED:
                self._settle()
        return status

    def bye(self) -> Draft | None:
        """Hang up an answered call (15.1.1); None when there is nothing to hang up."""
        draft = _hang_up(self)
        self._settle()
        return draft

    def deadline(self) -> float | None:
        return min((at for at in (self._repeat_at, self._give_up_at) if at is not None), default=None)

    def tick(self, now: float) -> list[Draft]:
        """What is due by ``now``: the 2xx once more, or a BYE when no ACK came in 64*T1 (13.3.1.4)."""
        if self._give_up_at is not None and now >= self._give_up_at:
            bye = self.bye()
            return [bye] if bye else []
        if self._repeat_at is not None and now >= self._repeat_at:
            self._interval = min(2 * self._interval, self._timers.t2)
            self._repeat_at = now + self._interval
            return [self._answer] if self._answer else []
        return []

    def _settle(self) -> None:
        self._repeat_at = self._give_up_at = None


def _hang_up(call: OutgoingCall | IncomingCall) -> Draft | None:
    if call.dialog is None or call.state is not CallState.ANSWERED:
        return None
    call.state = CallState.ENDED
    return call.dialog.request("BYE")


def _in_call(call: OutgoingCall | IncomingCall, request: Message) -> int:
    if call.dialog is None or not call.dialog.matches(request):
        return 481 if request.method != "ACK" else 0
    if request.method == "ACK":
        return 0
    # A BYE that crossed ours is still of this call, and is answered 200.
    if call.state is CallState.ENDED and request.method != "BYE":
        return 481
    refused = call.dialog.accept(request)
    if refused:
        return refused
    if request.method == "BYE":
        call.state = CallState.ENDED
    return ANSWERS.get(request.method, 405)
