"""Each kind of trouble gives one clear line and the documented exit code, and nobody else is blamed."""

import re
import stat
import subprocess
import sys

import pytest
from running import ROOT, home_with, run

pytestmark = pytest.mark.lab


def one_line(done) -> str:
    """The single line on stderr."""
    assert "Traceback" not in done.out + done.err
    (line,) = done.err.strip().splitlines()
    return line


@pytest.fixture
def standing(start_lab):
    return start_lab()


def bench_with(started, tmp_path, old: str, new: str, count=1):
    """The lab's bench file with something else in it, beside the original so that its paths hold."""
    text = started.file.read_text(encoding="utf-8")
    assert old in text
    file = started.file.with_name(f"bench-{tmp_path.name}.toml")
    file.write_text(text.replace(old, new, count), encoding="utf-8")
    return file


def test_unknown_vendor(tmp_path):
    done = run(tmp_path, "nosuch")
    assert done.code == 3
    assert re.search(r"vendor: expected one of asterisk, broadsoft, .*, got 'nosuch'$", one_line(done))


def test_bad_toml_says_file_key_expected_got(tmp_path):
    text = (ROOT / "vendors" / "broadsoft.toml").read_text(encoding="utf-8")
    env = home_with(tmp_path / "home", "broadsoft", text.replace('"as-feature-event"', '"telepathy"', 1))
    done = run(tmp_path / "results", "broadsoft", env=env)
    assert done.code == 3
    line = one_line(done)
    assert "broadsoft.toml: features.dnd.phone_side.value: expected " in line
    assert line.endswith("got 'telepathy'")


def test_broken_toml_syntax(tmp_path):
    env = home_with(tmp_path / "home", "broadsoft", "[vendor\n")
    done = run(tmp_path / "results", "broadsoft", env=env)
    assert done.code == 3
    assert re.search(r"broadsoft\.toml: syntax: expected valid TOML, got .*line 1", one_line(done))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[sip]\naddress = ",
            "[sip]\nport2 = 1\naddress = ",
            "sip.port2: expected a known key, got an unknown one",
        ),
        (
            'transport = "udp"',
            'transport = "sctp"',
            "sip.transport: expected .*'udp', 'tcp' or 'tls', got 'sctp'",
        ),
        ('user = "1001"', "", "accounts.primary.user: expected a value, got nothing"),
        ('recipe = "kamcmd"', 'recipe = "telnet"', "admin.recipe: expected one of kamcmd, .*, got telnet"),
    ],
)
def test_bad_bench_file(old, new, said, standing, tmp_path):
    done = run(tmp_path, "--bench", str(bench_with(standing, tmp_path, old, new)))
    assert done.code == 3
    assert re.search(said, one_line(done))


def test_a_missing_secret_is_told_before_anything_starts(standing, tmp_path):
    file = bench_with(standing, tmp_path, 'file = "lab-secrets/1001"', 'env = "NO_SUCH_VARIABLE"')
    done = run(tmp_path, "--bench", str(file))
    assert done.code == 3
    key = "accounts.primary.password: expected environment variable NO_SUCH_VARIABLE to be set, got unset"
    assert one_line(done).endswith(key)


def test_nothing_chosen_is_not_green(standing, tmp_path):
    done = run(tmp_path, "--bench", str(standing.file), "--include", "no-such-tag")
    assert done.code == 2
    assert "no scenario matches what was asked for" in done.out
    assert done.out.rstrip().endswith("0 passed, 1 failed, 0 skipped")


def test_results_folder_not_writable(tmp_path):
    file = tmp_path / "results"
    file.write_text("a file, not a folder")
    done = run(file, "broadsoft")
    assert done.code == 3
    assert "results: expected a folder that can be written to, got " in one_line(done)


def test_no_mirror(tmp_path):
    env = {"FEATURESYNC_CACHE": str(tmp_path / "cache"), "LAB_MIRROR": "http://127.0.0.1:9/debian"}
    done = run(tmp_path / "results", "broadsoft", env=env)
    assert done.code == 2
    assert "mirror" in done.out
    (test,) = done.record["tests"]
    assert (test["id"], test["verdict"]) == ("broadsoft/bench", "broken")
    assert "mirror" in (done.folder / "report" / "matrix.html").read_text(encoding="utf-8")
    assert "Traceback" not in done.out + done.err


def test_unreachable_sip_host(standing, tmp_path):
    """Nobody listens there: bench trouble, and no word against the device."""
    address = re.search(r'\[sip\]\naddress = "([^"]+)"', standing.file.read_text(encoding="utf-8"))[1]
    file = bench_with(standing, tmp_path, f'address = "{address}"', 'address = "127.2.255.254"')
    done = run(tmp_path, "--bench", str(file), "--feature", "dnd", "--side", "server")
    assert done.code == 2
    assert {test["verdict"] for test in done.record["tests"]} == {"broken"}
    assert "SIP server 127.2.255.254 port 5060 does not answer REGISTER" in done.out


def test_wrong_sip_password_is_the_benchs_fault(standing, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-password")
    wrong.chmod(stat.S_IRUSR)
    file = bench_with(standing, tmp_path, 'file = "lab-secrets/1001"', f'file = "{wrong}"')
    done = run(tmp_path, "--bench", str(file), "--feature", "dnd", "--side", "server")
    assert done.code == 2
    assert {test["verdict"] for test in done.record["tests"]} == {"broken"}
    assert "account 1001: the server refuses its password (401 Unauthorized)" in done.out


def test_refused_ssh_key(standing, tmp_path):
    from featuresync.bench.lab import certificates

    key = tmp_path / "other.key"
    key.write_bytes(certificates.key_pair().private)
    key.chmod(stat.S_IRUSR)
    file = bench_with(standing, tmp_path, 'file = "lab-secrets/admin.key"', f'file = "{key}"')
    done = run(tmp_path, "--bench", str(file), "--feature", "dnd", "--side", "server")
    assert done.code == 2
    assert re.search(r"SSH .*refuse", done.out)


def test_changed_host_key(standing, tmp_path):
    from featuresync.bench.lab import certificates

    text = standing.file.read_text(encoding="utf-8")
    known = re.search(r'host_key = "([^"]+)"', text)[1]
    file = bench_with(standing, tmp_path, known, certificates.key_pair().public)
    done = run(tmp_path, "--bench", str(file), "--feature", "dnd", "--side", "server")
    assert done.code == 2
    assert re.search(r"SSH .*host key.*SHA256:", done.out)


def test_usage():
    done = subprocess.run(
        [sys.executable, "-m", "featuresync", "run", "--bogus"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "expected a known command, option and value, got No such option: --bogus" in done.stderr
