"""Traces for the judge's tests: phones and a server that does everything right, or one thing wrong.

The messages are real SIP bytes, the time is counted by hand. A fault is put into the server before the
scenario runs: an edit of what it sends (``Stage.edits``), or a method or setting of it that is replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from featuresync.judge.trace import Awaited, Flip, Quiet, Reading, Setting, Trace
from featuresync.sip.message import Draft, Message, reply
from featuresync.sync.as_feature_event import (
    MEDIA_TYPE,
    PACKAGE,
    read_set,
    write_event,
    write_full_state,
)
from featuresync.sync.feature import Feature, FeatureState

from .phones import DEADLINES, SERVER, STEP, Phone
from .switch import CODE_FACTS, Switch

DND, ALWAYS, BUSY, NO_ANSWER = Feature
ACCOUNTS = {"primary": "2001", "other": "2002", "target": "2003"}


def on(feature: Feature, number: str = "", rings: int | None = None) -> FeatureState:
    return FeatureState(feature, True, number, rings)


def off(feature: Feature) -> FeatureState:
    return FeatureState(feature, False)


@dataclass
class Outgoing:
    """What the server is about to send; ``kind`` is notify, response or request.

    ``why`` is start, fetch, refresh, set, end, flip, code; of a call it is answer, announce, call, bye,
    invite, cancel; or info.
    """

    kind: str
    draft: Draft
    request: Message | None
    dialog: Dialog | None
    why: str
    copies: int = 1
    delay: float = 0.0
    drop: bool = False
    pause: float = 0.0
    """Seconds of silence after it."""
    raw: Callable[[bytes], bytes] = bytes


@dataclass(eq=False)
class Dialog:
    phone: Phone
    account: str
    call_id: str
    phone_tag: str
    tag: str
    event: str
    contact: str
    cseq: int = 0
    expiry: float = 0.0
    over: bool = False


@dataclass(eq=False)
class Stage:
    """A server, its phones, and the trace of what they do."""

    families: str = "R B MS FS OS FV PH FC EF C"
    assigned: tuple[Feature, ...] = tuple(Feature)
    facts: dict[str, object] = field(
        default_factory=lambda: {
            "expect.challenge": True,
            "expect.full_state": "multipart",
            **CODE_FACTS,
        }
    )
    transport: str = "udp"
    edits: list[Callable[[Outgoing], None]] = field(default_factory=list)
    minimum: int = 60
    now: float = 1000.0

    def __post_init__(self) -> None:
        setting = Setting(
            frozenset(self.families.split()),
            tuple(feature.value for feature in self.assigned),
            ACCOUNTS,
            self.facts,
            DEADLINES,
        )
        self.trace = Trace(setting)
        self.states = {user: {f: off(f) for f in self.assigned} for user in ACCOUNTS.values()}
        self.dialogs: list[Dialog] = []
        self.phones: list[Phone] = []
        self.count = 0
        self.nonces: set[str] = set()
        self.accepts_password: Callable[[str], bool] = lambda said: said == "right"
        self.demands_credentials: Callable[[Message], bool] = lambda request: True
        self.grants: Callable[[int], int] = lambda asked: asked
        self.restarts_clock: Callable[[str], bool] = lambda why: True
        self.stores: Callable[[Stage, str, FeatureState], None] = Stage.store
        self.reaches: Callable[[Dialog, str, Dialog | None], bool] = lambda d, account, origin: (
            d.account == account
        )
        self.full: Callable[[str], tuple[str, bytes]] = self.full_state
        self.moves = True
        self.asked = off(DND)
        self.before_set: Callable[[Dialog], None] = lambda dialog: None
        self.contacts: list[Phone] = []
        """The phones that are registered."""
        self.switch = Switch(self)

    # -- what a scenario says ----------------------------------------------------------------------

    def phone(self, name: str = "desk", account: str = "primary") -> Phone:
        phone = Phone(self, name, ACCOUNTS[account], 40000 + 10 * len(self.phones))
        self.phones.append(phone)
        return phone

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def token(self) -> str:
        self.count += 1
        return f"{self.count:x}"

    def read(self, account: str = "primary") -> None:
        user = ACCOUNTS[account]
        self.now += STEP
        self.trace.add(Reading(self.now, user, dict(self.states[user])))

    def flip(self, state: FeatureState, account: str = "primary") -> None:
        user, sent = ACCOUNTS[account], self.now
        self.states[user][state.feature] = state
        self.now += STEP
        self.trace.add(Flip(sent, self.now, user, state))
        self.push(user, state, None, "flip")

    def has(self, state: FeatureState, account: str = "primary") -> None:
        """The scenario waits until the server holds that state."""
        user, limit = ACCOUNTS[account], DEADLINES["confirmation"]
        self.read(account)
        met = self.states[user][state.feature].satisfies(state)
        if not met:
            self.now += limit
            self.read(account)
        said = f"confirmation ({limit:g} s)"
        self.trace.add(Awaited(self.now, "server", f"{user}: {state}", said, met))

    def quiet(self, *actors: str, seconds: float = 1.5) -> None:
        start, self.now = self.now, self.now + seconds
        for actor in actors:
            self.trace.add(Quiet(start, self.now, actor, "nothing more is due"))

    # -- the server --------------------------------------------------------------------------------

    def store(self, user: str, state: FeatureState) -> None:
        self.states[user][state.feature] = state

    def full_state(self, user: str) -> tuple[str, bytes]:
        return write_full_state(self.states[user])

    def push(self, user: str, state: FeatureState, origin: Dialog | None, why: str) -> None:
        kept = self.states[user].get(state.feature, state)
        for dialog in list(self.dialogs):
            if not dialog.over and self.reaches(dialog, user, origin):
                self.notify(
                    dialog,
                    (MEDIA_TYPE, write_event(kept)),
                    why if dialog is origin or not origin else "other",
                )

    def receive(self, phone: Phone, data: bytes) -> None:
        request = Message(data)
        self.now += STEP
        if request.method in ("INVITE", "ACK", "CANCEL", "BYE"):
            return self.switch.receive(phone, request)
        if request.method == "OPTIONS":
            return self.answer(phone, request, 200, [("Allow-Events", PACKAGE)], "options")
        if self.challenged(phone, request):
            return None
        if request.method == "REGISTER":
            self.contacts = [one for one in self.contacts if one is not phone]
            self.contacts += [phone] if request.header("expires") != "0" else []
            return self.answer(phone, request, 200, [("Contact", request.header("contact"))], "register")
        package = request.header("event").partition(";")[0]
        if package != PACKAGE:
            return self.answer(phone, request, 489, [("Allow-Events", PACKAGE)], "unknown")
        asked = int(request.header("expires")) if request.has("expires") else 3600
        if 0 < asked < self.minimum:
            return self.answer(phone, request, 423, [("Min-Expires", str(self.minimum))], "short")
        return self.in_dialog(phone, request, asked) if request.to.tag else self.start(phone, request, asked)

    def challenged(self, phone: Phone, request: Message) -> bool:
        said = request.header("authorization")
        nonce = said.partition('nonce="')[2].partition('"')[0]
        if said and nonce in self.nonces:
            if self.accepts_password(said.partition('response="')[2].partition('"')[0]):
                return False
            self.answer(phone, request, 403, [], "refused")
            return True
        # Who makes a call is always asked.
        if request.method != "INVITE" and not self.demands_credentials(request):
            return False
        nonce = f"n{self.token()}"
        self.nonces.add(nonce)
        challenge = f'Digest realm="lab", nonce="{nonce}", algorithm=MD5, qop="auth"'
        self.answer(phone, request, 401, [("WWW-Authenticate", challenge)], "challenge")
        return True

    def start(self, phone: Phone, request: Message, asked: int) -> None:
        contact = request.header("contact").partition("<")[2].partition(">")[0]
        dialog = Dialog(
            phone, phone.account, request.call_id, request.from_.tag, f"s{self.token()}",
            request.header("event"), contact,
        )  # fmt: skip
        self.dialogs.append(dialog)
        why = "start" if asked else "fetch"
        self.grant(dialog, phone, request, asked, why)
        self.notify(dialog, self.full(dialog.account), why)
        dialog.over = not asked

    def in_dialog(self, phone: Phone, request: Message, asked: int) -> None:
        dialog = next((d for d in self.dialogs if d.tag == request.to.tag), None)
        if dialog is None or dialog.over:
            return self.answer(phone, request, 481, [], "gone")
        if self.moves:
            dialog.contact = request.header("contact").partition("<")[2].partition(">")[0]
        state = read_set(request.body) if request.body else None
        why = "set" if state else "refresh" if asked else "end"
        self.grant(dialog, phone, request, asked, why)
        if state is not None:
            self.asked = state
            self.before_set(dialog)
            self.stores(self, dialog.account, state)
            return self.push(dialog.account, state, dialog, "set")
        self.notify(dialog, self.full(dialog.account) if asked else ("", b""), why)
        dialog.over = not asked
        return None

    def grant(self, dialog: Dialog, phone: Phone, request: Message, asked: int, why: str) -> None:
        granted = self.grants(asked)
        if self.restarts_clock(why):
            dialog.expiry = self.now + granted
        extra = [("Contact", f"<sip:{SERVER[0]}:{SERVER[1]}>"), ("Expires", str(granted))]
        self.answer(phone, request, 200, extra, why, dialog)

    def answer(
        self,
        phone: Phone,
        request: Message,
        status: int,
        extra: list[tuple[str, str]],
        why: str,
        dialog: Dialog | None = None,
        tag: str = "",
        body: bytes = b"",
    ) -> None:
        reason = {200: "OK", 401: "Unauthorized", 403: "Forbidden", 423: "Interval Too Brief"}.get(
            status, "No"
        )
        draft = reply(
            request, status, reason, extra, dialog.tag if dialog else tag or f"s{self.token()}", body
        )
        self.send(phone, Outgoing("response", draft, request, dialog, why))

    def notify(self, dialog: Dialog, content: tuple[str, bytes], why: str) -> None:
        dialog.cseq += 1
        left = round(dialog.expiry - self.now)
        state = "terminated;reason=timeout" if why in ("end", "fetch") else f"active;expires={left}"
        draft = Draft(
            f"NOTIFY {dialog.contact} SIP/2.0",
            [
                (
                    "Via",
                    f"SIP/2.0/{self.transport.upper()} {SERVER[0]}:{SERVER[1]};branch=z9hG4bKn{self.token()}",
                ),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{dialog.account}@lab>;tag={dialog.tag}"),
                ("To", f"<sip:{dialog.account}@lab>;tag={dialog.phone_tag}"),
                ("Call-ID", dialog.call_id),
                ("CSeq", f"{dialog.cseq} NOTIFY"),
                ("Contact", f"<sip:{SERVER[0]}:{SERVER[1]}>"),
                ("Event", dialog.event),
                ("Subscription-State", state),
            ],
            content[1],
        )
        if content[0]:
            draft.add("Content-Type", content[0])
        self.send(dialog.phone, Outgoing("notify", draft, None, dialog, why))

    def ask(self, phone: Phone, draft: Draft, why: str) -> None:
        """Send a request that is no NOTIFY."""
        self.send(phone, Outgoing("request", draft, None, None, why))

    def send(self, phone: Phone, message: Outgoing) -> None:
        for edit in self.edits:
            edit(message)
        for _ in range(0 if message.drop else message.copies):
            self.now += STEP + message.delay
            data = message.raw(message.draft.encode())
            phone.deliver(data, message.kind)
        self.now += message.pause
