"""Our phone against the real server: Feature Sync off, where the phone treats calls itself."""

import pytest

from featuresync.agent.calling import PlacedCall
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

        def place(phone: Phone, now: float) -> PlacedCall:
            return phone.place_call(phone.call_uri("1001"), now, cap=30)

        def call() -> tuple[int, str]:
            placed = session.run(caller, place)
            assert session.reactor.wait(caller.endpoint, lambda: placed.over, 10)
            return placed.status, placed.redirect

        def press(feature: Feature, on: bool, number: str = "") -> None:
            state = FeatureState(feature, on, number)
            session.run(session.handset("desk"), lambda phone, now: phone.press(state, now))

        press(Feature.DND, True)
        assert call()[0] == 486
        press(Feature.DND, False)
        press(Feature.CF_ALWAYS, True, "1003")
        assert call() == (302, f"sip:1003@{lab.bench.domain}")
        press(Feature.CF_ALWAYS, False)
        desk: Phone = session.handset("desk").phone
        placed = session.run(caller, place)
        assert reactor.wait(session.handset("desk").endpoint, lambda: desk.calls.ringing, 10)
        assert not placed.over
        session.run(caller, lambda _, now: placed.hang_up(now))
        assert reactor.wait(caller.endpoint, lambda: placed.over, 10)
        assert (placed.status, placed.ended_by) == (487, "phone")
        assert desk.calls.ringing == {}
        assert desk.subscriptions == []
        phones.phones_leave()
        assert reactor.errors == []
