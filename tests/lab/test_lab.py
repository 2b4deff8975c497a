"""The lab itself: real servers up, reachable over every transport, down without a trace."""

from __future__ import annotations

import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab_phone import Phone

from conftest import profile
from featuresync.bench.lab import Lab, down, repository, status, up
from featuresync.bench.lab.engine import Engine
from featuresync.bench.lab.kamailio import Kamailio
from featuresync.bench.state import ServerState
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import load_bench
from featuresync.sync.feature import Feature, FeatureState

pytestmark = pytest.mark.lab


def gone(pid: int, seconds: float = 5.0) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def traces(lab: Lab) -> list[str]:
    """Whatever of a stopped lab is still there."""
    left = [str(path) for path in (lab.run, lab.file.parent) if path.exists()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(lab.run).encode() + b"/" in command:
            left.append(command.decode(errors="replace"))
    return left


@pytest.mark.parametrize("ipv6", [False, True], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("vendor", ["kamailio", "broadsoft"])
def test_options_are_answered(start_lab, vendor, transport, ipv6):
    lab = start_lab(vendor, transport=transport, ipv6=ipv6)
    with Phone(lab.bench) as phone:
        answer = phone.request("OPTIONS")
    assert answer.status == 200
    assert answer.header("server") == "Kamailio"
    assert answer.headers("allow-events") == (["as-feature-event"] if vendor == "broadsoft" else [])


def test_bench_file_is_complete(start_lab):
    lab = start_lab(transport="tls")
    bench = load_bench(lab.file)
    assert bench == lab.bench
    number = lab.block.number
    assert (bench.sip.address, bench.sip.port, bench.sip.local) == (
        f"127.2.{number}.1",
        5061,
        f"127.2.{number}.10",
    )
    assert bench.path(bench.sip.tls.ca).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert bench.targets == ("1003", "1004")
    assert (bench.vendor, bench.standin) == ("broadsoft", True)
    assert bench.fingerprint.startswith("Kamailio 6")
    assert "(presence_dfks) · Asterisk 22." in bench.fingerprint
    assert " · OpenSSH " in bench.fingerprint
    assert bench.recipe(lab.profile) == Engine.load("kamailio").recipes["kamcmd"]
    assert bench.without_package is not None
    assert bench.without_package.address == f"127.2.{number}.3"
    assert (bench.admin.ssh.host, bench.admin.ssh.port) == (f"127.2.{number}.2", 2222)
    secrets = {account.password.resolve(lab.file, "password") for account in bench.accounts.values()}
    assert secrets == {lab.password("1001"), lab.password("1002"), lab.password("1003")}
    for file in (lab.file.parent / "lab-secrets").iterdir():
        if file.name != "ca.pem":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_stock_engine_is_no_stand_in_and_no_password_is_the_same(start_lab):
    first, second = start_lab("kamailio"), start_lab("kamailio")
    assert not first.bench.standin
    assert first.password("1001") != second.password("1001")


def test_server_without_the_package(start_lab):
    lab = start_lab()
    with Phone(lab.bench, sip=lab.bench.without_package) as phone:
        answer = phone.subscribe()
    assert (answer.status, answer.headers("allow-events")) == (489, ["message-summary"])


def test_all_accounts_register(start_lab):
    lab = start_lab()
    for user in ("1001", "1002", "1003", "1004"):
        with Phone(lab.bench) as phone:
            phone.user, phone.secret = user, lab.password(user)
            assert phone.request("REGISTER", headers="Expires: 60\r\n").status == 200
            phone.secret = "wrong"
            assert phone.request("REGISTER", headers="Expires: 60\r\n").status == 401


WANTED = [
    FeatureState(Feature.DND, True),
    FeatureState(Feature.CF_ALWAYS, True, "1003", 3),
    FeatureState(Feature.CF_BUSY, False, "*72#+1@x.y", 3),
    FeatureState(Feature.CF_NO_ANSWER, True, "1004", 7),
    FeatureState(Feature.CF_NO_ANSWER, False, "", 3),
]


@pytest.mark.parametrize("vendor", ["kamailio", "broadsoft"])
def test_state_is_got_set_and_put_back_over_ssh(start_lab, vendor):
    lab = start_lab(vendor)
    with ServerState.connect(lab.bench, lab.profile) as server:
        never_set = server.get("1001")
        assert all(state == FeatureState(feature, False) for feature, state in never_set.items())
        for wanted in WANTED:
            server.set("1001", wanted)
            read = server.get("1001")[wanted.feature]
            assert (read.on, read.number) == (wanted.on, wanted.number)
            assert wanted.feature is not Feature.CF_NO_ANSWER or read.rings == wanted.rings
        before = server.get("1001")
        server.set("10011", FeatureState(Feature.CF_BUSY, True, "1", 3))
        server.set("1001", FeatureState(Feature.CF_BUSY, True, "1004", 3))
        for state in before.values():
            server.set("1001", state)
        assert server.get("1001") == before
        for state in never_set.values():
            server.set("1001", state)
        assert all(not state.on and not state.number for state in server.get("1001").values())
        assert server.get("10011")[Feature.CF_BUSY].number == "1"


def test_ssh_runs_nothing_else(start_lab):
    lab = start_lab()
    with ServerState.connect(lab.bench, lab.profile) as server:
        assert server.session is not None
        for command in (
            "id",
            "kamcmd htable.dump users",
            "kamcmd core.kill",
            "kamcmd htable.dump st; id",
            "",
        ):
            with pytest.raises(BenchFault):
                server.session.run(command, {})


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client here")
def test_ssh_client_of_the_host_gets_in_with_this_key_only(start_lab, tmp_path):
    lab = start_lab()
    ssh = lab.bench.admin.ssh
    known = tmp_path / "known_hosts"
    known.write_text(f"[{ssh.host}]:{ssh.port} {ssh.host_key}\n")

    def run(key: str) -> subprocess.CompletedProcess[str]:
        options = [
            "BatchMode=yes",
            f"UserKnownHostsFile={known}",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
        ]
        return subprocess.run(
            ["ssh", "-F", "none", "-p", str(ssh.port), "-i", key, *(w for o in options for w in ("-o", o)),
             f"{ssh.user}@{ssh.host}", "kamcmd htable.sets st 1001::dnd true"],
            capture_output=True, text=True, timeout=20, check=False, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip

    assert ssh.key is not None
    done = run(str(lab.bench.path(ssh.key.file)))
    assert (done.returncode, done.stdout) == (0, "Ok. Key set to new value.\n"), done.stderr
    done = run("/nonexistent")
    assert done.returncode == 255
    assert "Permission denied (publickey)" in done.stderr


def test_stop_leaves_nothing(start_lab):
    lab = start_lab()
    pids = [lab.keeper.pid, *(server.pid for server in lab.servers)]
    with ServerState.connect(lab.bench, lab.profile):  # a session still open is ended too
        lab.stop()
    assert all(gone(pid, 0) for pid in pids)
    assert traces(lab) == []
    lab.stop()


def test_a_folder_of_the_callers_is_kept(tree, tmp_path):
    (tmp_path / "mine").touch()
    with Lab.start(profile("kamailio"), tmp_path, tree=tree):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.toml", "lab-secrets", "mine"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_start_that_fails_leaves_nothing_and_says_why(tree, tmp_path, monkeypatch):
    def write(self: Kamailio) -> None:
        written(self)
        with (self.run / "kamailio.cfg").open("a") as file:
            file.write("nonsense\n")

    written = Kamailio.write
    monkeypatch.setattr(Kamailio, "write", write)
    with pytest.raises(BenchFault, match=r"kamailio ended at .*: .*parse error in config file"):
        Lab.start(profile("kamailio"), tmp_path / "b", tree=tree)
    assert not (tmp_path / "b").exists()


def test_what_the_engine_cannot_play(tree, tmp_path):
    stock = profile("kamailio")
    assert stock.lab is not None
    with pytest.raises(BenchFault, match="no fault NO_NOTIFY in the dialect stock"):
        Lab.start(stock, tmp_path, tree=tree, faults=("NO_NOTIFY",))
    odd = stock.model_copy(update={"lab": stock.lab.model_copy(update={"dialect": "klingon"})})
    with pytest.raises(ConfigFault, match=r"lab\.dialect: expected one of stock, full_state, got klingon"):
        Lab.start(odd, tmp_path, tree=tree)
    other = stock.model_copy(update={"lab": stock.lab.model_copy(update={"engine": "yate"})})
    with pytest.raises(BenchFault, match="the lab has no engine yate: one of asterisk, kamailio"):
        Lab.start(other, tmp_path, tree=tree)
    with pytest.raises(BenchFault, match="no engine of the lab stands in for it"):
        Lab.start(stock.model_copy(update={"lab": None}), tmp_path, tree=tree)


STARTER = """
import sys
from pathlib import Path
from featuresync.bench.lab import Lab, repository
from featuresync.profile import load_profile
lab = Lab.start(load_profile(repository() / "vendors" / "kamailio.toml"), Path(sys.argv[1]))
print(lab.keeper.pid, lab.run, *(server.pid for server in lab.servers), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_killed_parent(tree, tmp_path, number):
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "b")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        keeper, run, *servers = parent.stdout.readline().split()
        parent.send_signal(number)
    assert gone(int(keeper))
    assert all(gone(int(pid), 0) for pid in servers)
    assert not Path(run).exists()
    assert not (tmp_path / "b").exists()


def test_eight_labs_side_by_side(tree, tmp_path):
    with ExitStack() as stack:
        with ThreadPoolExecutor(8) as pool:
            started = pool.map(
                lambda number: Lab.start(profile("broadsoft"), tmp_path / str(number), tree=tree), range(8)
            )
            labs = [stack.enter_context(lab) for lab in started]
        assert len({lab.block.number for lab in labs}) == 8
        for lab in labs:
            with Phone(lab.bench) as phone:
                assert phone.subscribe().status == 200
                (first,) = phone.notifies(1, quiet=0.05)
                assert first.header("content-type").startswith("multipart/mixed")
    assert [path for lab in labs for path in traces(lab)] == []


@pytest.fixture
def runtime_folder(monkeypatch):
    """A runtime folder of this test, so that a developer's standing labs stay."""
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)
        down()


def test_standing_lab_up_status_down(tree, runtime_folder):
    assert status() == []
    assert down() == []
    file = up(profile("kamailio"))
    assert up(profile("kamailio")) == file
    with pytest.raises(BenchFault, match="the lab of kamailio is up over udp"):
        up(profile("kamailio"), "tcp")
    up(profile("broadsoft"), "tcp")
    found = status()
    assert [(lab.vendor, lab.transport) for lab in found] == [("broadsoft", "tcp"), ("kamailio", "udp")]
    assert found[1].bench == str(file)
    with Phone(load_bench(file)) as phone:
        assert phone.request("OPTIONS").status == 200
    assert down("kamailio") == ["kamailio"]
    assert not file.exists()
    assert [lab.vendor for lab in status()] == ["broadsoft"]
    assert down() == ["broadsoft"]
    assert all(gone(lab.pid, 0) for lab in found)
    assert sorted(path.name for path in (runtime_folder / "featuresync").iterdir()) == [
        "standing",
        "standing.lock",
    ]


def test_standing_lab_outlives_its_command_and_a_dead_one_is_cleared(tree, runtime_folder):
    script = (
        "from featuresync.bench.lab import up, repository; from featuresync.profile import load_profile;"
        "up(load_profile(repository() / 'vendors' / 'kamailio.toml'))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    (lab,) = status()
    with Phone(load_bench(Path(lab.bench))) as phone:
        assert phone.request("OPTIONS").status == 200
    os.kill(lab.pid, signal.SIGKILL)
    assert gone(lab.pid)
    assert status() == []
    assert not Path(lab.bench).exists()


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
FLIP = """
import sys
from pathlib import Path
from featuresync.bench.lab import Lab, repository
from featuresync.bench.state import ServerState
from featuresync.profile import load_profile
from featuresync.sync.feature import Feature, FeatureState
with Lab.start(load_profile(repository() / "vendors" / "broadsoft.toml"), Path(sys.argv[1]) / "b") as lab:
    with ServerState.connect(lab.bench, lab.profile) as server:
        server.set("1001", FeatureState(Feature.DND, True))
        print(server.get("1001")[Feature.DND])
"""


@pytest.fixture
def nobodys_python():
    """The start of a command line that runs Python as nobody: this one, or the host's of the same version."""
    packages = [path for path in sys.path if path.endswith(("site-packages", "keywords"))]
    path = ":".join([*packages, str(repository() / "keywords")])
    check = (
        "import subprocess, sys, paramiko, pydantic; subprocess.run([sys.executable, '-c', ''], check=True)"
    )
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*NOBODY, "env", f"PYTHONPATH={path}", python]
        if not subprocess.run([*command, "-c", check], capture_output=True, check=False, cwd="/").returncode:
            return command
    pytest.skip("no Python with our packages that nobody may run")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv here")
def test_as_an_ordinary_user_whose_shell_refuses_logins(tree, nobodys_python):
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        cache, home = Path(folder) / "cache", Path(folder) / "home"
        cache.mkdir()
        home.mkdir()
        os.chown(home, 65534, 65534)
        Path(folder).chmod(0o755)
        shutil.copytree(tree.root, cache / tree.root.name, symlinks=True)
        env = {
            "PATH": os.environ["PATH"], "TMPDIR": str(home), "FEATURESYNC_CACHE": str(cache),
            "FEATURESYNC_HOME": str(repository()),
        }  # fmt: skip
        done = subprocess.run(
            [*nobodys_python, "-c", FLIP, str(home)],
            env=env, capture_output=True, text=True, timeout=60, check=False, cwd="/",
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "DND on\n"), done.stderr
        assert [path.name for path in home.iterdir()] == ["featuresync-65534"]
        assert list((home / "featuresync-65534").iterdir()) == []
