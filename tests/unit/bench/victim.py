"""A run to be killed: journals a server kept in a file, changes it step by step, says each step on stdout.

Usage: victim.py JOURNALS BENCH SERVER. After each step it waits for a line on stdin.
"""

import sys
from pathlib import Path

from featuresync.bench.journal import open_journal
from featuresync.profile import load_bench
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import FakeServer, state_of

STEPS = [
    ("1001", FeatureState(Feature.DND, False)),
    ("1001", FeatureState(Feature.CF_ALWAYS, True, "1009")),
    ("1002", FeatureState(Feature.DND, True)),
    ("1001", FeatureState(Feature.CF_BUSY, False)),
    ("1001", FeatureState(Feature.CF_NO_ANSWER, True, "1008", 9)),
    ("1002", FeatureState(Feature.CF_NO_ANSWER, False)),
    ("1002", FeatureState(Feature.CF_BUSY, True, "1001")),
]
MARKS = ["started", "snapshot", "journal", *[f"step {number}" for number in range(len(STEPS))]]
"""Ten points to be killed at."""


def mark(word):
    print(word, flush=True)
    if not sys.stdin.readline():
        sys.exit("nobody there")


def main(journals, bench_file, server_file):
    mark("started")
    state = state_of(FakeServer(Path(server_file)))

    def snapshot():
        taken = {account: state.get(account) for account in ("1001", "1002")}
        mark("snapshot")
        return taken

    bench = load_bench(Path(bench_file))
    open_journal(Path(journals), bench, Path("acme.toml"), snapshot, run_id="victim")
    mark("journal")
    for number, (account, wanted) in enumerate(STEPS):
        state.set(account, wanted)
        mark(f"step {number}")


if __name__ == "__main__":
    main(*sys.argv[1:])
