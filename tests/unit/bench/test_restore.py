"""featuresync.bench.restore: what ./featuresync restore prints, and its exit code."""

import subprocess
from pathlib import Path

import pytest

from featuresync.bench.access import LoginFault
from featuresync.bench.journal import FOLDER, Journal, _write, open_journal, pending
from featuresync.bench.process import identity
from featuresync.bench.restore import restore_all
from featuresync.errors import BenchFault
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import FakeServer, state_of, write_bench

PROFILE = """
[vendor]
name = "acme"
title = "Acme"
families = ["R"]
[sources]
here = "here"
[features]
[expect]
full_state = { source = "here", sure = "code" }
challenge = { source = "here", sure = "code" }
package_off = { source = "here", sure = "code" }
"""


@pytest.fixture
def profile(tmp_path):
    file = tmp_path / "acme.toml"
    file.write_text(PROFILE)
    return file


@pytest.fixture
def server():
    return FakeServer(values={"1001 dnd": "yes"})


@pytest.fixture
def bench(tmp_path):
    return write_bench(tmp_path)


def killed_run(bench, profile, server, tmp_path, **changes):
    def snapshot():
        return {"1001": state_of(server).get("1001")}

    journal = open_journal(tmp_path / FOLDER, bench, profile, snapshot, run_id="r1")
    server.values["1001 dnd"] = "no"
    left = Journal(journal.path, journal.record.model_copy(update={"process": "dead/1"} | changes))
    _write(left)
    return left


def no_login(bench, profile):
    raise LoginFault("connection refused")


def no_answer(bench, profile):
    raise BenchFault("it fell silent")


def test_nothing_to_do(tmp_path):
    assert restore_all(tmp_path) == (["nothing to restore"], 0)


def test_a_killed_run_is_put_back(bench, profile, server, tmp_path):
    left = killed_run(bench, profile, server, tmp_path)
    asked = []

    def connect(found_bench, found_profile):
        asked.append((found_bench.name, found_profile.vendor.name))
        return state_of(server)

    assert restore_all(tmp_path, connect) == (["box: 1001: DND off; put back to: DND on"], 0)
    assert asked == [("box", "acme")]
    assert state_of(server).get("1001")[Feature.DND] == FeatureState(Feature.DND, True)
    assert not left.path.exists()


def test_a_server_that_fails_keeps_its_journal(bench, profile, server, tmp_path):
    left = killed_run(bench, profile, server, tmp_path)
    server.broken = True
    lines, code = restore_all(tmp_path, lambda *_: state_of(server))
    assert lines[0] == "box: 1001: not restored: the server is on fire"
    assert code == 2
    assert left.path.exists()


@pytest.mark.parametrize("connect", [no_login, no_answer])
def test_a_server_that_cannot_be_reached_keeps_its_journal(bench, profile, server, tmp_path, connect):
    left = killed_run(bench, profile, server, tmp_path)
    lines, code = restore_all(tmp_path, connect)
    assert code == 2
    assert lines[0].startswith(f"{left}: not restored: ")
    assert left.path.exists()


def test_a_lab_that_is_gone_needs_nothing(bench, profile, server, tmp_path):
    left = killed_run(bench, profile, server, tmp_path, ephemeral=True)
    lines, code = restore_all(tmp_path, no_login)
    assert (lines, code) == (
        ["box: the lab's server is gone, nothing to put back (connection refused)"],
        0,
    )
    assert not left.path.exists()


@pytest.mark.parametrize("ephemeral", [True, False])
def test_a_bench_file_that_is_gone(bench, profile, server, tmp_path, ephemeral):
    left = killed_run(bench, profile, server, tmp_path, ephemeral=ephemeral)
    bench.file.unlink()
    lines, code = restore_all(tmp_path, no_login)
    assert f"bench file {bench.file} is gone" in lines[0]
    assert (code, left.path.exists()) == ((0, False) if ephemeral else (2, True))


def test_a_lab_that_fails_later_than_its_login_is_not_gone(bench, profile, server, tmp_path):
    left = killed_run(bench, profile, server, tmp_path, ephemeral=True)
    assert restore_all(tmp_path, no_answer)[1] == 2
    assert left.path.exists()


def test_a_bench_file_that_moved_on_to_another_server(bench, profile, server, tmp_path):
    killed_run(bench, profile, server, tmp_path)
    write_bench(tmp_path, host="127.0.0.9")
    lines, code = restore_all(tmp_path, lambda *_: state_of(server))
    assert lines[0].endswith("now names another server, 127.0.0.9:22 not 127.0.0.1:22")
    assert (code, server.values["1001 dnd"]) == (2, "no")


def test_a_profile_that_is_gone(bench, profile, server, tmp_path):
    killed_run(bench, profile, server, tmp_path)
    profile.unlink()
    lines, code = restore_all(tmp_path)
    assert f"not restored: {profile}: file: expected a readable TOML file, got no such file" in lines[0]
    assert code == 2


def test_a_claim_without_a_snapshot_is_dropped(bench, profile, server, tmp_path):
    left = killed_run(bench, profile, server, tmp_path, snapshot=None)
    assert restore_all(tmp_path, no_login) == (["box: the run ended before it changed anything"], 0)
    assert not left.path.exists()


def test_a_run_that_is_still_there_is_no_trouble(bench, profile, server, tmp_path):
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as other:
        alive = {"pid": other.pid, "process": identity(other.pid)}
        left = killed_run(bench, profile, server, tmp_path, **alive)
        lines, code = restore_all(tmp_path, no_login)
        other.stdin.close()
    assert lines == [f"{left}: its run is still there (process {other.pid}); not touched"]
    assert (code, left.path.exists()) == (0, True)


def test_unreadable_journals_are_trouble_and_stay(tmp_path):
    (tmp_path / FOLDER).mkdir()
    file = Path(tmp_path / FOLDER / "box-1.json")
    file.write_text("half")
    lines, code = restore_all(tmp_path)
    assert lines[0].startswith(f"{file}: unreadable journal, left in place")
    assert (len(lines), code, pending(tmp_path / FOLDER).journals) == (1, 2, [])
    assert file.exists()
