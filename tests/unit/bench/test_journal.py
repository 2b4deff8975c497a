"""featuresync.bench.journal: whatever happens between the snapshot and the restore, nothing is lost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from featuresync.bench import journal as module
from featuresync.bench.journal import FOLDER, open_journal, pending, restore
from featuresync.errors import BenchFault
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import ALL, FakeServer, Time, altered, state_of, write_bench
from .victim import MARKS, STEPS

PROFILE = Path("acme.toml")
ACCOUNTS = ("1001", "1002")


@pytest.fixture
def bench(tmp_path):
    return write_bench(tmp_path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / FOLDER


def snapshot_of(server):
    state = state_of(server)
    return lambda: {account: dict(state.get(account)) for account in ACCOUNTS}


def opened(folder, bench, server=None, **options):
    return open_journal(folder, bench, PROFILE, snapshot_of(server or FakeServer()), run_id="r1", **options)


def orphan(journal, **changes):
    """The journal as a killed run leaves it: its process is gone."""
    gone = journal.record.model_copy(update={"process": "another boot/1"} | changes)
    left = module.Journal(journal.path, gone)
    module._write(left)
    return left


def test_the_file_says_everything(folder, bench):
    server = FakeServer(values={"1001 cf_no_answer": "yes to=1003", "1001 rings": "4"})
    journal = opened(folder, bench, server, now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    data = json.loads(journal.path.read_text())
    off = {"on": False, "number": "", "rings": None}
    nothing = dict.fromkeys(("dnd", "cf_always", "cf_busy", "cf_no_answer"), off)
    assert data.pop("process")
    assert data == {
        "schema_version": 1,
        "run_id": "r1",
        "pid": os.getpid(),
        "bench": "box",
        "bench_file": str(bench.file),
        "server": "127.0.0.1:22",
        "accounts": ["1001", "1002"],
        "vendor": "acme",
        "profile_file": str(PROFILE.absolute()),
        "ephemeral": False,
        "written": "2026-01-02T03:04:05+00:00",
        "snapshot": {
            "1001": nothing | {"cf_no_answer": {"on": True, "number": "1003", "rings": 4}},
            "1002": nothing,
        },
    }
    assert journal.path.parent == folder
    assert journal.path.name.startswith("box-")
    assert [path.name for path in folder.iterdir()] == [journal.path.name]


def test_closed_is_gone(folder, bench):
    journal = opened(folder, bench)
    journal.close()
    journal.close()
    assert list(folder.iterdir()) == []


def test_what_is_pending_is_what_was_written(folder, bench):
    journal = opened(folder, bench)
    assert pending(folder).journals == [journal]
    assert pending(folder).problems == []


def test_nothing_is_pending_where_nothing_ran(folder):
    assert pending(folder) == ([], [])


def test_the_claim_stands_before_the_snapshot_is_taken(folder, bench):
    seen = []

    def snapshot():
        seen.extend(pending(folder).journals)
        return {}

    open_journal(folder, bench, PROFILE, snapshot, run_id="r1")
    assert [journal.record.snapshot for journal in seen] == [None]


def test_a_snapshot_that_fails_leaves_no_claim(folder, bench):
    with pytest.raises(BenchFault, match="on fire"):
        opened(folder, bench, FakeServer(broken=True))
    assert list(folder.iterdir()) == []


def test_a_bench_without_a_file_cannot_be_journaled(folder, bench):
    with pytest.raises(BenchFault, match="bench box stands in no file"):
        opened(folder, bench.model_copy(update={"file": Path()}))


def test_a_second_run_is_refused_and_told_why(folder, bench):
    journal = opened(folder, bench)
    with pytest.raises(BenchFault) as caught:
        opened(folder, bench)
    assert str(caught.value) == f"bench box is in use by process {os.getpid()}, says {journal.path}"
    assert pending(folder).journals == [journal]


def test_the_same_server_under_another_name_is_refused(folder, bench, tmp_path):
    opened(folder, bench)
    with pytest.raises(BenchFault, match="bench alias is in use"):
        opened(folder, write_bench(tmp_path, "alias"))


def test_another_server_is_nobodys_business(folder, bench, tmp_path):
    opened(folder, bench)
    opened(folder, write_bench(tmp_path, "second", host="127.0.0.2"))
    assert len(pending(folder).journals) == 2


def test_two_that_start_at_once_are_never_both_let_in(folder, bench):
    def snapshot():
        raise AssertionError("the second one must not come so far")

    def slip_in():
        return opened(folder, bench)

    real, others = module._write, []

    def write(journal):
        real(journal)
        if not others:
            others.append(None)
            with pytest.raises(BenchFault, match="in use"):
                slip_in()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_write", write)
        opened(folder, bench)
    assert len(pending(folder).journals) == 1


def test_a_rival_that_claimed_between_look_and_claim_is_seen(folder, bench, monkeypatch):
    rival = opened(folder, bench)
    hidden = rival.path.with_suffix(".hidden")
    rival.path.rename(hidden)
    real = module._write

    def write(journal):
        real(journal)
        hidden.rename(rival.path)

    monkeypatch.setattr(module, "_write", write)
    with pytest.raises(BenchFault, match="in use"):
        opened(folder, bench)
    assert pending(folder).journals == [rival]


def test_a_killed_runs_state_is_never_a_snapshot(folder, bench):
    left = orphan(opened(folder, bench))
    with pytest.raises(BenchFault) as caught:
        opened(folder, bench)
    assert str(caught.value) == (
        f"bench box was left changed by a killed run, says {left.path}; run ./featuresync restore first"
    )


def test_a_run_killed_before_its_snapshot_is_forgotten(folder, bench):
    left = orphan(opened(folder, bench), snapshot=None)
    assert opened(folder, bench).path != left.path
    assert not left.path.exists()


def test_a_killed_lab_does_not_block_the_next_one(folder, bench, tmp_path):
    orphan(opened(folder, bench, ephemeral=True))
    opened(folder, write_bench(tmp_path, "next"), ephemeral=True)
    with pytest.raises(BenchFault, match="left changed"):
        opened(folder, bench, ephemeral=True)


@pytest.mark.parametrize("content", [b"", b'{"schema_version": 1', b"\xff\x00", b"{}", b"[" * 100000])
def test_half_files_are_told_kept_and_block_their_bench(folder, bench, tmp_path, content):
    journal = opened(folder, bench)
    journal.path.write_bytes(content)
    journals, problems = pending(folder)
    assert journals == []
    assert len(problems) == 1
    assert problems[0].startswith(f"{journal.path}: unreadable journal, left in place: ")
    assert "\n" not in problems[0]
    with pytest.raises(BenchFault, match="put the server back by hand, then delete it"):
        opened(folder, bench)
    assert journal.path.read_bytes() == content
    opened(folder, write_bench(tmp_path, "second", host="127.0.0.2"))


def test_a_file_too_large_to_be_ours(folder, bench):
    journal = opened(folder, bench)
    journal.path.write_bytes(b" " * (1024 * 1024 + 1))
    assert "larger than 1048576 bytes" in pending(folder).problems[0]


def test_a_journal_of_a_later_version_is_not_guessed_at(folder, bench):
    journal = opened(folder, bench)
    journal.path.write_text(journal.path.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    assert "not a journal of this version" in pending(folder).problems[0]


def test_a_half_written_part_is_no_journal(folder, bench):
    folder.mkdir()
    (folder / "box-1.part").write_text('{"sch')
    assert pending(folder) == ([], [])


def test_restore_says_what_it_did(folder, bench):
    server = FakeServer(values={"1001 dnd": "yes", "1002 cf_busy": "no to=1003"})
    journal = opened(folder, bench, server)
    state = state_of(server)
    state.set("1001", FeatureState(Feature.DND, False))
    state.set("1002", FeatureState(Feature.CF_BUSY, True, "1004"))
    assert journal.restore(state) == [
        "1001: DND off; put back to: DND on",
        "1002: busy forward → 1004; put back to: busy forward off (number 1003 kept)",
    ]
    assert not journal.path.exists()
    assert state.get("1002")[Feature.CF_BUSY] == FeatureState(Feature.CF_BUSY, False, "1003")


def test_restore_sets_nothing_that_is_right(folder, bench):
    server = FakeServer(values={"1001 dnd": "yes"})
    journal = opened(folder, bench, server)
    server.commands.clear()
    assert restore(journal, state_of(server)) == ["box: nothing to put back"]
    assert server.commands == ["show 1001", "show 1002"]


def test_restore_goes_round_twice_where_features_pull_at_each_other(folder, bench):
    server = FakeServer(values={"1001 dnd": "yes", "1001 cf_always": "yes to=1003"}, dnd_drops_forwards=True)
    journal = opened(folder, bench, server)
    before = state_of(server).get("1001")
    server.values |= {"1001 dnd": "no"}
    assert journal.restore(state_of(server)) == ["1001: DND off; put back to: DND on"]
    assert state_of(server).get("1001") == before
    assert not journal.path.exists()


def test_restore_that_cannot_ask_keeps_the_journal(folder, bench):
    server = FakeServer()
    journal = opened(folder, bench, server)
    server.broken = True
    said = journal.restore(state_of(server))
    assert said[:2] == [f"{account}: not restored: the server is on fire" for account in ACCOUNTS]
    assert said[2].endswith("kept, run ./featuresync restore again")
    assert pending(folder).journals == [journal]


def test_restore_that_the_server_ignores_keeps_the_journal(folder, bench):
    server = FakeServer(values={"1001 dnd": "yes"})
    journal = opened(folder, bench, server)
    deaf = FakeServer(values={"1001 dnd": "no"})
    run = deaf.run
    state = state_of(deaf)
    state.administration = altered(lambda command: run(command.replace("set 1001", "set 9999")))
    said = journal.restore(state)
    assert "1001: wanted DND on, the server says DND off" in said
    assert journal.path.exists()


def test_one_account_that_fails_does_not_stop_the_other(folder, bench):
    server = FakeServer(values={"1002 dnd": "yes"})
    journal = opened(folder, bench, server)
    server.values = {"1001 dnd": "perhaps", "1002 dnd": "no"}
    said = journal.restore(state_of(server))
    assert said[0].startswith("1001: not restored: unreadable answer")
    assert said[1] == "1002: DND off; put back to: DND on"
    assert journal.path.exists()


def test_a_number_the_server_will_not_forget_is_told_and_no_failure(folder, bench):
    server = FakeServer()
    journal = opened(folder, bench, server)
    run = server.run
    state = state_of(server)
    state.administration = altered(lambda command: run(command.replace("''", "1004")))
    state.set("1001", FeatureState(Feature.CF_BUSY, True, "1004"))
    said = journal.restore(state)
    assert said == [
        "1001: busy forward → 1004; put back to: busy forward off; "
        "but the server remembers: busy forward off (number 1004 kept)"
    ]
    assert not journal.path.exists()


def test_a_recipe_that_lost_a_feature_keeps_the_journal(folder, bench):
    journal = opened(folder, bench)
    state = state_of(FakeServer())
    state.administration.read = lambda account: {}
    assert journal.restore(state)[0] == (
        "1001: not restored: the recipe no longer reads dnd, cf_always, cf_busy, cf_no_answer"
    )
    assert journal.path.exists()


def test_a_run_that_is_still_there_is_left_alone(folder, bench):
    server = FakeServer()
    journal = opened(folder, bench, server)
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as other:
        alive = orphan(journal, pid=other.pid, process=module.runs.__globals__["identity"](other.pid))
        server.commands.clear()
        assert restore(alive, state_of(server)) == [
            f"{alive}: its run is still there (process {other.pid}); not touched"
        ]
        with pytest.raises(BenchFault, match=f"in use by process {other.pid}"):
            opened(folder, bench)
        other.stdin.close()
    assert server.commands == []
    assert restore(alive, state_of(server)) == ["box: nothing to put back"]


forwards = st.builds(
    FeatureState,
    st.sampled_from([Feature.CF_ALWAYS, Feature.CF_BUSY]),
    st.booleans(),
    st.sampled_from(["", "1003", "*72", "+4930"]),
)
no_answers = st.builds(
    FeatureState,
    st.just(Feature.CF_NO_ANSWER),
    st.booleans(),
    st.sampled_from(["", "1003"]),
    st.integers(1, 20),
)
numbered = (forwards | no_answers).filter(lambda state: state.number or not state.on)
changes = st.tuples(
    st.sampled_from(ACCOUNTS),
    st.builds(FeatureState, st.just(Feature.DND), st.booleans()) | numbered,
)


class Killed(BaseException):
    """What a kill is to the code: nothing after it runs."""


def mortal(server, lives):
    """The server's state as seen by a run that is killed at its command number ``lives``."""
    left = iter(range(lives))

    def run(command):
        if next(left, None) is None:
            raise Killed
        return server.run(command)

    doomed = state_of(server)
    doomed.administration = altered(run)
    return doomed


