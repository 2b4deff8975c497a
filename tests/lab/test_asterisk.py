"""The lab's Asterisk on the wire: codes, announcements, calls, faults, and the state over SSH."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from coded import CODES, coded
from lab_call import Call
from lab_phone import Phone
from test_lab import gone

from featuresync.bench.lab import Lab
from featuresync.bench.lab.asterisk import Asterisk
from featuresync.bench.ssh_command import CommandAccess
from featuresync.bench.state import ServerState
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import load_bench
from featuresync.sync.feature import Feature, FeatureState

pytestmark = pytest.mark.lab


def asterisk(lab: Lab) -> Asterisk:
    (server,) = [server for server in lab.sip if isinstance(server, Asterisk)]
    return server


def entries(lab: Lab) -> dict[str, str]:
    """Everything in AstDB that is about features: ``{"CF/1001": "1003"}``."""
    said = asterisk(lab).output("database show")
    found = re.findall(r"^/(\S+)\s+: (\S+)\s*$", said, re.MULTILINE)
    return {key: value for key, value in found if not key.startswith(("registrar/", "pbx/"))}


def clear(lab: Lab) -> None:
    for key in entries(lab):
        asterisk(lab).output(f"database del {key.replace('/', ' ')}")


def put(lab: Lab, **families: str) -> None:
    """Of 1001: ``put(lab, CF="1003")``."""
    for family, value in families.items():
        asterisk(lab).output(f"database put {family} 1001 {value}")


@pytest.fixture(scope="module")
def labs(tree, tmp_path_factory) -> Iterator[dict[str, Lab]]:
    """One lab a dialect for all of this module: an Asterisk that just started takes a second to end."""
    with ExitStack() as stack:

        class Labs(dict[str, Lab]):
            def __missing__(self, dialect: str) -> Lab:
                call = {"final_early": [603, 480]} if dialect == "mixed" else {}
                folder = tmp_path_factory.mktemp(dialect) / "bench"
                self[dialect] = stack.enter_context(Lab.start(coded(dialect, call=call), folder, tree=tree))
                return self[dialect]

        yield Labs()


@pytest.fixture
def lab(labs) -> Iterator[Lab]:
    yield labs["established"]
    clear(labs["established"])


@contextmanager
def phones(lab: Lab, *users: str) -> Iterator[list[Phone]]:
    """Phones that are registered and answer what comes, until the end."""
    with ExitStack() as stack:
        found = []
        stop = threading.Event()
        for user in users:
            phone = stack.enter_context(Phone(lab.bench))
            phone.user, phone.secret = user, lab.password(user)
            assert phone.request("REGISTER", headers="Expires: 60\r\n").status == 200
            found.append(phone)

        def serve(phone: Phone) -> None:
            while not stop.is_set():
                phone.take(0.05)

        threads = [threading.Thread(target=serve, args=(phone,)) for phone in found]
        for thread in threads:
            thread.start()
        try:
            yield found
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            for phone in found:
                assert phone.request("REGISTER", headers="Expires: 0\r\n").status == 200


PRESSED = {
    "1001": [
        ("*78", "", {"DND": "YES"}),
        ("*76", ";user=phone", {}),
        ("*76", "", {"DND": "YES"}),
        ("*79", "", {}),
        ("*79", "", {}),
    ],
    "1002": [
        ("*721003", "", {"CF": "1003"}),
        ("*72+441234", "", {"CF": "+441234"}),
        ("*96", "", {}),
        ("*72" + "1" * 20, "", {"CF": "1" * 20}),
        ("*73", "", {}),
    ],
    "1003": [
        ("*901003;phone-context=a.invalid", ";user=dialstring", {"CFB": "1003"}),
        ("*90", "", {"CFB": "voicemail"}),
        ("*91", "", {}),
    ],
    "1004": [
        ("*52*1004%23", "", {"CFU": "1004", "LAST_CFU": "1004"}),
        ("%2352%23", "", {"LAST_CFU": "1004"}),
        ("*52*#", "", {"CFU": "1004", "LAST_CFU": "1004"}),
        ("#52#", "", {"LAST_CFU": "1004"}),
    ],
}


class TestCodes:
    def test_each_code_is_answered_announced_and_stored(self, lab):
        """By four phones at once: what one dials is nobody else's."""

        def press(account: str) -> None:
            with Phone(lab.bench) as phone:
                phone.user, phone.secret = account, lab.password(account)
                for user, parameters, stored in PRESSED[account]:
                    call = Call(phone, user, parameters).make()
                    assert (call.statuses, call.early, call.ended_by) == ([100, 200], False, "server"), user
                    assert call.heard > 2, user
                    assert call.seconds < 2, user
                    found = {key.partition("/")[0]: value for key, value in entries(lab).items()
                             if key.endswith(account)}  # fmt: skip
                    assert found == stored, user

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(press, PRESSED))

    @pytest.mark.parametrize(
        ("user", "status"),
        [
            ("*731002", 484), ("*781", 484), ("*72100a", 484), ("*72" + "1" * 21, 484), ("*52*1004", 484),
            ("%2352%231002", 484), ("*72%22", 484), ("*52*%23x", 484), ("*99", 404), ("*7", 404), ("i", 404),
            ("*52%23", 404),
        ],
    )  # fmt: skip
    def test_what_is_no_code_is_refused_and_harms_nobody(self, lab, user, status):
        asterisk(lab).output("database put CF 1002 1003")
        put(lab, CF="1003", DND="YES")
        before = entries(lab)
        with Phone(lab.bench) as phone:
            assert Call(phone, user).make().status == status
        assert entries(lab) == before

    def test_a_prompt_is_answered_and_changes_nothing(self, lab):
        with Phone(lab.bench) as phone:
            call = Call(phone, "*72").make()
            assert (call.status, call.ended_by, entries(lab)) == (200, "server", {})

    def test_without_a_number_and_none_stored(self, lab):
        with Phone(lab.bench) as phone:
            assert Call(phone, "*52*%23").make().status == 484

    def test_a_code_is_for_the_one_who_can_prove_it(self, lab):
        with Phone(lab.bench) as phone:
            phone.secret = "wrong"
            assert Call(phone, "*78").make().status == 401
        with Phone(lab.bench, "other") as phone:
            assert Call(phone, "*78").make().status == 200
        assert entries(lab) == {"DND/1002": "YES"}

    def test_who_hangs_up_at_once_has_changed_nothing(self, lab):
        with Phone(lab.bench) as phone:
            call = Call(phone, "*78").make(hold=0.1)
            assert (call.status, call.ended_by) == (200, "phone")
            assert Call(phone, "*721003").make().ended_by == "server"
            assert entries(lab) == {"CF/1001": "1003"}


