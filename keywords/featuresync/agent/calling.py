"""Calls the phone makes: to feature codes, and to other phones.

A server may hang up on a caller who hangs up early, before it has done what the code asks for. So the phone
holds a call until the server ends it, and gives it up only when somebody says so or after ``cap`` seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from featuresync.net.media import MediaPort
from featuresync.sip.call import CallState, OutgoingCall, Unacknowledged
from featuresync.sip.digest import Authenticator
from featuresync.sip.message import Draft, Message, reply
from featuresync.sip.sdp import MEDIA_TYPE, Audio, read_audio, write_offer

from .exchange import ALLOW, Exchange

if TYPE_CHECKING:
    from .phone import Phone

DISCARD = 9
"""The port that is offered where there is none for the media: whatever comes is thrown away (RFC 863)."""
_REASONS = {
    200: "OK",
    405: "Method Not Allowed",
    481: "Call/Transaction Does Not Exist",
    488: "Not Acceptable Here",
}


class PlacedCall:
    """One call from its INVITE to its end. All times are seconds, those of ``started`` etc. since the epoch.

    ``cap``: how long the phone holds the call, counted from its first INVITE. ``authenticator`` None
    takes a challenge as the end of it. ``reliable`` says that we know 100rel (RFC 3262).
    """

    def __init__(
        self,
        phone: Phone,
        uri: str,
        cap: float,
        media: MediaPort | None,
        authenticator: Authenticator | None,
        reliable: bool,
    ) -> None:
        self.uri, self.cap = uri, cap
        self.started = 0.0
        self.answered: float | None = None
        """When the first 2xx came."""
        self.ended: float | None = None
        self.ended_by = ""
        """``server`` (it refused, or hung up), ``phone`` (it gave up), else "": no answer came."""
        self.audio: Audio | None = None
        """The server's end of the sound, None while it has named none."""
        self.exchange: Exchange
        """The INVITE's, with its final response."""
        self._phone, self._media = phone, media
        self._authenticator, self._reliable = authenticator, reliable
        self._call: OutgoingCall
        self._offer = b""
        self._announced = False
        self._given_up = False
        self._give_up_at: float | None = None
        self._reinvite: tuple[Message, Unacknowledged] | None = None

    # -- what came of it --------------------------------------------------------------------------

    @property
    def status(self) -> int:
        """The latest status code: 180 while it rings, then the final one; 408 for no answer at all."""
        return self._call.status

    @property
    def redirect(self) -> str:
        """The URI that a 3xx sends us to, else ""."""
        return self._call.redirect

    @property
    def established(self) -> bool:
        """A 2xx came."""
        return self.answered is not None

    @property
    def early_announcement(self) -> bool:
        """Something could be heard before the final response: a provisional one had SDP, or RTP came."""
        heard = self._media.heard.first if self._media else None
        final = self.answered if self.answered is not None else self.ended
        return self._announced or (heard is not None and (final is None or heard < final))

    @property
    def over(self) -> bool:
        """Refused, hung up by either side and that confirmed, or never answered."""
        return self.ended is not None

    @property
    def held(self) -> float:
        """How long it was established; 0.0 when it was not, or is not over."""
        return self.ended - self.answered if self.ended is not None and self.answered is not None else 0.0

    # -- what is done with it ---------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Send the INVITE, always with an offer (RFC 3261 13.2.1): feature codes are answered by sound."""
        phone = self._phone
        self.started = now
        host, port = self._media.local if self._media else (phone.local[0], DISCARD)
        self._offer = write_offer(host, port, int(now))
        draft = phone.draft("INVITE", self.uri, phone.tokens(), phone.tokens(), 1)
        draft.put("To", f"<{self.uri}>").add("Contact", phone.contact)
        if self._reliable:
            draft.add("Supported", "100rel")
        draft.add("Content-Type", MEDIA_TYPE).body = self._offer
        self.exchange = Exchange("call", draft, self._authenticator)
        self.exchange.on_sent = self._on_sent
        self.exchange.on_response = self._on_response
        self.exchange.on_failure = self._on_failure
        phone.start(self.exchange, now)

    def hang_up(self, now: float) -> None:
        """BYE when it is established, else CANCEL as soon as that is allowed (RFC 3261 9.1)."""
        if self._given_up or self.over:
            return
        self._given_up = True
        self._silence()
        bye = self._call.bye()
        if bye is not None:
            self._send([bye], now)
            return
        self.exchange.authenticator = None  # A challenge that is still to come is not answered any more.
        self._give_up_at = now + self._phone.timers.timeout
        self._send(self._call.cancel(), now)

    def matches(self, request: Message) -> bool:
        """Whether the server's request is of one of this call's dialogs, by Call-ID and our tag."""
        invite = self._call.invite
        return (request.call_id, request.to.tag) == (invite.call_id, invite.from_.tag)

    def receive(self, request: Message, now: float) -> None:
        """Answer a request of the server inside the call."""
        status = self._call.on_request(request, self._is_refresh(request))
        if request.method == "ACK":
            if self._reinvite is not None and self._reinvite[0].cseq == request.cseq:
                self._reinvite = None
            return
        headers, body = [("Allow", ALLOW)], b""
        if status == 200 and request.method in ("INVITE", "UPDATE"):
            headers.append(("Contact", self._phone.contact))
            # Without an offer an UPDATE gets no answer (RFC 3311 5.2), and an INVITE gets an offer.
            if request.body or request.method == "INVITE":
                headers.append(("Content-Type", MEDIA_TYPE))
                body = self._offer
        reason = _REASONS.get(status, "Server Internal Error")
        answer = reply(request, status, reason, headers, body=body)
        self._phone.respond(request, answer, now)
        if status == 200 and request.method == "INVITE":
            self._reinvite = request, Unacknowledged(answer, now, self._phone.timers)
        elif status == 200 and request.method == "BYE":
            self._end(now, "server")

    def deadline(self) -> float | None:
        if self.over:
            return None
        due = [self._give_up_at if self._given_up else self.started + self.cap]
        due += [self._reinvite[1].deadline()] if self._reinvite else []
        return min((at for at in due if at is not None), default=None)

    def tick(self, now: float) -> None:
        if self.over:
            return
        if self._reinvite is not None:
            request, waiting = self._reinvite
            if waiting.given_up(now):
                # It stays: this call is the server's to end.
                self._reinvite = None
            elif waiting.due(now):
                self._phone.respond(request, waiting.answer, now)
        if not self._given_up and now >= self.started + self.cap:
            self.hang_up(now)
        elif self._give_up_at is not None and now >= self._give_up_at:
            # RFC 3261 9.1: no final response 64*T1 after the CANCEL; the call counts as cancelled.
            self._on_failure(now)

    # -- inside -----------------------------------------------------------------------------------

    def _on_sent(self, invite: Message, _now: float) -> None:
        if len(self.exchange.sent) == 1:
            self._call = OutgoingCall(invite)
        else:
            self._call.on_sent(invite)

    def _on_response(self, response: Message, now: float) -> None:
        drafts = self._call.on_response(response)
        if response.status < 300 and self.answered is None and not self._given_up:
            self._listen(response)
        if 200 <= response.status < 300 and self.answered is None:
            self.answered = now
        self._send(drafts, now)
        if response.status >= 300:
            self._end(now, "server")

    def _on_failure(self, now: float) -> None:
        self._call.on_timeout()
        self._end(now, "")

    def _listen(self, response: Message) -> None:
        """Take the server's end of the sound from a response, if it says where that is."""
        if response.media_type != MEDIA_TYPE or not response.body:
            return
        self.audio = audio = read_audio(response.body)
        if response.status < 200 and audio is not None and audio.sends:
            self._announced = True
        if self._media is None:
            return
        if audio is not None and audio.receives:
            self._media.start((audio.address, audio.port), audio.payload)
        else:
            self._media.stop()

    def _is_refresh(self, request: Message) -> bool:
        """Whether a re-INVITE or UPDATE leaves the sound as it is, as session timers do (RFC 4028 7.4)."""
        if not request.body:
            return True
        offered = read_audio(request.body) if request.media_type == MEDIA_TYPE else None
        return _place(offered) == _place(self.audio) != ()

    def _send(self, drafts: Iterable[Draft], now: float) -> None:
        for draft in drafts:
            method = draft.start_line.partition(" ")[0]
            if method == "ACK":
                self._phone.transmit(draft, now)
                continue
            # A CANCEL cannot be challenged (RFC 3261 22.1).
            authenticator = None if method == "CANCEL" else self._authenticator
            exchange = Exchange(
                method.lower(), draft, authenticator, eager=True, next_cseq=self._call.next_cseq
            )
            if method == "BYE":
                exchange.on_response, exchange.on_failure = self._on_bye, self._on_bye_failure
            self._phone.start(exchange, now)

    def _on_bye(self, response: Message, now: float) -> None:
        if response.status >= 200:
            self._on_bye_failure(now)

    def _on_bye_failure(self, now: float) -> None:
        # Another fork's BYE ends nothing here.
        if self._call.state is CallState.ENDED:
            self._end(now, "phone")

    def _end(self, now: float, by: str) -> None:
        if self.ended is None:
            self.ended, self.ended_by = now, "phone" if self._given_up else by
            self._silence()

    def _silence(self) -> None:
        if self._media is not None:
            self._media.stop()


def _place(audio: Audio | None) -> tuple[object, ...]:
    """What a refresh must not change; () for no media."""
    return (audio.address, audio.port, audio.sends, audio.receives) if audio else ()
