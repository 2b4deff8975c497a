"""``./featuresync run``: one Robot process per vendor against its bench, then the reports."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import tomli_w
from rich.console import Console

from featuresync import __version__
from featuresync.agent.phone_config import describe, read_phone_config
from featuresync.bench.journal import FOLDER, pending
from featuresync.bench.lab import Lab
from featuresync.errors import BenchFault, ConfigFault, Fault
from featuresync.evidence import junit, matrix, render
from featuresync.evidence.allure import write_surroundings
from featuresync.evidence.record import RunRecord, closing_line, collect, load
from featuresync.profile import Bench, Profile, load_bench

from . import places
from .suite import SuiteRun, merge_logs, stop_signals


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for. ``feature`` and ``side``: ``-`` for all; ``jobs``: None for as many as fit."""

    vendors: tuple[str, ...]
    bench: str
    feature: str
    side: str
    jobs: int | None
    include: tuple[str, ...]
    transport: Literal["udp", "tcp", "tls"]
    results: Path
    phone_config: Path | None = None


def carry_out(order: Order, out: Console) -> int:
    """The whole run; returns the documented exit code."""
    user_bench = None if order.bench in ("auto", "lab") else load_bench(Path(order.bench))
    names = order.vendors or ((user_bench.vendor,) if user_bench else tuple(places.vendor_names()))
    profiles = [places.profile(name) for name in dict.fromkeys(names)]
    _check(profiles, user_bench)
    phone = describe(read_phone_config(order.phone_config)) if order.phone_config else []
    bench_name = user_bench.name if user_bench else "lab"
    run_dir = _run_folder(order.results, bench_name)
    partial = (order.feature, order.side, order.include) != ("-", "-", ())
    started = datetime.now(UTC)
    RunRecord(bench=bench_name, partial=partial, phone=tuple(phone), started=started).save(run_dir)
    for line in (f"run folder: {run_dir}", *phone):
        out.print(line, markup=False)
    chosen = (order.feature, order.side, order.include, order.phone_config)
    suites = [SuiteRun(profile, run_dir, *chosen) for profile in profiles]
    with stop_signals(suites) as stopped, ThreadPoolExecutor(order.jobs or _at_once(suites)) as pool:
        futures = [pool.submit(_one, suite, order, user_bench, out) for suite in suites]
        wait(futures)
    fault = _explain(suites, futures, out)
    record = render_all(run_dir, out)
    _link_latest(run_dir)
    _tell_what_is_left(order.results, run_dir.name, out)
    if fault:
        raise fault
    return 130 if stopped else record.exit_code


def render_all(run_dir: Path, out: Console) -> RunRecord:
    """Every report of a run folder, from what its parts hold; the closing line is printed last."""
    record = collect(run_dir) if (run_dir / "parts").is_dir() else load(run_dir)
    record.save(run_dir)
    merge_logs(run_dir, out)
    _merge_effective(run_dir)
    junit.write(record, run_dir / "xunit.xml")
    matrix.write(record, run_dir)
    surroundings = {"bench": record.bench, "featuresync": __version__}
    surroundings |= {vendor: system.said for vendor, system in record.systems.items()}
    write_surroundings(run_dir / "allure-results", surroundings)
    trouble = render.render(run_dir)
    if trouble:
        out.print(f"no Allure pages: {trouble}; Robot's own report is log.html", markup=False)
    _print_failures(record, out)
    for row in record.surprises:
        told = f"declared deviation {row.requirement} of {row.vendor} did not happen: {row.reason}"
        out.print(told, markup=False)
    pages = ["report/matrix.html", "report/index.html", "log.html"]
    for page in pages:
        if (run_dir / page).exists():
            out.print(f"open {run_dir / page}", markup=False)
    out.print(closing_line(record), markup=False)
    return record


def _at_once(suites: list[SuiteRun]) -> int:
    """Suites wait for the network nearly all of their time: two of them share a core well."""
    return min(len(suites), 2 * (os.cpu_count() or 1))


