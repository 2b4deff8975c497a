import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specimen import request, response, sent

from featuresync.sip.call import MOST_FORKS, CallState, IncomingCall, OutgoingCall
from featuresync.sip.message import Draft, Message

CALLING, RINGING, ANSWERED, ENDED = CallState
PEER = ("Contact", "<sip:1002@192.0.2.20>")


def read(draft):
    return Message(Draft(draft.start_line, list(draft.headers), draft.body).encode())


def lines(drafts):
    return [read(draft).start_line for draft in drafts]


def outgoing():
    return OutgoingCall(request("INVITE", uri="sip:1002@as.example.net", headers=[("Route", "<sip:p;lr>")]))


def give(call, status, *, tag="s1", **fields):
    headers = [PEER] if 100 < status < 300 else fields.pop("headers", [])
    return call.on_response(response(call.invite, status, tag=tag, headers=headers, **fields))


def answered():
    call = outgoing()
    give(call, 200)
    return call


def incoming(**fields):
    return IncomingCall(request("INVITE", headers=[PEER], **fields), "l1", "<sip:2001@192.0.2.10>")


def from_peer(method, cseq=2, from_tag="s1", to_tag="p1", branch="z9hG4bKx"):
    return request(method, cseq=cseq, from_tag=from_tag, to_tag=to_tag, branch=branch)


# -- outgoing -------------------------------------------------------------------------------------


def test_ringing_then_answered_is_acknowledged_in_the_dialog():
    """RFC 3261 13.2.2.4: the ACK goes to the Contact, with the INVITE's CSeq number."""
    call = outgoing()
    assert give(call, 100) == []
    assert call.state is CALLING
    assert give(call, 180) == []
    assert (call.state, call.status) == (RINGING, 180)
    (ack,) = give(call, 200)
    ack = sent(ack)
    assert ack.start_line == "ACK sip:1002@192.0.2.20 SIP/2.0"
    assert (ack.header("cseq"), ack.to.tag, ack.problems) == ("1 ACK", "s1", ())
    assert (call.state, call.status) == (ANSWERED, 200)


def test_a_repeated_2xx_is_acknowledged_again():
    """RFC 3261 13.2.2.4: each time it arrives, also after we hung up."""
    call = answered()
    first, second = give(call, 200), give(call, 200)
    assert lines(first) == lines(second) == ["ACK sip:1002@192.0.2.20 SIP/2.0"]
    call.bye()
    assert lines(give(call, 200)) == lines(first)
    assert call.state is ENDED


@pytest.mark.parametrize("status", [403, 408, 480, 486, 487, 503, 603])
def test_a_refusal_ends_the_call_without_an_ack_of_ours(status):
    """RFC 3261 17.1.1.3: that ACK is the transaction's."""
    call = outgoing()
    assert give(call, status) == []
    assert (call.state, call.status, call.redirect, call.bye()) == (ENDED, status, "", None)


def test_a_redirect_names_its_target():
    """RFC 3261 21.3."""
    call = outgoing()
    give(call, 302, headers=[("Contact", "<sip:1009@as.example.net>;q=1")])
    assert (call.state, call.redirect) == (ENDED, "sip:1009@as.example.net")


def test_no_answer_at_all_counts_as_408():
    call = outgoing()
    call.on_timeout()
    assert (call.state, call.status) == (ENDED, 408)
    call = answered()
    call.on_timeout()
    assert call.state is ANSWERED


def test_we_hang_up_with_the_next_cseq():
    """RFC 3261 15.1.1."""
    call = answered()
    bye = read(call.bye())
    assert (bye.start_line, bye.header("cseq")) == ("BYE sip:1002@192.0.2.20 SIP/2.0", "2 BYE")
    assert (call.state, call.bye()) == (ENDED, None)


def test_the_peer_hangs_up():
    """RFC 3261 15.1.2."""
    call = answered()
    assert call.on_request(from_peer("BYE")) == 200
    assert (call.state, call.bye()) == (ENDED, None)


