"""What the lab's Kamailio does on the wire, in both dialects and with each deliberate fault."""

from __future__ import annotations

import time

import pytest
from coded import coded
from lab_call import Call
from lab_kamailio import flip, methods, phones, said, stored
from lab_phone import TYPE, Phone, dnd, forward

from featuresync.bench.lab import Lab
from featuresync.sip.message import Message

pytestmark = pytest.mark.lab
FORWARDS = ("forwardImmediate", "forwardBusy", "forwardNoAns")
FULL = "multipart/mixed;boundary=UniqueFeatureBoundary"


def cseqs(messages: list[Message]) -> list[int]:
    return [int(message.header("cseq").split()[0]) for message in messages]


PLAIN = {
    dialect: coded(dialect, engine="kamailio", recipe="kamcmd", codes={})
    for dialect in ("full_state", "stock")
}
"""Without feature codes: Kamailio alone."""


@pytest.fixture
def start_lab(start_lab):
    """Starts a lab in a dialect."""
    return lambda dialect="full_state", **options: start_lab(PLAIN[dialect], **options)


NEVER_SET = ["dnd=false", "forwardImmediate=false", "forwardBusy=false", "forwardNoAns=false,3"]
SETS = [
    (dnd("true"), "dnd=true"),
    (dnd("true"), "dnd=true"),
    (dnd("false"), "dnd=false"),
    (forward("forwardImmediate", "true", "1003"), "forwardImmediate=true,1003"),
    (forward("forwardNoAns", "true", "1004", "5"), "forwardNoAns=true,1004,5"),
    (forward("forwardNoAns", "false", "", ""), "forwardNoAns=false,1004,5"),
    (forward("forwardNoAns", "true", "", "99"), "forwardNoAns=true,1004,5"),
    (forward("forwardBusy", "true", ""), "forwardBusy=false"),
    (forward("forwardBusy", "true", "*72#+1/2"), "forwardBusy=true,*72#+1/2"),
    (forward("forwardBusy", "true", "sip:a&amp;b;c=d&lt;e@x.y"), "forwardBusy=true,sip:a&amp;b;c=d&lt;e@x.y"),
]


@pytest.fixture(params=["udp", "tcp", "tls", "udp6"])
def lab(request, start_lab):
    return start_lab(transport=request.param.removesuffix("6"), ipv6=request.param.endswith("6"))


class TestFullState:
    def test_a_subscription_from_start_to_end(self, lab):
        with Phone(lab.bench) as phone:
            answer = phone.subscribe()
            assert (answer.status, answer.header("expires")) == (200, "600")
            assert answer.headers("allow-events") == ["as-feature-event"]
            notifies = phone.notifies(1)
            assert [said(one) for one in notifies] == [NEVER_SET]
            assert notifies[0].header("content-type") == FULL
            for body, wanted in SETS:
                assert phone.subscribe(body).status == 200
                (one,) = phone.notifies(1, quiet=0.15)
                assert said(one) == [wanted]
                assert one.header("content-type") == TYPE
                notifies.append(one)
            stored = ["dnd=false", "forwardImmediate=true,1003", SETS[-1][1], "forwardNoAns=true,1004,5"]
            assert phone.subscribe().status == 200
            notifies += phone.notifies(1)
            assert said(notifies[-1]) == stored
            flip(lab, "1001::forwardBusy", "true/3/1004")
            notifies += phone.notifies(1)
            assert said(notifies[-1]) == ["forwardBusy=true,1004"]
            assert phone.subscribe(expires=0).header("expires") == "0"
            notifies += phone.notifies(1)
            assert said(notifies[-1])[2:3] == ["forwardBusy=true,1004"]
            assert notifies[-1].header("subscription-state") == "terminated;reason=timeout"
            assert cseqs(notifies) == list(range(1, len(notifies) + 1))
            assert phone.subscribe().status == 481
            flip(lab, "1001::dnd", "true")
            assert phone.notifies(0) == []

    def test_rapid_sets_are_told_in_order_to_every_phone(self, lab):
        with Phone(lab.bench) as phone, Phone(lab.bench) as second:
            for one in (phone, second):
                one.subscribe()
                one.notifies(1, quiet=0.05)
            wanted = []
            for number in range(20):
                wanted.append([f"dnd={'false' if number % 2 else 'true'}"])
                phone.subscribe(dnd("false" if number % 2 else "true"))
            assert [said(one) for one in phone.notifies(20)] == wanted
            assert [said(one) for one in second.notifies(20)] == wanted

    def test_fetch(self, lab):
        with Phone(lab.bench) as phone:
            assert phone.subscribe(expires=0).status == 200
            (one,) = phone.notifies(1)
            assert said(one) == NEVER_SET
            assert one.header("subscription-state").startswith("terminated")


