"""The main job as a user runs it: real Kamailio, Asterisk and SSH, the command line, the run folder."""

import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from running import ROOT, home_with, run

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
PASSED = {
    "broadsoft": 87, "metaswitch": 84, "fortinet": 74, "threecx": 19, "yeastar": 40, "huawei_ims": 37,
    "zte_ims": 37,
}  # fmt: skip
"""How many tests each stand-in passes: fewer means that something is skipped that was not."""
CLOSING = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One run of every system there is, as a nightly job would do it."""
    return run(tmp_path_factory.mktemp("results"), seconds=900)


def test_all_as_claimed(whole):
    assert whole.code == 0, whole.out[-3000:] + whole.err
    totals = whole.record["totals"]
    assert (totals["fail"], totals["broken"]) == (0, 0)
    assert whole.record["surprises"] == []


def test_the_last_line_counts(whole):
    passed, failed, skipped = map(int, CLOSING.fullmatch(whole.out.rstrip().rpartition("\n")[2]).groups())
    assert failed == 0
    assert passed + skipped == len(whole.record["tests"])


@pytest.mark.parametrize("vendor", PASSED)
def test_a_stand_in_has_no_deviation(whole, vendor):
    mine = [test["verdict"] for test in whole.record["tests"] if test["vendor"] == vendor]
    assert set(mine) <= {"pass", "skipped"}
    assert mine.count("pass") >= PASSED[vendor]


@pytest.mark.parametrize(
    ("vendor", "phone", "server"),
    [
        ("broadsoft", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
        ("metaswitch", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
        ("fortinet", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
        ("threecx", "dnd", "dnd"),
        ("yeastar", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
        ("huawei_ims", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
        ("zte_ims", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
        ("kamailio", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
        ("asterisk", "dnd cf_always cf_busy cf_no_answer", "dnd cf_always cf_busy cf_no_answer"),
    ],
)
def test_every_system_ran_against_a_live_engine_in_both_directions(whole, vendor, phone, server):
    system = whole.record["systems"][vendor]
    assert re.search(r"(Kamailio|Asterisk) \d+\.\d+", system["fingerprint"])
    assert system["standin"] is (vendor not in ("kamailio", "asterisk"))
    ran = [t for t in whole.record["tests"] if t["vendor"] == vendor and t["verdict"] != "skipped"]
    for side, features in (("phone", phone), ("server", server)):
        assert {t["feature"] for t in ran if t["side"] == side} - {"all"} == set(features.split())
    effects = {t["feature"] for t in ran if t["scenario"].startswith("effect/")} - {"all"}
    assert effects == set(phone.split())


def test_every_test_judged_all_that_it_is_tagged_with_somewhere(whole):
    """A tag that never has an occasion is a claim nobody checks."""
    exercised = {
        row["id"]
        for test in whole.record["tests"]
        for row in test["requirements"]
        if row["id"] in test["tags"] and row["verdict"] != "skipped"
    }
    tagged = {
        tag for test in whole.record["tests"] for tag in test["tags"] if re.fullmatch(r"[A-Z]{2}-\d\d", tag)
    }
    assert tagged - exercised == set()


def test_every_declared_deviation_of_kamailio_is_reported_with_its_reason(whole):
    said = {
        row["id"]: row["detail"]
        for test in whole.record["tests"]
        for row in test["requirements"]
        if test["vendor"] == "kamailio" and row["verdict"] == "deviation"
    }
    assert set(said) == {"SU-20", "ST-11", "SU-13", "RF-02", "UN-05", "BD-15", "ST-12", "SU-08", "SU-11"}
    assert "never the state of every feature" in said["SU-20"]


def test_every_test_has_its_evidence(whole):
    for test in whole.record["tests"]:
        if test["verdict"] == "skipped":
            continue
        for kind in ("ladder", "capture", "admin", "state", "timings"):
            assert (whole.folder / test["evidence"][kind]).stat().st_size > 0, (test["id"], kind)
        shell = test["vendor"] == "fortinet"  # a console tells no exit codes
        assert shell or "exit code 0" in (whole.folder / test["evidence"]["admin"]).read_text(
            encoding="utf-8"
        )


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not on this machine (apt install tshark)")
def test_tshark_reads_every_capture(whole):
    captures = sorted(whole.folder.glob("evidence/**/wire.pcapng"))

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
    assert len(captures) > 400


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not on this machine (apt install tshark)")
@pytest.mark.parametrize("vendor", ["yeastar", "huawei_ims", "threecx", "asterisk", "broadsoft"])
def test_a_code_call_is_a_whole_call_on_the_wire(whole, vendor):
    """INVITE, challenge, INVITE, 200, ACK, BYE from the server; routes and numbers as tshark reads them."""
    capture = whole.folder / "evidence" / vendor / "phone_side" / "code_dnd_on_and_off" / "wire.pcapng"
    fields = ["ip.src", "sip.Method", "sip.Status-Code", "sip.CSeq.seq", "sip.CSeq.method", "sip.r-uri",
              "sip.Route", "sip.Record-Route", "sip.contact.uri", "sip.Call-ID"]  # fmt: skip
    words = ["tshark", "-r", str(capture), "-Y", "sip.CSeq.method in {INVITE,ACK,BYE}", "-T", "fields"]
    said = subprocess.run(
        [*words, *(word for field in fields for word in ("-e", field))],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    frames = [dict(zip(fields, line.split("\t"), strict=True)) for line in said.splitlines()]
    phone = frames[0]["ip.src"]
    first = [frame for frame in frames if frame["sip.Call-ID"] == frames[0]["sip.Call-ID"]]
    steps = [
        (frame["ip.src"] == phone, frame["sip.Method"] or frame["sip.Status-Code"], frame["sip.CSeq.seq"])
        for frame in first
        if frame["sip.Status-Code"] != "100"
    ]
    assert steps[:6] == [
        (True, "INVITE", "1"), (False, "401", "1"), (True, "ACK", "1"),
        (True, "INVITE", "2"), (False, "200", "2"), (True, "ACK", "2"),
    ]  # fmt: skip
    assert [step[:2] for step in steps[6:]] == [(False, "BYE"), (True, "200")]
    answer = next(frame for frame in first if frame["sip.Status-Code"] == "200")
    ack = [frame for frame in first if frame["sip.Method"] == "ACK"][-1]
    assert ack["sip.r-uri"] == answer["sip.contact.uri"]
    assert ack["sip.Route"].replace(" ", "") == answer["sip.Record-Route"].replace(" ", "")
    assert bool(ack["sip.Route"]) is (vendor in ("threecx", "broadsoft"))


def test_the_run_folder_is_as_documented(whole):
    for name in (
        "run.json", "allure-results", "report/index.html", "report/matrix.html", "log.html", "output.xml",
        "xunit.xml", "effective-config.toml",
    ):  # fmt: skip
        assert (whole.folder / name).exists(), name
    assert whole.record["schema"] == 1
    assert whole.record["bench"] == "lab"


def test_no_secret_is_in_any_file(whole):
    """Digest responses are the secrets a run makes itself; passwords must not stand anywhere either."""
    digest = re.compile(rb'(?<![a-z])response="([0-9a-f]{32,})"')
    for file in whole.folder.rglob("*"):
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


def test_run_json_is_the_contract(whole):
    test = next(test for test in whole.record["tests"] if test["id"] == "broadsoft/phone_side/dnd_on")
    assert (test["vendor"], test["scenario"], test["feature"], test["side"], test["verdict"]) == (
        "broadsoft", "phone_side/dnd_on", "dnd", "phone", "pass",
    )  # fmt: skip
    assert {"id", "verdict", "detail"} <= set(test["requirements"][0])
    assert json.dumps(whole.record)


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
