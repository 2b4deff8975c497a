import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specimen import request, response

from featuresync.sip.message import Message
from featuresync.sip.timers import Timers
from featuresync.sip.transaction import (
    NoAck,
    RequestReceived,
    ResponseReceived,
    Send,
    StrayResponse,
    Transactions,
    TransactionTimedOut,
    ack_of_refusal,
)

FLOW = ("192.0.2.1", 5060)
OTHER = ("192.0.2.99", 5060)


def run(transactions, until):
    """Tick at every deadline up to ``until``: (time, Send) and (time, event), in order."""
    sends, events = [], []
    while (due := transactions.deadline()) is not None and due <= until:
        transactions.tick(due)
        new_sends, new_events = transactions.drain()
        sends += [(due, send) for send in new_sends]
        events += [(due, event) for event in new_events]
    return sends, events


def started(method, reliable=False):
    transactions, message = Transactions(), request(method)
    key = transactions.send(message.raw, FLOW, reliable, 0.0)
    assert transactions.drain() == ([Send(message.raw, FLOW)], [])
    return transactions, message, key


def received(method, reliable=False):
    transactions, message = Transactions(), request(method)
    transactions.receive(message, FLOW, reliable, 0.0)
    assert transactions.drain() == ([], [RequestReceived(message, FLOW)])
    return transactions, message


def given_response(transactions, message, now, flow=FLOW):
    transactions.receive(message, flow, False, now)
    return transactions.drain()


def assert_gone(transactions):
    assert transactions.deadline() is None
    assert len(transactions) == 0


# -- non-INVITE client ----------------------------------------------------------------------------


def test_request_is_repeated_at_doubling_times_up_to_t2_then_given_up():
    """RFC 3261 17.1.2.2: Timer E 0.5, 1, 2, 4, 4 ... s; Timer F 32 s."""
    transactions, message, key = started("SUBSCRIBE")
    sends, events = run(transactions, 100)
    assert [at for at, _ in sends] == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert {send for _, send in sends} == {Send(message.raw, FLOW)}
    assert [at for at, _ in events] == [32.0]
    assert isinstance(events[0][1], TransactionTimedOut)
    assert (events[0][1].key, events[0][1].request.raw) == (key, message.raw)
    assert_gone(transactions)


def test_provisional_makes_the_repeats_come_every_t2():
    """RFC 3261 17.1.2.2: in Proceeding, Timer E is reset to T2; Timer F goes on."""
    transactions, message, _ = started("SUBSCRIBE")
    given_response(transactions, response(message, 100), 0.1)
    sends, events = run(transactions, 100)
    assert [at for at, _ in sends] == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert [at for at, _ in events] == [32.0]


@pytest.mark.parametrize("status", [200, 202, 302, 401, 489, 503, 603])
def test_final_response_is_delivered_once_and_stops_the_repeats(status):
    """RFC 3261 17.1.2.2: Completed buffers copies for Timer K, 5 s."""
    transactions, message, key = started("SUBSCRIBE")
    final = response(message, status)
    sends, events = given_response(transactions, final, 0.7)
    assert (sends, [(e.key, e.message) for e in events]) == ([], [(key, final)])
    assert given_response(transactions, Message(final.raw), 1.0) == ([], [])
    assert transactions.deadline() == 5.7
    assert run(transactions, 100) == ([], [])
    assert_gone(transactions)


def test_reliable_client_repeats_nothing_and_ends_with_the_response():
    """RFC 3261 17.1.2.2: no Timer E, Timer K zero; Timer F stays."""
    transactions, message, _ = started("SUBSCRIBE", reliable=True)
    assert transactions.deadline() == 32.0
    given_response(transactions, response(message, 200), 1.0)
    assert_gone(transactions)


def test_a_late_tick_repeats_once_and_not_for_every_time_missed():
    transactions, message, _ = started("SUBSCRIBE")
    transactions.tick(20.0)
    assert transactions.drain() == ([Send(message.raw, FLOW)], [])
    assert transactions.deadline() == 21.0


