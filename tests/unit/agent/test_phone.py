"""The phone, in virtual time: what it sends, what it answers, what it shows."""

import pytest

from featuresync.sync.as_feature_event import read_set
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.writing import Dialect

from .server_side import Server

DND_ON = FeatureState(Feature.DND, True)


def test_registers_with_credentials_and_refreshes_before_the_end():
    """RFC 3261 10.2, 22.2: the retry keeps Call-ID and From tag, CSeq grows by one."""
    server = Server()
    exchange = server.phone.register(server.now)
    first = server.one()
    assert first.method == "REGISTER"
    assert not first.has("authorization")
    second = server.challenge(first)
    assert (second.call_id, second.from_.tag, second.cseq) == (first.call_id, first.from_.tag, first.cseq + 1)
    assert second.branch != first.branch
    server.answer(second, extra=[("Contact", f"{server.phone.contact};expires=600")])
    assert exchange.status == 200
    assert server.phone.registration.expires_at == server.now + 600
    while not (sent := server.sent()):
        server.later(server.phone.deadline() - server.now)
        assert server.now < 100 + 600, "the binding ran out"
    refresh = sent[-1]
    assert (refresh.method, refresh.call_id, refresh.cseq) == ("REGISTER", first.call_id, second.cseq + 1)


def test_a_wrong_password_is_tried_once():
    """RFC 3261 22.4: not more than once with the same rejected credentials."""
    server = Server()
    exchange = server.phone.register(server.now)
    second = server.challenge(server.one())
    server.answer(
        second, 401, "Unauthorized", [("WWW-Authenticate", 'Digest realm="r", nonce="n2", qop="auth"')]
    )
    assert server.sent() == []
    assert exchange.status == 401
    assert server.phone.registration.expires_at is None


def test_no_answer_at_all_is_a_failure_after_64_t1():
    """RFC 3261 17.1.2.2, Timer F."""
    server = Server()
    exchange = server.phone.options(server.now)
    server.later(31.9)
    assert not exchange.done
    server.later(0.2)
    assert exchange.done
    assert "no final response" in exchange.failure


def test_subscribes_without_body_and_shows_the_full_state():
    """PH-01, PH-06."""
    server = Server(feature_sync=True)
    server.phone.subscribe(server.now)
    request = server.challenge(server.one())
    assert request.header("event") == "as-feature-event"
    assert request.header("expires") == "3600"
    assert request.headers("accept") == ["application/x-as-feature-event+xml", "multipart/mixed"]
    assert request.body == b""
    server.accept(request)
    states = {feature: FeatureState(feature, False) for feature in Feature}
    states[Feature.CF_BUSY] = FeatureState(Feature.CF_BUSY, True, "1003")
    server.give(server.full_state(request, states))
    assert server.one().status == 200
    assert server.phone.shown[Feature.CF_BUSY] == FeatureState(Feature.CF_BUSY, True, "1003")
    assert set(server.phone.told[0].states) == set(Feature)


def test_a_notify_may_overtake_the_2xx():
    """RFC 6665 4.1.2.4 (NO-09)."""
    server = Server(feature_sync=True)
    server.phone.subscribe(server.now)
    request = server.challenge(server.one())
    server.give(server.full_state(request))
    assert server.one().status == 200
    server.accept(request)
    assert server.phone.live_subscription is not None


@pytest.mark.parametrize("dialect", Dialect)
def test_press_is_one_subscribe_in_the_dialog_with_one_document(dialect):
    """PH-13: To tag, CSeq plus one, the change in the body; the display waits for the server."""
    server = Server(feature_sync=True, dialect=dialect)
    request = server.subscribed()
    server.phone.press(DND_ON, server.now)
    press = server.one()
    assert press.method == "SUBSCRIBE"
    assert press.to.tag == "srv"
    assert press.cseq == request.cseq + 1
    assert press.request_uri == "sip:as@127.0.0.1:5060"
    assert read_set(press.body) == DND_ON
    assert press.has("authorization")
    assert not server.phone.shown[Feature.DND].on
    server.accept(press)
    server.give(server.event(request, DND_ON))
    assert server.phone.shown[Feature.DND].on


def test_the_servers_word_wins_over_the_key():
    """PH-09."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    server.phone.press(DND_ON, server.now)
    server.accept(server.one())
    server.give(server.event(request, FeatureState(Feature.DND, False)))
    assert not server.phone.shown[Feature.DND].on


def test_a_notify_triggers_no_set():
    """PH-12: an answer would be a loop."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    server.give(server.event(request, DND_ON))
    assert [message.status for message in server.sent()] == [200]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"call_id": "other"}, 481), ({"to": "<sip:x@y>;tag=other"}, 481), ({"event": "x-none"}, 489)],
)
def test_a_notify_that_fits_nothing_is_refused(changes, status):
    """RFC 6665 4.1.3 (PH-10)."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    server.give(server.event(request, DND_ON, **changes))
    assert server.one().status == status
    assert not server.phone.shown[Feature.DND].on


def test_an_older_notify_is_refused_and_does_not_show():
    """RFC 3261 12.2.2: two NOTIFYs that crossed on the wire."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    late = server.event(request, DND_ON)
    server.give(server.event(request, FeatureState(Feature.DND, False)))
    server.sent()
    server.give(late)
    assert server.one().status == 500
    assert not server.phone.shown[Feature.DND].on


