"""The commands that only tell: list, vendors, requirements, and how wrong use is answered."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def cli(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "featuresync", *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_list_says_what_each_scenario_proves():
    done = cli("list", "broadsoft")
    assert done.returncode == 0
    assert "phone_side/dnd_on" in done.stdout
    assert "own/full_state_in_one_notify" in done.stdout
    assert "own/stale_state_before_the_new_one" not in done.stdout


def test_list_says_why_a_scenario_is_skipped(tmp_path):
    text = (ROOT / "vendors" / "broadsoft.toml").read_text(encoding="utf-8")
    old = 'server_side = { value = "as-feature-event"'
    assert old in text
    (tmp_path / "vendors").mkdir()
    (tmp_path / "vendors" / "broadsoft.toml").write_text(
        text.replace(old, 'server_side = { value = "none"', 1)
    )
    for name in ("suites", "fixtures"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run(
        [sys.executable, "-m", "featuresync", "list", "broadsoft"],
        capture_output=True, text=True, timeout=60, check=False,
        env={"FEATURESYNC_HOME": str(tmp_path), "PATH": "", "COLUMNS": "300"},
    )  # fmt: skip
    assert "skipped: BroadSoft changes dnd from the server side by none" in " ".join(done.stdout.split())


def test_vendors_is_a_table_of_claims():
    done = cli("vendors")
    assert done.returncode == 0
    for word in ("broadsoft", "kamailio", "cf_no_answer", "as-feature-event", "document"):
        assert word in done.stdout


@pytest.mark.parametrize("file", ["vendors/broadsoft.toml", "vendors/kamailio.toml", "bench.example.toml"])
def test_check_takes_what_we_ship(file):
    done = cli("vendors", "check", str(ROOT / file))
    assert (done.returncode, done.stderr) == (0, "")


def test_check_knows_the_catalogue(tmp_path):
    text = (ROOT / "vendors" / "kamailio.toml").read_text(encoding="utf-8")
    file = tmp_path / "kamailio.toml"
    file.write_text(text.replace('requirement = "SU-20"', 'requirement = "SU-99"'))
    done = cli("vendors", "check", str(file))
    assert done.returncode == 3
    assert done.stderr.strip().endswith(": expected a known requirement, got 'SU-99'")


def test_a_requirement_is_told_with_clause_and_scenarios():
    done = cli("requirements", "NO-04")
    assert done.returncode == 0
    assert done.stdout.startswith("NO-04 M  RFC 6665 4.2.2, 8.4")
    assert "exercised by: lifecycle/head_of_a_notify" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("bogus",),
        ("run", "--jobs", "0"),
        ("run", "--feature", "cfu"),
        ("requirements", "XX-01"),
        ("list", "nobody"),
    ],
)
def test_wrong_use_is_one_line_and_code_3(words):
    done = cli(*words)
    assert done.returncode == 3
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("featuresync: ")
    assert ": expected " in line


def test_restore_without_journals(tmp_path):
    done = cli("restore", "--results", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "nothing to restore\n")


def test_report_of_no_run_folder(tmp_path):
    done = cli("report", str(tmp_path))
    assert done.returncode == 3
    assert "expected the run.json of a run folder" in done.stderr
