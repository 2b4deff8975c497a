import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specimen import request, response, sent

from featuresync.sip.message import Message
from featuresync.sip.subscription import (
    Expired,
    NoNotify,
    RefreshDue,
    Subscriber,
    SubscriptionState,
    SubscriptionStateHeader,
)

PACKAGE = "as-feature-event"
NOTIFY_WAIT, PENDING, ACTIVE, TERMINATED = SubscriptionState
AS = ("Contact", "<sip:as@192.0.2.1>")


def subscribe(expires="3600", cseq=1, to_tag="", branch="z9hG4bKa1"):
    headers = [("Event", PACKAGE), ("Contact", "<sip:2001@192.0.2.10>")]
    headers += [("Expires", expires)] if expires is not None else []
    return request("SUBSCRIBE", cseq=cseq, to_tag=to_tag, branch=branch, headers=headers)


def notify(state="active;expires=3600", cseq=1, event=PACKAGE, from_tag="s1", to_tag="p1", call_id=None):
    headers = [AS, *([("Event", event)] if event is not None else [])]
    headers += [("Subscription-State", state)] if state is not None else []
    call = {} if call_id is None else {"call_id": call_id}
    return request("NOTIFY", cseq=cseq, from_tag=from_tag, to_tag=to_tag, headers=headers, **call)


def begun(expires="3600", **settings):
    machine = Subscriber(PACKAGE, **settings)
    machine.on_sent(subscribe(expires), 0.0)
    return machine


def accept(machine, expires="3600", status=200, now=0.0, tag="s1"):
    headers = [AS, *([("Expires", expires)] if expires is not None else [])]
    machine.on_response(response(machine._subscribe, status, tag=tag, headers=headers), now)


def active(expires="3600"):
    machine = begun(expires)
    accept(machine, expires)
    assert machine.on_notify(notify(f"active;expires={expires}"), 0.0) == 200
    return machine


def refreshed(machine, expires="3600", now=0.0):
    draft = machine.dialog.request("SUBSCRIBE", [("Expires", expires)])
    machine.on_sent(sent(draft), now)
    return machine


# -- the header -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("active;expires=600", (ACTIVE, 600, "", None)),
        ("pending;expires=0", (PENDING, 0, "", None)),
        ("terminated;reason=timeout", (TERMINATED, None, "timeout", None)),
        ("terminated;reason=probation;retry-after=30", (TERMINATED, None, "probation", 30)),
        ("Active ; Expires = 600", (ACTIVE, 600, "", None)),
        ("TERMINATED;REASON=Giveup", (TERMINATED, None, "giveup", None)),
        ("active;expires=60;x;y=1;z=\"a;b\"", (ACTIVE, 60, "", None)),
        ("active", (ACTIVE, None, "", None)),
        ("frozen;expires=5", (None, 5, "", None)),
    ],
)  # fmt: skip
def test_what_the_grammar_allows_is_read_without_problems(text, header):
    """RFC 6665 8.4; names without regard to case (RFC 3261 7.3.1), extensions allowed."""
    assert SubscriptionStateHeader.parse(text) == SubscriptionStateHeader(*header)


@pytest.mark.parametrize(
    ("text", "header", "problem"),
    [
        ("active, expires=600", (ACTIVE, 600, "", None), "not 'state"),
        ("active,expires=600;reason=x", (ACTIVE, 600, "x", None), "not 'state"),
        ("active;", (ACTIVE, None, "", None), "not 'state"),
        ("active;;expires=1", (ACTIVE, 1, "", None), "not 'state"),
        ("", (None, None, "", None), "not 'state"),
        (";expires=1", (None, 1, "", None), "not 'state"),
        ("active;expires=", (ACTIVE, None, "", None), "not 'state"),
        ("active;expires", (ACTIVE, None, "", None), "expires is no number"),
        ("active;expires=-1", (ACTIVE, None, "", None), "expires is no number"),
        ("active;expires=1.5", (ACTIVE, None, "", None), "expires is no number"),
        ("active;expires=99999999999", (ACTIVE, None, "", None), "expires is no number"),
        ("terminated;retry-after=x", (TERMINATED, None, "", None), "retry-after is no number"),
        ("active;expires=1;expires=2", (ACTIVE, 1, "", None), "parameter expires stands twice"),
        ("notify-wait", (None, None, "", None), None),
    ],
)
def test_breaches_are_read_leniently_and_listed(text, header, problem):
    """NO-04: RFC 6665 8.4 separates parameters by ``;``; a comma is understood, and reported."""
    found = SubscriptionStateHeader.parse(text)
    assert (found.state, found.expires, found.reason, found.retry_after) == header
    assert any(problem in text for text in found.problems) if problem else not found.problems