def test_byes_that_cross_are_both_answered():
    call = answered()
    call.bye()
    assert call.on_request(from_peer("BYE")) == 200


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (from_peer("BYE", to_tag="x"), 481),
        (from_peer("ACK"), 0),
        (from_peer("ACK", to_tag="x"), 0),
        (from_peer("INVITE"), 488),
        (from_peer("UPDATE"), 488),
        (from_peer("INFO"), 200),
        (from_peer("OPTIONS"), 200),
        (from_peer("REFER"), 405),
        (from_peer("BYE", cseq="x"), 500),
    ],
)
def test_the_answer_to_a_request_inside_the_call(message, status):
    """RFC 3261 12.2.2, 14.2."""
    call = answered()
    assert call.on_request(message) == status
    assert call.state is ANSWERED


def test_after_the_end_only_bye_is_of_the_call():
    call = answered()
    call.bye()
    assert call.on_request(from_peer("INFO")) == 481


def test_cancel_waits_for_a_provisional_and_copies_the_invite():
    """RFC 3261 9.1."""
    call = outgoing()
    assert call.cancel() == []
    (cancel,) = give(call, 100)
    cancel = read(cancel)
    assert cancel.start_line == "CANCEL sip:1002@as.example.net SIP/2.0"
    assert cancel.headers("via") == call.invite.headers("via")[:1]
    assert (cancel.header("from"), cancel.header("to")) == (
        call.invite.header("from"),
        call.invite.header("to"),
    )
    assert (cancel.call_id, cancel.header("cseq")) == (call.invite.call_id, "1 CANCEL")
    assert (cancel.header("route"), cancel.problems) == ("<sip:p;lr>", ())
    assert give(call, 180) == call.cancel() == []
    give(call, 487)
    assert (call.state, call.status) == (ENDED, 487)


def test_cancel_of_a_ringing_call_goes_at_once():
    call = outgoing()
    give(call, 180)
    assert lines(call.cancel()) == ["CANCEL sip:1002@as.example.net SIP/2.0"]


def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up():
    """RFC 3261 9.1, 15: the call was made; end it with BYE."""
    call = outgoing()
    give(call, 180)
    call.cancel()
    assert [line.split()[0] for line in lines(give(call, 200))] == ["ACK", "BYE"]
    assert (call.state, call.cancel()) == (ENDED, [])


def test_an_answer_after_the_time_out_is_hung_up():
    call = outgoing()
    call.on_timeout()
    assert [line.split()[0] for line in lines(give(call, 200))] == ["ACK", "BYE"]


def test_a_second_fork_that_answers_is_hung_up_and_the_first_stays():
    """RFC 3261 13.2.2.4."""
    call = answered()
    ack, bye = (read(draft) for draft in give(call, 200, tag="s2"))
    assert (ack.to.tag, bye.to.tag, bye.method) == ("s2", "s2", "BYE")
    assert (call.state, call.dialog.remote_tag) == (ANSWERED, "s1")


def test_a_retry_with_credentials_is_a_new_invite():
    call = outgoing()
    give(call, 407)
    call.on_sent(request("INVITE", cseq=2, branch="z9hG4bKa2"))
    (ack,) = give(call, 200)
    assert read(ack).header("cseq") == "2 ACK"
    assert call.state is ANSWERED


def test_the_ack_carries_the_credentials_of_its_invite():
    """RFC 3261 13.2.2.4, 22.1."""
    credentials = [("Authorization", 'Digest username="a"'), ("Proxy-Authorization", 'Digest username="b"')]
    call = OutgoingCall(request("INVITE", headers=credentials))
    (ack,) = give(call, 200)
    assert [pair for pair in ack.headers if pair[0].endswith("Authorization")] == credentials


def test_a_retry_waits_for_its_own_provisional_before_it_is_cancelled():
    """RFC 3261 9.1: the 100 of the INVITE that was challenged allows nothing."""
    call = outgoing()
    give(call, 100)
    call.on_sent(request("INVITE", cseq=2, branch="z9hG4bKa2"))
    assert call.cancel() == []
    assert [read(draft).header("cseq") for draft in give(call, 100)] == ["2 CANCEL"]


def reliable(call, rseq, tag="s1", status=183, require="100rel"):
    headers = [PEER, ("Require", require), ("RSeq", str(rseq))]
    provisional = response(call.invite, status, tag=tag, headers=headers, record_route=["<sip:p2;lr>"])
    return [read(draft) for draft in call.on_response(provisional)]


