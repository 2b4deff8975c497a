"""The evidence files of one test: ladder, capture, administration transcript, state before and after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from featuresync.judge.trace import Awaited, Reading, Trace
from featuresync.judge.verdict import Judgement
from featuresync.sync.feature import describe

from . import ladder, pcapng
from .redaction import Redactor


def write_evidence(
    run_dir: Path,
    test_id: str,
    trace: Trace,
    judgements: Sequence[Judgement],
    transcript: str,
    redactor: Redactor,
) -> dict[str, str]:
    """Write what there is of a test into ``evidence/<test id>``; kind → path relative to the run folder."""
    folder = run_dir / "evidence" / test_id
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "ladder": ("ladder.svg", ladder.draw(trace, judgements, test_id, redactor).encode()),
        "capture": ("wire.pcapng", pcapng.write(trace, judgements, redactor)),
        "admin": ("admin.txt", redactor.text(transcript).encode()),
        "state": ("state.json", redactor.text(_states(trace)).encode()),
        "timings": ("timings.json", redactor.text(_timings(trace)).encode()),
    }
    for name, data in files.values():
        (folder / name).write_bytes(data)
    return {kind: f"evidence/{test_id}/{name}" for kind, (name, _) in files.items()}


def _states(trace: Trace) -> str:
    """Per account the first and the last state that was read in the test."""
    found: dict[str, dict[str, str]] = {}
    for reading in trace.of(Reading):
        account = found.setdefault(reading.account, {"before": describe(reading.states)})
        account["after"] = describe(reading.states)
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _timings(trace: Trace) -> str:
    """Every wait of the test: for what, how long at most, and whether it came; seconds since the start."""
    start = trace.events[0].time if trace.events else 0.0
    waits = [
        {
            "at": round(one.time - start, 4),
            "by": one.actor,
            "for": one.what,
            "deadline": one.deadline,
            "met": one.met,
        }
        for one in trace.of(Awaited)
    ]
    return json.dumps({"waits": waits}, indent=1, ensure_ascii=False) + "\n"