# -- INVITE client --------------------------------------------------------------------------------


def test_invite_is_repeated_at_doubling_times_without_limit():
    """RFC 3261 17.1.1.2: Timer A doubles and is not held at T2; Timer B 32 s."""
    transactions, _, key = started("INVITE")
    sends, events = run(transactions, 100)
    assert [at for at, _ in sends] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert [(at, type(event), event.key) for at, event in events] == [(32.0, TransactionTimedOut, key)]
    assert_gone(transactions)


def test_provisional_ends_the_repeats_of_invite():
    """RFC 3261 17.1.1.2: no retransmission in Proceeding. Then only our own Timer C bounds the wait."""
    transactions, message, _ = started("INVITE")
    _, events = given_response(transactions, response(message, 180), 0.2)
    assert [event.message.status for event in events] == [180]
    sends, events = run(transactions, 1000)
    assert (sends, [at for at, _ in events]) == ([], [180.2])
    assert_gone(transactions)


def test_the_same_provisional_is_delivered_once_and_another_is_new():
    transactions, message, _ = started("INVITE")
    ringing, progress = response(message, 180), response(message, 183)
    seen = [e for m in (ringing, ringing, progress, progress) for e in given_response(transactions, m, 1)[1]]
    assert [event.message.status for event in seen] == [180, 183]


def test_refusal_is_acknowledged_each_time_and_delivered_once():
    """RFC 3261 17.1.1.2: ACK for every copy of the 3xx-6xx, Timer D 32 s."""
    transactions, message, _ = started("INVITE")
    busy = response(message, 486)
    ack = Send(ack_of_refusal(message, busy), FLOW)
    sends, events = given_response(transactions, busy, 1.0)
    assert (sends, [event.message for event in events]) == ([ack], [busy])
    assert given_response(transactions, Message(busy.raw), 1.5) == ([ack], [])
    assert transactions.deadline() == 33.0
    assert run(transactions, 100) == ([], [])
    assert_gone(transactions)