@given(st.text(max_size=80) | st.text('active;,expires= "\\=1x<>', max_size=80))
def test_no_header_text_raises(text):
    SubscriptionStateHeader.parse(text)


@pytest.mark.parametrize(
    "text", ["active;expires=600", "terminated;reason=probation;retry-after=30", "pending;expires=0"]
)
def test_the_header_is_written_as_it_is_read(text):
    assert str(SubscriptionStateHeader.parse(text)) == text


# -- starting -------------------------------------------------------------------------------------


def test_2xx_then_notify_makes_it_active():
    """RFC 6665 4.1.2.1: active only with a NOTIFY; 4.1.3: its expires is authoritative over the 2xx."""
    machine = begun()
    accept(machine, "3600")
    assert (machine.state, machine.expires_at) == (NOTIFY_WAIT, 3600)
    assert (machine.dialog.remote_tag, machine.dialog.remote_target) == ("s1", "sip:as@192.0.2.1")
    assert machine.on_notify(notify("active;expires=1000"), 0.5) == 200
    assert (machine.state, machine.expires_at, machine.refresh_at) == (ACTIVE, 1000.5, 936.5)
    assert machine.problems == []


def test_notify_may_overtake_the_2xx():
    """NO-09, RFC 6665 4.1.2.4: the NOTIFY makes the dialog."""
    machine = begun()
    assert machine.on_notify(notify(cseq=5), 0.1) == 200
    assert (machine.state, machine.dialog.remote_tag, machine.dialog.remote_cseq) == (ACTIVE, "s1", 5)
    assert machine.dialog.local_cseq == 1
    accept(machine, "3600", now=0.2)
    assert (machine.expires_at, machine.dialog.remote_cseq, machine.problems) == (3600.2, 5, [])


def test_a_notify_may_count_from_zero():
    """RFC 3261 8.1.1.5: any number below 2**31; never assume that NOTIFY starts at 1."""
    machine = begun()
    assert machine.on_notify(notify(cseq=0), 0.1) == 200


def test_202_is_treated_as_200():
    """RFC 6665 8.3.1."""
    machine = begun()
    accept(machine, status=202)
    assert machine.on_notify(notify(), 0.1) == 200
    assert machine.state is ACTIVE


def test_a_pending_subscription_becomes_active():
    machine = begun()
    accept(machine)
    machine.on_notify(notify("pending;expires=60"), 0.0)
    assert machine.state is PENDING
    machine.on_notify(notify("active;expires=50", cseq=2), 10.0)
    assert (machine.state, machine.expires_at) == (ACTIVE, 60)


def test_the_first_notify_decides_the_tag_and_the_difference_is_reported():
    """NO-02 broken; RFC 6665 4.4.1: it is the NOTIFY that makes the dialog."""
    machine = begun()
    accept(machine, tag="s1")
    assert machine.on_notify(notify(from_tag="s2"), 0.1) == 200
    assert machine.dialog.remote_tag == "s2"
    assert machine.problems == ["the first NOTIFY has another From tag than the 2xx's To tag"]
    assert machine.on_notify(notify(from_tag="s3", cseq=2), 0.1) == 481


def test_a_2xx_with_another_tag_than_the_notify_is_reported():
    machine = begun()
    machine.on_notify(notify(), 0.1)
    accept(machine, tag="s2", now=0.2)
    assert machine.dialog.remote_tag == "s1"
    assert machine.problems == ["the 2xx has another To tag than the dialog"]


