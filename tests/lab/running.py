"""Runs of the real command line, as a user starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What came of one ``./featuresync run``."""

    code: int
    out: str
    err: str
    folder: Path | None

    @property
    def record(self) -> dict:
        return json.loads((self.folder / "run.json").read_text(encoding="utf-8"))

    @property
    def verdicts(self) -> dict[str, str]:
        return {test["id"].partition("/")[2]: test["verdict"] for test in self.record["tests"]}

    def red(self) -> set[str]:
        """Requirements that failed anywhere."""
        return {
            row["id"]
            for test in self.record["tests"]
            for row in test["requirements"]
            if row["verdict"] == "fail"
        }


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "featuresync", *words]


def run(results: Path, *words: str, env: dict[str, str] | None = None, seconds: float = 400) -> Run:
    """``./featuresync run WORDS``, to its end."""
    done = subprocess.run(
        command("run", "--results", str(results), *words),
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, **(env or {})},
        check=False,
    )
    latest = results / "latest"
    return Run(done.returncode, done.stdout, done.stderr, latest.resolve() if latest.exists() else None)


def home_with(folder: Path, vendor: str, text: str) -> dict[str, str]:
    """The project with another text of one profile: what FEATURESYNC_HOME is set to."""
    (folder / "vendors").mkdir(parents=True)
    for name in ("suites", "fixtures"):
        (folder / name).symlink_to(ROOT / name)
    for file in (ROOT / "vendors").glob("*.toml"):
        (folder / "vendors" / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "vendors" / f"{vendor}.toml").write_text(text, encoding="utf-8")
    return {"FEATURESYNC_HOME": str(folder)}
