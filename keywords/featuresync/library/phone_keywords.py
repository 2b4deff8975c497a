"""Keywords about phones: what somebody does with one, and what it hears."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from robot.api.deco import keyword

from featuresync.agent.exchange import Exchange
from featuresync.agent.phone import ACCEPT, Line, Phone
from featuresync.agent.subscribing import FeatureSubscription
from featuresync.errors import BenchFault, ConfigFault, DeviceFault
from featuresync.judge import topics
from featuresync.judge.trace import Flip
from featuresync.sip.registration import RegistrationState
from featuresync.sync.as_feature_event import PACKAGE
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.writing import Dialect

from .session import Handset, Session, token


class PhoneKeywords:
    """Phones are named; the first one of a scenario is ``desk``."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    @keyword(tags=["phone"])
    def phone_is_registered(
        self,
        phone: str = "desk",
        account: str = "primary",
        feature_sync: bool = True,
        dialect: Dialect = Dialect.POLYCOM,
        contact_user: str = "",
        contact_parameters: str = "",
        at: str = "sip",
    ) -> None:
        """Plug a phone in and register it.

        ``feature_sync`` is the phone's own setting, ``dialect`` the way it writes its changes, ``at`` is
        ``sip`` or ``without_package``, the bench's server without the feature package.
        """
        session = self._session()
        sip = getattr(session.bench, at, None)
        if sip is None:
            raise ConfigFault(session.bench.file, at, "a server address", "nothing")
        owner = session.account(account)
        password = owner.password.resolve(session.bench.file, f"accounts.{account}.password")
        line = Line(
            user=owner.user,
            auth_user=owner.auth_user,
            password=password,
            domain=session.bench.domain if at == "sip" else sip.domain or sip.address,
            feature_sync=feature_sync,
            dialect=dialect,
            contact_user=contact_user,
            contact_parameters=contact_parameters,
        )
        self._register(session.plug_in(phone, owner, sip, line))

    @keyword(tags=["phone"])
    def phone_unregisters(self, phone: str = "desk") -> None:
        """Take the phone's registration away; the phone stays plugged in."""
        session = self._session()
        handset = session.handset(phone)
        exchange = session.run(handset, Phone.unregister)
        self._finish(handset, exchange, "the final response to REGISTER")

    @keyword(tags=["phone"])
    def phone_subscribes(
        self, phone: str = "desk", expires: int | None = 3600, accept: str = ", ".join(ACCEPT)
    ) -> None:
        """Subscribe to the account's features and wait for the first NOTIFY.

        ``expires`` is in seconds; None leaves the header out. ``accept`` is the Accept header, ``none``
        leaves it out. Fails when the server refuses: without a subscription no scenario goes on.
        """
        session = self._session()
        handset = session.handset(phone)
        session.act()
        types = None if accept == "none" else tuple(item.strip() for item in accept.split(","))
        subscription = session.run(
            handset, lambda core, now: core.subscribe(now, expires=expires, accept=types)
        )
        self._finish(handset, subscription.exchange, "the final response to SUBSCRIBE")
        if not 200 <= subscription.exchange.status < 300:
            raise DeviceFault(f"the server refuses the subscription: {subscription.exchange.outcome}")
        self._first_notify(handset, subscription)

    @keyword(tags=["phone"])
    def phone_asks_for_a_subscription(
        self,
        phone: str = "desk",
        event: str = PACKAGE,
        expires: int | None = 3600,
        credentials: str = "right",
    ) -> None:
        """Send a SUBSCRIBE that the server may well refuse; whatever it answers is judged afterwards.

        ``credentials`` is ``right`` or ``none``.
        """
        session = self._session()
        handset = session.handset(phone)
        session.act()
        bare = credentials == "none"
        subscription = session.run(
            handset, lambda core, now: core.subscribe(now, event=event, expires=expires, bare=bare)
        )
        self._finish(handset, subscription.exchange, "the final response to SUBSCRIBE")
        if 200 <= subscription.exchange.status < 300:
            self._first_notify(handset, subscription)

    @keyword(tags=["phone"])
    def phone_fetches_the_state(self, phone: str = "desk") -> None:
        """SUBSCRIBE for zero seconds: the state once, no subscription (RFC 6665 4.4.3)."""
        self.phone_subscribes(phone, expires=0)

    @keyword(tags=["phone"])
    def phone_refreshes(self, phone: str = "desk", expires: int | None = None) -> None:
        """Refresh the subscription; ``expires`` in seconds, None for the same length as before."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        subscription = self._live(handset)
        exchange = session.run(handset, lambda _, now: subscription.refresh(now, expires))
        self._finish(handset, exchange, "the final response to the refresh")
        self._first_notify(handset, subscription)

    @keyword(tags=["phone"])
    def phone_unsubscribes(self, phone: str = "desk") -> None:
        """End the subscription and wait for its last NOTIFY."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        self._end(handset)

    @keyword(tags=["phone"])
    def phone_tries_the_ended_subscription(self, phone: str = "desk") -> None:
        """Refresh a subscription that has ended; the server must not know it any more."""
        session = self._session()
        handset = session.handset(phone)
        subscription = handset.phone.subscriptions[-1]
        exchange = session.run(handset, lambda _, now: subscription.refresh(now, None))
        self._finish(handset, exchange, "the final response to the late refresh")

    @keyword(tags=["phone"])
    def phone_presses(
        self,
        feature: Feature,
        state: bool,
        number: str = "",
        rings: int | None = None,
        phone: str = "desk",
        expires: int | None = None,
    ) -> None:
        """The user changes a feature on the phone. ``rings`` counts rings, ``expires`` is in seconds."""
        session = self._session()
        handset = session.handset(phone)
        session.act("confirmation")
        wanted = FeatureState(feature, state, number, rings)
        if not handset.phone.line.feature_sync or handset.phone.live_subscription is None:
            session.run(handset, lambda core, now: core.press(wanted, now))
            return
        session.expect(handset.account.user, wanted)
        session.pressed(handset, wanted)
        exchange = session.run(handset, lambda core, now: core.press(wanted, now, expires))
        assert exchange is not None
        self._finish(handset, exchange, f"the final response to the set of {wanted}")

    @keyword(tags=["phone"])
    def phone_tries_to_set(
        self, feature: Feature, state: bool, credentials: str, phone: str = "desk"
    ) -> None:
        """Send a change with ``none`` or ``wrong`` credentials; it must not take effect."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        subscription = self._live(handset)
        wrong = handset.phone.authenticator(token()) if credentials == "wrong" else None
        if credentials == "wrong":
            session.note(handset, topics.WRONG_PASSWORD, "sends a wrong password on purpose")
        wanted = FeatureState(feature, state)
        exchange = session.run(handset, lambda core, now: core.try_to_set(subscription, wanted, wrong, now))
        self._finish(handset, exchange, "the final response to the set")

    @keyword(tags=["phone"])
    def phone_moves_to_another_port(self, phone: str = "desk") -> None:
        """Register the phone on another port of its address; the old one stays open and hears what comes."""
        session = self._session()
        handset = session.handset(phone)
        self.phone_unregisters(phone)
        flow = session.reactor.reopen(handset.endpoint, handset.way, session.bench.deadlines.answer)
        session.run(handset, lambda core, _: core.plug(flow))
        self._register(handset)

    @keyword(tags=["phone"])
    def phone_asks_for_options(self, phone: str = "desk") -> None:
        """OPTIONS to the server."""
        session = self._session()
        handset = session.handset(phone)
        exchange = session.run(handset, Phone.options)
        self._finish(handset, exchange, "the final response to OPTIONS")

    @keyword(tags=["phone"])
    def phone_is_told(
        self,
        feature: Feature,
        state: bool,
        number: str = "",
        rings: int | None = None,
        phone: str = "desk",
    ) -> None:
        """Wait for a NOTIFY with this state, counted from the scenario's last action.

        The judge says what it means when none comes; the scenario goes on.
        """
        session = self._session()
        handset = session.handset(phone)
        wanted = FeatureState(feature, state, number, rings)

        def told(core: Phone) -> bool:
            news = (one.states.get(feature) for one in core.told[handset.heard :])
            return any(said is not None and said.satisfies(wanted) for said in news)

        session.wait(handset, f"a NOTIFY with {wanted}", session.awaiting, told)

    @keyword(tags=["phone"])
    def phone_waits_for_news(self, phone: str = "desk") -> None:
        """Wait for any NOTIFY since the scenario's last action."""
        session = self._session()
        handset = session.handset(phone)
        session.wait(handset, "a NOTIFY", "confirmation", lambda core: core.told[handset.heard :])

    @keyword(tags=["phone"])
    def phone_knows_the_full_state(self, phone: str = "desk") -> None:
        """Wait until the NOTIFYs since the last action have covered every feature of the account."""
        session = self._session()
        handset = session.handset(phone)
        due = set(session.setting().assigned)

        def known(core: Phone) -> bool:
            return due <= {feature for one in core.told[handset.heard :] for feature in one.states}

        session.wait(handset, "the state of every feature", "full_state", known)

    @keyword(tags=["phone"])
    def phone_hears_nothing_more(self, phone: str = "desk", listening: timedelta | None = None) -> None:
        """Listen for the ``quiet`` time (or ``listening``), so that the absence of a NOTIFY is proved.

        An OPTIONS goes first: its answer shows that the server has seen all that came before.
        """
        session = self._session()
        handset = session.handset(phone)
        self.phone_asks_for_options(phone)
        seconds = listening.total_seconds() if listening else session.bench.deadlines.quiet
        session.listen(handset, seconds, "nothing more is due")

    @keyword(tags=["phone"])
    def phone_shows(self, feature: Feature, state: bool, phone: str = "desk") -> None:
        """What the phone's own display says; fails when it says otherwise."""
        shown = self._session().handset(phone).phone.shown[feature]
        if shown.on is not state:
            raise AssertionError(
                f"the phone shows {shown}, expected {feature.label} {'on' if state else 'off'}"
            )

    @keyword(tags=["phone"])
    def phones_leave(self) -> None:
        """Every phone waits until all is said, unsubscribes, unregisters and is unplugged."""
        session = self._session()
        for name, handset in list(session.phones.items()):
            if handset.phone.live_subscription is not None:
                session.settle(handset)
                self._end(handset)
            if handset.phone.registration.state is RegistrationState.REGISTERED:
                self.phone_unregisters(name)
            session.note(handset, topics.UNPLUGGED, "leaves")
            session.unplug(name)

    # -- steps they share -------------------------------------------------------------------------

    def _register(self, handset: Handset) -> None:
        """Registration is the bench's: when it fails, nothing can be said of feature synchronisation."""
        user = handset.account.user
        exchange = self._session().run(handset, Phone.register)
        self._finish(handset, exchange, "the final response to REGISTER")
        if not exchange.final:
            address, port = handset.way.remote
            raise BenchFault(f"SIP server {address} port {port} does not answer REGISTER")
        if exchange.status in (401, 403, 407):
            raise BenchFault(f"account {user}: the server refuses its password ({exchange.outcome})")
        if exchange.status >= 300:
            raise BenchFault(f"account {user} cannot register: {exchange.outcome}")

    def _finish(self, handset: Handset, exchange: Exchange, what: str) -> None:
        self._session().wait(handset, what, "answer", lambda _: exchange.done)

    def _live(self, handset: Handset) -> FeatureSubscription:
        subscription = handset.phone.live_subscription
        if subscription is None:
            raise DeviceFault(f"phone {handset.name} has no live subscription to go on with")
        return subscription

    def _first_notify(self, handset: Handset, subscription: FeatureSubscription) -> None:
        self._session().wait(
            handset,
            "the NOTIFY that follows the SUBSCRIBE",
            "full_state",
            lambda core: any(one.subscription is subscription for one in core.told[handset.heard :]),
        )
        # What was flipped just before may still be on its way, and is no answer to what comes next.
        session = self._session()
        now, push = session.reactor.clock(), session.bench.deadlines.push
        if any(flip.done > now - push for flip in session.trace.of(Flip)):
            session.settle(handset)

    def _end(self, handset: Handset) -> None:
        session = self._session()
        subscription = self._live(handset)
        exchange = session.run(handset, lambda _, now: subscription.end(now))
        self._finish(handset, exchange, "the final response to the unsubscription")
        session.wait(handset, "the last NOTIFY", "answer", lambda _: subscription.ended)
