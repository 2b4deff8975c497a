"""Calls the phone makes, in virtual time: every way a call to a feature code can go."""

import pytest

from featuresync.sip.sdp import Audio, read_audio

from .calls import CAP, CODE, HELD, ROUTES, SOUND, Calling, Media
from .server_side import CHALLENGE

# -- the good ways --------------------------------------------------------------------------------


def test_challenged_once_then_answered_and_ended_by_the_server():
    """RFC 3261 22.2, 13.2.2.4, 15.1.2: an announcement on an established dialog."""
    server = Calling()
    first = server.invite
    server.passes()
    second = server.invite
    assert (second.call_id, second.from_, second.cseq) == (first.call_id, first.from_, first.cseq + 1)
    assert (second.request_uri, second.to.uri) == (CODE, CODE)
    assert (second.has("authorization"), first.has("authorization")) == (True, False)
    assert second.body == first.body
    server.say(100)
    server.later(1)
    ack = server.answered()
    assert (ack.request_uri, ack.cseq) == ("sip:as@127.0.0.9:5070", second.cseq)
    assert ack.header("authorization") == second.header("authorization")
    assert server.outcome == (False, 200, True, False, "")
    server.later(4.5)
    assert [answer.status for answer in server.ask("BYE")] == [200]
    assert server.outcome == (True, 200, True, False, "server")
    assert (server.call.started, server.call.answered, server.call.ended) == (100.0, 101.0, 105.5)
    assert server.call.held == 4.5
    assert server.call.deadline() is None


def test_the_offer_is_the_media_ports():
    """RFC 3264 5: always an offer; without a port of ours, one that nobody listens on."""
    invite = Calling(Media()).invite
    assert invite.media_type == "application/sdp"
    assert read_audio(invite.body) == Audio("127.0.0.2", 4002, 0, True, True)
    assert read_audio(Calling().invite.body) == Audio("127.0.0.2", 9, 0, True, True)


def test_an_early_announcement_that_ends_in_a_refusal():
    """RFC 3261 13.2.2.3: 183 with sound, then 480: some systems never answer."""
    media = Media()
    server = Calling(media)
    server.passes()
    server.say(183, body=SOUND)
    assert server.call.status == 183
    assert media.told == [(("127.0.0.9", 4000), 0)]
    server.later(5)
    server.say(480)
    assert server.names() == ["ACK"]
    assert server.outcome == (True, 480, False, True, "server")
    assert media.told[-1] == "stop"
    assert server.call.held == 0.0


@pytest.mark.parametrize("body", [b"", HELD, b"v=1"])
def test_a_provisional_without_sound_is_no_announcement(body):
    server = Calling()
    server.say(180)
    server.say(183, body=body)
    server.say(480)
    assert server.outcome == (True, 480, False, False, "server")


def test_rtp_before_the_final_response_is_an_announcement():
    """Nothing obliges a server to say that it sends early media."""
    media = Media()
    server = Calling(media)
    server.say(183)
    assert not server.call.early_announcement
    media.heard.first = server.now + 1
    assert server.call.early_announcement
    server.later(2)
    server.say(603)
    assert server.outcome == (True, 603, False, True, "server")


def test_rtp_after_the_answer_is_none():
    media = Media()
    server = Calling(media)
    server.answered()
    media.heard.first = server.now + 0.02
    assert server.outcome == (False, 200, True, False, "")


@pytest.mark.parametrize("status", [403, 404, 484, 503, 603])
def test_refused_at_once(status):
    server = Calling()
    server.passes()
    server.say(status)
    assert server.names() == ["ACK"]
    assert server.outcome == (True, status, False, False, "server")
    server.later(CAP)
    assert server.sent() == []


def test_a_redirect_names_its_target():
    server = Calling()
    server.say(302, extra=[("Contact", "<sip:1003@example.invalid>")])
    assert (server.call.redirect, server.call.over) == ("sip:1003@example.invalid", True)


# -- credentials ----------------------------------------------------------------------------------


def test_a_second_challenge_is_the_end():
    """RFC 3261 22.4: the same rejected credentials are not sent again."""
    server = Calling()
    server.passes()
    server.say(401, extra=[("WWW-Authenticate", 'Digest realm="r", nonce="n2", qop="auth"')])
    assert server.names() == ["ACK"]
    assert server.outcome == (True, 401, False, False, "server")


def test_without_credentials_the_challenge_is_the_end():
    server = Calling(credentials=False)
    server.say(407, extra=[("Proxy-Authenticate", CHALLENGE[1])])
    assert server.names() == ["ACK"]
    assert server.outcome == (True, 407, False, False, "server")


def test_a_call_with_wrong_credentials():
    right = Calling()
    wrong = Calling(credentials=right.phone.authenticator("wrong"))
    for server in (right, wrong):
        server.passes()
    responses = {s.invite.header("authorization").partition("response=")[2][:34] for s in (right, wrong)}
    assert len(responses) == 2


