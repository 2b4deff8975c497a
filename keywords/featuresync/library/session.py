"""What one Robot process shares: bench, server state, phones, the trace of the test that runs."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from featuresync.agent import exchange as agent
from featuresync.agent.phone import Line, Phone
from featuresync.agent.phone_config import PhoneConfig
from featuresync.agent.subscribing import FeatureSubscription
from featuresync.bench.state import ServerState
from featuresync.bench.transcript import Exchange, Transcript
from featuresync.errors import BenchFault, ConfigFault, DeviceFault
from featuresync.judge.trace import Awaited, Flip, Note, Press, Quiet, Setting, Trace, Wire
from featuresync.net.flow import Flow
from featuresync.net.media import MediaPort
from featuresync.net.reactor import Endpoint, Reactor, Way
from featuresync.net.stream import tls_context
from featuresync.profile import Account, Bench, Profile, Sip
from featuresync.sync.feature import Feature, FeatureState

T = TypeVar("T")


def token() -> str:
    """64 bits nobody can guess: branches, tags, Call-IDs, cnonces."""
    return secrets.token_hex(8)


@dataclass(eq=False)
class Handset:
    """A phone of the scenario: its core, and the way it hangs on the wire."""

    name: str
    account: Account
    phone: Phone
    endpoint: Endpoint
    way: Way
    heard: int = 0
    """How many of the phone's NOTIFYs were there when the scenario last acted: what comes after is news."""
    heard_events: int = 0
    """The same of uaCSTA events."""
    rung: int = 0
    """The same of calls that rang."""
    media: list[MediaPort] = field(default_factory=list)
    """Where the phone's calls hear and send sound, one port for each call."""


