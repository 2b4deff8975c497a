"""One vendor's Robot process: how it is started, followed, and stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from featuresync.bench.lab.places import repository
from featuresync.evidence.record import Part, SystemRecord, TestRecord
from featuresync.judge.verdict import Verdict
from featuresync.profile import Bench, Profile

from . import places

ROBOT_TROUBLE = 251
"""Robot's exit codes up to 250 count failed tests; from here on Robot itself could not work."""


class SuiteRun:
    """The suite of one vendor, with a folder for its part of the run."""

    def __init__(
        self,
        profile: Profile,
        run_dir: Path,
        feature: str,
        side: str,
        include: tuple[str, ...],
        phone_config: Path | None = None,
    ) -> None:
        self.profile, self.run_dir = profile, run_dir
        self.part = run_dir / "parts" / profile.vendor.name
        self.part.mkdir(parents=True)
        self.ephemeral = False
        self._feature, self._side, self._include = feature, side, include
        self._phone_config = phone_config
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(self, bench: Bench, out: Console) -> None:
        """Run Robot to its end; each line it prints is shown."""
        if self._stopped:
            return
        command = self._command(bench)
        with (self.part / "robot.txt").open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                errors="replace",
                # Signals come from us alone, once.
                start_new_session=True,
            )
            assert self._process.stdout is not None
            for line in self._process.stdout:
                out.print(line.rstrip("\n"), markup=False)
            code = self._process.wait()
        said = (self.part / "robot.txt").read_text(encoding="utf-8", errors="replace").strip()
        first = said.splitlines()[0] if said else ""
        if code >= ROBOT_TROUBLE or code < 0:
            self.announce_trouble(f"Robot stopped with code {code}: {first or 'no word'}")
        elif not (self.part / "tests.jsonl").exists():
            self.announce_trouble(first or "no scenario matches what was asked for")

    def stop(self, number: int) -> None:
        """Pass a signal on: Robot ends its test, tears down, and puts the server back."""
        self._stopped = True
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def announce_trouble(self, why: str) -> None:
        """Keep what stopped the vendor's suite as a broken test of its own: no report may hide it."""
        vendor, now = self.profile.vendor, datetime.now(UTC)
        announced = (self.part / "system.json").exists()
        part = Part(self.part, vendor.name, None if announced else SystemRecord(title=vendor.title))
        record = TestRecord(
            id=f"{vendor.name}/bench",
            vendor=vendor.name,
            scenario="bench",
            title="The bench could not be used",
            verdict=Verdict.BROKEN,
            message=why,
            started=now,
            finished=now,
        )
        part.end(record)

    def _command(self, bench: Bench) -> list[str]:
        suites = repository() / "suites"
        profile_file = places.vendors() / f"{self.profile.vendor.name}.toml"
        config = {
            "profile": str(profile_file),
            "bench": str(bench.file),
            "run_dir": str(self.run_dir),
            "part": str(self.part),
            "suites": str(suites),
            "journals": str(self.run_dir.parent),
            "ephemeral": self.ephemeral,
            "parent": os.getpid(),
            "feature": self._feature,
            "side": self._side,
            "phone_config": str(self._phone_config or ""),
        }
        file = self.part / "suite.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        command = [sys.executable, "-m", "robot", "--console", "quiet", "--runemptysuite"]
        command += ["--output", str(self.part / "output.xml"), "--log", "NONE", "--report", "NONE"]
        command += [
            "--variable",
            f"TARGET:{bench.targets[0]}",
            "--variable",
            f"OTHER TARGET:{bench.targets[1]}",
        ]
        command += ["--listener", f"featuresync.library.listener.Listener;{file}"]
        command += ["--prerunmodifier", f"{suites / 'selection.py'};{file}"]
        for tag in self._include:
            command += ["--include", tag]
        return [*command, str(suites)]


@contextmanager
def stop_signals(suites: list[SuiteRun]) -> Iterator[list[int]]:
    """While inside, Ctrl-C and SIGTERM go to the suites; the list yielded holds what came."""
    came: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        for suite in suites:
            suite.stop(signal.SIGINT)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def merge_logs(run_dir: Path, out: Console) -> None:
    """Robot's own log of all vendors: ``log.html`` and ``output.xml`` of the run folder."""
    parts = sorted(str(file) for file in run_dir.glob("parts/*/output.xml") if _complete(file))
    if not parts:
        return
    command = [sys.executable, "-m", "robot.rebot", "--nostatusrc", "--name", "featuresync"]
    command += ["--output", str(run_dir / "output.xml"), "--log", str(run_dir / "log.html")]
    command += ["--report", "NONE", "--processemptysuite", *parts]
    said = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONUTF8": "1"})
    if said.returncode:
        out.print(f"Robot's logs could not be merged: {said.stderr.strip()[:200]}", markup=False)


def _complete(file: Path) -> bool:
    """False for the output of a Robot that was killed: it has no end."""
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 100))
        return b"</robot>" in stream.read()
