"""The phone: registers, subscribes to its features, sets them, answers, and refreshes by itself.

A pure core: bytes and the time in, bytes and the next deadline out. ``feature_sync`` is off by default,
as in the phones' own settings: then the phone sends no SUBSCRIBE and carries its features out itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from featuresync.net.flow import Address, Flow
from featuresync.net.media import MediaPort
from featuresync.sip.digest import Authenticator, Credentials
from featuresync.sip.message import Draft, Message, reply
from featuresync.sip.registration import RefreshDue, Registration
from featuresync.sip.timers import Timers
from featuresync.sip.transaction import (
    RequestReceived,
    ResponseReceived,
    Send,
    TransactionEvent,
    Transactions,
    TransactionTimedOut,
)
from featuresync.sync.as_feature_event import MEDIA_TYPE, PACKAGE, read_body
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.writing import Dialect, write_set

from .calling import PlacedCall
from .csta import CstaListener
from .exchange import ALLOW, Exchange, Exchanges
from .incoming import IncomingCalls
from .subscribing import FeatureSubscription

ACCEPT = (MEDIA_TYPE, "multipart/mixed")
USER_AGENT = "featuresync"


@dataclass(frozen=True, slots=True)
class Line:
    """One line's settings. ``domain`` is the domain of the address of record; lengths are seconds."""

    user: str
    password: str
    domain: str
    auth_user: str = ""
    feature_sync: bool = False
    dialect: Dialect = Dialect.POLYCOM
    contact_user: str = ""
    contact_parameters: str = ""
    registration: int = 3600

    @property
    def address_of_record(self) -> str:
        return f"sip:{self.user}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Told:
    """A NOTIFY that the phone accepted: when, in which subscription, and what it said."""

    time: float
    subscription: FeatureSubscription
    message: Message
    states: dict[Feature, FeatureState] = field(default_factory=dict)


