"""The little of a call that feature tests need (RFC 3261 9, 12, 13, 15): ring, answer, hang up. Pure.

Bodies (offer and answer) are the user's. Drafts come without Via, except CANCEL, whose Via is its
INVITE's own (9.1). Sections without a name are RFC 3261's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
IN_EARLY_DIALOG = ("UPDATE", "INFO", "OPTIONS")
"""What the peer may send before it has answered; a BYE of the called side is not among it (15)."""
MOST_FORKS = 10
"""Early dialogs of one call that are kept."""


@dataclass(slots=True)
class _Early:
    """An early dialog, and the RSeq of its last reliable provisional response."""

    dialog: Dialog
    rseq: int | None = None


class OutgoingCall:
    """A call we make. ``invite`` is the INVITE as sent; after a retry with credentials call ``on_sent``."""

    def __init__(self, invite: Message) -> None:
        self.invite = invite
        self.state = CallState.CALLING
        self.dialog: Dialog | None = None
        """Formed by the first 2xx."""
        self.status = 0
        """The latest status code: who rings is 180, who refused is 486, 408 for no answer at all."""
        self.redirect = ""
        """The URI a 3xx sends us to."""
        self._cseq = invite.cseq
        self._early: dict[str, _Early] = {}
        self._cancel_wanted = False
        self._cancelled = False

    def on_sent(self, invite: Message) -> None:
        self.invite, self._cseq = invite, invite.cseq
        self.state, self.status = CallState.CALLING, 0
        self._early.clear()

    def next_cseq(self) -> int:
        """The number of the next request; forks share the count, as it only has to grow (12.2.1.1)."""
        self._cseq += 1
        return self._cseq

    def on_response(self, response: Message) -> list[Draft]:
        """Take a response to the INVITE; returns what is to be sent now.

        Every 2xx is acknowledged, the repeated one too (13.2.2.4). A 2xx of another fork, or one that
        crossed our CANCEL, is acknowledged and hung up. The ACK of a refusal is the transaction's. A
        reliable provisional response is acknowledged by PRACK (RFC 3262 4).
        """
        if 200 <= response.status < 300:
            return self._answered(response)
        if self.state in (CallState.ANSWERED, CallState.ENDED):
            return []
        self.status = response.status
        if response.status < 200:
            if response.status > 100:
                self.state = CallState.RINGING
            return [*self._prack(response), *(self._cancel() if self._cancel_wanted else [])]
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
        if self.dialog is None or self.state is not CallState.ANSWERED:
            return None
        self.state = CallState.ENDED
        return self.dialog.request("BYE", cseq=self.next_cseq())

    def on_request(self, request: Message, refresh: bool = False) -> int:
        """The status to answer a request with: 481 when it is not of this call; 0 for ACK, none.

        ``refresh`` says that a re-INVITE or UPDATE leaves the media as they are: it is answered 200.
        """
        dialog, early = self.dialog, self._early.get(request.from_.tag)
        if dialog is None and early is not None and request.method in IN_EARLY_DIALOG:
            dialog = early.dialog
        return _in_call(self, dialog, request, refresh)

    def _answered(self, response: Message) -> list[Draft]:
        dialog = Dialog.as_caller(self.invite, response)
        ack = dialog.request("ACK", self._credentials(), cseq=self.invite.cseq)
        if self.dialog is None:
            early = self._early.get(dialog.remote_tag)
            # The confirmed dialog is the early one, with the route of the 2xx (13.2.2.4).
            dialog.remote_cseq = early.dialog.remote_cseq if early else None
            self.dialog, self.status = dialog, response.status
            crossed = self._cancelled or self.state is CallState.ENDED
            self.state = CallState.ANSWERED
            bye = self.bye() if crossed else None
            return [ack] if bye is None else [ack, bye]
        if dialog.remote_tag != self.dialog.remote_tag:
            return [ack, dialog.request("BYE", cseq=self.next_cseq())]
        return [ack]

    def _credentials(self) -> list[tuple[str, str]]:
        """The INVITE's own, for the ACK of a 2xx: nobody can challenge that (13.2.2.4, 22.1)."""
        names = ("Authorization", "Proxy-Authorization")
        return [(name, value) for name in names for value in self.invite.headers(name)]

    def _prack(self, response: Message) -> list[Draft]:
        """The PRACK that is due: one for each reliable response, in the order of their RSeq (RFC 3262 4)."""
        tag = response.to.tag
        if response.status == 100 or not tag or (tag not in self._early and len(self._early) >= MOST_FORKS):
            return []
        early = self._early.setdefault(tag, _Early(Dialog.as_caller(self.invite, response)))
        written = response.header("rseq")
        reliable = any(option.lower() == "100rel" for option in response.headers("require"))
        if not reliable or not (written.isascii() and written.isdigit() and len(written) <= 10):
            return []
        if early.rseq is not None and int(written) != early.rseq + 1:
            return []
        early.rseq = int(written)
        acknowledged = f"{early.rseq} {self.invite.cseq} INVITE"
        return [early.dialog.request("PRACK", [("RAck", acknowledged)], cseq=self.next_cseq())]

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


