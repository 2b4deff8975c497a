"""Our phone against the real server: Feature Sync off, where the phone treats calls itself."""

import pytest

from featuresync.agent.phone import Phone
from featuresync.library.phone_keywords import PhoneKeywords
from featuresync.library.session import Session
from featuresync.net.reactor import Reactor
from featuresync.sync.feature import Feature, FeatureState

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_with_feature_sync_off_calls_get_486_and_302(start_lab, transport):
    lab = start_lab(transport=transport)
    with Reactor() as reactor:
        session = Session(lab.bench, lab.profile, reactor)
        phones = PhoneKeywords(lambda: session)
        phones.phone_is_registered("desk", feature_sync=False)
        phones.phone_is_registered("caller", "other", feature_sync=False)
        caller = session.handset("caller")

        def call() -> tuple[int, str]:
            exchange = session.run(caller, lambda phone, now: phone.invite("1001", now))
            assert session.reactor.wait(caller.endpoint, lambda: exchange.done, 10)
            return exchange.status, exchange.final.header("contact")

        def press(feature: Feature, on: bool, number: str = "") -> None:
            state = FeatureState(feature, on, number)
            session.run(session.handset("desk"), lambda phone, now: phone.press(state, now))

        press(Feature.DND, True)
        assert call()[0] == 486
        press(Feature.DND, False)
        press(Feature.CF_ALWAYS, True, "1003")
        assert call() == (302, f"<sip:1003@{lab.bench.domain}>")
        press(Feature.CF_ALWAYS, False)
        desk: Phone = session.handset("desk").phone
        exchange = session.run(caller, lambda phone, now: phone.invite("1001", now))
        assert reactor.wait(session.handset("desk").endpoint, lambda: desk.calls.ringing, 10)
        assert not exchange.done
        assert desk.subscriptions == []
        phones.phones_leave()
        assert reactor.errors == []