def same(now, then):
    return (now.on, now.number) == (then.on, then.number) and (then.rings is None or now.rings == then.rings)


@given(
    before=st.lists(changes, max_size=8),
    during=st.lists(changes, max_size=8),
    commands_lived=st.integers(0, 24),
    restores_killed=st.lists(st.integers(0, 12), max_size=2),
    pulling=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_cut_anywhere_everything_comes_back(
    tmp_path_factory, before, during, commands_lived, restores_killed, pulling
):
    folder = tmp_path_factory.mktemp("run")
    bench = write_bench(folder)
    server = FakeServer()
    state = state_of(server)
    for account, wanted in before:
        state.set(account, wanted)
    server.dnd_drops_forwards = pulling
    at_first = {account: state.get(account) for account in ACCOUNTS}
    journal = opened(folder / FOLDER, bench, server)

    with contextlib.suppress(Killed):
        run = mortal(server, commands_lived)
        for account, wanted in during:
            run.set(account, wanted)
    for lives in restores_killed:
        for left in pending(folder / FOLDER).journals:
            with contextlib.suppress(Killed):
                restore(left, mortal(server, lives))
    for left in pending(folder / FOLDER).journals:
        restore(left, state_of(server))
    assert not journal.path.exists()
    for account, then in at_first.items():
        now = state.get(account)
        assert [feature for feature in ALL if not same(now[feature], then[feature])] == []


@pytest.mark.parametrize("mark", MARKS)
def test_a_run_killed_at_any_point_can_be_restored(folder, bench, tmp_path, mark):
    server = FakeServer(tmp_path / "server.json")
    state = state_of(server, Time())
    state.set("1001", FeatureState(Feature.DND, True))
    state.set("1001", FeatureState(Feature.CF_NO_ANSWER, True, "1003", 4))
    state.set("1002", FeatureState(Feature.CF_NO_ANSWER, True, "1004", 5))
    state.set("1001", FeatureState(Feature.CF_BUSY, False, "1005"))
    state.set("1001", FeatureState(Feature.CF_ALWAYS, False, ""))
    state.set("1002", FeatureState(Feature.CF_BUSY, False, ""))
    before = {account: state.get(account) for account in ACCOUNTS}
    command = [sys.executable, "-m", "bench.victim", str(folder), str(bench.file), str(server.file)]
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": str(here.parent)}
    victim = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    watchdog = threading.Timer(30, victim.kill)
    watchdog.start()
    try:
        for expected in MARKS:
            assert victim.stdout.readline().strip() == expected
            if expected == mark:
                break
            victim.stdin.write("\n")
            victim.stdin.flush()
        reached = MARKS.index(mark) - MARKS.index("journal")
        if reached > 0:
            account, wanted = STEPS[reached - 1]
            assert state.get(account)[wanted.feature].satisfies(wanted)
        victim.send_signal(signal.SIGKILL)
        # Dead but not yet reaped: that must count as gone.
        os.waitid(os.P_PID, victim.pid, os.WEXITED | os.WNOWAIT)
        left = pending(folder).journals
        assert len(left) == (0 if mark == "started" else 1)
        if reached >= 0:
            with pytest.raises(BenchFault, match="left changed by a killed run"):
                opened(folder, bench, server)
        for journal in left:
            restore(journal, state)
    finally:
        watchdog.cancel()
        victim.kill()
        victim.communicate(timeout=10)
    assert {account: state.get(account) for account in ACCOUNTS} == before
    assert pending(folder) == ([], [])
    opened(folder, bench, server).close()