def test_a_bye_is_challenged_too():
    """RFC 3261 22.2: credentials at once, and again with the new nonce."""
    server = Calling()
    server.passes()
    server.answered()
    server.call.hang_up(server.now)
    bye = server.one()
    assert bye.has("authorization")
    server.answer(bye, 401, "Unauthorized", [("WWW-Authenticate", 'Digest realm="r", nonce="n2"')])
    again = server.one()
    assert (again.method, again.cseq) == ("BYE", bye.cseq + 1)
    assert 'nonce="n2"' in again.header("authorization")
    assert not server.call.over
    server.answer(again)
    assert server.outcome == (True, 200, True, False, "phone")


# -- the phone gives up -----------------------------------------------------------------------------


def test_an_established_call_is_hung_up_at_the_cap_and_not_before():
    """RFC 3261 15.1.1, 12.2.1.1: BYE over the route set of the 2xx."""
    media = Media()
    server = Calling(media)
    server.say(200, extra=ROUTES, body=SOUND)
    (ack,) = server.sent()
    server.later(CAP - 0.1)
    assert server.sent() == []
    assert server.phone.deadline() <= 100 + CAP
    server.later(0.1)
    bye = server.one()
    assert (bye.method, bye.cseq, bye.request_uri) == ("BYE", 2, "sip:as@127.0.0.9:5070")
    assert ack.headers("route") == bye.headers("route") == ["<sip:p2;lr>", "<sip:p1;lr>"]
    assert media.told == [(("127.0.0.9", 4000), 0), "stop"]
    assert not server.call.over
    server.answer(bye)
    assert server.outcome == (True, 200, True, False, "phone")
    assert server.call.held == CAP


def test_a_strict_route_takes_the_request_uri():
    """RFC 3261 12.2.1.1: the first route has no ``lr``."""
    server = Calling()
    server.say(200, extra=[("Record-Route", "<sip:p1>")])
    ack = server.one()
    assert (ack.request_uri, ack.headers("route")) == ("sip:p1", ["<sip:as@127.0.0.9:5070>"])


def test_an_unanswered_call_is_cancelled_at_the_cap():
    """RFC 3261 9.1: the CANCEL has the INVITE's Via and number; 487 ends the call."""
    server = Calling()
    server.passes()
    server.say(183, body=SOUND)
    server.later(CAP)
    cancel = server.one()
    assert (cancel.method, cancel.request_uri) == ("CANCEL", CODE)
    assert (cancel.headers("via"), cancel.cseq) == (server.invite.headers("via"), server.invite.cseq)
    assert not cancel.to.tag
    server.answer(cancel)
    assert not server.call.over
    server.say(487)
    assert server.names() == ["ACK"]
    assert server.outcome == (True, 487, False, True, "phone")


def test_a_cancel_waits_for_a_provisional_response():
    """RFC 3261 9.1."""
    server = Calling()
    server.call.hang_up(server.now)
    assert server.sent() == []
    server.say(100)
    assert server.names() == ["CANCEL"]
    server.call.hang_up(server.now)
    assert server.sent() == []


def test_a_challenge_after_hanging_up_is_not_answered():
    server = Calling()
    server.call.hang_up(server.now)
    server.say(401, extra=[CHALLENGE])
    assert server.names() == ["ACK"]
    assert server.outcome == (True, 401, False, False, "phone")


def test_an_answer_that_crosses_the_cancel_is_hung_up():
    """RFC 3261 9.1."""
    media = Media()
    server = Calling(media)
    server.say(180)
    server.call.hang_up(server.now)
    assert server.names() == ["CANCEL"]
    server.say(200, body=SOUND)
    ack, bye = server.sent()
    assert (ack.method, bye.method, bye.to.tag) == ("ACK", "BYE", "srv")
    assert media.told == ["stop"]
    server.answer(bye)
    assert server.outcome == (True, 200, True, False, "phone")
    assert media.told == ["stop", "stop"]


def test_a_cancel_without_any_answer_ends_after_64_t1_and_a_late_answer_is_hung_up():
    """RFC 3261 9.1."""
    server = Calling()
    server.say(180)
    server.call.hang_up(server.now)
    server.later(31.9)
    assert not server.call.over
    server.later(0.1)
    assert server.outcome == (True, 408, False, False, "phone")
    server.sent()
    server.say(200)
    assert server.names() == ["ACK", "BYE"]


def test_no_answer_at_all():
    """RFC 3261 17.1.1.2, Timer B."""
    server = Calling()
    server.call.cap = 100.0
    while server.phone.deadline() is not None:
        server.later(max(0.0, server.phone.deadline() - server.now))
    assert server.now == 132
    assert server.outcome == (True, 408, False, False, "")


def test_a_bye_nobody_answers_ends_the_call_all_the_same():
    """RFC 3261 17.1.2.2, Timer F."""
    server = Calling()
    server.answered()
    server.call.hang_up(server.now)
    server.later(32)
    assert server.outcome == (True, 200, True, False, "phone")


def test_a_lost_connection_ends_a_call_that_is_not_answered():
    server = Calling()
    server.say(180)
    server.phone.flow_lost(None, "reset", server.now)
    assert server.outcome == (True, 408, False, False, "")
