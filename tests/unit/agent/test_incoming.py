"""Calls that reach the phone, with Feature Sync off (its own features) and on (the server's)."""

import pytest

from featuresync.agent.incoming import MOST_CALLS, Refused, Rung
from featuresync.sip.message import Draft
from featuresync.sync.feature import Feature, FeatureState

from .server_side import Server


def invite(number: int) -> Draft:
    draft = Draft("INVITE sip:1001@127.0.0.2:5062 SIP/2.0")
    draft.add("Via", f"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKi{number}").add("Max-Forwards", "70")
    draft.add("From", "<sip:1002@example.invalid>;tag=x").add("To", "<sip:1001@example.invalid>")
    return draft.add("Call-ID", f"call{number}").add("CSeq", "1 INVITE").add("Contact", "<sip:x@127.0.0.1>")


def cancel(number: int) -> Draft:
    draft = invite(number).put("CSeq", "1 CANCEL")
    draft.start_line = draft.start_line.replace("INVITE", "CANCEL")
    return draft


def finals(server: Server) -> list[int]:
    return [message.status for message in server.sent() if message.status >= 200]


def test_a_call_rings():
    server = Server()
    server.give(invite(1))
    assert [message.status for message in server.sent()][-1] == 180


def test_dnd_of_the_phone_answers_486():
    server = Server()
    server.phone.press(FeatureState(Feature.DND, True), server.now)
    server.give(invite(1))
    assert finals(server) == [486]


@pytest.mark.parametrize("feature", [Feature.CF_ALWAYS, Feature.CF_BUSY, Feature.CF_NO_ANSWER])
def test_forwards_of_the_phone_answer_302_with_the_target(feature):
    """RFC 3261 21.3.3."""
    server = Server()
    server.phone.press(
        FeatureState(feature, True, "1003", 2 if feature is Feature.CF_NO_ANSWER else None), server.now
    )
    call = 1
    if feature is Feature.CF_BUSY:
        server.give(invite(call))
        server.sent()
        call = 2
    server.give(invite(call))
    if feature is Feature.CF_NO_ANSWER:
        assert finals(server) == []
        server.later(11.9)
        assert finals(server) == []
        server.later(0.2)
    answers = [message for message in server.sent() if message.status >= 200]
    assert [(answer.status, answer.header("contact")) for answer in answers] == [
        (302, "<sip:1003@example.invalid>")
    ]


def test_a_second_call_finds_the_phone_busy():
    server = Server()
    server.give(invite(1))
    server.sent()
    server.give(invite(2))
    assert finals(server) == [486]


def test_with_feature_sync_on_the_phone_just_rings():
    server = Server(feature_sync=True)
    server.phone.shown[Feature.CF_ALWAYS] = FeatureState(Feature.CF_ALWAYS, True, "1003")
    server.give(invite(1))
    assert finals(server) == []


def test_cancel_ends_the_ringing():
    """RFC 3261 9.2: 200 to the CANCEL, 487 to the INVITE."""
    server = Server()
    server.give(invite(1))
    server.sent()
    server.give(cancel(1))
    assert sorted(finals(server)) == [200, 487]
    assert server.phone.calls.ringing == {}


def test_a_call_nobody_answers_ends():
    server = Server()
    server.give(invite(1))
    server.sent()
    server.later(120)
    assert 480 in finals(server)
    assert server.phone.calls.refused == [Refused(220.0, "1002", "call1", 480)]


@pytest.mark.parametrize("feature_sync", [True, False])
@pytest.mark.parametrize("feature", [*Feature, None])
def test_a_busy_phone_answers_486_whoever_executes_features(feature_sync, feature):
    server = Server(feature_sync=feature_sync)
    server.phone.busy = True
    if feature:
        server.phone.shown[feature] = FeatureState(feature, True, "1003" if feature.is_forward else "")
    server.give(invite(1))
    assert finals(server) == [486]
    server.phone.busy = False
    server.phone.shown = {feature: FeatureState(feature, False) for feature in Feature}
    server.give(invite(2))
    assert finals(server) == []


def test_what_rang_and_what_was_refused_is_written_down():
    server = Server()
    calls = server.phone.calls
    server.give(invite(1))
    server.later(3)
    server.give(invite(2))
    assert calls.rung == [Rung(100.0, "1002", "call1")]
    assert calls.refused == [Refused(103.0, "1002", "call2", 486)]
    assert list(calls.ringing) == ["call1"]
    server.give(cancel(1))
    assert calls.refused[1:] == [Refused(103.0, "1002", "call1", 487)]
    assert calls.ringing == {}


@pytest.mark.parametrize(
    ("written", "caller"),
    [
        ('"A" <sips:bob;x=1@h>;tag=x', "bob;x=1"),
        ("<tel:+491>;tag=x", "tel:+491"),
        ("", ""),
        ("<sip:" + "9" * 500 + "@h>", "sip:" + "9" * 196),
    ],
)
def test_the_caller_is_the_user_of_from(written, caller):
    server = Server()
    server.give(invite(1).put("From", written))
    assert server.phone.calls.rung[0].caller == caller


def test_what_is_written_down_has_an_end():
    server = Server()
    server.phone.busy = True
    for number in range(MOST_CALLS + 5):
        server.give(invite(number))
    assert finals(server) == [486] * (MOST_CALLS + 5)
    assert len(server.phone.calls.refused) == MOST_CALLS


def test_an_invite_inside_a_call_that_is_not_there_is_refused():
    """RFC 3261 12.2.2."""
    server = Server()
    server.give(invite(1).put("To", "<sip:1001@example.invalid>;tag=gone"))
    assert finals(server) == [481]
    assert server.phone.calls.rung == []