class TestDialects:
    def test_early_announcements_end_in_a_failure(self, labs):
        lab = labs["early"]
        with Phone(lab.bench) as phone:
            for user, stored in (("*721003", {"CF/1001": "1003"}), ("*73", {})):
                call = Call(phone, user).make()
                assert (call.statuses, call.early) == ([100, 183, 480], True)
                assert call.heard > 5
                assert entries(lab) == stored
            call = Call(phone, "*721003").make(hold=0.1)
            assert (call.status, call.ended_by) == (487, "phone")
            assert entries(lab) == {}

    def test_mixed(self, labs):
        lab = labs["mixed"]
        with Phone(lab.bench) as phone:
            assert Call(phone, "*78").make().statuses == [100, 200]
            assert entries(lab) == {"DND/1001": "YES"}
            assert Call(phone, "*79").make().statuses == [100, 183, 603], "the first of call.final_early"
            assert entries(lab) == {}

    @pytest.mark.parametrize(("transport", "ipv6"), [("tls", False), ("tcp", True)])
    def test_other_transports(self, tree, tmp_path, transport, ipv6):
        with Lab.start(coded(), tmp_path / "b", tree=tree, transport=transport, ipv6=ipv6) as lab:
            with Phone(lab.bench) as phone, phones(lab, "1001") as (callee,):
                assert Call(phone, "*901004").make().ended_by == "server"
                phone.user, phone.secret = "1002", lab.password("1002")
                call = Call(phone, "1001").make(hold=0.1)
                assert (call.status, call.ended_by) == (200, "phone")
                assert callee.requests[0].method == "INVITE"
            assert entries(lab) == {"CFB/1001": "1004"}

    def test_the_package_is_refused(self, lab):
        with Phone(lab.bench) as phone:
            assert phone.subscribe().status == 489
            assert phone.notifies(0, quiet=0.1) == []