def test_a_reliable_provisional_is_acknowledged_by_prack_in_its_dialog():
    """RFC 3262 4."""
    call = outgoing()
    (prack,) = reliable(call, 776)
    assert prack.start_line == "PRACK sip:1002@192.0.2.20 SIP/2.0"
    assert (prack.header("cseq"), prack.header("rack")) == ("2 PRACK", "776 1 INVITE")
    assert (prack.to.tag, prack.headers("route")) == ("s1", ["<sip:p2;lr>"])
    (ack,) = give(call, 200)
    assert read(ack).header("cseq") == "1 ACK"
    assert read(call.bye()).header("cseq") == "3 BYE"


def test_pracks_follow_the_order_of_rseq():
    """RFC 3262 4: neither again nor out of order; each fork counts for itself."""
    call = outgoing()
    assert len(reliable(call, 5)) == 1
    assert reliable(call, 5) == reliable(call, 7) == []
    assert [prack.header("rack") for prack in reliable(call, 6)] == ["6 1 INVITE"]
    assert [prack.to.tag for prack in reliable(call, 1, tag="s2")] == ["s2"]


@pytest.mark.parametrize(
    "wrong",
    [{"rseq": ""}, {"rseq": "x"}, {"rseq": "9" * 30}, {"require": "timer"}, {"tag": ""}, {"status": 100}],
    ids=str,
)
def test_what_is_not_reliable_gets_no_prack(wrong):
    assert reliable(outgoing(), **{"rseq": 1, **wrong}) == []


def test_only_so_many_forks_are_kept():
    call = outgoing()
    assert [len(reliable(call, 1, tag=f"s{number}")) for number in range(MOST_FORKS + 2)] == [
        *[1] * MOST_FORKS,
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("method", "refresh", "status"),
    [("UPDATE", True, 200), ("UPDATE", False, 488), ("INFO", False, 200), ("BYE", False, 481)],
)
def test_requests_before_the_answer(method, refresh, status):
    """RFC 3311 5.2; RFC 3261 15: the called side sends no BYE in an early dialog."""
    call = outgoing()
    give(call, 183)
    assert call.on_request(from_peer(method, cseq=9), refresh) == status
    assert call.on_request(from_peer(method, from_tag="other"), refresh) == 481
    assert call.state is RINGING
    give(call, 200)
    assert call.on_request(from_peer("INFO", cseq=8)) == (200 if status == 481 else 500)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_refresh_is_accepted_and_moves_the_target(method):
    """RFC 3261 12.2.2, RFC 4028 7.4."""
    call = answered()
    moved = [("Contact", "<sip:new@192.0.2.21>")]
    refresh = request(method, cseq=2, from_tag="s1", to_tag="p1", headers=moved)
    assert call.on_request(refresh, refresh=True) == 200
    assert read(call.bye()).request_uri == "sip:new@192.0.2.21"


# -- incoming -------------------------------------------------------------------------------------


def test_ringing_then_busy():
    """RFC 3261 13.3.1."""
    call = incoming()
    ringing = read(call.respond(180, "Ringing", 0.0))
    assert (ringing.status, ringing.to.tag, ringing.header("contact")) == (180, "l1", "<sip:2001@192.0.2.10>")
    assert call.state is RINGING
    busy = read(call.respond(486, "Busy Here", 1.0))
    assert (busy.status, busy.to.tag, busy.has("contact")) == (486, "l1", False)
    assert (call.state, call.status, call.deadline()) == (ENDED, 486, None)
    assert call.respond(200, "OK", 2.0) is None


def test_100_has_no_tag_and_makes_nothing_ring():
    """RFC 3261 8.2.6.2."""
    call = incoming()
    assert call.status == 0
    assert read(call.respond(100, "Trying", 0.0)).to.tag == ""
    assert call.state is CALLING


def test_a_redirect_carries_its_target():
    call = incoming()
    call.respond(300, "Multiple Choices", 0.0)
    assert call.state is ENDED
    moved = read(incoming().respond(302, "Moved", 0.0, [("Contact", "<sip:1009@as.example.net>")]))
    assert (moved.status, moved.headers("contact")) == (302, ["<sip:1009@as.example.net>"])


