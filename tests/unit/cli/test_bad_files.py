"""Bad files at the command line: exit code 3, one line, and nothing left behind; no report is lost."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from featuresync.cli import run
from featuresync.errors import BenchFault, ConfigFault

ROOT = Path(__file__).parents[3]


def cli(*words, **env):
    done = subprocess.run(
        [sys.executable, "-m", "featuresync", *map(str, words)],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **env},
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def edited(of, folder, old, new):
    text = (ROOT / of).read_text(encoding="utf-8")
    assert old in text
    file = folder / Path(of).name
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


@pytest.fixture
def home(tmp_path):
    """The project with one bad profile among the good ones: what FEATURESYNC_HOME is set to."""

    def build(old, new):
        folder = tmp_path / "home"
        (folder / "vendors").mkdir(parents=True)
        for name in ("suites", "fixtures"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "vendors" / "broadsoft.toml").symlink_to(ROOT / "vendors" / "broadsoft.toml")
        edited("vendors/yeastar.toml", folder / "vendors", old, new)
        return folder

    return build


PROFILES = [
    (
        'phone_side = { value = "feature-code"',
        'phone_side = { value = "telepathy"',
        "features.dnd.phone_side.value: expected one of "
        "'as-feature-event', 'feature-code', 'uacsta' or 'none', got 'telepathy'",
    ),
    ('"*74"', '"*74{number}"', "features.dnd.codes.on: expected a code without {number}, got '*74{number}'"),
    ('engine = "asterisk"', 'engine = "yate"', "lab.engine: expected one of asterisk, kamailio, got yate"),
]


@pytest.mark.parametrize(("old", "new", "line"), PROFILES)
def test_check_of_a_bad_profile(tmp_path, old, new, line):
    file = edited("vendors/yeastar.toml", tmp_path, old, new)
    assert cli("vendors", "check", file) == f"featuresync: {file}: {line}"


@pytest.mark.parametrize(("old", "new", "line"), PROFILES)
def test_one_bad_profile_stops_the_run_before_it_begins(tmp_path, home, old, new, line):
    folder, results = home(old, new), tmp_path / "results"
    said = cli("run", "--results", results, FEATURESYNC_HOME=str(folder))
    assert said == f"featuresync: {folder}/vendors/yeastar.toml: {line}"
    assert not results.exists()


@pytest.mark.parametrize("key", ["dialect", "recipe"])
def test_what_the_engine_does_not_know(tmp_path, key):
    good = {"dialect": "established", "recipe": "astdb"}[key]
    file = edited("vendors/yeastar.toml", tmp_path, f'{key} = "{good}"', f'{key} = "unheard"')
    said = cli("vendors", "check", file)
    assert said.startswith(f"featuresync: {file}: lab.{key}: expected one of ")
    assert f"{good}," in said
    assert said.endswith(", got unheard")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"udp"', '"sctp"', "sip.transport: expected one of 'udp', 'tcp' or 'tls', got 'sctp'"),
        ('vendor = "broadsoft"', 'vendor = "nobody"', "vendor: expected one of "),
        ('recipe = "portal_cli"', 'recipe = "portal"', "admin.recipe: expected one of "),
        (
            '{ env = "PRIMARY_PASSWORD" }',
            '"geheim"',
            'accounts.primary.password: expected { env = "NAME" } or { file = "PATH" }, got something else',
        ),
    ],
)
def test_a_bad_bench_file(tmp_path, old, new, line):
    file, results = edited("bench.example.toml", tmp_path, old, new), tmp_path / "results"
    for said in (cli("vendors", "check", file), cli("run", "--bench", file, "--results", results)):
        assert f": {line}" in said
        assert "geheim" not in said
    assert not results.exists()


def test_a_secret_that_is_unset(tmp_path):
    file, results = (
        edited("bench.example.toml", tmp_path, "PRIMARY_PASSWORD", "NO_SUCH_VARIABLE"),
        tmp_path / "r",
    )
    said = cli("run", "--bench", file, "--results", results)
    assert said == (
        f"featuresync: {file}: accounts.primary.password: "
        "expected environment variable NO_SUCH_VARIABLE to be set, got unset"
    )
    assert not results.exists()


@pytest.mark.parametrize("words", [("vendors", "check"), ("run", "--bench")])
def test_no_such_file(tmp_path, words):
    file = tmp_path / "none.toml"
    said = cli(*words, file)
    assert said == f"featuresync: {file}: file: expected a readable TOML file, got no such file"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "file: expected a readable phone configuration, got No such file or directory"),
        (b"what\n", "line 1: expected 'NAME :VALUE' or 'NAME = VALUE', got neither"),
        (b"\x00", "line 1: expected text, got control character 0x00"),
        (b"a = 1\nb = \xff\n", "line 2: expected text in UTF-8, got byte 0xff"),
    ],
)
def test_a_bad_phone_configuration(tmp_path, content, line):
    file, results = tmp_path / "phone.txt", tmp_path / "results"
    if content is not None:
        file.write_bytes(content)
    said = cli("run", "yeastar", "--phone-config", file, "--results", results)
    assert said == f"featuresync: {file}: {line}"
    assert not results.exists()


# -- a suite that falls over in the middle -------------------------------------------------------------

BAD = ConfigFault("some.toml", "some.key", "this", "that")


def run_with(monkeypatch, results, errors):
    """A run of three vendors whose suites end at once, some by an error; what it raised and printed."""

    def one(suite, *_):
        error = errors.get(suite.profile.vendor.name)
        if error:
            raise error
        suite.announce_trouble("the report of a suite that came to its end")

    monkeypatch.setattr(run, "_one", one)
    monkeypatch.setattr(run.render, "render", lambda _: "")
    shown = io.StringIO()
    order = run.Order(("asterisk", "broadsoft", "yeastar"), "auto", "-", "-", 2, (), "udp", results)
    raised = None
    try:
        run.carry_out(order, Console(file=shown, width=200))
    except Exception as error:
        raised = error
    record = json.loads((results / "latest" / "run.json").read_text(encoding="utf-8"))
    told = {test["vendor"]: (test["verdict"], test["message"]) for test in record["tests"]}
    for report in ("xunit.xml", "report/matrix.html"):
        assert (results / "latest" / report).exists()
    return raised, told, shown.getvalue()


@pytest.mark.parametrize(
    ("error", "said"), [(BAD, str(BAD)), (ZeroDivisionError("by nothing"), "ZeroDivisionError: by nothing")]
)
def test_reports_are_written_before_the_error_is_raised(monkeypatch, tmp_path, error, said):
    raised, told, shown = run_with(monkeypatch, tmp_path, {"broadsoft": error})
    assert raised is error
    well = ("broken", "the report of a suite that came to its end")
    assert told == {"asterisk": well, "broadsoft": ("broken", said), "yeastar": well}
    assert f"broadsoft: {said}" in shown


def test_our_own_fault_is_raised_before_a_wrong_file(monkeypatch, tmp_path):
    own = ZeroDivisionError("by nothing")
    raised, told, _ = run_with(monkeypatch, tmp_path, {"asterisk": BAD, "yeastar": own})
    assert raised is own
    assert told["asterisk"] == ("broken", str(BAD))


def test_trouble_of_a_bench_is_told_and_not_raised(monkeypatch, tmp_path):
    raised, told, _ = run_with(monkeypatch, tmp_path, {"broadsoft": BenchFault("no answer")})
    assert raised is None
    assert told["broadsoft"] == ("broken", "no answer")
