"""A phone as small as can be, for tests of the lab itself: it must not lean on the agent under work."""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import ssl
import time

from featuresync.profile import Account, Bench, Sip
from featuresync.sip.message import Message

TYPE = "application/x-as-feature-event+xml"
NS = "http://www.ecma-international.org/standards/ecma-323/csta/ed3"


def dnd(on: str) -> str:
    return f'<SetDoNotDisturb xmlns="{NS}"><device/><doNotDisturbOn>{on}</doNotDisturbOn></SetDoNotDisturb>'


def forward(kind: str, on: str, number: str = "", rings: str = "") -> str:
    extra = f"<ringCount>{rings}</ringCount>" if rings else ""
    return (
        f'<SetForwarding xmlns="{NS}"><device/><forwardingType>{kind}</forwardingType><activateForward>{on}'
        f"</activateForward><forwardDN>{number}</forwardDN>{extra}</SetForwarding>"
    )


class Phone:
    """One line. Every request it receives is answered 200, an INVITE as ``answering`` says (180 lets it
    ring until it is cancelled), and kept in ``requests``, once however often it comes."""

    def __init__(self, bench: Bench, role: str = "primary", sip: Sip | None = None) -> None:
        account: Account = bench.accounts[role]  # type: ignore[index]
        self.user, self.sip, self.domain = account.user, sip or bench.sip, bench.domain
        self.secret = account.password.resolve(bench.file, "password")
        family = socket.AF_INET6 if ":" in self.sip.address else socket.AF_INET
        datagrams = self.sip.transport == "udp"
        self.socket = socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
        self.socket.bind((self.sip.local, 0))
        self.socket.connect((self.sip.address, self.sip.port))
        if self.sip.transport == "tls":
            context = ssl.create_default_context(cafile=bench.path(self.sip.tls.ca))
            self.socket = context.wrap_socket(self.socket, server_hostname=self.sip.address)
        host = f"[{self.sip.local}]" if ":" in self.sip.local else self.sip.local
        self.local = f"{host}:{self.socket.getsockname()[1]}"
        self.pending = b""
        self.requests: list[Message] = []
        self._seen: set[tuple[str, str]] = set()
        self.answering = 200
        self.ringing: Message | None = None
        self.media = socket.socket(family, socket.SOCK_DGRAM)
        self.media.bind((self.sip.local, 0))
        self.dialog = f"{secrets.token_hex(8)}@{self.sip.local}"
        self.tag, self.remote_tag, self.cseq, self.target = secrets.token_hex(4), "", 0, ""

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.media.close()

    def renew(self) -> None:
        """Forget the dialog: the next request starts another one."""
        self.dialog, self.remote_tag, self.target = f"{secrets.token_hex(8)}@{self.sip.local}", "", ""

    def receive(self, seconds: float) -> Message | None:
        until = time.monotonic() + seconds
        while True:
            head, gap, rest = self.pending.partition(b"\r\n\r\n")
            if gap:
                length = re.search(rb"(?im)^content-length: *(\d+)", head)
                size = int(length[1]) if length else 0
                if len(rest) >= size:
                    self.pending = rest[size:]
                    return Message(head + gap + rest[:size])
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                return None
            self.pending += data

    def take(self, seconds: float) -> Message | None:
        """The next message; a request is answered and kept."""
        message = self.receive(seconds)
        if message is not None and message.is_request:
            if message.method == "INVITE":
                self.ringing = message
                self._answer(message, self.answering)
            elif message.method != "ACK":
                self._answer(message, 200)
            if message.method == "CANCEL" and self.ringing:
                self._answer(self.ringing, 487)
            key = (message.method, message.header("via"))
            if key not in self._seen:
                self._seen.add(key)
                self.requests.append(message)
        return message

    def _answer(self, request: Message, status: int) -> None:
        kept = ("via", "record-route", "from", "to", "call-id", "cseq")
        head = [f"{name}: {value}" for name, value in request.lines if name in kept]
        if ";tag=" not in request.header("to"):
            head = [f"{line};tag={self.tag}" if line.startswith("to:") else line for line in head]
        body = self.description() if request.method == "INVITE" and status == 200 else ""
        if body:
            head += ["Content-Type: application/sdp"]
        head += [f"Contact: {self.contact}", f"Content-Length: {len(body)}"]
        self.socket.sendall((f"SIP/2.0 {status} Lab\r\n" + "\r\n".join(head) + f"\r\n\r\n{body}").encode())

    def request(self, method: str, body: str = "", headers: str = "", to: str = "", uri: str = "") -> Message:
        """Send, answer a challenge once, return the final response."""
        authorization = ""
        for _ in range(2):
            self.cseq += 1
            answer = self._send(method, body, headers + authorization, to or self.user, uri)
            if answer.status != 401 or authorization:
                break
            authorization = self.digest(method, answer)
        if method == "SUBSCRIBE" and answer.status == 200:
            self.remote_tag = answer.header("to").partition("tag=")[2]
            self.target = answer.header("contact").strip("<>")
        return answer

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{self.local};transport={self.sip.transport}>"

    def description(self) -> str:
        """What we hear, as SDP."""
        place = f"IN IP{6 if ':' in self.sip.local else 4} {self.sip.local}"
        return (
            f"v=0\r\no=- 1 1 {place}\r\ns=-\r\nc={place}\r\nt=0 0\r\n"
            f"m=audio {self.media.getsockname()[1]} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )

    def _uri(self, method: str, to: str) -> str:
        if method in ("REGISTER", "OPTIONS"):
            return f"sip:{self.domain}"
        return self.target or f"sip:{to}@{self.domain}"

    def _send(self, method: str, body: str, headers: str, to: str, uri: str) -> Message:
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        transport = self.sip.transport
        tag = f";tag={self.remote_tag}" if self.remote_tag and method == "SUBSCRIBE" else ""
        user = "" if method == "OPTIONS" else f"{to}@"
        if body:
            headers += f"Content-Type: {TYPE}\r\n"
        self.uri = uri or self._uri(method, to)
        self.socket.sendall(
            f"{method} {self.uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/{transport.upper()} {self.local};branch={branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{self.user}@{self.domain}>;tag={self.tag}\r\nTo: <sip:{user}{self.domain}>{tag}\r\n"
            f"Call-ID: {self.dialog}\r\nCSeq: {self.cseq} {method}\r\n"
            f"Contact: {self.contact}\r\n{headers}"
            f"Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()
        )
        until = time.monotonic() + 5
        while (left := until - time.monotonic()) > 0:
            message = self.take(left)
            if (
                message
                and not message.is_request
                and branch in message.header("via")
                and message.status >= 200
            ):
                return message
        raise AssertionError(f"no answer to {method}")

    def digest(self, method: str, answer: Message) -> str:
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', answer.header("www-authenticate")))
        realm, nonce = said["realm"], said["nonce"]

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        keys = [md5(f"{self.user}:{realm}:{self.secret}"), md5(f"{method}:{self.uri}")]
        middle, extra = nonce, ""
        if "qop" in said:
            middle, extra = f"{nonce}:00000001:abc:auth", ', qop=auth, nc=00000001, cnonce="abc"'
        response = md5(f"{keys[0]}:{middle}:{keys[1]}")
        return (
            f'Authorization: Digest username="{self.user}", realm="{realm}", nonce="{nonce}", '
            f'uri="{self.uri}", response="{response}"{extra}\r\n'
        )

    def subscribe(self, body: str = "", expires: int = 600, event: str = "as-feature-event") -> Message:
        return self.request(
            "SUBSCRIBE", body, f"Event: {event}\r\nExpires: {expires}\r\nAccept: {TYPE}, multipart/mixed\r\n"
        )

    def notifies(self, count: int, quiet: float = 0.3, within: float = 5) -> list[Message]:
        """The NOTIFYs that came: waits for ``count`` of them, then until none comes for ``quiet`` seconds."""
        until = time.monotonic() + within
        while len(self.requests) < count and (left := until - time.monotonic()) > 0:
            self.take(left)
        while self.take(quiet) is not None:
            pass
        found, self.requests = self.requests, []
        return found