def test_the_ack_of_a_refusal_is_the_invite_with_the_to_of_the_response():
    """RFC 3261 17.1.1.3: top Via alone, Request-URI, Call-ID, From, CSeq number, Route; To's tag."""
    invite = request(
        "INVITE",
        cseq=7,
        headers=[("Via", "SIP/2.0/UDP lower;branch=z9hG4bKlow"), ("Route", "<sip:p1;lr>,<sip:p2;lr>")],
    )
    ack = Message(ack_of_refusal(invite, response(invite, 486, tag="s9")))
    assert ack.start_line == "ACK sip:2001@as.example.net SIP/2.0"
    assert ack.headers("via") == ["SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1"]
    assert (ack.header("from"), ack.call_id, ack.header("cseq")) == (
        invite.header("from"),
        invite.call_id,
        "7 ACK",
    )
    assert ack.to.tag == "s9"
    assert ack.headers("route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert ack.problems == ()


def test_every_2xx_to_invite_is_delivered_and_none_acknowledged_here():
    """RFC 6026 7.2: Accepted passes each 2xx up for Timer M, 64*T1; the user sends the ACK."""
    transactions, message, _ = started("INVITE")
    for now in (1.0, 1.5, 2.5):
        sends, events = given_response(transactions, response(message, 200), now)
        assert (sends, [event.message.status for event in events]) == ([], [200])
    assert transactions.deadline() == 33.0
    assert run(transactions, 100) == ([], [])
    assert_gone(transactions)


def test_reliable_invite_ends_at_once_on_refusal_and_keeps_accepted():
    """RFC 3261 17.1.1.2: Timer D zero. RFC 6026 8.6: Timer M runs on every transport."""
    transactions, message, _ = started("INVITE", reliable=True)
    sends, _ = given_response(transactions, response(message, 486), 1.0)
    assert len(sends) == 1
    assert_gone(transactions)
    transactions, message, _ = started("INVITE", reliable=True)
    given_response(transactions, response(message, 200), 1.0)
    assert transactions.deadline() == 33.0


def test_an_ack_is_sent_without_a_transaction():
    """RFC 3261 17: the ACK of a 2xx is no transaction."""
    transactions, ack = Transactions(), request("ACK")
    assert transactions.send(ack.raw, FLOW, False, 0.0) == ""
    assert transactions.drain() == ([Send(ack.raw, FLOW)], [])
    assert_gone(transactions)


# -- non-INVITE server ----------------------------------------------------------------------------


def test_a_repeated_request_is_absorbed_until_answered_then_gets_the_same_bytes():
    """RFC 3261 17.2.2: Trying absorbs, Proceeding and Completed repeat the last response; Timer J 32 s."""
    transactions, message = received("NOTIFY")
    assert given_response(transactions, message, 0.5) == ([], [])
    trying, final = response(message, 100).raw, response(message, 200).raw
    assert transactions.respond(message, trying, 1.0)
    assert transactions.drain() == ([Send(trying, FLOW)], [])
    assert given_response(transactions, message, 1.5) == ([Send(trying, FLOW)], [])
    assert transactions.respond(message, final, 2.0)
    assert transactions.drain() == ([Send(final, FLOW)], [])
    assert given_response(transactions, message, 3.5) == ([Send(final, FLOW)], [])
    assert transactions.deadline() == 34.0
    assert run(transactions, 33.99) == ([], [])
    assert len(transactions) == 1
    run(transactions, 34)
    assert_gone(transactions)


def test_a_second_final_response_is_not_sent():
    """RFC 3261 17.2.2: any other final response of the user is discarded in Completed."""
    transactions, message = received("NOTIFY")
    assert transactions.respond(message, response(message, 200).raw, 1.0)
    transactions.drain()
    assert not transactions.respond(message, response(message, 481).raw, 1.1)
    assert transactions.drain() == ([], [])


def test_the_response_goes_where_the_request_came_from():
    transactions, message = received("NOTIFY")
    transactions.receive(message, OTHER, False, 0.5)
    transactions.respond(message, response(message, 200).raw, 1.0)
    assert [send.flow for send in transactions.drain()[0]] == [FLOW]


def test_reliable_server_ends_with_its_answer():
    """RFC 3261 17.2.2: Timer J zero."""
    transactions, message = received("NOTIFY", reliable=True)
    transactions.respond(message, response(message, 200).raw, 1.0)
    assert_gone(transactions)


def test_an_unanswered_request_is_forgotten_with_the_clients_timer_f():
    transactions, message = received("NOTIFY")
    assert run(transactions, 32) == ([], [])
    assert_gone(transactions)
    assert not transactions.respond(message, response(message, 200).raw, 33.0)
    assert transactions.drain() == ([], [])


# -- INVITE server --------------------------------------------------------------------------------


def test_refusal_of_invite_is_repeated_until_acknowledged():
    """RFC 3261 17.2.1: Timer G 0.5, 1, 2, 4, 4 ... s; after the ACK Timer I 5 s; the ACK stays inside."""
    transactions, invite = received("INVITE")
    busy = response(invite, 486)
    transactions.respond(invite, busy.raw, 0.0)
    transactions.drain()
    sends, _ = run(transactions, 12)
    assert [(at, send.data) for at, send in sends] == [(at, busy.raw) for at in (0.5, 1.5, 3.5, 7.5, 11.5)]
    ack = Message(ack_of_refusal(invite, busy))
    assert given_response(transactions, ack, 13.0) == ([], [])
    assert given_response(transactions, ack, 13.1) == ([], [])
    assert transactions.deadline() == 18.0
    assert run(transactions, 100) == ([], [])
    assert_gone(transactions)


@pytest.mark.parametrize("reliable", [False, True])
def test_refusal_never_acknowledged_is_reported(reliable):
    """RFC 3261 17.2.1: Timer H 32 s on every transport, Timer G on unreliable ones only."""
    transactions, invite = received("INVITE", reliable)
    transactions.respond(invite, response(invite, 486).raw, 0.0)
    transactions.drain()
    sends, events = run(transactions, 100)
    assert len(sends) == (0 if reliable else 10)
    assert events == [(32.0, NoAck(invite))]
    assert_gone(transactions)


def test_repeated_invite_gets_the_last_response_again():
    """RFC 3261 17.2.1: in Proceeding and in Completed."""
    transactions, invite = received("INVITE")
    assert given_response(transactions, invite, 0.1) == ([], [])
    for status in (180, 486):
        data = response(invite, status).raw
        transactions.respond(invite, data, 0.2)
        transactions.drain()
        assert given_response(transactions, invite, 0.3) == ([Send(data, FLOW)], [])


def test_accepted_invite_absorbs_copies_and_hands_the_ack_up():
    """RFC 6026 7.1: Accepted lasts Timer L; the user repeats the 2xx; ACKs reach the user."""
    transactions, invite = received("INVITE")
    answer = response(invite, 200).raw
    for now in (1.0, 1.5):
        assert transactions.respond(invite, answer, now)
        assert transactions.drain() == ([Send(answer, FLOW)], [])
    assert given_response(transactions, invite, 2.0) == ([], [])
    for branch in ("z9hG4bKa1", "z9hG4bKother"):
        ack = request("ACK", branch=branch, to_tag="s1")
        assert given_response(transactions, ack, 3.0) == ([], [RequestReceived(ack, FLOW)])
    assert transactions.deadline() == 33.0
    assert run(transactions, 100) == ([], [])
    assert_gone(transactions)


def test_an_invite_that_rings_for_ever_is_forgotten():
    transactions, invite = received("INVITE")
    transactions.respond(invite, response(invite, 180).raw, 0.0)
    transactions.drain()
    assert run(transactions, 180) == ([], [])
    assert_gone(transactions)


# -- matching -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", [{"branch": "z9hG4bKa2"}, {"sent_by": "192.0.2.11:5060"}, {"method": "CANCEL"}], ids=str
)
def test_branch_sent_by_and_method_each_make_a_new_server_transaction(change):
    """RFC 3261 17.2.3."""
    transactions, _ = received("INVITE")
    other = request(**{"method": "INVITE", **change})
    assert given_response(transactions, other, 0.1) == ([], [RequestReceived(other, FLOW)])
    assert len(transactions) == 2