@dataclass
class Session:
    """One vendor's run in one process."""

    bench: Bench
    profile: Profile
    reactor: Reactor
    phone_config: PhoneConfig | None = None
    """The configuration of the phone that is played; None for one that has all it needs."""
    keylog: Path | None = None
    server: ServerState | None = None
    trace: Trace = field(default_factory=lambda: Trace(Setting(frozenset(), (), {})))
    phones: dict[str, Handset] = field(default_factory=dict)
    expected: dict[str, dict[Feature, FeatureState]] = field(default_factory=dict)
    """What each account (by user part) should hold now, given all that the scenario did."""
    awaiting: str = "confirmation"
    """The deadline of what the scenario did last."""
    dialled: float = 0.0
    """When a feature code was dialled last."""
    commands: int = 0
    """How many commands the administration had run when the test began."""

    @property
    def state(self) -> ServerState:
        if self.server is None:
            raise BenchFault("no administrative access: the suite's setup did not take a snapshot")
        return self.server

    def setting(self) -> Setting:
        """What the judge must know of this system."""
        facts = {name: fact.value for name, fact in self.profile.facts().items()}
        return Setting(
            families=self.profile.vendor.families,
            assigned=tuple(self.profile.features),
            accounts={role: account.user for role, account in self.bench.accounts.items()},
            assigned_to={
                one.user: one.features for one in self.bench.accounts.values() if one.features is not None
            },
            facts=facts,
            deadlines=self.bench.deadlines.model_dump(),
        )

    def begin(self) -> None:
        """A new test: a new trace, no phones, even where the last test's teardown failed."""
        for name in list(self.phones):
            self.unplug(name)
        self.reactor.errors.clear()
        self.trace = Trace(self.setting())
        self.expected = {}
        self.commands = len(self._exchanges())

    def transcript(self) -> str:
        """What the test typed at the server's administration, and the answers."""
        return Transcript(self._exchanges()[self.commands :]).text()

    def _exchanges(self) -> list[Exchange]:
        session = self.server.session if self.server else None
        return session.transcript.exchanges if session else []

    def account(self, role: str) -> Account:
        account = self.bench.accounts.get(role)  # type: ignore[call-overload]
        if account is None:
            raise ConfigFault(self.bench.file, f"accounts.{role}", "an account", "nothing")
        return account  # type: ignore[no-any-return]

    def expect(self, account: str, state: FeatureState) -> None:
        """The account should hold this from now on."""
        self.expected.setdefault(account, {})[state.feature] = state

    # -- phones -----------------------------------------------------------------------------------

    def plug_in(self, name: str, account: Account, sip: Sip, line: Line) -> Handset:
        """A new phone on the wire, in place of an earlier one of that name."""
        if name in self.phones:
            self.unplug(name)
        context = self._tls(sip) if sip.transport == "tls" else None
        way = Way(sip.transport, sip.local, (sip.address, sip.port), context, sip.tls.server_name)
        phone = Phone(line, token)
        endpoint, flow = self.reactor.open(phone, way, self._tap(name), self.bench.deadlines.answer)
        self.reactor.call(endpoint, lambda: phone.plug(flow))
        self.phones[name] = Handset(name, account, phone, endpoint, way)
        return self.phones[name]

    def unplug(self, name: str) -> None:
        handset = self.phones.pop(name)
        for media in handset.media:
            self.reactor.close_media(media)
        self.reactor.close(handset.endpoint)

    def handset(self, name: str) -> Handset:
        """Raises ValueError when the scenario has no such phone."""
        if name not in self.phones:
            raise ValueError(f"no phone {name!r} in this scenario: {', '.join(self.phones) or 'none yet'}")
        return self.phones[name]

    def run(self, handset: Handset, action: Callable[[Phone, float], T]) -> T:
        """Do something with the phone in the reactor's thread."""
        return self.reactor.call(handset.endpoint, lambda: action(handset.phone, self.reactor.clock()))

    def act(self, awaiting: str = "confirmation") -> None:
        """The scenario is about to do something: whatever the phones hear from here on is news.

        ``awaiting`` names the deadline that the news is due in.
        """
        self.awaiting = awaiting
        for handset in self.phones.values():
            handset.heard = len(handset.phone.told)
            handset.heard_events = len(handset.phone.csta.told)
            handset.rung = len(handset.phone.calls.rung)

    def wait(
        self,
        handset: Handset,
        what: str,
        deadline: str,
        condition: Callable[[Phone], T | None],
        seconds: float = 0.0,
    ) -> T | None:
        """Wait for a condition over the phone for the named deadline; recorded as Awaited.

        ``seconds`` is the length of a deadline that is not the bench file's.
        """
        seconds = seconds or getattr(self.bench.deadlines, deadline)
        found = self.reactor.wait(handset.endpoint, lambda: condition(handset.phone), seconds)
        named = f"{deadline} ({seconds:g} s)"
        now = self.reactor.clock()
        self.trace.add(
            Awaited(now, handset.name, what, named, bool(found), "" if found else "nothing like it")
        )
        return found

    def listen(self, handset: Handset, seconds: float, purpose: str) -> None:
        """Keep listening; whatever comes is in the trace, so its absence is proved."""
        start = self.reactor.clock()
        self.reactor.wait(handset.endpoint, lambda: None, seconds)
        self.trace.add(Quiet(start, self.reactor.clock(), handset.name, purpose))

    def settle(self, handset: Handset) -> None:
        """Wait until the phone has heard nothing for the ``settle`` time, for at most ten times that."""
        settle = self.bench.deadlines.settle
        for _ in range(10):
            count = len(handset.phone.told)
            if not self.reactor.wait(handset.endpoint, partial(_more_than, handset.phone, count), settle):
                return

    # -- steps that keywords share ------------------------------------------------------------------

    def finish(self, handset: Handset, exchange: agent.Exchange, what: str) -> None:
        """Wait for the final response to one of our requests."""
        self.wait(handset, what, "answer", lambda _: exchange.done)

    def live_subscription(self, handset: Handset) -> FeatureSubscription:
        """Raises DeviceFault when there is none: the scenario cannot go on."""
        subscription = handset.phone.live_subscription
        if subscription is None:
            raise DeviceFault(f"phone {handset.name} has no live subscription to go on with")
        return subscription

    def first_notify(self, handset: Handset, subscription: FeatureSubscription) -> None:
        """Wait for the NOTIFY that follows a SUBSCRIBE."""
        self.wait(
            handset,
            "the NOTIFY that follows the SUBSCRIBE",
            "full_state",
            lambda core: any(one.subscription is subscription for one in core.told[handset.heard :]),
        )
        # What was flipped just before may still be on its way, and is no answer to what comes next.
        now, push = self.reactor.clock(), self.bench.deadlines.push
        if any(flip.done > now - push for flip in self.trace.of(Flip)):
            self.settle(handset)

    def end_subscription(self, handset: Handset) -> None:
        """Unsubscribe, and wait for the last NOTIFY."""
        subscription = self.live_subscription(handset)
        exchange = self.run(handset, lambda _, now: subscription.end(now))
        self.finish(handset, exchange, "the final response to the unsubscription")
        self.wait(handset, "the last NOTIFY", "answer", lambda _: subscription.ended)

    # -- the trace --------------------------------------------------------------------------------

    def pressed(self, handset: Handset, state: FeatureState) -> None:
        self.trace.add(Press(self.reactor.clock(), handset.name, handset.account.user, state))

    def note(self, handset: Handset, topic: str, text: str) -> None:
        self.trace.add(Note(self.reactor.clock(), handset.name, topic, text))

    def _tap(self, name: str) -> Callable[[float, bool, Flow, bytes], None]:
        def record(time: float, sent: bool, flow: Flow, data: bytes) -> None:
            self.trace.add(Wire(time, name, sent, flow.transport, flow.local, flow.remote, data))

        return record

    def _tls(self, sip: Sip) -> ssl.SSLContext:
        ca = str(self.bench.path(sip.tls.ca)) if sip.tls.ca else ""
        keylog = str(self.keylog) if self.keylog and sip.tls.keylog else ""
        try:
            return tls_context(ca, sip.tls.verify, keylog)
        except OSError as error:
            raise ConfigFault(
                self.bench.file, "sip.tls.ca", "a PEM file of certificates", str(error)
            ) from None


def _more_than(phone: Phone, count: int) -> bool:
    return len(phone.told) > count
