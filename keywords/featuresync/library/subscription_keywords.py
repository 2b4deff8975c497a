"""Keywords about a phone's subscription: how it starts, lives and ends."""

from __future__ import annotations

from collections.abc import Callable

from robot.api.deco import keyword

from featuresync.agent.phone import ACCEPT
from featuresync.errors import DeviceFault
from featuresync.judge import topics
from featuresync.profile import Mechanism
from featuresync.sync.as_feature_event import PACKAGE
from featuresync.sync.feature import Feature, FeatureState

from .session import Session, token


class SubscriptionKeywords:
    """Each keyword acts, and waits for the answer and for the NOTIFY that is due after it."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    @keyword(tags=["phone", "subscription"])
    def phone_gets_in_step(self, phone: str = "desk") -> None:
        """Subscribe where the system keeps phones in step that way; elsewhere there is nothing to ask for."""
        claims = self._session().profile.features.values()
        used = {fact.value for claim in claims for fact in (claim.phone_side, claim.server_side)}
        if Mechanism.AS_FEATURE_EVENT in used:
            self.phone_subscribes(phone)

    @keyword(tags=["phone", "subscription"])
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
        session.finish(handset, subscription.exchange, "the final response to SUBSCRIBE")
        if not 200 <= subscription.exchange.status < 300:
            raise DeviceFault(f"the server refuses the subscription: {subscription.exchange.outcome}")
        session.first_notify(handset, subscription)

    @keyword(tags=["phone", "subscription"])
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
        session.finish(handset, subscription.exchange, "the final response to SUBSCRIBE")
        if 200 <= subscription.exchange.status < 300:
            session.first_notify(handset, subscription)

    @keyword(tags=["phone", "subscription"])
    def phone_fetches_the_state(self, phone: str = "desk") -> None:
        """SUBSCRIBE for zero seconds: the state once, no subscription (RFC 6665 4.4.3)."""
        self.phone_subscribes(phone, expires=0)

    @keyword(tags=["phone", "subscription"])
    def phone_refreshes(self, phone: str = "desk", expires: int | None = None) -> None:
        """Refresh the subscription; ``expires`` in seconds, None for the same length as before."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        subscription = session.live_subscription(handset)
        exchange = session.run(handset, lambda _, now: subscription.refresh(now, expires))
        session.finish(handset, exchange, "the final response to the refresh")
        session.first_notify(handset, subscription)

    @keyword(tags=["phone", "subscription"])
    def phone_unsubscribes(self, phone: str = "desk") -> None:
        """End the subscription and wait for its last NOTIFY."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        session.end_subscription(handset)

    @keyword(tags=["phone", "subscription"])
    def phone_tries_the_ended_subscription(self, phone: str = "desk") -> None:
        """Refresh a subscription that has ended; the server must not know it any more."""
        session = self._session()
        handset = session.handset(phone)
        subscription = handset.phone.subscriptions[-1]
        exchange = session.run(handset, lambda _, now: subscription.refresh(now, None))
        session.finish(handset, exchange, "the final response to the late refresh")

    @keyword(tags=["phone", "subscription"])
    def phone_tries_to_set(
        self, feature: Feature, state: bool, credentials: str, phone: str = "desk"
    ) -> None:
        """Send a change with ``none`` or ``wrong`` credentials; it must not take effect."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        subscription = session.live_subscription(handset)
        wrong = handset.phone.authenticator(token()) if credentials == "wrong" else None
        if credentials == "wrong":
            session.note(handset, topics.WRONG_PASSWORD, "sends a wrong password on purpose")
        wanted = FeatureState(feature, state)
        exchange = session.run(handset, lambda core, now: core.try_to_set(subscription, wanted, wrong, now))
        session.finish(handset, exchange, "the final response to the set")
