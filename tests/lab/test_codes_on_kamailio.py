"""Feature codes where phones are kept in step by as-feature-event: a call changes the state, all are told."""

from __future__ import annotations

import os
import signal

import pytest
from coded import coded
from lab_call import Call
from lab_kamailio import flip, kamcmd, phones, said, stored
from lab_phone import Phone, forward

from featuresync.bench.lab import Lab

pytestmark = pytest.mark.lab


CODES = {
    "dnd": {"on": "*78", "off": "*79", "toggle": "*77"},
    "cf_always": {"on": "*72{number}", "off": "*73", "without_number": "prompt"},
    "cf_busy": {"on": "*90{number}", "off": "*91", "without_number": "stored"},
    "cf_no_answer": {"on": "*61*{number}#", "off": "#61#"},
}
PROFILE = coded("full_state", engine="kamailio", recipe="kamcmd", codes=CODES)


@pytest.fixture(scope="module")
def running(tree, tmp_path_factory):
    with Lab.start(PROFILE, tmp_path_factory.mktemp("lab") / "bench", tree=tree) as lab:
        yield lab


@pytest.fixture
def lab(running):
    """One for all tests, without state."""
    kamcmd(running, "htable.flush", "st")
    return running


@pytest.fixture
def watcher(lab):
    with Phone(lab.bench) as phone:
        phone.subscribe()
        phone.notifies(1, quiet=0.05)
        yield phone


def dial(lab: Lab, code: str, role: str = "primary") -> int:
    """Call until the server hangs up; the final status."""
    with Phone(lab.bench, role) as phone:
        call = Call(phone, code).make()
    assert call.status != 200 or call.ended_by == "server"
    return call.status


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_change_by_code_is_told_to_every_phone_and_heard_by_the_caller(start_lab, transport):
    lab = start_lab(PROFILE, transport=transport)
    with Phone(lab.bench) as caller, Phone(lab.bench) as watcher:
        for phone in (caller, watcher):
            phone.subscribe()
            phone.notifies(1, quiet=0.05)
        call = Call(caller, "*78").make()
        assert (call.status, call.ended_by) == (200, "server")
        assert call.heard > 0
        assert [said(one) for one in watcher.notifies(1)] == [["dnd=true"]]
        assert [said(one) for one in caller.requests if one.method == "NOTIFY"] == [["dnd=true"]]


CHANGES = [
    ("*78", "dnd=true"),
    ("*78", "dnd=true"),
    ("*77", "dnd=false"),
    ("*77", "dnd=true"),
    ("*79", "dnd=false"),
    ("*721003", "forwardImmediate=true,1003"),
    ("*73", "forwardImmediate=false,1003"),
    ("*721004;phone-context=lab.invalid", "forwardImmediate=true,1004"),
    ("*90+4912345", "forwardBusy=true,+4912345"),
    ("*91", "forwardBusy=false,+4912345"),
    ("*90", "forwardBusy=true,+4912345"),
    ("*61*1004%23", "forwardNoAns=true,1004,3"),
    ("%2361%23", "forwardNoAns=false,1004,3"),
]


def test_every_form_of_code(lab, watcher):
    for code, wanted in CHANGES:
        assert dial(lab, code) == 200, code
        assert [said(one) for one in watcher.notifies(1, quiet=0)] == [[wanted]], code
    assert watcher.notifies(0) == []
    assert stored(lab) == {
        "1001::dnd": "false",
        "1001::forwardImmediate": "true/3/1004",
        "1001::forwardBusy": "true/3/+4912345",
        "1001::forwardNoAns": "false/3/1004",
    }


def test_a_code_and_a_set_change_the_same_state(lab, watcher):
    watcher.subscribe(forward("forwardNoAns", "true", "1003", "5"))
    watcher.notifies(1, quiet=0)
    assert dial(lab, "*61*1004%23") == 200
    assert [said(one) for one in watcher.notifies(1)] == [["forwardNoAns=true,1004,5"]]


class TestNothingChanges:
    @pytest.mark.parametrize(
        ("status", "codes"),
        [
            (404, ["*7", "*99", "%2399", "%23", "*"]),
            (484, ["*90", "*731003", "*79x", "*72abc", "*72" + 21 * "1", "*61*1003", "*61*%23"]),
            (200, ["*72"]),
        ],
    )
    def test_what_is_no_code(self, lab, watcher, status, codes):
        assert {code: dial(lab, code) for code in codes} == dict.fromkeys(codes, status)
        assert watcher.notifies(0) == []
        assert stored(lab) == {}

    def test_whoever_calls_proves_it(self, lab):
        with Phone(lab.bench) as caller:
            caller.secret = lab.password("1002")
            assert Call(caller, "*78").make().status == 401
        assert stored(lab) == {}

    def test_somebody_elses_code_is_his_own(self, lab, watcher):
        assert dial(lab, "*78", "other") == 200
        assert watcher.notifies(0) == []
        assert stored(lab) == {"1002::dnd": "true"}


def test_calls_to_phones_know_nothing_of_codes(lab):
    flip(lab, "1001::forwardImmediate", "true/3/1003")
    with Phone(lab.bench, "other") as caller, phones(lab, {"1001": 200, "1003": 200}) as called:
        assert Call(caller, "1001").make(hold=0.05).status == 200
        assert [one.method for one in called["1001"].requests] == []
        assert [one.method for one in called["1003"].requests] == ["INVITE", "ACK", "BYE"]


def test_without_the_server_that_answers(start_lab):
    lab = start_lab(PROFILE)
    os.kill(lab.servers[1].pid, signal.SIGSTOP)
    try:
        assert dial(lab, "*78") == 503
        assert stored(lab) == {}
    finally:
        os.kill(lab.servers[1].pid, signal.SIGCONT)


@pytest.mark.parametrize(
    ("fault", "code", "told", "entries"),
    [
        ("CODE_IGNORED", "*78", [], {}),
        ("NO_NOTIFY", "*78", [], {"1001::dnd": "true"}),
        ("SET_IGNORED", "*78", [["dnd=true"]], {"1001::dnd": "true"}),
        (
            "WRONG_FEATURE", "*901003", [["forwardImmediate=true,1003"]],
            {"1001::forwardImmediate": "true/3/1003"},
        ),
    ],
)  # fmt: skip
def test_faults(start_lab, fault, code, told, entries):
    lab = start_lab(PROFILE, faults=(fault,))
    with Phone(lab.bench) as watcher:
        watcher.subscribe()
        watcher.notifies(1, quiet=0.05)
        assert dial(lab, code) == 200
        assert [said(one) for one in watcher.notifies(0)] == told
        assert stored(lab) == entries