@pytest.mark.parametrize("status", [400, 401, 403, 489, 500, 603])
def test_a_refused_start_is_the_end(status):
    machine = begun()
    machine.on_response(response(machine._subscribe, status), 1.0)
    assert (machine.state, machine.failure, machine.resubscribe_at) == (TERMINATED, status, None)
    assert machine.deadline() is None


def test_too_brief_names_the_least():
    """RFC 6665 4.1.2.1: 423 with Min-Expires."""
    machine = begun("10")
    machine.on_response(response(machine._subscribe, 423, headers=[("Min-Expires", "60")]), 1.0)
    assert (machine.state, machine.min_expires, machine.resubscribe_at) == (TERMINATED, 60, 1.0)


def test_credentials_make_a_second_subscribe_and_start_timer_n_again():
    """RFC 3261 22.2: same Call-ID and From tag, CSeq plus one. The agent keeps the 401 to itself."""
    machine = begun()
    machine.on_sent(subscribe(cseq=2, branch="z9hG4bKa2"), 1.0)
    assert machine.deadline() == 33.0
    accept(machine, now=1.1)
    assert machine.dialog.local_cseq == 2


def test_a_start_without_response_is_the_end():
    machine = begun()
    machine.on_timeout(32.0)
    assert (machine.state, machine.failure, machine.deadline()) == (TERMINATED, 408, None)


def test_no_notify_in_timer_n_is_the_end():
    """RFC 6665 4.1.2.4: Timer N, 64*T1 from the SUBSCRIBE."""
    machine = begun()
    accept(machine)
    assert machine.deadline() == 32.0
    assert machine.tick(31.9) == []
    assert machine.tick(32.0) == [NoNotify()]
    assert (machine.state, machine.resubscribe_at, machine.deadline()) == (TERMINATED, 32.0, None)
    assert machine.on_notify(notify(), 32.1) == 481


@pytest.mark.parametrize(("expires", "until"), [(None, 600), ("soon", 600), ("300", 300)])
def test_a_2xx_without_expires_is_reported_and_counts_as_granted(expires, until):
    """SU-03, RFC 6665 3.1.1."""
    machine = begun("600")
    accept(machine, expires)
    assert machine.expires_at == until
    assert machine.problems == ([] if expires == "300" else ["2xx without a readable Expires"])


# -- NOTIFY ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"event": None}, 200),
        ({"state": None}, 200),
        ({"event": "x-none"}, 489),
        ({"event": "As-Feature-Event"}, 489),
        ({"event": f"{PACKAGE};id=7"}, 481),
        ({"call_id": "x"}, 481),
        ({"to_tag": "x"}, 481),
        ({"from_tag": "x"}, 481),
        ({"cseq": 1}, 500),
        ({"cseq": "x"}, 400),
    ],
    ids=str,
)
def test_the_answer_to_a_notify(change, status):
    """RFC 6665 4.1.3, 8.2.1 (octet by octet); RFC 3261 12.2.2."""
    machine = active()
    assert machine.on_notify(notify(**{"cseq": 2, **change}), 1.0) == status
    assert machine.state is ACTIVE
    assert len(machine.problems) == (1 if status == 200 and change else 0)


def test_the_id_of_the_event_must_return():
    """RFC 6665 8.2.1."""
    machine = begun(event_id="7")
    accept(machine)
    assert machine.on_notify(notify(event=f"{PACKAGE};id=8"), 0.1) == 481
    assert machine.on_notify(notify(event=PACKAGE), 0.1) == 481
    assert machine.on_notify(notify(event=f"{PACKAGE};id=7"), 0.1) == 200


def test_a_notify_moves_the_target_and_the_clock():
    """RFC 3261 12.2.2, RFC 6665 4.1.3."""
    machine = active()
    moved = request(
        "NOTIFY", cseq=2, from_tag="s1", to_tag="p1",
        headers=[("Contact", "<sip:new>"), ("o", PACKAGE), ("Subscription-State", "active;expires=200")],
    )  # fmt: skip
    assert machine.on_notify(moved, 100.0) == 200
    assert machine.dialog.remote_target == "sip:new"
    assert (machine.expires_at, machine.refresh_at) == (300, 236)