def _one(suite: SuiteRun, order: Order, bench: Bench | None, out: Console) -> None:
    """One vendor: its bench up, its suite, its bench down."""
    with ExitStack() as stack:
        if bench is None:
            folder = Path(tempfile.mkdtemp(prefix="featuresync-", dir="/tmp"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            lab = stack.enter_context(Lab.start(suite.profile, folder, transport=order.transport))
            bench = load_bench(lab.file)
            suite.ephemeral = True
        _write_effective(suite, bench)
        suite.run(bench, out)


def _explain(suites: list[SuiteRun], futures: list[Future[None]], out: Console) -> BaseException | None:
    """Tell and keep why a vendor's suite could not be run: no report of the others may be lost.

    Returns what is to be raised once they are written: our own fault, else a wrong configuration.
    """
    found: list[BaseException] = []
    for suite, future in zip(suites, futures, strict=True):
        error = future.exception()
        if error:
            said = str(error) if isinstance(error, Fault) else f"{type(error).__name__}: {error}"
            out.print(f"{suite.profile.vendor.name}: {said}", markup=False)
            suite.announce_trouble(said)
            found.append(error)
    raised = [error for error in found if isinstance(error, ConfigFault) or not isinstance(error, Fault)]
    return min(raised, key=lambda error: isinstance(error, Fault), default=None)


def _check(profiles: list[Profile], bench: Bench | None) -> None:
    """What can be known to go wrong before anything starts; the profiles themselves were checked."""
    if bench is not None:
        for profile in profiles:
            if profile.vendor.name != bench.vendor:
                raise ConfigFault(bench.file, "vendor", repr(profile.vendor.name), repr(bench.vendor))
        bench.recipe(profiles[0])
        bench.secrets()
        return
    for profile in profiles:
        if profile.lab is None:
            raise BenchFault(f"no lab stands in for {profile.vendor.name}: give --bench FILE.toml")


def _run_folder(results: Path, bench: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for attempt in range(100):
        folder = results / (f"{stamp}-{bench}" + (f"-{attempt}" if attempt else ""))
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise ConfigFault(
                results, "results", "a folder that can be written to", str(error.strerror)
            ) from None
        return folder
    raise ConfigFault(results, "results", "a free name for a run folder", f"{stamp} taken 100 times")


def _tell_what_is_left(results: Path, run_id: str, out: Console) -> None:
    for journal in pending(results / FOLDER).journals:
        if journal.record.run_id == run_id and not journal.record.ephemeral:
            out.print(f"{journal.record.bench} was not put back: run ./featuresync restore", markup=False)


def _link_latest(run_dir: Path) -> None:
    link = run_dir.parent / "latest"
    half = run_dir.parent / f".latest-{os.getpid()}"
    try:
        half.symlink_to(run_dir.name)
        half.replace(link)
    except OSError:
        half.unlink(missing_ok=True)


def _write_effective(suite: SuiteRun, bench: Bench) -> None:
    """The profile and the bench as they were used; secrets stand in neither, only where they are."""
    config = {
        "profile": suite.profile.model_dump(mode="json", exclude_none=True),
        "bench": bench.model_dump(mode="json", exclude_none=True),
    }
    (suite.part / "effective-config.toml").write_text(tomli_w.dumps(config), encoding="utf-8")


def _merge_effective(run_dir: Path) -> None:
    """``effective-config.toml`` of the run: that of each vendor under its name."""
    parts = sorted(run_dir.glob("parts/*/effective-config.toml"))
    merged = {file.parent.name: tomllib.loads(file.read_text(encoding="utf-8")) for file in parts}
    (run_dir / "effective-config.toml").write_text(tomli_w.dumps(merged), encoding="utf-8")


def _print_failures(record: RunRecord, out: Console) -> None:
    """What was not as claimed; trouble that hit many tests alike is told once."""
    told: dict[str, list[str]] = {}
    for test in record.tests:
        if test.verdict in ("fail", "broken"):
            told.setdefault(f"{test.verdict.upper()}\n{test.message}", []).append(test.id)
    for said, ids in told.items():
        verdict, _, message = said.partition("\n")
        others = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        out.print(f"\n{verdict} {ids[0]}{others}\n{message}", markup=False)
