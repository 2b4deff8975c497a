"""What happens inside a call that the phone made: repeats, forks, refreshes, PRACK, sound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featuresync.sip.sdp import Audio

from .calls import CAP, HELD, ROUTES, SOUND, Calling, Media
from .server_side import CHALLENGE

# -- inside the call ----------------------------------------------------------------------------------


def test_a_repeated_200_is_acknowledged_again():
    """RFC 3261 13.2.2.4: also when the call is over."""
    server = Calling()
    server.answered()
    server.say(200, body=SOUND)
    assert server.names() == ["ACK"]
    server.ask("BYE")
    server.say(200, body=SOUND)
    assert server.names() == ["ACK"]
    assert server.call.over


def test_another_fork_that_answers_is_hung_up_and_the_first_stays():
    """RFC 3261 13.2.2.4."""
    server = Calling()
    server.answered()
    server.say(200, body=SOUND, tag="other")
    ack, bye = server.sent()
    assert (ack.to.tag, bye.method, bye.to.tag) == ("other", "BYE", "other")
    server.answer(bye)
    assert not server.call.over


def test_a_bye_with_an_old_cseq_ends_nothing():
    """RFC 3261 12.2.2."""
    server = Calling()
    server.answered()
    assert [answer.status for answer in server.ask("INFO", cseq=5)] == [200]
    assert [answer.status for answer in server.ask("BYE", cseq=4)] == [500]
    assert not server.call.over
    assert [answer.status for answer in server.ask("BYE", cseq=6)] == [200]
    assert server.call.over


def test_byes_that_cross():
    server = Calling()
    server.answered()
    server.call.hang_up(server.now)
    bye = server.one()
    assert [answer.status for answer in server.ask("BYE")] == [200]
    assert server.outcome == (True, 200, True, False, "phone")
    server.answer(bye, 481, "Gone")
    assert server.call.ended_by == "phone"


@pytest.mark.parametrize(
    ("method", "body", "status", "gets_sdp"),
    [
        ("OPTIONS", b"", 200, False),
        ("INFO", b"x", 200, False),
        ("UPDATE", b"", 200, False),
        ("UPDATE", SOUND, 200, True),
        ("UPDATE", SOUND.replace(b"0 8 101", b"8 0"), 200, True),
        ("UPDATE", SOUND.replace(b"4000", b"4004"), 488, False),
        ("UPDATE", HELD, 488, False),
        ("INVITE", b"", 200, True),
        ("INVITE", SOUND, 200, True),
        ("INVITE", b"junk", 488, False),
        ("REFER", b"", 405, False),
    ],
)
def test_requests_inside_the_call(method, body, status, gets_sdp):
    """RFC 4028 7.4, RFC 3311 5.2: a refresh of the session is accepted, a change of the sound is not."""
    server = Calling()
    server.answered()
    (answer,) = server.ask(method, body=body)
    assert answer.status == status
    assert (answer.media_type, answer.body) == (
        ("application/sdp", server.invite.body) if gets_sdp else ("", b"")
    )
    assert "UPDATE" in answer.headers("allow")
    assert answer.has("contact") is (status == 200 and method in ("INVITE", "UPDATE"))
    assert not server.call.over


def test_sdp_under_another_type_is_no_refresh():
    server = Calling()
    server.answered()
    (answer,) = server.ask("UPDATE", body=SOUND, content_type="text/plain")
    assert answer.status == 488


def test_the_answer_to_a_reinvite_is_repeated_until_its_ack():
    """RFC 3261 13.3.1.4."""
    server = Calling()
    server.answered()
    (answer,) = server.ask("INVITE", cseq=7)
    server.later(0.5)
    assert [again.raw for again in server.sent()] == [answer.raw]
    assert server.ask("ACK", cseq=6) == []
    server.later(1.0)
    assert [again.raw for again in server.sent()] == [answer.raw]
    assert server.ask("ACK", cseq=7) == []
    server.later(20)
    assert server.sent() == []


def test_a_reinvite_without_ack_does_not_make_us_hang_up():
    server = Calling()
    server.call.cap = 100.0
    server.answered()
    server.ask("INVITE")
    server.later(32)
    server.sent()
    server.later(1)
    assert server.sent() == []
    assert not server.call.over


def test_requests_of_no_call_are_refused():
    """RFC 3261 12.2.2."""
    server = Calling()
    server.answered()
    assert [answer.status for answer in server.ask("BYE", tag="other")] == [481]
    for method in ("BYE", "UPDATE", "INVITE"):
        assert [answer.status for answer in server.ask(method, call_id="other")] == [481]
    assert server.phone.calls.rung == []


# -- reliable provisional responses ---------------------------------------------------------------------


def test_100rel_is_offered_only_when_the_call_says_so():
    assert Calling(reliable_provisional=True).invite.headers("supported") == ["100rel"]
    assert not Calling().invite.has("supported")


def test_prack_then_update_then_answer():
    """RFC 3262 4, RFC 3311: as IMS cores do it. CSeq goes on from the PRACK, also when that is challenged."""
    server = Calling(reliable_provisional=True)
    server.passes()
    server.say(183, extra=[*ROUTES, ("Require", "100rel"), ("RSeq", "9021")], body=SOUND)
    prack = server.one()
    assert (prack.method, prack.cseq, prack.header("rack")) == ("PRACK", 3, "9021 2 INVITE")
    assert (prack.request_uri, prack.headers("route")) == (
        "sip:as@127.0.0.9:5070",
        ["<sip:p2;lr>", "<sip:p1;lr>"],
    )
    assert prack.has("authorization")
    server.answer(prack, 401, "Unauthorized", [("WWW-Authenticate", 'Digest realm="r", nonce="n3"')])
    again = server.one()
    assert (again.method, again.cseq, again.header("rack")) == ("PRACK", 4, "9021 2 INVITE")
    server.answer(again)
    assert [answer.status for answer in server.ask("UPDATE", cseq=10, body=SOUND)] == [200]
    server.say(200)
    assert server.one().header("cseq") == "2 ACK"
    assert server.call.audio == Audio("127.0.0.9", 4000, 0, True, True)
    assert [answer.status for answer in server.ask("BYE", cseq=10)] == [500]
    server.call.hang_up(server.now)
    assert server.one().header("cseq") == "5 BYE"


# -- sound -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provisional", "answer", "told"),
    [
        (b"", SOUND, [(("127.0.0.9", 4000), 0)]),
        (b"", SOUND.replace(b"sendrecv", b"sendonly"), ["stop"]),
        (b"", b"", []),
        (SOUND, b"", [(("127.0.0.9", 4000), 0)]),
        (SOUND, HELD, [(("127.0.0.9", 4000), 0), "stop"]),
    ],
)
def test_silence_goes_where_the_server_wants_it(provisional, answer, told):
    media = Media()
    server = Calling(media)
    server.say(183, body=provisional)
    server.say(200, body=answer)
    assert media.told == told


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["say", "ask", "later", "hang up", "bye answered"]),
            st.sampled_from([100, 180, 183, 200, 401, 407, 480, 487, 700]),
            st.sampled_from(["INVITE", "ACK", "UPDATE", "INFO", "BYE", "PRACK", "OPTIONS"]),
            st.sampled_from([b"", SOUND, HELD]) | st.binary(max_size=60),
            st.floats(0, 20),
            st.integers(0, 5),
        ),
        max_size=25,
    )
)
@settings(max_examples=150, deadline=None)
def test_no_order_of_messages_and_time_raises_or_lasts_for_ever(steps):
    server = Calling(Media(), reliable_provisional=True)
    byes = []
    for what, status, method, body, seconds, number in steps:
        if what == "say":
            server.say(status, extra=[CHALLENGE, ("Require", "100rel"), ("RSeq", str(number))], body=body)
        elif what == "ask":
            server.ask(method, cseq=number, body=body)
        elif what == "later":
            server.later(seconds)
        elif what == "hang up":
            server.call.hang_up(server.now)
        elif byes:
            server.answer(byes[-1])
        byes += [message for message in server.sent() if message.method == "BYE" and message.is_request]
    while not server.call.over:
        server.later(max(0.0, server.phone.deadline() - server.now))
        assert server.now < 100 + 20 * 25 + CAP + 200