@pytest.fixture
def full(start_lab):
    return start_lab()


class TestFullStateEnds:
    def test_a_lapsed_subscription_is_told_once_and_gone(self, full):
        with Phone(full.bench) as phone, Phone(full.bench) as other:
            assert phone.subscribe(expires=5).header("expires") == "5"
            other.subscribe()
            flip(full, "1001::dnd", "true")
            assert len(phone.notifies(2)) == len(other.notifies(2)) == 2
            last = phone.notifies(1, quiet=2, within=10)
            assert [one.header("subscription-state") for one in last] == ["terminated;reason=timeout"]
            assert [said(one)[0] for one in last] == ["dnd=true"]
            flip(full, "1001::dnd", "false")
            assert phone.notifies(0) == []
            assert phone.subscribe().status == 481
            assert [said(one) for one in other.notifies(1)] == [["dnd=false"]], (
                "an expired publication says nothing"
            )


class TestFullStateRefuses:
    @pytest.mark.parametrize(
        ("event", "status"),
        [
            ("x-none", 489),
            ("As-Feature-Event", 489),
            ("as-feature-events", 489),
            ("as-feature-event;id=7", 200),
        ],
    )
    def test_events(self, full, event, status):
        with Phone(full.bench) as phone:
            answer = phone.subscribe(event=event)
            assert answer.status == status
            assert answer.headers("allow-events") == ["as-feature-event"]

    def test_id_is_repeated_in_every_notify(self, full):
        with Phone(full.bench) as phone:
            event = "as-feature-event;id=7"
            phone.subscribe(event=event)
            phone.subscribe(dnd("true"), event=event)
            assert phone.subscribe(event=event).status == 200
            assert [one.header("event") for one in phone.notifies(3)] == [event] * 3

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ("Event: as-feature-event\r\nExpires: 600\r\nRequire: x-unknown\r\n", 420),
            ("Event: as-feature-event\r\nExpires: 600\r\nAccept: application/pidf+xml\r\n", 406),
            ("Event: as-feature-event\r\nExpires: 600\r\nAccept: */*\r\n", 200),
            ("Event: as-feature-event\r\nExpires: 2\r\n", 423),
            ("Event: as-feature-event\r\nExpires: abc\r\n", 400),
            ("Expires: 600\r\n", 489),
            ("o: as-feature-event\r\nExpires: 600\r\n", 200),
        ],
    )
    def test_headers(self, full, headers, status):
        with Phone(full.bench) as phone:
            assert phone.request("SUBSCRIBE", headers=headers).status == status
            assert len(phone.notifies(0, quiet=0.1)) == (status == 200)

    @pytest.mark.parametrize(
        ("body", "status"),
        [("<Set", 415), (dnd("maybe"), 200), (forward("forwardNoAnswer", "true", "1"), 200)],
    )
    def test_a_set_that_makes_no_sense_changes_nothing(self, full, body, status):
        with Phone(full.bench) as phone:
            phone.subscribe()
            phone.notifies(1, quiet=0.05)
            assert phone.subscribe(body).status == status
            assert [said(one) for one in phone.notifies(0)] == ([NEVER_SET] if status == 200 else [])
            phone.subscribe()
            assert said(phone.notifies(1)[0]) == NEVER_SET

    def test_an_old_cseq_changes_nothing(self, full):
        with Phone(full.bench) as phone:
            phone.subscribe()
            phone.cseq -= 2
            assert phone.subscribe(dnd("true")).status == 500
            phone.cseq += 2
            phone.notifies(1, quiet=0.05)
            phone.subscribe()
            assert said(phone.notifies(1)[0]) == NEVER_SET

    def test_another_accounts_state(self, full):
        with Phone(full.bench) as phone, Phone(full.bench, "other") as other:
            phone.subscribe()
            phone.notifies(1, quiet=0.05)
            headers = "Event: as-feature-event\r\nExpires: 600\r\n"
            assert other.request("SUBSCRIBE", dnd("true"), headers, to="1001").status == 403
            other.renew()
            uri = f"sip:1001@{full.bench.domain}"
            assert other.request("SUBSCRIBE", dnd("true"), headers, uri=uri).status == 403
            assert other.notifies(0, quiet=0.1) == []
            assert phone.notifies(0, quiet=0.1) == []


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_notifies_come_on_the_connection_of_the_subscription_and_stop_with_it(start_lab, transport):
    lab = start_lab(transport=transport)
    with Phone(lab.bench) as first:
        first.subscribe()
        first.notifies(1, quiet=0.05)
        with Phone(lab.bench) as second:
            second.subscribe()
            second.notifies(1, quiet=0.05)
        flip(lab, "1001::dnd", "true")
        assert [said(one) for one in first.notifies(1)] == [["dnd=true"]]
        with Phone(lab.bench) as again:
            again.subscribe()
            assert said(again.notifies(1)[0])[0] == "dnd=true"


