"""The phones of the judge's tests: what somebody does with one, and the messages that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featuresync.judge.topics import WRONG_PASSWORD
from featuresync.judge.trace import Awaited, Note, Press, Wire
from featuresync.sip.message import Draft, Message, reply
from featuresync.sync.as_feature_event import ACCEPT, MEDIA_TYPE, PACKAGE, Dialect, read_body, write_set
from featuresync.sync.feature import Feature, FeatureState

if TYPE_CHECKING:
    from .traces import Stage

SERVER = ("127.0.0.1", 5060)
STEP = 0.01
"""Seconds that each message and each command takes."""
DEADLINES = {
    "answer": 4.0, "full_state": 5.0, "confirmation": 5.0, "push": 5.0, "quiet": 1.5, "ring": 5.0,
    "no_answer": 60.0,
}  # fmt: skip


@dataclass(eq=False)
class Phone:
    stage: Stage
    name: str
    account: str
    port: int

    def __post_init__(self) -> None:
        self.call_id, self.tag, self.cseq = "", "", 0
        self.to_tag = ""
        self.nonce = ""
        self.length: int | None = 3600
        self.event, self.accept = PACKAGE, ACCEPT
        self.last: Message | None = None
        self.news: list[dict[Feature, FeatureState]] = []
        self.busy = False
        self.rung = 0
        """How often it rang."""

    @property
    def contact(self) -> str:
        return f"<sip:{self.account}@127.0.0.1:{self.port}>"

    # -- what a scenario says ----------------------------------------------------------------------

    def register(self, expires: int = 3600) -> None:
        headers = [("Contact", self.contact), ("Expires", str(expires))]
        self.exchange("REGISTER", f"r{self.account}", "r1", "", headers)

    def options(self) -> None:
        self.exchange("OPTIONS", f"o{self.stage.token()}", "o1", "", [])

    def subscribe(
        self,
        expires: int | None = 3600,
        event: str = PACKAGE,
        accept: str = ACCEPT,
        password: str = "right",
    ) -> None:
        self.call_id, self.tag, self.to_tag, self.cseq = (
            f"c{self.stage.token()}",
            f"p{self.stage.token()}",
            "",
            0,
        )
        self.length, self.event, self.accept, self.nonce = expires, event, accept, ""
        self.subscription(expires, password=password)
        if self.last is not None and 200 <= self.last.status < 300:
            self.to_tag = self.last.to.tag
            self.waits(bool(self.news), "the first NOTIFY", "full_state")

    def press(self, state: FeatureState, expires: int | None = None, settle: bool = True) -> None:
        self.stage.trace.add(Press(self.stage.now, self.name, self.account, state))
        self.subscription(expires or self.length, write_set(state, Dialect.POLYCOM))
        if settle:
            self.told(state)

    def set_as(self, state: FeatureState, password: str) -> None:
        """A set with a ``wrong`` password, or with ``none``."""
        if password == "wrong":
            self.stage.trace.add(
                Note(self.stage.now, self.name, WRONG_PASSWORD, "a wrong password on purpose")
            )
        self.nonce = ""
        self.subscription(self.length, write_set(state, Dialect.POLYCOM), password)

    def refresh(self, expires: int | None = None) -> None:
        self.length = expires or self.length
        self.subscription(self.length)
        if self.last is not None and self.last.status == 200:
            self.waits(bool(self.news), "the NOTIFY after the refresh", "full_state")

    def end(self) -> None:
        self.subscription(0)
        self.waits(bool(self.news), "the last NOTIFY", "answer")

    def move(self) -> None:
        self.port += 1

    def told(self, state: FeatureState) -> None:
        """Wait for a NOTIFY with that state since the last thing this phone sent."""
        said = [news[state.feature] for news in self.news if state.feature in news]
        self.waits(any(one.satisfies(state) for one in said), f"a NOTIFY with {state}", "confirmation")

    def waits(self, met: bool, what: str, deadline: str) -> None:
        if not met:
            self.stage.now += DEADLINES[deadline]
        self.stage.trace.add(
            Awaited(self.stage.now, self.name, what, f"{deadline} ({DEADLINES[deadline]:g} s)", met)
        )

    # -- the wire ----------------------------------------------------------------------------------

    def subscription(self, expires: int | None, body: bytes = b"", password: str = "right") -> None:
        headers = [("Contact", self.contact), ("Event", self.event)]
        headers += [("Accept", self.accept)] if self.accept else []
        headers += [("Expires", str(expires))] if expires is not None else []
        headers += [("Content-Type", MEDIA_TYPE)] if body else []
        self.exchange("SUBSCRIBE", self.call_id, self.tag, self.to_tag, headers, body, password)

    def exchange(
        self,
        method: str,
        call_id: str,
        tag: str,
        to_tag: str,
        headers: list[tuple[str, str]],
        body: bytes = b"",
        password: str = "right",
    ) -> None:
        self.news = []
        self.last = None
        if method == "SUBSCRIBE" and to_tag and self.nonce and password == "right":
            self.request(
                method, call_id, tag, to_tag, [*headers, self.credentials(self.nonce, password)], body
            )
        else:
            self.request(method, call_id, tag, to_tag, headers, body)
        answer = self.last
        if answer is not None and answer.status == 401 and password != "none":
            self.nonce = answer.header("www-authenticate").partition('nonce="')[2].partition('"')[0]
            self.request(
                method, call_id, tag, to_tag, [*headers, self.credentials(self.nonce, password)], body
            )
            answer = self.last
        self.waits(self.last is not None, f"the final response to {method}", "answer")

    def credentials(self, nonce: str, password: str) -> tuple[str, str]:
        return ("Authorization", f'Digest username="{self.account}", realm="lab", nonce="{nonce}", '
                f'uri="sip:lab", response="{password}", cnonce="c", qop=auth, nc=00000001')  # fmt: skip

    def request(
        self, method: str, call_id: str, tag: str, to_tag: str, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        self.cseq += 1
        self.last = None
        stage = self.stage
        via = f"SIP/2.0/{stage.transport.upper()} 127.0.0.1:{self.port};branch=z9hG4bKp{stage.token()};rport"
        draft = Draft(
            f"{method} sip:{self.account}@lab SIP/2.0",
            [
                ("Via", via),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{self.account}@lab>;tag={tag}"),
                ("To", f"<sip:{self.account}@lab>" + (f";tag={to_tag}" if to_tag else "")),
                ("Call-ID", call_id),
                ("CSeq", f"{self.cseq} {method}"),
                *headers,
            ],
            body,
        )
        data = draft.encode()
        stage.now += STEP
        self.wire(data, True)
        stage.receive(self, data)

    def deliver(self, data: bytes, kind: str) -> None:
        self.wire(data, False)
        message = Message(data)
        if kind == "response":
            self.last = message
            return
        if kind == "request":
            self.answers(message)
            return
        self.news.append(read_body(message.header("content-type"), message.body).states)
        self.wire(reply(message, 200, "OK").encode(), True)

    def answers(self, request: Message) -> None:
        """A request that is no NOTIFY: of a call, or an event in an INFO."""
        status, reason = 200, "OK"
        if request.method == "ACK":
            return
        if request.method == "INVITE":
            self.rung += not self.busy
            status, reason = (486, "Busy Here") if self.busy else (180, "Ringing")
        self.stage.now += STEP
        self.wire(reply(request, status, reason, to_tag=f"p{self.stage.token()}").encode(), True)

    def wire(self, data: bytes, sent: bool) -> None:
        stage = self.stage
        local = ("127.0.0.1", self.port)
        stage.trace.add(Wire(stage.now, self.name, sent, stage.transport, local, SERVER, data))
