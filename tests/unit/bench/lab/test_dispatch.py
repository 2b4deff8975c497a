import subprocess
import sys
from pathlib import Path

import pytest

from featuresync.bench.lab import dispatch
from featuresync.bench.lab.dispatch import allowed


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("kamcmd htable.dump st", ["htable.dump", "st"]),
        ("kamcmd htable.sets st 1001::dnd true", ["htable.sets", "st", "1001::dnd", "true"]),
        ("kamcmd htable.sets st 1001::forwardBusy s:true/3/'*72;x'", None),
        ("kamcmd htable.delete push 1001::dnd", ["htable.delete", "push", "1001::dnd"]),
    ],
)
def test_allowed(asked, words):
    assert allowed(asked) == (words or ["htable.sets", "st", "1001::forwardBusy", "s:true/3/*72;x"])


@pytest.mark.parametrize(
    "asked",
    [
        "", "kamcmd", "kamcmd htable.dump", "kamcmd htable.dump users", "kamcmd core.kill",
        "kamcmd core.kill st", "/bin/sh", "sh -c id", "kamcmd htable.dump st; id", "kamcmd htable.dump 'st",
        "kamcmdx htable.dump st", "kamcmd -s unix:/other htable.dump st", "kamcmd htable.flush st",
    ],
)  # fmt: skip
def test_refused(asked):
    assert allowed(asked) is None


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("kamcmd htable.get st '$(id)'", 0, "htable.get st $(id)\n"),
        ("kamcmd htable.get st x ; touch y", 0, "htable.get st x ; touch y\n"),
        ("id", 126, ""),
    ],
)
def test_nothing_reaches_a_shell(tmp_path, asked, code, said):
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(Path(dispatch.__file__)), "/bin/echo"],
        env={"SSH_ORIGINAL_COMMAND": asked},
        cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, said)
    assert list(tmp_path.iterdir()) == []
