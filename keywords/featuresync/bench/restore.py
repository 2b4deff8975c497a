"""``./featuresync restore``: put every server back that a killed run left changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from featuresync.errors import BenchFault, Fault
from featuresync.profile import Bench, Profile, load_bench, load_profile

from .access import LoginFault
from .journal import FOLDER, Journal, pending, restore
from .state import ServerState


def restore_all(
    results: Path, connect: Callable[[Bench, Profile], ServerState] = ServerState.connect
) -> tuple[list[str], int]:
    """Lines to print, and the exit code: 0, or 2 when a server could not be put back.

    A journal whose run is still there is left alone. A server of an ephemeral lab that is gone needs
    nothing: its journal is dropped.
    """
    journals, problems = pending(results / FOLDER)
    lines, code = list(problems), 2 if problems else 0
    for journal in journals:
        said, failed = _restore_one(journal, connect)
        lines += said
        code = 2 if failed else code
    return lines or ["nothing to restore"], code


def _restore_one(
    journal: Journal, connect: Callable[[Bench, Profile], ServerState]
) -> tuple[list[str], bool]:
    record = journal.record
    if journal.others:
        return [f"{journal}: its run is still there (process {record.pid}); not touched"], False
    if record.snapshot is None:
        journal.close()
        return [f"{record.bench}: the run ended before it changed anything"], False
    try:
        if not record.bench_file.exists():
            raise LoginFault(f"bench file {record.bench_file} is gone")
        bench, profile = load_bench(record.bench_file), load_profile(record.profile_file)
        server = bench.admin.place
        if server != record.server:
            raise BenchFault(f"{record.bench_file} now names another server, {server} not {record.server}")
        state = connect(bench, profile)
    except LoginFault as error:
        if record.ephemeral:
            journal.close()
            return [f"{record.bench}: the lab's server is gone, nothing to put back ({error})"], False
        return [f"{journal}: not restored: {error}"], True
    except Fault as error:
        return [f"{journal}: not restored: {error}"], True
    with state:
        said = restore(journal, state)
    return [f"{record.bench}: {line}" for line in said], journal.path.exists()