def test_a_repeated_notify_is_answered_again_and_told_once():
    """RFC 3261 17.2.2."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    notify = server.event(request, DND_ON)
    server.give(notify)
    first = server.one()
    server.give(notify)
    assert server.one().raw == first.raw
    assert len(server.phone.told) == 2  # the full state and this one


def test_refreshes_before_the_end_in_the_dialog():
    """RFC 6665 4.1.2.2 (PH-02)."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    while not (sent := server.sent()):
        server.later(server.phone.deadline() - server.now)
        assert server.now < 100 + 3600
    assert (sent[0].method, sent[0].to.tag, sent[0].cseq) == ("SUBSCRIBE", "srv", request.cseq + 1)
    assert sent[0].body == b""


def test_unsubscribing_ends_with_the_last_notify():
    """RFC 6665 4.1.2.3."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    subscription = server.phone.live_subscription
    subscription.end(server.now)
    end = server.one()
    assert end.header("expires") == "0"
    server.accept(end, 0)
    assert not subscription.ended
    server.give(server.notify(request, state="terminated;reason=timeout"))
    assert subscription.ended
    assert server.phone.live_subscription is None


@pytest.mark.parametrize(
    ("state", "wait"),
    [
        ("terminated;reason=deactivated", 0),
        ("terminated;reason=timeout", 0),
        ("terminated;reason=probation;retry-after=30", 30),
        ("terminated;reason=rejected", None),
        ("terminated;reason=noresource", None),
    ],
)
def test_subscribes_again_when_the_server_allows_it(state, wait):
    """RFC 6665 4.1.3 (PH-14)."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    server.give(server.notify(request, state=state))
    assert server.one().status == 200
    if wait:
        server.later(wait - 0.1)
        assert server.sent() == []
    server.later(0.1)
    sent = server.sent()
    if wait is None:
        server.later(7200)
        assert sent == server.sent() == []
        return
    (again,) = sent
    assert (again.method, again.to.tag, again.header("expires")) == ("SUBSCRIBE", "", "3600")
    assert again.call_id != request.call_id
    server.later(1.0)
    assert [message.call_id for message in server.sent()] in ([], [again.call_id])


def test_a_refresh_answered_481_makes_a_new_subscription():
    """RFC 6665 4.1.2.2 (PH-04)."""
    server = Server(feature_sync=True)
    request = server.subscribed()
    server.phone.live_subscription.refresh(server.now)
    server.answer(server.one(), 481, "Subscription Does Not Exist")
    server.later(0)
    again = server.one()
    assert again.method == "SUBSCRIBE"
    assert again.call_id != request.call_id


def test_a_package_nobody_has_leaves_local_features():
    """RFC 6665 4.1.2.2, 489 (PH-03)."""
    server = Server(feature_sync=True)
    subscription = server.phone.subscribe(server.now)
    server.answer(server.one(), 489, "Bad Event", [("Allow-Events", "presence")])
    assert subscription.exchange.status == 489
    assert subscription.ended
    assert server.phone.press(DND_ON, server.now) is None
    assert server.sent() == []
    assert server.phone.shown[Feature.DND].on


def test_feature_sync_off_sends_nothing():
    """The guide: off by default, and the features are the phone's own."""
    server = Server()
    assert server.phone.press(DND_ON, server.now) is None
    assert server.sent() == []
    assert server.phone.shown[Feature.DND].on


def test_unregistering_takes_the_binding_away():
    """RFC 3261 10.2.2."""
    server = Server()
    server.phone.register(server.now)
    server.answer(server.challenge(server.one()), extra=[("Contact", f"{server.phone.contact};expires=600")])
    server.phone.unregister(server.now)
    last = server.challenge(server.one())
    assert last.header("expires") == "0"
    server.answer(last)
    assert server.phone.registration.expires_at is None
    assert server.phone.registration.deadline() is None


def test_a_lost_connection_ends_what_was_under_way():
    server = Server()
    exchange = server.phone.options(server.now)
    server.phone.flow_lost(None, "reset", server.now)
    assert exchange.failure == "connection lost: reset"


def test_an_unknown_method_is_refused_with_allow():
    """RFC 3261 8.2.1."""
    server = Server(feature_sync=True)
    draft = server.notify(server.subscribed())
    draft.start_line = draft.start_line.replace("NOTIFY", "PUBLISH")
    server.give(draft.put("CSeq", "9 PUBLISH").put("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKp"))
    answer = server.one()
    assert answer.status == 405
    assert "NOTIFY" in answer.headers("allow")
