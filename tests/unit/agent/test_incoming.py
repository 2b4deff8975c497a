"""Calls that reach the phone, with Feature Sync off (its own features) and on (the server's)."""

import pytest

from featuresync.sip.message import Draft
from featuresync.sync.feature import Feature, FeatureState

from .server_side import Server


def invite(number: int) -> Draft:
    draft = Draft("INVITE sip:1001@127.0.0.2:5062 SIP/2.0")
    draft.add("Via", f"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKi{number}").add("Max-Forwards", "70")
    draft.add("From", "<sip:1002@example.invalid>;tag=x").add("To", "<sip:1001@example.invalid>")
    return draft.add("Call-ID", f"call{number}").add("CSeq", "1 INVITE").add("Contact", "<sip:x@127.0.0.1>")


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
    cancel = invite(1).put("CSeq", "1 CANCEL")
    cancel.start_line = cancel.start_line.replace("INVITE", "CANCEL")
    server.give(cancel)
    assert sorted(finals(server)) == [200, 487]
    assert server.phone.calls.ringing == {}


def test_a_call_nobody_answers_ends():
    server = Server()
    server.give(invite(1))
    server.sent()
    server.later(120)
    assert 480 in finals(server)
