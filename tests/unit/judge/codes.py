"""Traces of a system with feature codes: phones that dial and call, a server that does it right or wrong.

Like ``traces.py``: real SIP bytes, time counted by hand. A fault replaces a method or a setting of the stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from featuresync.judge.topics import OFF_WITH_DIGITS, UNKNOWN_CODE, WITHOUT_CREDENTIALS, WITHOUT_NUMBER
from featuresync.judge.trace import Awaited, Flip, Note, Press, Quiet, Reading, Setting, Trace, Wire
from featuresync.sip.message import Draft, Message, reply
from featuresync.sync.as_feature_event import MEDIA_TYPE, PACKAGE, write_event
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.feature_code import FeatureCodes, dial, read_code

from .phones import DEADLINES, SERVER, STEP
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, off, on

ACCOUNTS = {"primary": "2001", "other": "2002", "target": "2003"}
CODES = {
    DND: FeatureCodes("*78", "*79"),
    ALWAYS: FeatureCodes("*72{number}", "*73"),
    BUSY: FeatureCodes("*90{number}", "*91"),
    NO_ANSWER: FeatureCodes("*57*{number}#", "#57#"),
}
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
VOICEMAIL = "voicemail"


def facts(server_side: str = "none", **more: object) -> dict[str, object]:
    found: dict[str, object] = {"expect.challenge": True, "call.final_early": (480,), "call.answer": "either"}
    for feature, codes in CODES.items():
        name = f"features.{feature}"
        found |= {f"{name}.phone_side": "feature-code", f"{name}.server_side": server_side}
        found |= {f"{name}.codes.on": codes.on, f"{name}.codes.off": codes.off}
        found |= {f"{name}.codes.without_number": "voicemail"} if feature.is_forward else {}
    return found | more


@dataclass(eq=False)
class Handset:
    name: str
    account: str
    port: int
    busy: bool = False


@dataclass(eq=False)
class CodeStage:
    server_side: str = "none"
    families: str = "FC EF C"
    more: dict[str, object] = field(default_factory=dict)
    now: float = 1000.0
    early: bool = False
    """Announcements are heard before a final response, 480."""

    def __post_init__(self) -> None:
        known = facts(self.server_side, **self.more)
        names = tuple(feature.value for feature in Feature)
        deadlines = {**DEADLINES, "ring": 3.0, "no_answer": 9.0}
        self.trace = Trace(Setting(frozenset(self.families.split()), names, ACCOUNTS, known, deadlines))
        self.states = {user: {f: off(f) for f in Feature} for user in ACCOUNTS.values()}
        self.phones: list[Handset] = []
        self.count = 0
        # What the server does; each may be replaced by a fault.
        self.stores: Callable[[str, FeatureState], None] = self.store
        self.tells: Callable[[str, FeatureState], None] = self.tell
        self.final: Callable[[str], int] = self.status_of
        self.goes: Callable[[str], list[str]] = self.route
        self.demands_credentials = True
        self.hangs_up = True
        self.bye_of: Callable[[Draft], object] = lambda draft: None
        self.answer_of: Callable[[Draft], object] = lambda draft: None
        self.event_of: Callable[[Draft], object] = lambda draft: None

    # -- what a scenario says ----------------------------------------------------------------------

    def phone(self, name: str, account: str = "primary") -> Handset:
        phone = Handset(name, ACCOUNTS[account], 40000 + 10 * len(self.phones))
        self.phones.append(phone)
        call_id = f"r{self.token()}"
        user = phone.account
        headers = [("Contact", f"<sip:{user}@127.0.0.1:{phone.port}>"), ("Expires", "3600")]
        self.sends(phone, "REGISTER", f"sip:{user}@lab", user, call_id, 1, headers)
        return phone

    def read(self, account: str = "primary") -> None:
        self.now += STEP
        self.trace.add(Reading(self.now, ACCOUNTS[account], dict(self.states[ACCOUNTS[account]])))

    def flip(self, state: FeatureState, account: str = "primary") -> None:
        self.now += STEP
        sent, user = self.now, ACCOUNTS[account]
        self.states[user][state.feature] = state
        self.now += STEP
        self.trace.add(Flip(sent, self.now, user, state))
        self.tells(user, state)

    def quiet(self, *phones: Handset) -> None:
        start, self.now = self.now, self.now + 1.5
        for phone in phones:
            self.trace.add(Quiet(start, self.now, phone.name, "nothing is due"))

    def press(self, phone: Handset, state: FeatureState, dialled: str = "") -> None:
        """A key press; ``dialled`` is what a wrongly provisioned phone dials instead."""
        self.now += STEP
        self.trace.add(Press(self.now, phone.name, phone.account, state))
        self.dial(phone, dialled or dial(CODES[state.feature], state))

    def dial_wrongly(self, phone: Handset, dialled: str, topic: str) -> None:
        self.now += STEP
        self.trace.add(Note(self.now, phone.name, topic, "on purpose"))
        self.dial(phone, dialled, credentials=topic != WITHOUT_CREDENTIALS)

    def waits(self, phone: Handset, what: str, deadline: str, seconds: float) -> None:
        """In vain."""
        self.now += seconds
        self.trace.add(Awaited(self.now, phone.name, what, deadline, False))

    # -- calls -------------------------------------------------------------------------------------

    def dial(self, phone: Handset, dialled: str, credentials: bool = True) -> None:
        """A call to a code, held until the server ends it."""
        invite = self.invite(phone, dialled, credentials)
        if invite is None:
            return
        status = self.final(dialled)
        answers = [200] if status == 200 and not self.early else [183, 480] if status == 200 else [status]
        tag = f"s{self.token()}"
        for number in answers:
            headers = [("Contact", "<sip:127.0.0.1:5060>")] if number < 300 else []
            draft = reply(invite, number, "Said", headers, tag, SDP if number < 300 else b"")
            if number == 200:
                self.answer_of(draft)
            self.came(phone, draft)
            if status == 200 and number in (183, 200):
                self.act(phone.account, dialled)
        self.sends_ack(phone, invite)
        if answers[-1] == 200:
            self.now += 0.5 if self.hangs_up else 30.0
            ends = [f"<sip:{dialled.replace('#', '%23')}@lab>;tag={tag}", invite.header("from")]
            ends = ends if self.hangs_up else ends[::-1]
            end = Draft("BYE sip:x SIP/2.0", [
                ("Via", f"SIP/2.0/UDP {SERVER[0]}:{SERVER[1]};branch=z9hG4bKb{self.token()}"),
                ("From", ends[0]), ("To", ends[1]), ("Call-ID", invite.call_id), ("CSeq", "77 BYE"),
            ])  # fmt: skip
            self.bye_of(end)
            bye = Message(end.encode())
            self.wire(phone, bye.raw, sent=not self.hangs_up)
            self.wire(phone, reply(bye, 200, "OK").encode(), sent=self.hangs_up)

    def call(self, caller: Handset, callee: str, give_up: bool = True) -> None:
        """A call to an account; the caller gives up when it rings, or hears the refusal."""
        invite = self.invite(caller, callee)
        assert invite is not None
        rang: list[tuple[Handset, Message]] = []
        for user in self.goes(callee):
            for phone in [p for p in self.phones if p.account == user]:
                arrived = Draft(f"INVITE sip:{user}@127.0.0.1:{phone.port} SIP/2.0", [
                    ("Via", f"SIP/2.0/UDP {SERVER[0]}:{SERVER[1]};branch=z9hG4bKi{self.token()}"),
                    ("From", f"<sip:{caller.account}@lab>;tag=b{self.token()}"), ("To", f"<sip:{user}@lab>"),
                    ("Call-ID", f"leg{self.token()}"), ("CSeq", "1 INVITE"),
                ], SDP)  # fmt: skip
                leg = Message(arrived.encode())
                self.wire(phone, leg.raw, sent=False)
                status = 486 if phone.busy else 180
                self.wire(phone, reply(leg, status, "Said", to_tag="p").encode(), sent=True)
                if not phone.busy:
                    rang.append((phone, leg))
        if rang and give_up:
            self.came(caller, reply(invite, 180, "Ringing", to_tag="s"))
            cancel = invite.raw.replace(b"INVITE", b"CANCEL")
            self.wire(caller, cancel, sent=True)
            self.came(caller, reply(Message(cancel), 200, "OK", to_tag="s"))
            self.came(caller, reply(invite, 487, "Request Terminated", to_tag="s"))
        elif not rang:
            self.came(caller, reply(invite, 486, "Busy Here", to_tag="s"))

    def invite(self, phone: Handset, dialled: str, credentials: bool = True) -> Message | None:
        """An INVITE through its challenge; None when it ended there."""
        uri = f"sip:{dialled.replace('#', '%23')}@lab"
        call_id = f"c{self.token()}"
        headers = [("Contact", f"<sip:{phone.account}@127.0.0.1:{phone.port}>")]
        user = phone.account
        first = self.sends(phone, "INVITE", uri, user, call_id, 1, headers, SDP, answered=False)
        if not self.demands_credentials:
            return first
        challenge = ("WWW-Authenticate", f'Digest realm="lab", nonce="n{self.token()}", qop="auth"')
        self.came(phone, reply(first, 401, "Unauthorized", [challenge], "s"))
        self.sends_ack(phone, first)
        if not credentials:
            return None
        nonce = challenge[1].partition('nonce="')[2].partition('"')[0]
        given = f'Digest username="{phone.account}", realm="lab", nonce="{nonce}", uri="{uri}", response="x"'
        headers = [*headers, ("Authorization", given)]
        return self.sends(phone, "INVITE", uri, user, call_id, 2, headers, SDP, answered=False)

    # -- the server --------------------------------------------------------------------------------

    def status_of(self, dialled: str) -> int:
        state = read_code(dialled, CODES)
        if state is None:
            return 484 if any(dialled.startswith(codes.off) for codes in CODES.values()) else 404
        return 200

    def act(self, user: str, dialled: str) -> None:
        state = read_code(dialled, CODES)
        assert state is not None
        if state.on and state.feature.is_forward and not state.number:
            state = on(state.feature, VOICEMAIL)
        self.stores(user, state)

    def store(self, user: str, state: FeatureState) -> None:
        self.states[user][state.feature] = state

    def tell(self, user: str, state: FeatureState) -> None:
        if self.server_side == "uacsta":
            self.info(user, state)

    def info(self, user: str, state: FeatureState) -> None:
        body = write_event(state).replace(b"ISO-8859-1", b"UTF-8")
        for phone in [p for p in self.phones if p.account == user]:
            draft = self.out_of_dialog("INFO", phone, [("Content-Type", "application/csta+xml")], body)
            self.event_of(draft)
            self.delivers(phone, draft)

    def notify(self, user: str, state: FeatureState) -> None:
        for phone in [p for p in self.phones if p.account == user]:
            headers = [("Event", PACKAGE), ("Subscription-State", "terminated"), ("Content-Type", MEDIA_TYPE)]
            self.delivers(phone, self.out_of_dialog("NOTIFY", phone, headers, write_event(state)))

    def route(self, callee: str) -> list[str]:
        """The accounts where a call rings, in order."""
        held = self.states[callee]
        if held[ALWAYS].on:
            return [held[ALWAYS].number]
        if held[DND].on:
            return []
        busy = any(phone.busy for phone in self.phones if phone.account == callee)
        forward = held[BUSY] if busy else held[NO_ANSWER]
        return [callee, forward.number] if forward.on else [callee]

    # -- the wire ----------------------------------------------------------------------------------

    def token(self) -> str:
        self.count += 1
        return f"{self.count:x}"

    def out_of_dialog(
        self, method: str, phone: Handset, headers: list[tuple[str, str]], body: bytes
    ) -> Draft:
        return Draft(f"{method} sip:{phone.account}@127.0.0.1:{phone.port} SIP/2.0", [
            ("Via", f"SIP/2.0/UDP {SERVER[0]}:{SERVER[1]};branch=z9hG4bKo{self.token()}"),
            ("From", f"<sip:{phone.account}@lab>;tag=o{self.token()}"), ("To", f"<sip:{phone.account}@lab>"),
            ("Max-Forwards", "70"), ("Call-ID", f"o{self.token()}"), ("CSeq", f"1 {method}"), *headers,
        ], body)  # fmt: skip

    def sends(
        self, phone: Handset, method: str, uri: str, user: str, call_id: str, cseq: int,
        headers: list[tuple[str, str]], body: bytes = b"", answered: bool = True,
    ) -> Message:  # fmt: skip
        via = f"SIP/2.0/UDP 127.0.0.1:{phone.port};branch=z9hG4bKp{self.token()};rport"
        draft = Draft(f"{method} {uri} SIP/2.0", [
            ("Via", via), ("From", f"<sip:{user}@lab>;tag=p{call_id}"), ("To", f"<{uri}>"),
            ("Call-ID", call_id), ("CSeq", f"{cseq} {method}"), *headers,
        ], body)  # fmt: skip
        message = Message(draft.encode())
        self.wire(phone, message.raw, sent=True)
        if answered:
            self.came(phone, reply(message, 200, "OK", to_tag="s"))
        return message

    def sends_ack(self, phone: Handset, invite: Message) -> None:
        self.wire(
            phone, invite.raw.replace(b"INVITE", b"ACK", 1).replace(b" INVITE\r\n", b" ACK\r\n"), sent=True
        )

    def came(self, phone: Handset, draft: Draft) -> None:
        self.wire(phone, draft.encode(), sent=False)

    def delivers(self, phone: Handset, draft: Draft) -> None:
        self.came(phone, draft)
        self.wire(phone, reply(Message(draft.encode()), 200, "OK", to_tag="p").encode(), sent=True)

    def wire(self, phone: Handset, data: bytes, sent: bool) -> None:
        self.now += STEP
        self.trace.add(Wire(self.now, phone.name, sent, "udp", ("127.0.0.1", phone.port), SERVER, data))


# -- scenarios that a good server passes --------------------------------------------------------------


def switches(stage: CodeStage) -> None:
    """Every feature set on, on again, and off by code, each read back."""
    stage.read()
    desk = stage.phone("desk")
    for state in (
        on(DND), on(DND), off(DND), on(ALWAYS, "2003"), on(ALWAYS, "2004"), off(ALWAYS), on(BUSY, "2003"),
        on(NO_ANSWER, "2003"), off(BUSY), off(NO_ANSWER),
    ):  # fmt: skip
        stage.press(desk, state)
        stage.read()


def flips(stage: CodeStage) -> None:
    """Features changed at the server, the phone listening."""
    stage.read()
    desk = stage.phone("desk")
    for state in (on(DND), on(ALWAYS, "2003"), off(DND)):
        stage.flip(state)
        stage.quiet(desk)
        stage.read()


def told_flips(stage: CodeStage) -> None:
    """The same where the server tells phones, two of one account."""
    stage.read()
    stage.phone("desk")
    stage.phone("home")
    for state in (on(DND), off(DND)):
        stage.flip(state)
        stage.read()
        stage.now += 6.0


def wrong_codes(stage: CodeStage) -> None:
    """Codes dialled wrongly on purpose."""
    desk = stage.phone("desk")
    stage.flip(on(ALWAYS, "2003"), account="other")
    stage.read("other")
    stage.read()
    stage.dial_wrongly(desk, "*732002", OFF_WITH_DIGITS)
    stage.read("other")
    stage.read()
    stage.dial_wrongly(desk, "*90", WITHOUT_NUMBER)
    stage.read()
    stage.dial_wrongly(desk, "*000999", UNKNOWN_CODE)
    stage.read()
    stage.dial_wrongly(desk, "*78", WITHOUT_CREDENTIALS)
    stage.read()


def calls(stage: CodeStage) -> None:
    """What a caller finds, feature by feature."""
    desk, caller, _ = stage.phone("desk"), stage.phone("caller", "other"), stage.phone("target", "target")
    stage.read()
    stage.call(caller, "2001")
    for state, busy in ((on(DND), False), (on(ALWAYS, "2003"), False), (on(BUSY, "2003"), True),
                        (on(NO_ANSWER, "2003"), False)):  # fmt: skip
        stage.press(desk, state)
        stage.read()
        desk.busy = busy
        stage.call(caller, "2001")
        desk.busy = False
        stage.press(desk, off(state.feature))
        stage.read()