class Unacknowledged:
    """A 2xx to an INVITE: due again and again until its ACK comes (13.3.1.4)."""

    def __init__(self, answer: Draft, now: float, timers: Timers) -> None:
        self.answer = answer
        self._timers, self._interval = timers, timers.t1
        self._repeat_at, self._give_up_at = now + timers.t1, now + timers.timeout

    def deadline(self) -> float:
        return min(self._repeat_at, self._give_up_at)

    def given_up(self, now: float) -> bool:
        """No ACK came in 64*T1."""
        return now >= self._give_up_at

    def due(self, now: float) -> bool:
        """Whether the answer is to be sent once more, now."""
        if now < self._repeat_at:
            return False
        self._interval = min(2 * self._interval, self._timers.t2)
        self._repeat_at = now + self._interval
        return True


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
        self._unacknowledged: Unacknowledged | None = None

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
            self._unacknowledged = Unacknowledged(draft, now, self._timers)
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
        status = _in_call(self, self.dialog, request)
        if self.dialog is not None and self.dialog.matches(request):
            if request.method == "ACK" and request.cseq == self.invite.cseq:
                self.acknowledged = True
                self._unacknowledged = None
            elif self.state is CallState.ENDED:
                self._unacknowledged = None
        return status

    def bye(self) -> Draft | None:
        """Hang up an answered call (15.1.1); None when there is nothing to hang up."""
        self._unacknowledged = None
        if self.dialog is None or self.state is not CallState.ANSWERED:
            return None
        self.state = CallState.ENDED
        return self.dialog.request("BYE")

    def deadline(self) -> float | None:
        return self._unacknowledged.deadline() if self._unacknowledged else None

    def tick(self, now: float) -> list[Draft]:
        """What is due by ``now``: the 2xx once more, or a BYE when no ACK came in 64*T1 (13.3.1.4)."""
        waiting = self._unacknowledged
        if waiting is None:
            return []
        if waiting.given_up(now):
            bye = self.bye()
            return [bye] if bye else []
        return [waiting.answer] if waiting.due(now) else []


def _in_call(
    call: OutgoingCall | IncomingCall, dialog: Dialog | None, request: Message, refresh: bool = False
) -> int:
    if dialog is None or not dialog.matches(request):
        return 481 if request.method != "ACK" else 0
    if request.method == "ACK":
        return 0
    # A BYE that crossed ours is still of this call, and is answered 200.
    if call.state is CallState.ENDED and request.method != "BYE":
        return 481
    refused = dialog.accept(request)
    if refused:
        return refused
    if request.method == "BYE":
        call.state = CallState.ENDED
    if refresh and request.method in ("INVITE", "UPDATE"):
        # Both may move the peer's Contact (12.2.2, RFC 3311 5.2).
        dialog.refresh_target(request)
        return 200
    return ANSWERS.get(request.method, 405)