class TestCalls:
    """The features do what they say: 1002 calls 1001, and the forward's target is 1003."""

    def call(self, lab: Lab, answering: int = 200) -> tuple[int, dict[str, int]]:
        """The final status, and how many calls rang at 1001 (which answers so) and at 1003."""
        with phones(lab, "1001", "1003") as both, Phone(lab.bench, "other") as caller:
            both[0].answering = answering
            call = Call(caller, "1001").make(hold=0)
        rang = {phone.user: [one.method for one in phone.requests].count("INVITE") for phone in both}
        return call.status, rang

    def test_plain(self, lab):
        assert self.call(lab) == (200, {"1001": 1, "1003": 0})
        assert self.call(lab, 486) == (486, {"1001": 1, "1003": 0})

    def test_do_not_disturb(self, lab):
        put(lab, DND="YES", CFU="1003")
        assert self.call(lab) == (486, {"1001": 0, "1003": 0})
        put(lab, CFB="1003")
        assert self.call(lab) == (200, {"1001": 0, "1003": 1})

    def test_always_comes_first(self, lab):
        put(lab, CF="1003", DND="YES", CFB="1004")
        assert self.call(lab) == (200, {"1001": 0, "1003": 1})

    def test_busy(self, lab):
        put(lab, CFB="1003")
        assert self.call(lab, 486) == (200, {"1001": 1, "1003": 1})
        assert self.call(lab) == (200, {"1001": 1, "1003": 0})

    def test_no_answer(self, lab):
        put(lab, CFU="1003")
        begun = time.monotonic()
        with ThreadPoolExecutor(1) as pool, phones(lab, "1004") as (alone,), Phone(lab.bench) as caller:
            alone.answering = 180
            forwarded = pool.submit(self.call, lab, 180)
            assert Call(caller, "1004").make().statuses[-2:] == [180, 480]
            assert forwarded.result() == (200, {"1001": 1, "1003": 1})
        assert 2 < time.monotonic() - begun < 6

    @pytest.mark.parametrize("target", ["voicemail", "9999", "1001"])
    def test_a_forward_to_where_nobody_is(self, lab, target):
        put(lab, CF=target)
        status, rang = self.call(lab)
        assert (status, rang) == (404 if target == "9999" else 480, {"1001": 0, "1003": 0})

    def test_a_forward_reaches_no_code(self, lab):
        put(lab, CF="*78")
        assert self.call(lab) == (404, {"1001": 0, "1003": 0})
        assert entries(lab) == {"CF/1001": "*78"}

    def test_nobody_at_home(self, lab):
        with Phone(lab.bench, "other") as caller:
            assert Call(caller, "1001").make().status == 480


