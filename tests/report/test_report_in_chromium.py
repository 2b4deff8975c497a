"""The report as a person gets it: drawn by the real Allure, opened from a disk in a real browser.

With FEATURESYNC_ARTIFACTS set to a folder the pictures are kept there.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from synthetic import SECRET, judged, run, story

from featuresync.evidence import ladder, matrix, pcapng
from featuresync.evidence.allure import AllureWriter, exhibits, write_surroundings
from featuresync.evidence.redaction import Redactor
from featuresync.evidence.render import render
from featuresync.evidence.steps import Step

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# No name resolves: what a page asks for from outside can be seen, and goes nowhere.
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run --virtual-time-budget=8000 --host-resolver-rules=MAP|*|~NOTFOUND"
).split()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (apt install chromium)")


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory) -> Path:
    """A run folder with everything a run leaves behind."""
    folder = tmp_path_factory.mktemp("run")
    record, trace, redactor = run(), story(), Redactor([SECRET])
    place = folder / "evidence" / "a"
    place.mkdir(parents=True)
    title = "DND pressed on phone A reaches phone B"
    (place / "ladder.svg").write_text(ladder.draw(trace, judged(trace), title, redactor), encoding="utf-8")
    (place / "wire.pcapng").write_bytes(pcapng.write(trace, judged(trace), redactor))
    (place / "admin.txt").write_text("$ show 1001\nDND on\n")
    results = folder / "allure-results"
    for test in record.tests:
        writer = AllureWriter(results, record.systems[test.vendor], redactor, host="lab", thread=test.vendor)
        start = test.started.timestamp()
        steps = [Step("Press", args=["<sip:1001@pbx>"], status="PASS", start=start, stop=start + 0.1)]
        writer.end_test(test, steps, exhibits(folder, test.evidence))
    write_surroundings(results, {"bench": "lab"}, {})
    matrix.write(record, folder)
    return folder


@pytest.fixture(scope="module")
def report(run_dir) -> Path:
    """The Allure report of the run folder."""
    assert render(run_dir) == ""
    return run_dir / "report" / "index.html"


@dataclass
class Seen:
    text: str
    asked: set[str]
    """Addresses outside that the page itself asked for."""


def browse(tmp_path: Path, address: str) -> Seen:
    log = tmp_path / "net.json"
    page = chromium(tmp_path, f"--log-net-log={log}", "--dump-dom", address)
    dom = re.sub(r"<(script|style)\b[\s\S]*?</\1>", "", page, flags=re.IGNORECASE)
    text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", dom)))
    return Seen(text, set(requests(log)))


def chromium(tmp_path: Path, *arguments: str) -> str:
    options = [option.replace("|", " ") for option in OPTIONS]
    command = [str(CHROMIUM), *options, f"--user-data-dir={tmp_path / 'profile'}", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=90, check=True)
    return done.stdout.decode("utf-8", "replace")


def requests(log: Path) -> Iterator[str]:
    """What pages asked for; the browser's own requests have no origin as initiator."""
    for event in json.loads(log.read_text(encoding="utf-8"))["events"]:
        said = event.get("params", {})
        url = said.get("url", "")
        if url.startswith(("http:", "https:", "ws:", "wss:")) and said.get("initiator") not in (
            None,
            "not an origin",
        ):
            yield url


def picture(tmp_path: Path, name: str, address: str, size: str) -> None:
    """Take a picture; it is kept when the caller of the tests says where."""
    file = tmp_path / f"{name}.png"
    chromium(tmp_path, f"--window-size={size}", f"--screenshot={file}", address)
    assert file.stat().st_size > 10_000
    if kept := os.environ.get("FEATURESYNC_ARTIFACTS"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, Path(kept, file.name))


def test_the_allure_report_opens_from_a_disk_and_asks_nobody(report, tmp_path):
    assert "googletagmanager" not in report.read_text(encoding="utf-8")
    seen = browse(tmp_path, report.as_uri())
    for words in ("Feature sync", "Alpha", "DND", "phone → server", "Dnd reaches the other phone"):
        assert words in seen.text
    assert re.search(r"Failed 1 .*Broken 16 .*Passed 28 .*Skipped 8", seen.text)
    assert seen.asked == set()
    picture(tmp_path, "allure", report.as_uri(), "1300,1000")


def test_the_categories_separate_device_and_bench(report, tmp_path):
    seen = browse(tmp_path, f"{report.as_uri()}#categories")
    for words in ("Device defect: a requirement was broken", "Bench trouble: says nothing of the device"):
        assert words in seen.text


def test_the_matrix_opens_from_a_disk_and_asks_nobody(run_dir, tmp_path):
    page = run_dir / "report" / "matrix.html"
    seen = browse(tmp_path, page.as_uri())
    for words in (
        "a device failed",
        "stand-in on Engine 6.1.5",
        "real · Beta 18.0.1 build 7",
        "bench trouble",
    ):
        assert words in seen.text
    assert seen.asked == set()
    picture(tmp_path, "matrix", page.as_uri(), "1400,1300")


def test_the_ladder_opens_in_a_browser(run_dir, tmp_path):
    file = run_dir / "evidence" / "a" / "ladder.svg"
    seen = browse(tmp_path, file.as_uri())
    assert "SUBSCRIBE CSeq 2 ×3" in seen.text
    assert seen.asked == set()
    picture(tmp_path, "ladder", file.as_uri(), "1240,1050")


def test_a_page_that_calls_out_would_be_seen(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<script src="https://www.googletagmanager.com/gtag/js"></script>')
    assert browse(tmp_path, page.as_uri()).asked == {"https://www.googletagmanager.com/gtag/js"}