@pytest.mark.parametrize(
    ("parameters", "wait"),
    [
        (";reason=deactivated", 0),
        (";reason=deactivated;retry-after=9", 0),
        (";reason=timeout", 0),
        (";reason=probation", 60),
        (";reason=probation;retry-after=9", 9),
        (";reason=giveup", 0),
        (";reason=giveup;retry-after=9", 9),
        (";reason=rejected", None),
        (";reason=rejected;retry-after=9", None),
        (";reason=noresource", None),
        (";reason=invariant", None),
        (";reason=strange;retry-after=9", 9),
        ("", 0),
    ],
)
def test_the_reason_decides_about_a_new_subscription(parameters, wait):
    """PH-14, RFC 6665 4.1.3."""
    machine = active()
    assert machine.on_notify(notify(f"terminated{parameters}", cseq=2), 10.0) == 200
    assert (machine.state, machine.deadline()) == (TERMINATED, None)
    assert machine.resubscribe_at == (None if wait is None else 10.0 + wait)
    assert machine.on_notify(notify(cseq=3), 10.1) == 481


# -- refresh --------------------------------------------------------------------------------------


def test_refresh_is_due_once_and_the_2xx_and_notify_set_it_anew():
    """RFC 6665 4.1.2.2."""
    machine = active("600")
    assert machine.tick(535.9) == []
    assert machine.tick(536) == [RefreshDue()]
    assert machine.tick(537) == []
    refreshed(machine, "600", 537)
    assert machine.deadline() == 569  # Timer N
    machine.dialog.remote_target = "sip:old"
    accept(machine, "600", now=538)
    assert machine.dialog.remote_target == "sip:as@192.0.2.1"  # RFC 3261 12.2.1.2
    machine.on_notify(notify("active;expires=600", cseq=2), 538)
    assert (machine.deadline(), machine.expires_at) == (1074, 1138)


@pytest.mark.parametrize("status", [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])
def test_these_responses_to_a_refresh_end_it(status):
    """RFC 6665 4.1.2.2; after 481 a new dialog may be tried at once (PH-04)."""
    machine = refreshed(active(), now=100)
    machine.on_response(response(machine._subscribe, status), 101)
    assert (machine.state, machine.failure, machine.deadline()) == (TERMINATED, status, None)
    assert machine.resubscribe_at == (101 if status == 481 else None)


@pytest.mark.parametrize("status", [400, 401, 403, 408, 423, 486, 500, 503, 603])
def test_any_other_failure_leaves_it_until_it_expires(status):
    """RFC 6665 4.1.2.2. A failed refresh is tried again half-way to the end."""
    machine = refreshed(active(), now=100)
    machine.on_response(response(machine._subscribe, status), 600)
    assert (machine.state, machine.expires_at, machine.refresh_at) == (ACTIVE, 3600, 2100)
    assert machine.deadline() == 2100


def test_refreshes_that_all_time_out_end_with_the_expiry():
    machine, seen = active("128"), []
    while machine.live:
        now = machine.deadline()
        for event in machine.tick(now):
            seen.append((now, event))
            if event == RefreshDue():
                refreshed(machine, "128", now)
                machine.on_timeout(now)
    assert seen == [*((at, RefreshDue()) for at in (64, 96, 112, 120, 124)), (128, Expired())]


def test_a_refresh_without_notify_ends_it():
    """RFC 6665 4.1.2.2: Timer N runs for a refresh too."""
    machine = refreshed(active(), now=100)
    accept(machine, now=100)
    assert machine.deadline() == 132
    assert machine.tick(132) == [NoNotify()]
    assert machine.state is TERMINATED


def test_204_says_that_no_notify_will_come():
    """RFC 6665 4.1.2.2 with RFC 5839."""
    machine = refreshed(active(), now=100)
    accept(machine, status=204, now=100)
    assert machine.deadline() == 3636


