import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from featuresync.bench.lab.addresses import lease
from featuresync.bench.lab.process import Keeper, end
from featuresync.bench.process import identity
from featuresync.errors import BenchFault

BLOCKS = range(210, 220)


@pytest.fixture
def block(own_blocks):
    block = lease(BLOCKS)
    yield block
    block.release()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def gone(pid, seconds=5.0):
    """Wait until a process has ended and was reaped."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def shell(text):
    return ["/bin/sh", "-c", text]


def lines(server, count):
    """The first lines of a server's log, once there are that many."""
    server.wait_ready(lambda: server.log.exists() and server.log.read_text().count("\n") >= count, 5)
    return server.log.read_text().splitlines()


def test_a_server_runs_in_its_folder_with_a_clean_environment(block, folder):
    keeper = Keeper([folder], block.holder)
    server = keeper.run("one", shell("pwd; env; echo end; sleep 60"), folder, {"MINE": "1"})
    server.wait_ready(lambda: server.tail().endswith("end"), 5)
    said = server.log.read_text().splitlines()
    assert said[0] == str(folder)
    assert {line.partition("=")[0] for line in said[1:-1]} == {"PATH", "LANG", "MINE", "PWD"}
    assert os.listdir(f"/proc/{server.pid}/fd") == ["0", "1", "2"], "no descriptor of the keeper's"
    keeper.stop()
    assert gone(server.pid)
    assert not folder.exists()


def test_what_a_server_left_running_ends_too(block, folder):
    keeper = Keeper([folder], block.holder)
    server = keeper.run(
        "one", shell("(setsid sleep 60 & echo $!); trap '' TERM; echo $$; sleep 61; sleep 62"), folder
    )
    pids = [int(line) for line in lines(server, 2)]
    assert not any(gone(pid, 0) for pid in pids)
    keeper.stop()
    assert all(gone(pid, 0) for pid in pids)
    keeper.stop()


def test_a_server_that_ends_is_told_with_its_last_words(block, folder):
    keeper = Keeper([folder], block.holder)
    server = keeper.run("one", shell("echo fine; echo ERROR: port taken; exit 3"), folder)
    with pytest.raises(BenchFault, match=r"one ended at .*: ERROR: port taken"):
        server.wait_ready(lambda: False, 5)
    other = keeper.run("two", ["/nonexistent"], folder)
    with pytest.raises(BenchFault, match=r"two ended at .*: cannot start /nonexistent"):
        other.wait_ready(lambda: False, 5)
    keeper.stop()


def test_a_server_that_is_not_ready_in_time(block, folder):
    keeper = Keeper([folder], block.holder)
    server = keeper.run("one", shell("sleep 60"), folder)
    with pytest.raises(BenchFault, match=r"one is not ready after 0\.1 s"):
        server.wait_ready(lambda: False, 0.1)
    keeper.stop()


def test_the_keeper_holds_the_block(block, folder):
    keeper = Keeper([folder], block.holder)
    keeper.run("one", shell("sleep 60"), folder)
    block.release()
    only = range(block.number, block.number + 1)
    with pytest.raises(BenchFault, match="all 1 blocks"):
        lease(only)
    keeper.stop()
    lease(only).release()


STARTER = """
import sys
from pathlib import Path
from featuresync.bench.lab.addresses import lease
from featuresync.bench.lab.process import Keeper
folder = Path(sys.argv[1])
keeper = Keeper([folder], lease(range(210, 220)).holder)
server = keeper.run("one", ["/bin/sh", "-c", "sleep 60"], folder)
if sys.argv[2] == "detach":
    keeper.detach()
print(keeper.pid, server.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_starter_that_is_killed(folder, number):
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), "stay"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with starter:
        keeper, server = map(int, starter.stdout.readline().split())
        starter.send_signal(number)
    assert gone(keeper)
    assert gone(server, 0)
    assert not folder.exists()


def test_servers_end_when_the_keeper_itself_is_killed(block, folder):
    keeper = Keeper([folder], block.holder)
    server = keeper.run("one", ["/bin/sleep", "60"], folder)
    os.kill(keeper.pid, signal.SIGKILL)
    assert gone(server.pid)
    with pytest.raises(BenchFault, match="the lab's keeper has died"):
        keeper.run("two", shell("true"), folder)
    keeper.stop()


def test_a_detached_lab_outlives_its_starter_and_is_ended_by_name(folder):
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), "detach"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as starter:  # fmt: skip
        keeper, server = map(int, starter.stdout.readline().split())
        since = identity(keeper)
        starter.kill()
    assert not gone(keeper, 0.2)
    assert not end(keeper, "another time")
    assert not gone(server, 0)
    assert end(keeper, since)
    assert gone(server, 0)
    assert not folder.exists()
    assert not end(keeper, since)


def test_the_keeper_needs_nothing_of_the_package():
    script = Path(sys.modules[Keeper.__module__].__file__).with_name("keeper.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script)],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