def test_the_2xx_is_repeated_until_its_ack():
    """RFC 3261 13.3.1.4: 0.5, 1, 2, 4, 4 ... s, on every transport."""
    call, times = incoming(), []
    answer = call.respond(200, "OK", 0.0, [("Content-Type", "application/sdp")], b"v=0")
    assert (read(answer).body, call.state) == (b"v=0", ANSWERED)
    while call.deadline() <= 12:
        times.append(call.deadline())
        assert call.tick(times[-1]) == [answer]
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5]
    assert call.on_request(from_peer("ACK", cseq=1, from_tag="p1", to_tag="l1")) == 0
    assert (call.acknowledged, call.deadline()) == (True, None)


@pytest.mark.parametrize("other", [{"cseq": 2}, {"to_tag": "x"}], ids=str)
def test_another_ack_does_not_count(other):
    call = incoming()
    call.respond(200, "OK", 0.0)
    call.on_request(from_peer("ACK", **{"cseq": 1, "from_tag": "p1", "to_tag": "l1", **other}))
    assert (call.acknowledged, call.deadline()) == (False, 0.5)


def test_without_an_ack_the_call_is_hung_up():
    """RFC 3261 13.3.1.4: after 64*T1 the dialog is confirmed but should be ended with BYE."""
    call, drafts = incoming(), []
    call.respond(200, "OK", 0.0)
    while (due := call.deadline()) is not None:
        drafts += [(due, line.split()[0]) for line in lines(call.tick(due))]
    assert drafts[-1] == (32.0, "BYE")
    assert [line for _, line in drafts[:-1]] == ["SIP/2.0"] * 10
    assert call.state is ENDED


def test_either_side_ends_an_answered_call():
    call = incoming()
    call.respond(200, "OK", 0.0)
    bye = read(call.bye())
    assert (bye.start_line, bye.header("cseq")) == ("BYE sip:1002@192.0.2.20 SIP/2.0", "1 BYE")
    assert (call.state, call.deadline()) == (ENDED, None)
    call = incoming()
    call.respond(200, "OK", 0.0)
    assert call.on_request(from_peer("BYE", from_tag="p1", to_tag="l1")) == 200
    assert (call.state, call.deadline(), call.bye()) == (ENDED, None, None)


def test_a_cancel_is_answered_and_the_invite_then_refused():
    """RFC 3261 9.2: matched like its INVITE; 200 to the CANCEL, 487 to the INVITE."""
    call = incoming()
    call.respond(180, "Ringing", 0.0)
    assert call.on_request(request("CANCEL")) == 200
    assert read(call.respond(487, "Request Terminated", 1.0)).status == 487
    assert call.state is ENDED


@pytest.mark.parametrize("other", [{"branch": "z9hG4bKb"}, {"cseq": 2}, {"call_id": "x"}], ids=str)
def test_a_cancel_of_another_request_is_refused(other):
    assert incoming().on_request(request("CANCEL", **other)) == 481


def test_before_the_answer_nothing_is_inside_the_call():
    assert incoming().on_request(from_peer("BYE", from_tag="p1", to_tag="l1")) == 481


# -- any order ------------------------------------------------------------------------------------

_steps = st.lists(
    st.tuples(
        st.sampled_from(["give", "request", "cancel", "bye", "respond", "tick", "timeout"]),
        st.sampled_from([0, 100, 180, 183, 200, 202, 302, 486, 487, 700]),
        st.sampled_from(["ACK", "BYE", "CANCEL", "INFO", "INVITE", ""]),
        st.sampled_from(["s1", "s2", ""]),
        st.floats(0, 40),
    ),
    max_size=30,
)


@given(_steps)
@settings(max_examples=200, deadline=None)
def test_no_order_of_messages_and_time_raises_or_rings_for_ever(steps):
    ours, theirs, now = outgoing(), incoming(), 0.0
    for what, status, method, tag, wait in steps:
        if what == "give":
            assert len(give(ours, status, tag=tag)) <= 2
        elif what == "request":
            ours.on_request(from_peer(method, from_tag=tag))
            theirs.on_request(from_peer(method, from_tag="p1", to_tag="l1"))
        elif what == "cancel":
            assert len(ours.cancel()) <= 1
        elif what == "bye":
            ours.bye()
            theirs.bye()
        elif what == "respond":
            theirs.respond(status, "Said", now)
        elif what == "timeout":
            ours.on_timeout()
        else:
            now += wait
            assert len(theirs.tick(now)) <= 1
    for _ in range(20):
        due = theirs.deadline()
        if due is not None:
            theirs.tick(max(now, due))
            now = max(now, due)
    assert theirs.deadline() is None
