"""./featuresync on machines that lack something: one line that says what to do, exit code 3."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "dirname", "cksum", "cat", "mkdir", "rm", "kill", "env")
GOOD = 'if [ "$1" = -c ]; then exit 0; fi\n'


@pytest.fixture
def machine(tmp_path):
    """The door of a checkout on a bare machine; ``machine(python)`` runs it with that text as python3."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    home = tmp_path / "checkout"
    home.mkdir()
    shutil.copy(ROOT / "featuresync", home)
    (home / "requirements.lock").write_text("none\n")

    def run(python: str | None) -> subprocess.CompletedProcess:
        if python is not None:
            (tools / "python3").write_text(f"#!{tools}/sh\n{python}")
            (tools / "python3").chmod(0o755)
        return subprocess.run(
            [str(home / "featuresync"), "--version"],
            capture_output=True, text=True, timeout=20, check=False, env={"PATH": str(tools)},
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (None, "Python 3.11 or newer is needed: install it, or set PYTHON to its path"),
        ("exit 1\n", "Python 3.11 or newer is needed: install it, or set PYTHON to its path"),
        (
            GOOD + "exit 1\n",
            "Python's venv module is missing: install it (Debian and Ubuntu: apt install python3-venv)",
        ),
        (
            GOOD + 'mkdir -p "$3/bin"; echo "exit 1" >"$3/bin/python"\n',
            "the Python packages could not be installed: check that pip reaches a package index",
        ),
    ],
    ids=["no python", "old python", "no venv module", "no package index"],
)
def test_what_is_missing_is_said_in_one_line(machine, python, said):
    done = machine(python)
    assert done.returncode == 3
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"featuresync: {said}")
    assert len(done.stderr.strip().splitlines()) <= 2


def test_a_half_made_environment_is_not_kept(machine, tmp_path):
    machine(GOOD + 'mkdir -p "$3/bin"; echo "exit 1" >"$3/bin/python"\n')
    assert not (tmp_path / "checkout" / ".venv").exists()
    assert not (tmp_path / "checkout" / ".venv.lock").exists()
