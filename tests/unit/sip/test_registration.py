import pytest
from specimen import response, sent

from featuresync.sip.registration import Expired, RefreshDue, Registration, RegistrationState, granted_expires

CONTACT = "sip:2001@192.0.2.10:5060"
UNREGISTERED, REGISTERED = RegistrationState


def registration(**settings):
    aor = "sip:2001@as.example.net"
    return Registration("sip:as.example.net", aor, CONTACT, "r1", "t1", **settings)


def answered(machine, status, now=0.0, headers=(), draft=None):
    register = sent(draft or machine.request())
    machine.on_response(response(register, status, headers=headers), now)
    return register


def bound(expires=3600, **settings):
    machine = registration(**settings)
    answered(machine, 200, headers=[("Contact", f"<{CONTACT}>;expires={expires}")])
    return machine


def test_registers_share_call_id_and_tag_and_count_cseq():
    """RFC 3261 10.2: Request-URI without user, To the address of record, same Call-ID, CSeq plus one."""
    machine = registration(expires=600)
    first, second = sent(machine.request()), sent(machine.request())
    assert first.start_line == "REGISTER sip:as.example.net SIP/2.0"
    assert (first.to.uri, first.from_.uri, first.from_.tag) == (
        "sip:2001@as.example.net",
        "sip:2001@as.example.net",
        "t1",
    )
    assert first.header("contact") == f"<{CONTACT}>;expires=600"
    assert (first.header("expires"), first.call_id, second.call_id) == ("600", "r1", "r1")
    assert (first.cseq, second.cseq) == (1, 2)
    assert first.problems == ()


@pytest.mark.parametrize(
    ("headers", "seconds", "problems"),
    [
        ([("Contact", f"<{CONTACT}>;expires=120"), ("Expires", "7200")], 120, 0),
        ([("Contact", f"<sip:2001@other>;expires=9, <{CONTACT};ob>;expires=60")], 60, 0),
        ([("Contact", f"<{CONTACT}>"), ("Expires", "90")], 90, 0),
        ([("Contact", "<sip:2001@198.51.100.7:1024>;expires=80")], 80, 1),
        ([("Contact", "<sip:a@b>;expires=1, <sip:c@d>;expires=2"), ("Expires", "70")], 70, 1),
        ([("Contact", f"<{CONTACT}>;expires=soon")], 3600, 1),
        ([("Contact", f"<{CONTACT}>;expires={'9' * 50}")], 3600, 1),
        ([("Expires", "50")], 50, 1),
        ([], 1800, 2),
    ],
)
def test_the_granted_time_is_our_contacts_then_the_headers_then_what_was_asked(headers, seconds, problems):
    """RFC 3261 10.2.4, 10.3 step 8, 20.10."""
    message = response(sent(registration().request()), 200, headers=headers)
    granted, found = granted_expires(message, CONTACT, 1800)
    assert (granted, len(found)) == (seconds, problems)


def test_refresh_comes_before_the_end_and_once():
    """RFC 3261 10.2.4: 64 s, two full time-outs, before the end."""
    machine = bound(3600)
    assert machine.state is REGISTERED
    assert machine.deadline() == 3536
    assert machine.tick(3535.9) == []
    assert machine.tick(3536) == [RefreshDue()]
    assert machine.tick(3536) == []
    assert machine.deadline() == 3600


def test_a_short_binding_is_refreshed_half_way():
    assert bound(60).deadline() == 30


def test_a_failed_refresh_is_tried_half_way_to_the_end_until_that_comes():
    machine, tries = bound(128), []
    while machine.state is REGISTERED:
        now = machine.deadline()
        for event in machine.tick(now):
            tries.append((now, event))
            machine.request()
            machine.on_timeout(now)
    assert tries == [*((at, RefreshDue()) for at in (64, 96, 112, 120, 124)), (128, Expired())]
    assert (machine.failure, machine.deadline()) == (408, None)


def test_a_refused_refresh_leaves_the_binding():
    machine = bound(128)
    answered(machine, 503, now=64)
    assert (machine.state, machine.failure, machine.expires_at) == (REGISTERED, 503, 128)


def test_too_brief_raises_the_time_of_the_next_request():
    """RFC 3261 10.2.8: 423 carries Min-Expires."""
    machine = registration(expires=60)
    answered(machine, 423, headers=[("Min-Expires", "300")])
    assert (machine.state, machine.failure, machine.min_expires) == (UNREGISTERED, 423, 300)
    again = answered(machine, 200, headers=[("Contact", f"<{CONTACT}>;expires=300")])
    assert (again.header("expires"), again.cseq) == ("300", 2)
    assert (machine.state, machine.failure, machine.min_expires) == (REGISTERED, 0, None)


@pytest.mark.parametrize("value", ["", "soon", "-1", "٣", "9" * 40])
def test_an_unreadable_min_expires_changes_nothing(value):
    machine = registration(expires=60)
    answered(machine, 423, headers=[("Min-Expires", value)])
    assert (machine.expires, machine.min_expires) == (60, None)


def test_unregistering_removes_the_binding_and_its_timers():
    """RFC 3261 10.2.2: expires 0 for our Contact."""
    machine = bound(3600)
    register = answered(machine, 200, now=5, draft=machine.unregister())
    assert (register.header("contact"), register.header("expires")) == (f"<{CONTACT}>;expires=0", "0")
    assert (machine.state, machine.deadline()) == (UNREGISTERED, None)


def test_a_refused_unregistering_is_not_refreshed():
    machine = bound(3600)
    answered(machine, 500, now=5, draft=machine.unregister())
    assert (machine.state, machine.deadline()) == (REGISTERED, 3600)


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_a_refused_first_register_binds_nothing(status):
    machine = registration()
    answered(machine, status)
    assert (machine.state, machine.failure, machine.deadline()) == (UNREGISTERED, status, None)


def test_a_provisional_response_means_nothing():
    machine = registration()
    answered(machine, 100)
    assert (machine.state, machine.failure) == (UNREGISTERED, 0)


def test_a_registrar_that_grants_nothing_leaves_us_unbound():
    assert bound(0).state is UNREGISTERED
