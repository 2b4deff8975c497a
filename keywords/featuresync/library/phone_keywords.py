"""Keywords about phones: what somebody does with one, and what it hears."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from robot.api.deco import keyword

from featuresync.agent.phone import Line, Phone
from featuresync.errors import BenchFault, ConfigFault
from featuresync.judge import topics
from featuresync.judge.trace import Awaited
from featuresync.profile import Mechanism
from featuresync.sip.registration import RegistrationState
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.writing import Dialect

from .dialling import dial_feature
from .session import Handset, Session


class PhoneKeywords:
    """Phones are named; the first one of a scenario is ``desk``."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    @keyword(tags=["phone"])
    def phone_is_registered(
        self,
        phone: str = "desk",
        account: str = "primary",
        feature_sync: bool | None = None,
        dialect: Dialect = Dialect.POLYCOM,
        contact_user: str = "",
        contact_parameters: str = "",
        follow_events: bool = False,
        at: str = "sip",
    ) -> None:
        """Plug a phone in and register it.

        ``feature_sync`` is the phone's own setting: on, unless the phone's configuration says otherwise.
        ``dialect`` is the way it writes its changes; ``follow_events`` lets uaCSTA events change its
        display; ``at`` is ``sip`` or ``without_package``, the bench's server without the feature package.
        """
        session = self._session()
        if feature_sync is None:
            feature_sync = session.phone_config is None or bool(session.phone_config.feature_sync)
        needed = session.setting().facts.get("expect.feature_sync_needed")
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
            feature_sync=feature_sync or needed is False,
            dialect=dialect,
            contact_user=contact_user,
            contact_parameters=contact_parameters,
        )
        handset = session.plug_in(phone, owner, sip, line)
        handset.phone.csta.follow = follow_events
        self._register(handset)

    @keyword(tags=["phone"])
    def phone_unregisters(self, phone: str = "desk") -> None:
        """Take the phone's registration away; the phone stays plugged in."""
        session = self._session()
        handset = session.handset(phone)
        exchange = session.run(handset, Phone.unregister)
        session.finish(handset, exchange, "the final response to REGISTER")

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
        """The user changes a feature on the phone, which tells the server the way the system wants it.

        By feature code the call is over when this returns. ``rings`` counts rings (no code carries them),
        ``expires`` is in seconds.
        """
        session = self._session()
        handset = session.handset(phone)
        session.act("confirmation")
        by_code = self._changes_by_code(handset, feature)
        wanted = FeatureState(feature, state, number, None if by_code else rings)
        if not by_code and (not handset.phone.line.feature_sync or handset.phone.live_subscription is None):
            session.run(handset, lambda core, now: core.press(wanted, now))
            return
        session.expect(handset.account.user, wanted)
        session.pressed(handset, wanted)
        if by_code:
            dial_feature(session, handset, wanted)
            return
        exchange = session.run(handset, lambda core, now: core.press(wanted, now, expires))
        assert exchange is not None
        session.finish(handset, exchange, f"the final response to the set of {wanted}")

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
        session.finish(handset, exchange, "the final response to OPTIONS")

    @keyword(tags=["phone"])
    def change_is_confirmed(
        self,
        feature: Feature,
        state: bool,
        number: str = "",
        rings: int | None = None,
        phone: str = "desk",
    ) -> None:
        """Wait for the server's word on a change made at the phone.

        It is a NOTIFY with this state; a feature code has been answered by the call itself.
        """
        if not self._changes_by_code(self._session().handset(phone), feature):
            self.phone_is_told(feature, state, number, rings, phone)

    @keyword(tags=["phone"])
    def phone_is_told(
        self,
        feature: Feature,
        state: bool,
        number: str = "",
        rings: int | None = None,
        phone: str = "desk",
    ) -> None:
        """Wait for a NOTIFY or a uaCSTA event with this state, counted from the scenario's last action.

        The judge says what it means when none comes; the scenario goes on.
        """
        session = self._session()
        handset = session.handset(phone)
        wanted = FeatureState(feature, state, number, rings)
        claim = session.profile.features[feature.value]
        if claim.server_side.value is Mechanism.UACSTA:

            def event(core: Phone) -> bool:
                news = (one.states.get(feature) for one in core.csta.told[handset.heard_events :])
                return any(said is not None and said.satisfies(wanted) for said in news)

            session.wait(handset, f"a uaCSTA event with {wanted}", session.awaiting, event)
            return

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
        """What the phone's own display should say by now."""
        session = self._session()
        shown = session.handset(phone).phone.shown[feature]
        what = f"the display to say {feature.label} {'on' if state else 'off'}"
        met = shown.on is state
        now = session.reactor.clock()
        session.trace.add(Awaited(now, phone, what, "display (at once)", met, "" if met else str(shown)))

    @keyword(tags=["phone"])
    def phones_leave(self) -> None:
        """Every phone waits until all is said, unsubscribes, unregisters and is unplugged."""
        session = self._session()
        for name, handset in list(session.phones.items()):
            if handset.phone.live_subscription is not None:
                session.settle(handset)
                session.end_subscription(handset)
            if handset.phone.registration.state is RegistrationState.REGISTERED:
                self.phone_unregisters(name)
            session.note(handset, topics.UNPLUGGED, "leaves")
            session.unplug(name)

    # -- steps they share -------------------------------------------------------------------------

    def _register(self, handset: Handset) -> None:
        """Registration is the bench's: when it fails, nothing can be said of feature synchronisation."""
        session, user = self._session(), handset.account.user
        exchange = session.run(handset, Phone.register)
        session.finish(handset, exchange, "the final response to REGISTER")
        if not exchange.final:
            address, port = handset.way.remote
            raise BenchFault(f"SIP server {address} port {port} does not answer REGISTER")
        if exchange.status in (401, 403, 407):
            raise BenchFault(f"account {user}: the server refuses its password ({exchange.outcome})")
        if exchange.status >= 300:
            raise BenchFault(f"account {user} cannot register: {exchange.outcome}")

    def _changes_by_code(self, handset: Handset, feature: Feature) -> bool:
        """Whether a key press of that phone dials a feature code."""
        claim = self._session().profile.features.get(feature.value)
        by_code = claim is not None and claim.phone_side.value is Mechanism.FEATURE_CODE
        return by_code and handset.phone.line.feature_sync