@pytest.mark.parametrize(
    "change", [{"call_id": "c2"}, {"cseq": 2}, {"from_tag": "p2"}, {"branch": "2"}, {"sent_by": "x"}], ids=str
)
def test_without_the_magic_cookie_the_fields_of_rfc_2543_match(change):
    """RFC 3261 17.2.3: From tag, Call-ID, CSeq and top Via."""
    transactions, old = Transactions(), {"method": "INVITE", "branch": "1"}
    transactions.receive(request(**old), FLOW, False, 0.0)
    transactions.drain()
    assert given_response(transactions, request(**old), 0.1) == ([], [])
    ack = request("ACK", branch="1", to_tag="s1")
    assert given_response(transactions, ack, 0.1) == ([], [])
    other = request(**{**old, **change})
    assert given_response(transactions, other, 0.2) == ([], [RequestReceived(other, FLOW)])


@pytest.mark.parametrize("change", [{"branch": "z9hG4bKa2"}, {"method": "OPTIONS"}], ids=str)
def test_a_response_needs_branch_and_method(change):
    """RFC 3261 17.1.3."""
    transactions, _, _ = started("SUBSCRIBE")
    stray = response(request(**{"method": "SUBSCRIBE", **change}), 200)
    assert given_response(transactions, stray, 0.1, OTHER) == ([], [StrayResponse(stray, OTHER)])
    assert len(transactions) == 1


