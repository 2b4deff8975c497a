import json
import subprocess
import sys
from pathlib import Path

import pytest

from featuresync.bench.lab import dispatch
from featuresync.bench.lab.dispatch import allowed


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("kamcmd htable.dump st", ["kamcmd", "htable.dump", "st"]),
        ("kamcmd htable.sets st 1001::dnd true", ["kamcmd", "htable.sets", "st", "1001::dnd", "true"]),
        ("kamcmd htable.sets st a s:true/3/'*72;x'", ["kamcmd", "htable.sets", "st", "a", "s:true/3/*72;x"]),
        ("kamcmd htable.delete push 1001::dnd", ["kamcmd", "htable.delete", "push", "1001::dnd"]),
        ("asterisk -rx 'database show'", ["asterisk", "-rx", "database show"]),
        ("asterisk -rx 'database show CF'", ["asterisk", "-rx", "database show CF"]),
        ("asterisk -rx 'database show CF 1001'", ["asterisk", "-rx", "database show CF 1001"]),
        ("asterisk -rx 'database get CFU 1001'", ["asterisk", "-rx", "database get CFU 1001"]),
        ('asterisk -rx "database put DND "1001" YES"', ["asterisk", "-rx", "database put DND 1001 YES"]),
        ("asterisk -rx 'database del CFB 1001'", ["asterisk", "-rx", "database del CFB 1001"]),
    ],
)
def test_allowed(asked, words):
    assert allowed(asked) == words


@pytest.mark.parametrize(
    "asked",
    [
        "", "kamcmd", "kamcmd htable.dump", "kamcmd htable.dump users", "kamcmd core.kill",
        "kamcmd core.kill st", "/bin/sh", "sh -c id", "kamcmd htable.dump st; id", "kamcmd htable.dump 'st",
        "kamcmdx htable.dump st", "kamcmd -s unix:/other htable.dump st", "kamcmd htable.flush st",
        "asterisk", "asterisk -rx", "asterisk -rvvv", "asterisk -rx database show",
        "asterisk -x 'database show'",
        "asterisk -rx 'core stop now'", "asterisk -rx 'database'", "asterisk -rx 'database query x'",
        "asterisk -rx 'database deltree CF'", "asterisk -rx 'database show registrar'",
        "asterisk -rx 'database put CF 1001'", "asterisk -rx 'database put CF 1001 1 2'",
        "asterisk -rx 'database get CF'", "asterisk -rx 'database put pbx UUID x'",
        "asterisk -rx 'database put CF 1001  1'", "asterisk -rx 'database put CF 1001 \"a b\"'",
        "asterisk -rx 'database put CF 1001 1\ncore stop now'", "asterisk -rx 'database put CF -x 1'",
        "asterisk -rx 'database show' -C /other",
    ],
)  # fmt: skip
def test_refused(asked):
    assert allowed(asked) is None


@pytest.fixture
def forced(tmp_path):
    """The forced command as sshd runs it, in a lab whose only program is ``kamcmd``, which is echo here."""
    programs = tmp_path / "programs.json"
    programs.write_text(json.dumps({"kamcmd": ["/bin/echo"]}))
    (tmp_path / "here").mkdir()

    def run(asked):
        return subprocess.run(
            [sys.executable, "-I", "-S", str(Path(dispatch.__file__)), str(programs)],
            env={"SSH_ORIGINAL_COMMAND": asked},
            cwd=tmp_path / "here", capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("kamcmd htable.get st '$(id)'", 0, "htable.get st $(id)\n"),
        ("kamcmd htable.get st x ; touch y", 0, "htable.get st x ; touch y\n"),
        ("id", 126, ""),
        ("asterisk -rx 'database show'", 126, ""),
    ],
)
def test_nothing_reaches_a_shell_and_only_this_labs_programs_are_run(forced, tmp_path, asked, code, said):
    done = forced(asked)
    assert (done.returncode, done.stdout) == (code, said)
    assert list((tmp_path / "here").iterdir()) == []
    assert code == 0 or done.stderr == "refused: only the state of the features, by kamcmd\n"
