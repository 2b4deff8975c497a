"""featuresync.bench.process: a number alone does not name a process."""

import os
import signal
import subprocess

import pytest

from featuresync.bench import process
from featuresync.bench.process import identity, own_identity, runs


@pytest.fixture
def child():
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as running:
        yield running
        running.kill()


def test_we_run():
    assert runs(os.getpid(), own_identity())


def test_another_program_with_our_number_is_not_us():
    assert not runs(os.getpid(), "another boot/1")
    assert not runs(os.getpid(), "")


def test_a_child_runs_until_it_is_dead_even_unreaped(child):
    then = identity(child.pid)
    assert then
    assert then != own_identity()
    assert runs(child.pid, then)
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not runs(child.pid, then)
    child.wait(5)
    assert identity(child.pid) == ""


def test_without_proc_the_system_is_asked(child, monkeypatch, tmp_path):
    if not os.path.exists("/bin/ps"):
        pytest.skip("this system has no ps")
    then = process._identity_by_ps(child.pid)
    assert then
    assert process._identity_by_ps(child.pid) == then
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process._identity_by_ps(child.pid) == ""


def test_a_system_that_cannot_be_asked_knows_nobody(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("ps")

    monkeypatch.setattr(subprocess, "run", missing)
    assert process._identity_by_ps(1) == ""
