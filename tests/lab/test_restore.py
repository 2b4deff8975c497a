"""The server is somebody's: whatever ends a run, the state found before it can be put back."""

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
from itertools import product

import pytest
from running import command, run

from featuresync.bench.state import ServerState
from featuresync.sync.feature import Feature, FeatureState

pytestmark = pytest.mark.lab

FOUND = [
    FeatureState(Feature.DND, True),
    FeatureState(Feature.CF_ALWAYS, False, "1004"),
    FeatureState(Feature.CF_BUSY, True, "1003"),
    FeatureState(Feature.CF_NO_ANSWER, True, "1004", 7),
]


@pytest.fixture
def server(start_lab):
    """A server that lives on, with a state of its own in all four features."""
    started = start_lab()
    with ServerState.connect(started.bench, started.profile) as state:
        for one in FOUND:
            state.set("1001", one)
        yield started, state


def found(state) -> list[FeatureState]:
    states = state.get("1001")
    return [states[one.feature] for one in FOUND]


def start(results, bench, **options):
    return subprocess.Popen(
        command("run", "--results", str(results), "--bench", str(bench)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def read_until(process, lines: int) -> list[str]:
    """The first so many lines of its output that tell of a finished test."""
    seen: list[str] = []
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    for line in process.stdout:
        if line.startswith(("PASS", "FAIL", "BROKEN")):
            seen.append(line)
            if len(seen) == lines:
                break
    watchdog.cancel()
    return seen


def children_of(pid: int) -> list[int]:
    done = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in done.stdout.split()]


def restore(results) -> subprocess.CompletedProcess:
    return subprocess.run(
        command("restore", "--results", str(results)), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.timeout(300)
def test_kill_9_at_ten_points_and_restore(server, tmp_path):
    """Robot and its parent are killed together, so that neither can tidy up."""
    started, state = server
    dirty = 0
    for point, seconds_more in product(range(1, 6), (0, 0.3)):
        process = start(tmp_path, started.file)
        assert len(read_until(process, point)) == point
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds_more)
        for pid in (process.pid, *children_of(process.pid)):
            os.kill(pid, signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
        dirty += found(state) != FOUND
        done = restore(tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert found(state) == FOUND, f"after kill {point}: {done.stdout}"
    assert dirty == 10, "the kills came too early to prove anything"
    assert restore(tmp_path).stdout.strip() == "nothing to restore"


def test_a_second_run_is_refused_until_the_first_is_restored(server, tmp_path):
    started, state = server
    process = start(tmp_path, started.file)
    read_until(process, 1)
    for pid in (process.pid, *children_of(process.pid)):
        os.kill(pid, signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    second = run(tmp_path, "--bench", str(started.file), "--feature", "dnd")
    assert second.code == 2
    assert "./featuresync restore" in second.out
    assert restore(tmp_path).returncode == 0
    assert found(state) == FOUND


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_cleanly(number, server, tmp_path):
    """Ctrl-C: the test under way ends, the server is put back, the report is written."""
    started, state = server
    process = start(tmp_path, started.file)
    read_until(process, 2)
    process.send_signal(number)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130, said
    assert found(state) == FOUND
    record = json.loads((tmp_path / "latest" / "run.json").read_text(encoding="utf-8"))
    assert record["totals"]["fail"] == 0
    assert record["totals"]["broken"] <= 1, "only the test under way was broken off"
    assert record["totals"]["skipped"] > 50
    assert not list((tmp_path / ".journal").glob("*.json"))


def test_robot_alone_puts_the_server_back_when_its_parent_is_killed(server, tmp_path):
    started, state = server
    process = start(tmp_path, started.file)
    read_until(process, 2)
    (robot,) = children_of(process.pid)
    watched = os.pidfd_open(robot)
    process.kill()
    process.wait(10)
    process.stdout.close()
    assert select.select([watched], [], [], 30)[0], "Robot went on without its parent"
    os.close(watched)
    assert found(state) == FOUND
    assert not list((tmp_path / ".journal").glob("*.json"))


def test_a_run_leaves_the_state_it_found(server, tmp_path):
    started, state = server
    done = run(tmp_path, "--bench", str(started.file), "--feature", "dnd")
    assert done.code == 0, done.out
    assert found(state) == FOUND