@pytest.mark.parametrize("line", [b"SIP/2.0 20x OK", b"SIP/2.0 99 Low", b"SIP/2.0 700 High", b"SIP/2.0"])
def test_an_impossible_status_is_a_stray_response(line):
    transactions, message, _ = started("SUBSCRIBE")
    wrong = Message(response(message, 200).raw.replace(b"SIP/2.0 200 Said", line))
    assert given_response(transactions, wrong, 0.1) == ([], [StrayResponse(wrong, FLOW)])
    assert len(transactions) == 1


def test_a_request_of_ours_without_branch_still_meets_its_response():
    """A tester sends wrong requests too."""
    transactions, message = Transactions(), Message(request().raw.replace(b";branch=z9hG4bKa1", b""))
    key = transactions.send(message.raw, FLOW, False, 0.0)
    _, events = given_response(transactions, response(message, 400), 0.1)
    assert [(type(e), e.key) for e in events] == [(ResponseReceived, key)]


def test_a_branch_used_again_takes_over_and_leaves_nothing_behind():
    transactions, message, key = started("SUBSCRIBE")
    assert transactions.send(message.raw, FLOW, False, 1.0) == key
    transactions.drain()
    _, events = run(transactions, 100)
    assert [at for at, _ in events] == [33.0]
    assert_gone(transactions)


# -- any order ------------------------------------------------------------------------------------

_METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "SUBSCRIBE", "NOTIFY", "")
_requests = st.builds(
    request,
    st.sampled_from(_METHODS),
    branch=st.sampled_from(["z9hG4bKa", "z9hG4bKb", "old", ""]),
    cseq=st.sampled_from([1, 2, "x"]),
)
_statuses = st.sampled_from([0, 99, 100, 180, 183, 200, 202, 302, 401, 486, 603, 700])
_steps = st.lists(
    st.tuples(
        st.sampled_from(["send", "receive", "answered", "respond", "tick", "noise"]),
        _requests,
        _statuses,
        st.booleans(),
        st.floats(0, 40),
        st.binary(max_size=60),
    ),
    max_size=40,
)


@given(_steps)
@settings(max_examples=200, deadline=None)
def test_no_order_of_messages_and_time_raises_or_leaves_anything(steps):
    """At most one transaction per message, a bounded timer queue, and nothing after every timer."""
    transactions, now = Transactions(Timers()), 0.0
    for number, (what, message, status, reliable, wait, noise) in enumerate(steps, 1):
        if what == "send":
            transactions.send(message.raw, FLOW, reliable, now)
        elif what == "receive":
            transactions.receive(message, FLOW, reliable, now)
        elif what == "answered":
            transactions.receive(response(message, status), FLOW, reliable, now)
        elif what == "respond":
            transactions.respond(message, response(message, status).raw, now)
        elif what == "noise":
            transactions.receive(Message(noise), FLOW, reliable, now)
        else:
            now += wait
            transactions.tick(now)
            due = transactions.deadline()
            assert due is None or due > now
        assert len(transactions) <= number
        assert len(transactions._queue) <= 64 + 4 * number
    transactions.drain()
    sends, events = run(transactions, now + 1000)
    assert len(sends) <= 11 * len(steps)
    assert len(events) <= len(steps)
    assert_gone(transactions)


def test_finished_transactions_do_not_pile_up_in_the_timer_queue():
    transactions = Transactions()
    for number in range(5000):
        message = request("SUBSCRIBE", branch=f"z9hG4bK{number}")
        transactions.send(message.raw, FLOW, True, 0.0)
        transactions.receive(response(message, 200), FLOW, True, 0.0)
    assert len(transactions._queue) <= 65
    assert len(transactions) == 0
