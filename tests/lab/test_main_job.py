"""The main job as a user runs it: real Kamailio, real SSH, the command line, the run folder."""

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from running import ROOT, home_with, run

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
CLOSING = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """One run of both systems at once, as a nightly job would do it."""
    return run(tmp_path_factory.mktemp("results"), "broadsoft", "kamailio", "--jobs", "2")


def test_all_as_claimed(both):
    assert both.code == 0, both.out[-3000:] + both.err
    totals = both.record["totals"]
    assert (totals["fail"], totals["broken"]) == (0, 0)
    assert both.record["surprises"] == []


def test_the_last_line_counts(both):
    passed, failed, skipped = map(int, CLOSING.fullmatch(both.out.rstrip().rpartition("\n")[2]).groups())
    assert failed == 0
    assert passed + skipped == len(both.record["tests"])


def test_broadsoft_has_no_deviation(both):
    mine = [test for test in both.record["tests"] if test["vendor"] == "broadsoft"]
    assert {test["verdict"] for test in mine} <= {"pass", "skipped"}
    assert len(mine) > 60


def test_every_test_judged_all_that_it_is_tagged_with_somewhere(both):
    """A tag that never has an occasion is a claim nobody checks."""
    exercised = {
        row["id"]
        for test in both.record["tests"]
        for row in test["requirements"]
        if row["id"] in test["tags"] and row["verdict"] != "skipped"
    }
    tagged = {
        tag for test in both.record["tests"] for tag in test["tags"] if re.fullmatch(r"[A-Z]{2}-\d\d", tag)
    }
    assert tagged - exercised == set()


def test_every_declared_deviation_of_kamailio_is_reported_with_its_reason(both):
    said = {
        row["id"]: row["detail"]
        for test in both.record["tests"]
        for row in test["requirements"]
        if test["vendor"] == "kamailio" and row["verdict"] == "deviation"
    }
    assert set(said) == {"SU-20", "ST-11", "SU-13", "RF-02", "UN-05", "BD-15", "ST-12", "SU-08", "SU-11"}
    assert "never the state of every feature" in said["SU-20"]