class TestStock:
    def test_deviations_are_the_modules_own(self, start_lab):
        with Phone(start_lab("stock").bench) as phone:
            assert phone.subscribe().headers("allow-events") == []
            first = phone.notifies(1)
            assert [(one.body, one.has("content-type")) for one in first] == [(b"", False)]
            phone.subscribe(forward("forwardNoAns", "true", "1003", "5"))
            assert [said(one) for one in phone.notifies(2)] == [[], ["forwardNoAns=true,1003"]]
            phone.subscribe(dnd("true"))
            assert [said(one) for one in phone.notifies(2)] == [["forwardNoAns=true,1003"], ["dnd=true"]]
            answer = phone.subscribe(event="x-none")
            assert (answer.status, answer.headers("allow-events")) == (489, ["as-feature-event"])

    def test_server_side_flip(self, start_lab):
        lab = start_lab("stock")
        with Phone(lab.bench) as phone:
            phone.subscribe()
            phone.notifies(1, quiet=0.05)
            flip(lab, "1001::forwardNoAns", "true/5/1003")
            assert [said(one) for one in phone.notifies(1)] == [["forwardNoAns=true,1003"]]


class TestFaults:
    def test_no_notify(self, start_lab):
        lab = start_lab(faults=("NO_NOTIFY",))
        with Phone(lab.bench) as phone:
            phone.subscribe()
            assert len(phone.notifies(1)) == 1
            assert phone.subscribe(dnd("true")).status == 200
            assert phone.notifies(0) == []
            phone.subscribe()
            assert said(phone.notifies(1)[0])[0] == "dnd=true"

    def test_no_push(self, start_lab):
        lab = start_lab(faults=("NO_PUSH",))
        with Phone(lab.bench) as phone:
            phone.subscribe()
            phone.notifies(1, quiet=0.05)
            flip(lab, "1001::dnd", "true")
            assert phone.notifies(0) == []
            phone.subscribe(forward("forwardBusy", "true", "1003"))
            assert [said(one) for one in phone.notifies(1)] == [["forwardBusy=true,1003"]]
            phone.subscribe()
            assert said(phone.notifies(1)[0])[0] == "dnd=true"

    def test_set_ignored(self, start_lab):
        lab = start_lab(faults=("SET_IGNORED",))
        with Phone(lab.bench) as phone:
            phone.subscribe()
            phone.notifies(1, quiet=0.05)
            assert phone.subscribe(dnd("true")).status == 200
            assert [said(one) for one in phone.notifies(1)] == [["dnd=false"]]
            assert stored(lab) == {}

    def test_wrong_feature(self, start_lab):
        lab = start_lab(faults=("WRONG_FEATURE",))
        with Phone(lab.bench) as phone:
            phone.subscribe()
            phone.notifies(1, quiet=0.05)
            phone.subscribe(forward("forwardBusy", "true", "1003"))
            assert [said(one) for one in phone.notifies(1)] == [["forwardImmediate=true,1003"]]
            assert stored(lab) == {"1001::forwardImmediate": "true/3/1003"}

    def test_wrong_forward_to(self, start_lab):
        with Phone(start_lab(faults=("WRONG_FORWARD_TO",)).bench) as phone:
            phone.subscribe()
            phone.subscribe(forward("forwardBusy", "true", "1003"))
            assert said(phone.notifies(2)[1]) == ["forwardBusy=true,10039"]

    def test_wrong_event(self, start_lab):
        with Phone(start_lab(faults=("WRONG_EVENT",)).bench) as phone:
            phone.subscribe()
            assert [one.header("event") for one in phone.notifies(1)] == ["as-feature-state"]


