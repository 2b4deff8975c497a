"""What the server of ``traces.py`` does with calls: codes that change features, and calls to accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from featuresync.sip.message import Draft, Message
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.feature_code import FeatureCodes, read_code

from .phones import SERVER, Phone

if TYPE_CHECKING:
    from .traces import Stage

DND, ALWAYS, BUSY, NO_ANSWER = Feature
CODES = {
    DND: FeatureCodes("*78", "*79"),
    ALWAYS: FeatureCodes("*72{number}", "*73"),
    BUSY: FeatureCodes("*90{number}", "*91"),
    NO_ANSWER: FeatureCodes("*92{number}", "*93"),
}
CODE_FACTS = {
    **{f"features.{feature}.codes.on": one.on for feature, one in CODES.items()},
    **{f"features.{feature}.codes.off": one.off for feature, one in CODES.items()},
    "call.answer": "established",
    "call.final_early": None,
    "call.cap": 30.0,
}
VOICEMAIL = "8000"
SOUND = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


@dataclass(eq=False)
class Leg:
    """A call of a phone to the server, and the phones that it rings."""

    phone: Phone
    invite: Message
    tag: str
    answered: bool = False
    cseq: int = 0
    ringing: list[tuple[Phone, Draft]] = field(default_factory=list)


class Switch:
    """Each step is a method of its own, so that a fault can take its place."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.legs: dict[str, Leg] = {}
        self.early = False
        """Announce before the final response."""
        self.release = 480
        """The final response after an early announcement."""
        self.hangs_up = True
        self.tells = False
        """Tell subscriptions of a change by code."""
        self.routes: tuple[str, ...] = ()
        """Record-Route of what comes from here."""

    # -- what phones send --------------------------------------------------------------------------

    def receive(self, phone: Phone, request: Message) -> None:
        leg = self.legs.get(request.call_id)
        if request.method == "INVITE":
            if not self.challenged(phone, request):
                leg = self.legs[request.call_id] = Leg(phone, request, f"s{self.stage.token()}")
                self.dialled(leg, unquote(request.request_uri.partition(":")[2].partition("@")[0]))
        elif leg is not None and request.method == "ACK":
            if leg.answered and self.hangs_up:
                self.hang_up(leg)
        elif leg is not None and request.method == "CANCEL":
            self.stage.answer(phone, request, 200, [], "cancel", tag=leg.tag)
            self.stop(leg)
            self.respond(leg, 487)
        elif request.method == "BYE":
            self.stage.answer(phone, request, 200, [], "bye")

    def challenged(self, phone: Phone, request: Message) -> bool:
        return self.stage.challenged(phone, request)

    def dialled(self, leg: Leg, user: str) -> None:
        dialled = user.partition(";")[0]
        if dialled in self.stage.states:
            self.call(leg, dialled)
            return
        state = self.means(dialled)
        if state is None:
            self.respond(leg, 404)
        elif state.feature.is_forward and state.on and not state.number:
            self.without_number(leg, state.feature)
        else:
            self.announce(leg, state)

    # -- codes -------------------------------------------------------------------------------------

    def means(self, dialled: str) -> FeatureState | None:
        return read_code(dialled, CODES)

    def without_number(self, leg: Leg, feature: Feature) -> None:
        self.announce(leg, FeatureState(feature, True, VOICEMAIL))

    def announce(self, leg: Leg, state: FeatureState) -> None:
        """Say what was done and do it; ended by the server."""
        sound = [("Content-Type", "application/sdp")]
        if self.early:
            self.respond(leg, 183, sound, SOUND)
            self.stage.now += 1
            self.obey(leg.phone.account, state)
            self.respond(leg, self.release)
            return
        self.respond(leg, 100)
        leg.answered = True
        self.obey(leg.phone.account, state)
        self.respond(leg, 200, sound, SOUND)

    def obey(self, user: str, state: FeatureState) -> None:
        self.stage.stores(self.stage, user, state)
        if self.tells:
            self.stage.push(user, state, None, "code")

    def hang_up(self, leg: Leg) -> None:
        self.stage.now += 1
        leg.cseq += 1
        self.stage.ask(leg.phone, self.request("BYE", leg), "bye")

    # -- calls to accounts -------------------------------------------------------------------------

    def call(self, leg: Leg, user: str) -> None:
        """The unconditional forward goes before DND, as in most systems."""
        states = self.stage.states[user]
        if states[ALWAYS].on:
            self.call_on(leg, states[ALWAYS].number)
        elif states[DND].on:
            self.respond(leg, 486)
        elif self.ring(leg, user):
            if states[NO_ANSWER].on:
                self.stage.now += 6 * (states[NO_ANSWER].rings or 3)
                self.stop(leg)
                self.call_on(leg, states[NO_ANSWER].number)
        elif states[BUSY].on:
            self.call_on(leg, states[BUSY].number)
        else:
            self.respond(leg, 486)

    def call_on(self, leg: Leg, number: str) -> None:
        if not self.ring(leg, number):
            self.respond(leg, 480)

    def ring(self, leg: Leg, user: str) -> bool:
        """Ring the account's phones; False when all are busy."""
        for phone in [one for one in self.stage.contacts if one.account == user]:
            invite = self.outward(leg, phone)
            self.stage.ask(phone, invite, "invite")
            if not phone.busy:
                leg.ringing.append((phone, invite))
        if leg.ringing:
            self.respond(leg, 180)
        return bool(leg.ringing)

    def stop(self, leg: Leg) -> None:
        for phone, invite in leg.ringing:
            cancel = Draft(invite.start_line.replace("INVITE", "CANCEL"), list(invite.headers))
            cancel.put("CSeq", "1 CANCEL").drop("Content-Type").body = b""
            self.stage.ask(phone, cancel, "cancel")
        leg.ringing = []

    # -- messages ----------------------------------------------------------------------------------

    def respond(
        self, leg: Leg, status: int, extra: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> None:
        headers = list(extra or [])
        if 100 < status < 300:
            headers.append(("Contact", f"<sip:{SERVER[0]}:{SERVER[1]}>"))
            headers += [("Record-Route", route) for route in self.routes]
        tag = leg.tag if status > 100 else ""
        why = "answer" if 200 <= status < 300 else "announce" if status == 183 else "call"
        self.stage.answer(leg.phone, leg.invite, status, headers, why, tag=tag, body=body)

    def request(self, method: str, leg: Leg) -> Draft:
        invite = leg.invite
        contact = invite.header("contact").partition("<")[2].partition(">")[0]
        from_, to = f"<{invite.to.uri}>;tag={leg.tag}", invite.header("from")
        return self.headed(method, contact, from_, to, invite.call_id, leg.cseq)

    def outward(self, leg: Leg, phone: Phone) -> Draft:
        """The INVITE to a phone; a server in between gives the call other ids."""
        caller = f"<sip:{leg.phone.account}@lab>;tag=o{self.stage.token()}"
        to = f"<sip:{phone.account}@lab>"
        contact = phone.contact[1:-1]
        draft = self.headed("INVITE", contact, caller, to, f"b{self.stage.token()}", 1)
        return draft.add("Content-Type", "application/sdp")

    def headed(self, method: str, uri: str, from_: str, to: str, call_id: str, cseq: int) -> Draft:
        via = f"SIP/2.0/{self.stage.transport.upper()} {SERVER[0]}:{SERVER[1]}"
        return Draft(
            f"{method} {uri} SIP/2.0",
            [
                ("Via", f"{via};branch=z9hG4bKc{self.stage.token()}"),
                ("Max-Forwards", "70"),
                ("From", from_),
                ("To", to),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
                ("Contact", f"<sip:{SERVER[0]}:{SERVER[1]}>"),
            ],
        )

    def inform(self, phone: Phone, body: bytes) -> None:
        """An event in an INFO out of any dialog."""
        from_, to = f"<sip:{phone.account}@lab>;tag=i{self.stage.token()}", f"<sip:{phone.account}@lab>"
        draft = self.headed("INFO", phone.contact[1:-1], from_, to, f"i{self.stage.token()}", 1)
        draft.add("Content-Type", "application/csta+xml").body = body
        self.stage.ask(phone, draft, "info")