class TestFaults:
    def test_code_ignored(self, tree, tmp_path):
        with Lab.start(coded(), tmp_path / "b", tree=tree, faults=["CODE_IGNORED"]) as lab:
            with Phone(lab.bench) as phone:
                call = Call(phone, "*721003").make()
            assert (call.status, call.ended_by, entries(lab)) == (200, "server", {})

    def test_wrong_feature_and_unexpected_push(self, tree, tmp_path):
        faults = ["WRONG_FEATURE", "UNEXPECTED_PUSH"]
        with (
            Lab.start(coded(), tmp_path / "b", tree=tree, faults=faults) as lab,
            Phone(lab.bench) as phone,
            ServerState.connect(lab.bench, lab.profile) as server,
        ):
            assert Call(phone, "*901003").make().status == 200
            assert entries(lab) == {"CF/1001": "1003"}
            assert phone.request("REGISTER", headers="Expires: 60\r\n").status == 200
            phone.requests.clear()
            for on in (True, False):
                server.set("1001", FeatureState(Feature.DND, on))
                (told,) = phone.notifies(1, quiet=0.1)
                assert told.header("event") == "as-feature-event"
                assert f"<doNotDisturbOn>{str(on).lower()}<".encode() in told.body
                assert server.get("1001")[Feature.DND].on is on
            server.set("1001", FeatureState(Feature.CF_ALWAYS, False))
            assert phone.notifies(0, quiet=0.2) == []

    def test_others_are_not_known(self, tree, tmp_path):
        with pytest.raises(BenchFault, match="the lab has no fault NO_NOTIFY in the dialect established"):
            Lab.start(coded(), tmp_path / "b", tree=tree, faults=["NO_NOTIFY"])


STATES = [
    FeatureState(Feature.DND, True),
    FeatureState(Feature.CF_ALWAYS, True, "1003"),
    FeatureState(Feature.CF_BUSY, True, "*72#+1@x.y"),
    FeatureState(Feature.CF_NO_ANSWER, True, "1004"),
]
OWN = {
    "words": ["YES", "NO"],
    "read": ["asterisk -rx 'database show DND'"],
    "source": "lab",
    "sure": "measured",
    "features": {
        "dnd": {
            "present": r"^/DND/{account}\s+: YES\s*$",
            "set": ['asterisk -rx "database put DND "{account}" YES"'],
            "set_off": ['asterisk -rx "database del DND "{account}'],
        }
    },
}


class TestState:
    def test_it_is_got_set_and_put_back_over_ssh(self, lab):
        with ServerState.connect(lab.bench, lab.profile) as server:
            never_set = server.get("1001")
            assert all(state == FeatureState(feature, False) for feature, state in never_set.items())
            for state in STATES:
                server.set("1001", state)
                assert server.get("1001")[state.feature] == state
            assert [server.get("1001")[state.feature] for state in STATES] == STATES
            assert not any(state.on for state in server.get("1002").values())
            assert not any(state.on for state in server.get("100").values())
            for state in STATES:
                server.set("1001", FeatureState(state.feature, False))
            assert server.get("1001") == never_set

    def test_codes_and_ssh_speak_of_the_same(self, lab):
        with Phone(lab.bench) as phone, ServerState.connect(lab.bench, lab.profile) as server:
            Call(phone, "*52*1003%23").make()
            on = FeatureState(Feature.CF_NO_ANSWER, True, "1003")
            assert server.get("1001")[on.feature] == on
            server.set("1001", FeatureState(Feature.CF_NO_ANSWER, False))
            Call(phone, "*91").make()
            assert not any(state.on for state in server.get("1001").values())

    @pytest.mark.parametrize(
        "command",
        [
            "asterisk -rx 'core stop now'", "asterisk -rx 'database put CF 1001'", "asterisk -rvvv",
            "asterisk -rx 'database put registrar 1001 x'", "asterisk -rx 'database deltree CF'", "id",
            "asterisk -rx '!id'", "asterisk -rx 'database put CF 1001 x' -C /etc/passwd",
            "kamcmd htable.dump st",
        ],
    )  # fmt: skip
    def test_nothing_else_is_run(self, lab, command):
        assert lab.bench.admin.ssh is not None
        said = "exit code 126: refused: only the state of the features, by asterisk"
        with CommandAccess(lab.bench.admin.ssh, lab.file) as access, pytest.raises(BenchFault, match=said):
            access.run(command, {})

    def test_a_recipe_of_the_profile_is_proved(self, tree, tmp_path):
        profile = coded(recipe="own", recipes={"own": OWN})
        with (
            Lab.start(profile, tmp_path / "b", tree=tree) as lab,
            ServerState.connect(lab.bench, lab.profile) as server,
        ):
            server.set("1001", FeatureState(Feature.DND, True))
            assert server.get("1001") == {Feature.DND: FeatureState(Feature.DND, True)}
            assert entries(lab) == {"DND/1001": "YES"}
        with pytest.raises(ConfigFault, match=r"lab\.recipe: expected one of astdb, pushed_astdb, got none"):
            Lab.start(coded(recipe="none"), tmp_path / "c", tree=tree)