TAKEN, REFUSED = ["INVITE", "ACK", "BYE"], ["INVITE", "ACK"]


class TestCalls:
    """The features do what they say: a call from 1002 to 1001, both forwards' targets listening too."""

    def call(self, lab: Lab, answer: int = 200) -> tuple[int, dict[str, list[str]]]:
        """The final status, and what came to 1001, which answers so, and to 1003 and 1004, which take it."""
        answering = {"1001": answer, "1003": 200, "1004": 200}
        with Phone(lab.bench, "other") as caller, phones(lab, answering) as called:
            status = Call(caller, "1001").make(hold=0.05).status
        return status, {user: seen for user, phone in called.items() if (seen := methods(phone))}

    def test_plain(self, full):
        assert self.call(full) == (200, {"1001": TAKEN})
        assert self.call(full, 486) == (486, {"1001": REFUSED})

    def test_do_not_disturb(self, full):
        flip(full, "1001::dnd", "true")
        assert self.call(full) == (486, {})

    def test_always(self, full):
        flip(full, "1001::forwardImmediate", "true/3/1003")
        flip(full, "1001::dnd", "true")
        assert self.call(full) == (200, {"1003": TAKEN})
        flip(full, "1001::forwardImmediate", "false/3/1003")
        flip(full, "1001::dnd", "false")
        assert self.call(full) == (200, {"1001": TAKEN})

    def test_busy(self, full):
        flip(full, "1001::forwardBusy", "true/3/1004")
        assert self.call(full) == (200, {"1001": TAKEN})
        assert self.call(full, 486) == (200, {"1001": REFUSED, "1004": TAKEN})
        flip(full, "1001::dnd", "true")
        assert self.call(full) == (200, {"1004": TAKEN})

    @pytest.mark.parametrize("rings", [0, 2])
    def test_no_answer(self, full, rings):
        flip(full, "1001::forwardNoAns", f"true/{rings}/1003")
        started = time.monotonic()
        status, seen = self.call(full, 180)
        assert (status, seen["1001"][:2], seen["1003"]) == (200, ["INVITE", "CANCEL"], TAKEN)
        assert max(1, rings) <= time.monotonic() - started < max(1, rings) + 3

    def test_answered_in_time(self, full):
        flip(full, "1001::forwardNoAns", "true/1/1003")
        assert self.call(full) == (200, {"1001": TAKEN})