def test_the_final_notify_of_an_expired_subscription_is_still_answered_200():
    machine = active("60")
    machine.refresh_at = None
    assert machine.tick(60) == [Expired()]
    assert (machine.state, machine.reason, machine.resubscribe_at) == (TERMINATED, "timeout", 60)
    assert machine.on_notify(notify(cseq=2), 60.1) == 481
    assert machine.on_notify(notify("terminated;reason=timeout", cseq=2), 60.1) == 200
    assert machine.state is TERMINATED


# -- end and fetch --------------------------------------------------------------------------------


def test_ending_waits_for_the_final_notify():
    """RFC 6665 4.1.2.3: Expires 0, then NOTIFY terminated; nothing is to be tried again."""
    machine = refreshed(active(), "0", 100)
    assert machine.ending
    accept(machine, "0", now=100.1)
    assert (machine.state, machine.deadline()) == (ACTIVE, 132)
    assert machine.on_notify(notify("terminated;reason=timeout", cseq=2), 100.2) == 200
    assert (machine.state, machine.reason, machine.resubscribe_at) == (TERMINATED, "timeout", None)


def test_a_change_notified_while_ending_does_not_start_the_refresh_again():
    machine = refreshed(active(), "0", 100)
    machine.on_notify(notify("active;expires=3500", cseq=2), 100.1)
    accept(machine, "0", now=100.2)
    assert machine.deadline() is None
    assert machine.live


def test_an_end_that_failed_is_not_turned_into_a_refresh():
    machine = refreshed(active(), "0", 100)
    machine.on_timeout(132)
    assert (machine.state, machine.deadline()) == (ACTIVE, 3600)


def test_fetch_ends_with_its_one_notify():
    """RFC 6665 4.4.3."""
    machine = begun("0")
    accept(machine, "0")
    assert machine.on_notify(notify("terminated;reason=timeout"), 0.1) == 200
    assert (machine.state, machine.resubscribe_at, machine.deadline()) == (TERMINATED, None, None)


def test_before_anything_was_sent_nothing_matches():
    machine = Subscriber(PACKAGE)
    assert machine.on_notify(notify(), 0.0) == 481
    machine.on_response(response(subscribe(), 200), 0.0)
    assert (machine.state, machine.deadline(), machine.tick(1e9)) == (NOTIFY_WAIT, None, [])


# -- any order ------------------------------------------------------------------------------------

_states = st.sampled_from([
    "active;expires=60", "active", "active, expires=9", "pending;expires=0", "terminated;reason=giveup",
    "terminated", "strange", None, "active;expires=4294967295",
])  # fmt: skip
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("notify"), _states, st.integers(-1, 9), st.sampled_from(["s1", "s2", ""])),
        st.tuples(st.just("response"), st.integers(0, 699), st.sampled_from([None, "0", "60", "x"])),
        st.tuples(st.just("sent"), st.sampled_from([None, "0", "60", "x"])),
        st.tuples(st.just("timeout")),
        st.tuples(st.just("tick"), st.floats(0, 100)),
        st.tuples(st.just("noise"), st.binary(max_size=40)),
    ),
    max_size=40,
)


@given(_steps)
@settings(max_examples=300, deadline=None)
def test_no_order_of_messages_and_time_raises_or_runs_for_ever(steps):
    machine, now = Subscriber(PACKAGE), 0.0
    for what, *how in steps:
        if what == "notify":
            state, cseq, tag = how
            assert machine.on_notify(notify(state, cseq, from_tag=tag), now) in (200, 400, 481, 500)
        elif what == "response":
            headers = [("Expires", how[1])] if how[1] else []
            machine.on_response(response(subscribe(), how[0], headers=headers), now)
        elif what == "sent":
            machine.on_sent(subscribe(how[0]), now)
        elif what == "timeout":
            machine.on_timeout(now)
        elif what == "noise":
            machine.on_notify(Message(how[0]), now)
            machine.on_response(Message(how[0]), now)
        else:
            now += how[0]
            assert len(machine.tick(now)) <= 1
        assert len(machine.problems) <= 100
        assert machine.live or machine.deadline() is None
    for _ in range(4):
        due = machine.deadline()
        if due is not None:
            machine.tick(max(now, due))
    assert machine.deadline() is None
