"""What somebody does with a phone that calls: codes of features, and other people."""

from __future__ import annotations

from collections.abc import Iterable

from featuresync.judge.trace import Note, Press
from featuresync.sip.message import Draft, Message
from featuresync.sync.feature import FeatureState
from featuresync.sync.feature_code import dial

from .phones import STEP, Phone
from .switch import CODES, SOUND


class Dialled:
    """One call of a phone, from the INVITE to its end; the phone acknowledges what it is answered."""

    def __init__(self, phone: Phone, user: str, password: str = "right") -> None:
        stage = phone.stage
        self.phone, self.uri, self.cseq = phone, f"sip:{user}@lab", 0
        self.call_id, self.tag = f"k{stage.token()}", f"k{stage.token()}"
        self.invite: Message = self._invite([])
        answer = phone.last
        if answer is not None and answer.status == 401 and password != "none":
            nonce = answer.header("www-authenticate").partition('nonce="')[2].partition('"')[0]
            self.invite = self._invite([phone.credentials(nonce, password)])

    @property
    def status(self) -> int:
        return self.phone.last.status if self.phone.last else 0

    def give_up(self) -> None:
        """BYE or CANCEL, whichever is due."""
        answer = self.phone.last
        if answer is not None and 200 <= answer.status < 300:
            self.cseq += 1
            self._send("BYE", self.cseq, answer.to.tag)
        elif self.status < 300:
            self._send("CANCEL", self.cseq, via=self.invite.header("via"))
            self._acknowledge()

    def _invite(self, credentials: Iterable[tuple[str, str]]) -> Message:
        self.cseq += 1
        extra = [("Contact", self.phone.contact), *credentials, ("Content-Type", "application/sdp")]
        self.phone.last = None
        invite = self._send("INVITE", self.cseq, extra=extra, body=SOUND)
        self._acknowledge()
        return invite

    def _acknowledge(self) -> None:
        answer = self.phone.last
        if answer is not None and answer.status >= 200 and answer.cseq_method == "INVITE":
            last, self.phone.last = self.phone.last, None
            self._send("ACK", self.cseq, answer.to.tag)
            self.phone.last = last

    def _send(
        self,
        method: str,
        cseq: int,
        to_tag: str = "",
        extra: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        via: str = "",
    ) -> Message:
        phone, stage = self.phone, self.phone.stage
        sent_by = f"SIP/2.0/{stage.transport.upper()} 127.0.0.1:{phone.port}"
        headers = [
            ("Via", via or f"{sent_by};branch=z9hG4bKk{stage.token()};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:{phone.account}@lab>;tag={self.tag}"),
            ("To", f"<{self.uri}>" + (f";tag={to_tag}" if to_tag else "")),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            *extra,
        ]
        data = Draft(f"{method} {self.uri} SIP/2.0", headers, body).encode()
        stage.now += STEP
        phone.wire(data, True)
        stage.receive(phone, data)
        return Message(data)


def dials(phone: Phone, state: FeatureState, instead: str = "") -> Dialled:
    """The user changes a feature; the phone dials its code, or ``instead``."""
    phone.stage.now += STEP
    phone.stage.trace.add(Press(phone.stage.now, phone.name, phone.account, state))
    call = Dialled(phone, instead or dial(CODES[state.feature], state))
    if not phone.stage.switch.hangs_up and 200 <= call.status < 300:
        phone.stage.now += 30
        call.give_up()
    return call


def dials_wrongly(phone: Phone, topic: str, user: str, password: str = "right") -> Dialled:
    phone.stage.now += STEP
    phone.stage.trace.add(Note(phone.stage.now, phone.name, topic, "on purpose"))
    return Dialled(phone, user, password)


def rings(phone: Phone, deadline: str = "ring", already: int = 0) -> None:
    """Wait for the phone to ring."""
    phone.waits(phone.rung > already, f"{phone.name} to ring", deadline)


def calls(caller: Phone, user: str, *ringing: Phone, deadline: str = "ring") -> None:
    """Call somebody, see these phones ring one after the other, and give up."""
    before = [phone.rung for phone in ringing]
    call = Dialled(caller, user)
    for phone, already in zip(ringing, before, strict=True):
        rings(phone, deadline if phone is ringing[-1] else "ring", already)
    if not ringing:
        caller.waits(call.status >= 300, "the call to be refused", "ring")
    call.give_up()