def test_the_bench_file(lab):
    bench = load_bench(lab.file)
    assert bench == lab.bench
    assert (bench.vendor, bench.standin, bench.without_package) == ("coded", True, None)
    assert re.fullmatch(r"Asterisk 22\.\d+\.\d+ · OpenSSH \S+", bench.fingerprint)
    assert {role: account.user for role, account in bench.accounts.items()} == {
        "primary": "1001", "other": "1002", "target": "1003",
    }  # fmt: skip
    assert (bench.targets, bench.deadlines.ring, bench.deadlines.no_answer) == (("1003", "1004"), 3.0, 12.0)


def sockets(pid: int) -> list[tuple[str, str, int]]:
    """Local ends of a process's UDP and TCP sockets: table, address as the kernel writes it, port."""
    mine = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            mine.add(os.readlink(file).removeprefix("socket:[").removesuffix("]"))
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in mine:
                address, _, port = words[1].partition(":")
                found.append((table, address, int(port, 16)))
    return found


def test_it_listens_at_its_own_address_alone(lab):
    """Also while it plays an announcement. Its resolver has two sockets of its own, whose name server is not
    there; they answer nobody, and Asterisk offers no way to do without."""
    (pid,) = [server.pid for server in lab.servers if server.name == "asterisk"]
    own = "".join(f"{int(part):02X}" for part in reversed(lab.block.server.split(".")))

    def elsewhere() -> list[tuple[str, str, int]]:
        return [one for one in sockets(pid) if one[1] != own]

    resolver = elsewhere()
    assert [(table, set(address)) for table, address, _ in resolver] == [("udp", {"0"}), ("udp6", {"0"})]
    with Phone(lab.bench) as phone, ThreadPoolExecutor(1) as pool:
        calling = pool.submit(Call(phone, "*78").make)
        while not calling.done():
            assert elsewhere() == resolver
        assert calling.result().status == 200
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(0.2)
        stranger.sendto(b"OPTIONS sip:x SIP/2.0\r\n\r\n", ("127.0.0.1", resolver[0][2]))
        with pytest.raises(TimeoutError):
            stranger.recv(2048)
    assert "ERROR" not in lab.logs()["asterisk"]


STARTER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from coded import coded
from featuresync.bench.lab import Lab
lab = Lab.start(coded(), Path(sys.argv[1]))
print(lab.keeper.pid, lab.run, *(server.pid for server in lab.servers), flush=True)
sys.stdin.read()
"""


def test_nothing_outlives_a_killed_parent(tree, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "b"), str(Path(__file__).parent)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        keeper, run, *servers = parent.stdout.readline().split()
        parent.kill()
    assert gone(int(keeper))
    assert all(gone(int(pid), 0) for pid in servers)
    assert not Path(run).exists()
    assert not (tmp_path / "b").exists()


def test_four_side_by_side(tree, tmp_path):
    """And a tenth vendor needs no more than its codes."""
    codes = {**CODES, "dnd": {"on": "**26#", "off": "##26#"}}
    with ExitStack() as stack:
        with ThreadPoolExecutor(4) as pool:
            started = pool.map(
                lambda number: Lab.start(coded(codes=codes), tmp_path / str(number), tree=tree), range(4)
            )
            labs = [stack.enter_context(lab) for lab in started]
        calls = [Call(stack.enter_context(Phone(lab.bench)), "**26%23") for lab in labs]
        with ThreadPoolExecutor(4) as pool:
            assert [call.status for call in pool.map(lambda call: call.make(), calls)] == [200] * 4
        assert [entries(lab) for lab in labs] == [{"DND/1001": "YES"}] * 4