class Phone:
    """One line of a phone. Call ``plug`` with its flow before anything else."""

    def __init__(self, line: Line, tokens: Callable[[], str], timers: Timers = Timers()) -> None:  # noqa: B008
        self.line = line
        self.tokens = tokens
        self.shown = {feature: FeatureState(feature, False) for feature in Feature}
        """What the phone's display says."""
        self.told: list[Told] = []
        self.subscriptions: list[FeatureSubscription] = []
        self.calls = IncomingCalls(self)
        self.csta = CstaListener(self)
        self.placed: list[PlacedCall] = []
        self.busy = False
        """Answer every call with 486."""
        self.timers = timers
        self._flow: Flow | None = None
        self._shape: Callable[[Draft], bytes] | None = None
        self._transactions = Transactions(timers)
        self._outbox: list[Send] = []
        self._events: deque[TransactionEvent] = deque()
        self._exchanges = Exchanges(self.transmit)
        self._authenticator = self.authenticator(line.password)
        registrar = f"sip:{line.domain}"
        self.registration = Registration(
            registrar, line.address_of_record, "", tokens(), tokens(), line.registration, timers
        )

    # -- the wire ---------------------------------------------------------------------------------

    def plug(self, flow: Flow) -> None:
        """Use this flow from now on; the Contact follows it."""
        self._flow = flow
        host, port = self.local
        host = f"[{host}]" if ":" in host else host
        parameters = "" if flow.transport == "udp" else f";transport={flow.transport}"
        user = self.line.contact_user or self.line.user
        self.registration.contact = f"sip:{user}@{host}:{port}{parameters}{self.line.contact_parameters}"

    @property
    def local(self) -> Address:
        """Our end of the flow in use."""
        assert self._flow is not None, "plug the phone in first"
        return self._flow.local

    @property
    def contact(self) -> str:
        """The Contact value, as it stands in our messages."""
        return f"<{self.registration.contact}>"

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        message = Message(data)
        if data.strip(b"\r\n"):
            self._transactions.receive(message, flow, flow.reliable, now)
            self._handle(now)

    def flow_lost(self, flow: Flow, reason: str, now: float) -> None:
        self._exchanges.fail_all(f"connection lost: {reason}", now)

    def deadline(self) -> float | None:
        due = [self._transactions.deadline(), self.registration.deadline(), self.calls.deadline()]
        due += [subscription.deadline() for subscription in self.subscriptions]
        due += [call.deadline() for call in self.placed]
        return min((at for at in due if at is not None), default=None)

    def tick(self, now: float) -> None:
        self._transactions.tick(now)
        self._handle(now)
        if any(isinstance(event, RefreshDue) for event in self.registration.tick(now)):
            self.register(now)
        for subscription in list(self.subscriptions):
            subscription.tick(now)
        for call in self.placed:
            call.tick(now)
        self.calls.tick(now)

    def drain(self) -> Iterable[Send]:
        self._collect()
        sends, self._outbox = self._outbox, []
        return sends

    # -- what a user or a scenario does -----------------------------------------------------------

    def register(self, now: float) -> Exchange:
        """REGISTER; refreshed by itself before it runs out."""
        return self._register("register", self.registration.request(), now)

    def unregister(self, now: float) -> Exchange:
        """Take the binding away (RFC 3261 10.2.2)."""
        return self._register("unregister", self.registration.unregister(), now)

    def subscribe(
        self,
        now: float,
        *,
        expires: int | None = 3600,
        event: str = PACKAGE,
        accept: tuple[str, ...] | None = ACCEPT,
        bare: bool = False,
    ) -> FeatureSubscription:
        """A new subscription (RFC 6665 4.1.2.1). ``expires`` None leaves the header out, 0 fetches.

        ``accept`` None leaves Accept out; ``bare`` sends no credentials and takes the challenge as final.
        """
        authenticator = None if bare else self._authenticator
        subscription = FeatureSubscription(self, event, accept, expires, authenticator)
        self.subscriptions.append(subscription)
        subscription.start(now)
        return subscription

    def press(self, state: FeatureState, now: float, expires: int | None = None) -> Exchange | None:
        """The user changes a feature. Synchronised: an in-dialog SUBSCRIBE with the change, and the
        display waits for the server's word. Otherwise the phone just does it, and None comes back.
        """
        subscription = self.live_subscription
        if not self.line.feature_sync or subscription is None:
            self.shown[state.feature] = state
            return None
        return subscription.set(write_set(state, self.line.dialect), now, expires)

    def try_to_set(
        self, subscription: FeatureSubscription, state: FeatureState, wrong: Authenticator | None, now: float
    ) -> Exchange:
        """A change that must not take effect: with no credentials, or with the ``wrong`` ones."""
        return subscription.set(write_set(state, self.line.dialect), now, credentials=wrong or False)

    def options(self, now: float) -> Exchange:
        """OPTIONS to the server: also the marker that proves it has answered all before."""
        draft = self.draft("OPTIONS", f"sip:{self.line.domain}", self.tokens(), self.tokens(), 1)
        draft.put("To", f"<sip:{self.line.domain}>").add("Accept", ", ".join(ACCEPT))
        return self.start(Exchange("options", draft, self._authenticator), now)

    def place_call(
        self,
        uri: str,
        now: float,
        *,
        cap: float,
        media: MediaPort | None = None,
        reliable_provisional: bool = False,
        credentials: Authenticator | bool = True,
    ) -> PlacedCall:
        """Call ``uri`` and hold the call until the server ends it, ``cap`` seconds at most.

        ``media`` is where its sound comes in; without it nobody listens. ``reliable_provisional`` says
        that we know 100rel. ``credentials``: our own, none (False), or those of another authenticator.
        """
        authenticator = self._authenticator if credentials is True else credentials or None
        call = PlacedCall(self, uri, cap, media, authenticator, reliable_provisional)
        call.start(now)
        self.placed.append(call)
        return call

    def call_uri(self, number: str) -> str:
        """The URI of somebody in our own domain."""
        return f"sip:{number}@{self.line.domain}"

    @property
    def live_subscription(self) -> FeatureSubscription | None:
        """The newest subscription that has not ended."""
        return next((s for s in reversed(self.subscriptions) if s.live), None)

    def authenticator(self, password: str) -> Authenticator:
        """Another authenticator of this line, for instance with a wrong password."""
        return Authenticator(Credentials(self.line.auth_user or self.line.user, password), self.tokens)

    def shape_next(self, shape: Callable[[Draft], bytes]) -> None:
        """Let ``shape`` write the bytes of the next request, from the finished draft: how odd ones are sent.

        What it gives must still have a Via branch, a Call-ID and a CSeq, or no answer finds its request.
        """
        self._shape = shape

    # -- requests ---------------------------------------------------------------------------------

    def draft(self, method: str, uri: str, call_id: str, tag: str, cseq: int) -> Draft:
        """A request outside a dialog, from and to our address of record; no Via yet."""
        aor = self.line.address_of_record
        return Draft(
            f"{method} {uri} SIP/2.0",
            [
                ("Max-Forwards", "70"),
                ("From", f"<{aor}>;tag={tag}"),
                ("To", f"<{aor}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
                ("Allow", ALLOW),
                ("User-Agent", USER_AGENT),
            ],
        )

    def start(self, exchange: Exchange, now: float) -> Exchange:
        """Send the exchange's request and follow it to its final response."""
        return self._exchanges.start(exchange, now)

    def _register(self, purpose: str, draft: Draft, now: float) -> Exchange:
        draft.add("Allow", ALLOW).add("User-Agent", USER_AGENT)

        def next_cseq() -> int:
            self.registration.cseq += 1
            return self.registration.cseq

        exchange = Exchange(purpose, draft, self._authenticator, next_cseq=next_cseq)
        exchange.on_response = self.registration.on_response
        exchange.on_failure = self.registration.on_timeout
        return self.start(exchange, now)

    def transmit(self, draft: Draft, now: float) -> tuple[Message, str]:
        """Put a Via of ours on top and send; the message as sent and its transaction's key."""
        assert self._flow is not None, "plug the phone in first"
        # A CANCEL has the Via of its INVITE (RFC 3261 9.1).
        if not draft.start_line.startswith("CANCEL "):
            host, port = self._flow.local
            host = f"[{host}]" if ":" in host else host
            sent_by = f"SIP/2.0/{self._flow.transport.upper()} {host}:{port}"
            draft.drop("Via").headers.insert(0, ("Via", f"{sent_by};branch=z9hG4bK{self.tokens()};rport"))
        shape, self._shape = self._shape, None
        data = shape(draft) if shape else draft.encode()
        return Message(data), self._transactions.send(data, self._flow, self._flow.reliable, now)

    # -- what comes in ----------------------------------------------------------------------------

    def respond(self, request: Message, draft: Draft, now: float) -> None:
        self._transactions.respond(request, draft.encode(), now)

    def _handle(self, now: float) -> None:
        """Take what the transactions have to say; answering it may make them say more."""
        self._collect()
        while self._events:
            self._on_event(self._events.popleft(), now)
            self._collect()

    def _collect(self) -> None:
        sends, events = self._transactions.drain()
        self._outbox.extend(sends)
        self._events.extend(events)

    def _on_event(self, event: TransactionEvent, now: float) -> None:
        if isinstance(event, ResponseReceived):
            self._exchanges.on_response(event, now)
        elif isinstance(event, TransactionTimedOut):
            self._exchanges.fail(event.key, "no final response in time (64*T1, RFC 3261 17.1.2.2)", now)
        elif isinstance(event, RequestReceived):
            self._on_request(event.message, now)

    def _on_request(self, request: Message, now: float) -> None:
        placed = next((call for call in self.placed if call.matches(request)), None)
        if request.method == "NOTIFY":
            self._on_notify(request, now)
        elif self.csta.takes(request) or (request.method == "INFO" and placed is None):
            self.csta.receive(request, now)
        elif placed is not None:
            placed.receive(request, now)
        elif request.method in ("INVITE", "CANCEL", "BYE", "ACK", "UPDATE"):
            self.calls.receive(request, now)
        elif request.method == "OPTIONS":
            self.respond(request, reply(request, 200, "OK", [("Allow", ALLOW)], self.tokens()), now)
        else:
            refusal = reply(request, 405, "Method Not Allowed", [("Allow", ALLOW)], self.tokens())
            self.respond(request, refusal, now)

    def _on_notify(self, request: Message, now: float) -> None:
        subscription = next((s for s in self.subscriptions if s.matches(request)), None)
        status = subscription.on_notify(request, now) if subscription else 481
        reason = {200: "OK", 481: "Subscription Does Not Exist", 489: "Bad Event"}.get(status, "Refused")
        self.respond(request, reply(request, status, reason, [("Contact", self.contact)]), now)
        if subscription is None or status != 200:
            return
        states = read_body(request.header("content-type"), request.body).states
        self.told.append(Told(now, subscription, request, states))
        # The display follows the server's word, whatever the user pressed.
        self.shown.update(states)