def test_every_test_has_its_evidence(both):
    for test in both.record["tests"]:
        if test["verdict"] == "skipped":
            continue
        for kind in ("ladder", "capture", "admin", "state", "timings"):
            assert (both.folder / test["evidence"][kind]).stat().st_size > 0, (test["id"], kind)
        assert "exit code 0" in (both.folder / test["evidence"]["admin"]).read_text(encoding="utf-8")


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not on this machine (apt install tshark)")
def test_tshark_reads_every_capture(both):
    captures = sorted(both.folder.glob("evidence/**/wire.pcapng"))

    def bad(capture: Path) -> str:
        words = [
            "tshark",
            "-r",
            str(capture),
            "-Y",
            "_ws.malformed || !sip",
            "-T",
            "fields",
            "-e",
            "frame.number",
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        return f"{capture}: {done.stdout or done.stderr}" if done.returncode or done.stdout.strip() else ""

    with ThreadPoolExecutor(2) as pool:
        assert [line for line in pool.map(bad, captures) if line] == []
    assert len(captures) > 120


def test_the_run_folder_is_as_documented(both):
    for name in (
        "run.json", "allure-results", "report/index.html", "report/matrix.html", "log.html", "output.xml",
        "xunit.xml", "effective-config.toml",
    ):  # fmt: skip
        assert (both.folder / name).exists(), name
    assert both.record["schema"] == 1
    assert both.record["bench"] == "lab"


def test_no_secret_is_in_any_file(both):
    """Digest responses are the secrets a run makes itself; passwords must not stand anywhere either."""
    digest = re.compile(rb'(?<![a-z])response="([0-9a-f]{32,})"')
    for file in both.folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert not digest.search(data), file
            assert b"PRIVATE KEY" not in data, file


# -- deviations, declared and not -----------------------------------------------------------------


def kamailio_with(folder: Path, change) -> dict[str, str]:
    text = (ROOT / "vendors" / "kamailio.toml").read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    return home_with(folder, "kamailio", changed)


def without(requirement: str):
    """The profile's text without the declarations of one requirement."""
    return lambda text: re.sub(
        rf'\[\[deviation\]\]\nrequirement = "{requirement}"\n(?:[^\[\n].*\n)*', "", text
    )


def test_an_undeclared_deviation_fails_the_run_and_is_named(tmp_path):
    env = kamailio_with(tmp_path / "home", without("SU-13"))
    done = run(tmp_path / "results", "kamailio", "--include", "SU-13", env=env)
    assert done.code == 1
    assert done.red() == {"SU-13"}
    assert re.search(r"^REQUIREMENT SU-13 .*\nEXPECTED: .*\nSEEN: ", done.out, re.MULTILINE)


def test_a_declaration_that_does_not_happen_is_told(tmp_path):
    extra = '\n[[deviation]]\nrequirement = "SU-02"\nreason = "is said to answer 202, as an example"\n'
    extra += 'scenarios = ["server_side/dnd_on"]\n'
    env = kamailio_with(tmp_path / "home", lambda text: text + extra)
    done = run(tmp_path / "results", "kamailio", "--feature", "dnd", "--side", "server", env=env)
    assert done.code == 0
    assert [row["requirement"] for row in done.record["surprises"]] == ["SU-02"]
    assert "declared deviation SU-02 of kamailio did not happen" in done.out


# -- a server broken on purpose ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "scenario", "chosen", "red"),
    [
        ("NO_NOTIFY", "phone_side/dnd_on", ["--include", "MP-02"], {"NO-01", "ST-01"}),
        (
            "WRONG_FORWARD_TO", "phone_side/busy_forward_on",
            ["--feature", "cf_busy", "--side", "phone", "--include", "BD-05"], {"ST-06"},
        ),
        ("WRONG_EVENT", "phone_side/dnd_on", ["--include", "MP-02"], {"NO-03"}),
    ],
)  # fmt: skip
def test_a_broken_server_turns_the_right_requirement_red(fault, scenario, chosen, red, start_lab, tmp_path):
    broken = start_lab("broadsoft", faults=(fault,))
    done = run(tmp_path, "--bench", str(broken.file), *chosen)
    assert done.code == 1
    (test,) = done.record["tests"]
    assert (test["scenario"], test["verdict"]) == (scenario, "fail")
    assert red <= done.red(), done.red()


def test_run_json_is_the_contract(both):
    test = next(test for test in both.record["tests"] if test["id"] == "broadsoft/phone_side/dnd_on")
    assert (test["vendor"], test["scenario"], test["feature"], test["side"], test["verdict"]) == (
        "broadsoft", "phone_side/dnd_on", "dnd", "phone", "pass",
    )  # fmt: skip
    assert {"id", "verdict", "detail"} <= set(test["requirements"][0])
    assert json.dumps(both.record)


def test_no_secret_of_the_bench_is_in_any_file(start_lab, tmp_path):
    """Passwords and the key of the bench, looked for in every byte of the run folder."""
    lab = start_lab("broadsoft", transport="tls")
    done = run(tmp_path, "--bench", str(lab.file), "--include", "MP-02")
    assert done.code == 0
    key = (lab.file.parent / "lab-secrets" / "admin.key").read_text(encoding="utf-8").splitlines()[2]
    secrets = [lab.password("1001").encode(), lab.password("1002").encode(), key.encode()]
    files = [file for file in done.folder.rglob("*") if file.is_file()]
    assert len(files) > 20
    for file in files:
        data = file.read_bytes()
        assert not any(secret in data for secret in secrets), file
        assert b"CLIENT_TRAFFIC_SECRET" not in data, file


def test_tls_secrets_are_kept_when_the_bench_file_says_so(start_lab, tmp_path):
    lab = start_lab("broadsoft", transport="tls")
    text = lab.file.read_text(encoding="utf-8")
    assert "[sip.tls]\n" in text
    bench = lab.file.with_name("keylog.toml")
    bench.write_text(text.replace("[sip.tls]\n", "[sip.tls]\nkeylog = true\n"), encoding="utf-8")
    done = run(tmp_path, "--bench", str(bench), "--include", "MP-02")
    assert done.code == 0
    assert b"CLIENT_TRAFFIC_SECRET_0" in (done.folder / "parts" / "broadsoft" / "tls-keys.log").read_bytes()
