"""A call from a phone of ``lab_phone``: made, held until the server ends it, and told."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from lab_phone import Phone

from featuresync.sip.message import Message


@dataclass
class Call:
    """A call from ``phone`` to ``user``, an escaped user part. ``ended_by`` is "server", "phone" or ""."""

    phone: Phone
    user: str
    parameters: str = ""
    statuses: list[int] = field(default_factory=list)
    early: bool = False
    """Whether a session was described before the final response."""
    ended_by: str = ""
    heard: int = 0
    """Packets of media that came."""
    seconds: float = 0.0

    def make(self, *, hold: float = 5.0) -> Call:
        """Call, answer a challenge, wait for the end; hang up ``hold`` seconds after the first session."""
        phone, begun = self.phone, time.monotonic()
        phone.renew()
        phone.uri = f"sip:{self.user}@{phone.domain}{self.parameters}"
        self._invite()
        until = begun + 10
        while (left := until - time.monotonic()) > 0:
            message = phone.take(left)
            if message is None:
                if self.statuses and not self.ended_by:
                    self._hang_up()
                    until = time.monotonic() + 2
                continue
            if message.is_request:
                if message.method == "BYE" and message.header("call-id") == phone.dialog:
                    self.ended_by = self.ended_by or "server"
                    break
            elif message.cseq_method == "INVITE" and message.cseq == self._number:
                if message.status > 100 and message.body:
                    self.early = self.early or message.status < 200
                    until = min(until, time.monotonic() + hold)
                if self._answered(message):
                    break
            elif message.cseq_method == "BYE":
                break
        self.seconds = time.monotonic() - begun
        self.heard = _count(phone)
        return self

    @property
    def status(self) -> int:
        return self.statuses[-1]

    def _answered(self, message: Message) -> bool:
        """Note a response to the INVITE. True when the call is over."""
        if message.status == 401 and not self._authorization:
            self._send("ACK", message, self._branch)
            self._authorization = self.phone.digest("INVITE", message)
            self._invite()
            return False
        self.statuses.append(message.status)
        if message.status < 200:
            return False
        if message.status >= 300:
            self._send("ACK", message, self._branch)
            return True
        self._final = message
        self._send("ACK", message)
        return False

    def _hang_up(self) -> None:
        self.ended_by = "phone"
        if self._final is None:
            self._send("CANCEL", None, self._branch)
        else:
            self._number += 1
            self._send("BYE", self._final)

    def __post_init__(self) -> None:
        self._authorization, self._branch, self._number = "", "", 0
        self._final: Message | None = None

    def _invite(self) -> None:
        self._number += 1
        self._branch = f"z9hG4bK{secrets.token_hex(8)}"
        self._send("INVITE", None, self._branch)

    def _send(self, method: str, answer: Message | None, branch: str = "") -> None:
        """``answer`` is whose tag, and for a 2xx whose target and route set, the request takes."""
        phone = self.phone
        uri, to, routes = phone.uri, f"<sip:{self.user}@{phone.domain}>", ""
        if answer is not None:
            to = answer.header("to")
            if answer.status < 300:
                uri = answer.header("contact").partition("<")[2].partition(">")[0]
                routes = "".join(f"Route: {one}\r\n" for one in reversed(answer.headers("record-route")))
        body = phone.description() if method == "INVITE" else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        phone.socket.sendall(
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/{phone.sip.transport.upper()} {phone.local};"
            f"branch={branch or 'z9hG4bK' + secrets.token_hex(8)};rport\r\nMax-Forwards: 70\r\n{routes}"
            f"From: <sip:{phone.user}@{phone.domain}>;tag={phone.tag}\r\nTo: {to}\r\n"
            f"Call-ID: {phone.dialog}\r\nCSeq: {self._number} {method}\r\nContact: {phone.contact}\r\n"
            f"{self._authorization if method == 'INVITE' else ''}{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )


def _count(phone: Phone) -> int:
    phone.media.setblocking(False)
    count = 0
    try:
        while phone.media.recv(2048):
            count += 1
    except BlockingIOError:
        return count
    return count
