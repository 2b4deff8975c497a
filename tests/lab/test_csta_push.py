"""A proxy in front of the server that keeps the state: all passes through it, and it tells DND by uaCSTA."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from coded import coded
from lab_call import Call
from lab_kamailio import kamcmd, methods, phones
from lab_phone import NS, Phone, dnd

from featuresync.bench.lab import Lab
from featuresync.bench.state import ServerState
from featuresync.sync.feature import Feature, FeatureState

pytestmark = pytest.mark.lab
PROFILE = coded("behind_proxy", recipe="pushed_astdb")
REGISTERED = "Expires: 60\r\n"


@pytest.fixture(scope="module")
def lab(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab") / "bench"
    with Lab.start(PROFILE, folder, tree=tree) as started:
        yield started


def push(lab: Lab, value: str, entry: str = "1001::dnd") -> None:
    kamcmd(lab, "htable.sets", "st", entry, value)
    kamcmd(lab, "htable.sets", "push", entry, "now")


def database(lab: Lab, line: str = "show") -> list[str]:
    """The features in AstDB, as ``DND/1001=YES``."""
    lines = (one.split(":", 1) for one in lab.sip[1].output(f"database {line}").splitlines() if ":" in one)
    found = [f"{key.strip().lstrip('/')}={value.strip()}" for key, value in lines]
    return [one for one in found if one.split("/")[0] in ("DND", "CF", "CFB", "CFU")]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_dnd_at_the_server_is_told_to_each_registered_phone(start_lab, transport):
    lab = start_lab(PROFILE, transport=transport)
    with Phone(lab.bench) as phone, Phone(lab.bench) as second, Phone(lab.bench, "other") as other:
        for one in (phone, second, other):
            assert one.request("REGISTER", headers=REGISTERED).status == 200
        push(lab, "true")
        for one in (phone, second):
            (info,) = one.notifies(1, quiet=0.1)
            assert (info.method, info.header("content-type")) == ("INFO", "application/csta+xml")
            assert info.header("content-disposition") == "signal;handling=required"
            assert info.request_uri == one.contact.strip("<>")
            event = ET.fromstring(info.body)
            assert event.tag == f"{{{NS}}}DoNotDisturbEvent"
            said = [(child.tag.rpartition("}")[2], "".join(child.itertext())) for child in event]
            assert said[1:] == [("device", "1001"), ("doNotDisturbOn", "true")]
        push(lab, "false")
        (info,) = phone.notifies(1, quiet=0)
        assert b"<doNotDisturbOn>false</doNotDisturbOn>" in info.body
        assert other.notifies(0, quiet=0.1) == []


class TestWhoIsTold:
    def test_only_who_is_registered(self, lab):
        with Phone(lab.bench) as phone, Phone(lab.bench) as second:
            for one in (phone, second):
                assert one.request("REGISTER", headers=REGISTERED).status == 200
            second.renew()
            assert second.request("REGISTER", headers="Expires: 0\r\n").status == 200
            push(lab, "true")
            assert len(phone.notifies(1)) == 1
            assert second.notifies(0, quiet=0) == []
            phone.renew()
            assert phone.request("REGISTER", headers="Expires: 0\r\n").status == 200
            push(lab, "false")
            assert phone.notifies(0) == []

    def test_not_who_failed_to_register(self, lab):
        with Phone(lab.bench) as phone:
            phone.secret = "guess"
            assert phone.request("REGISTER", headers=REGISTERED).status == 401
            push(lab, "true")
            assert phone.notifies(0) == []

    def test_a_forward_is_told_to_nobody(self, lab):
        with phones(lab, {"1001": 200}) as called:
            push(lab, "true/3/1003", "1001::forwardBusy")
        assert methods(called["1001"]) == []


class TestEverythingElsePassesThrough:
    @pytest.fixture(params=["udp", "tls"])
    def far(self, request, start_lab):
        return start_lab(PROFILE, transport=request.param)

    def test_calls_and_codes(self, far):
        with Phone(far.bench, "other") as caller, phones(far, {"1001": 200, "1003": 180}) as called:
            assert Call(caller, "1001").make(hold=0.1).status == 200
            with Phone(far.bench) as phone:
                code = Call(phone, "*78").make()
                assert (code.status, code.ended_by) == (200, "server")
                assert code.heard > 0
                assert database(far) == ["DND/1001=YES"]
                assert Call(phone, "*79x").make().status == 484
            assert Call(caller, "1001").make().status == 486
            assert Call(caller, "1003").make().statuses[-2:] == [180, 480]
        assert methods(called["1001"]) == ["INVITE", "ACK", "BYE"]
        assert methods(called["1003"]) == ["INVITE", "CANCEL", "ACK"]

    def test_the_package_is_refused(self, lab):
        with Phone(lab.bench) as phone:
            assert phone.subscribe().status == 489
            assert phone.subscribe(dnd("true")).status == 489
            assert phone.notifies(0, quiet=0.1) == []

    @pytest.mark.parametrize(
        "supported", ["", "Supported: timer, 100rel\r\n", "k: timer\r\n", "Supported:\r\n"]
    )
    def test_the_phone_need_not_know_of_path(self, lab, supported):
        with Phone(lab.bench) as phone:
            answer = phone.request("REGISTER", headers=REGISTERED + supported)
            assert answer.status == 200
            assert len(answer.headers("contact")) >= 1


def test_the_recipe_changes_the_state_and_tells_it(lab):
    with Phone(lab.bench) as phone, ServerState.connect(lab.bench, lab.profile) as state:
        assert phone.request("REGISTER", headers=REGISTERED).status == 200
        for on in (True, False):
            wanted = FeatureState(Feature.DND, on)
            state.set("1001", wanted)
            assert state.get("1001")[Feature.DND] == wanted
            (info,) = phone.notifies(1)
            assert f"<doNotDisturbOn>{str(on).lower()}<".encode() in info.body
        state.set("1001", FeatureState(Feature.CF_BUSY, True, "1003"))
        assert database(lab) == ["CFB/1001=1003"]
        assert phone.notifies(0) == []


def test_without_the_push(start_lab):
    lab = start_lab(PROFILE, faults=("NO_PUSH",))
    with Phone(lab.bench) as phone:
        assert phone.request("REGISTER", headers=REGISTERED).status == 200
        push(lab, "true")
        assert phone.notifies(0) == []


def test_with_a_push_that_nobody_asked_for(start_lab):
    lab = start_lab(PROFILE, faults=("UNEXPECTED_PUSH",))
    with Phone(lab.bench) as phone:
        assert phone.request("REGISTER", headers=REGISTERED).status == 200
        push(lab, "true")
        info, notify = sorted(phone.notifies(2), key=lambda one: one.method)
        assert (info.method, notify.method) == ("INFO", "NOTIFY")
        assert notify.header("event") == "as-feature-event"
