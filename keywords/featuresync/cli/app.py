"""The commands and their options."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from featuresync import __version__
from featuresync.bench.lab.places import repository
from featuresync.errors import ConfigFault
from featuresync.profile import load_bench

from . import places

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Prove that SIP phones and SIP servers keep Do Not Disturb and call forwarding in step.",
    epilog="Exit codes: 0 all as claimed; 1 a device failed; 2 bench trouble only; "
    "3 bad configuration or usage; 130 stopped by Ctrl-C.",
)
lab_app = typer.Typer(no_args_is_help=True, help="The real servers: up, down, status.")
app.add_typer(lab_app, name="lab")
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)

Vendors = Annotated[list[str] | None, typer.Argument(metavar="[VENDOR]...", help="Default: all of them")]


class Side(StrEnum):
    PHONE = "phone"
    SERVER = "server"
    LIFECYCLE = "lifecycle"
    ADVERSITY = "adversity"
    HOSTILE = "hostile"
    SECURITY = "security"
    EFFECT = "effect"


class FeatureName(StrEnum):
    DND = "dnd"
    CF_ALWAYS = "cf_always"
    CF_BUSY = "cf_busy"
    CF_NO_ANSWER = "cf_no_answer"


class Transport(StrEnum):
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


def _version(asked: bool) -> None:
    if asked:
        out.print(f"featuresync {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """The one door."""


@app.command()
def run(
    vendors: Vendors = None,
    bench: Annotated[str, typer.Option(help="auto, lab, or a bench file")] = "auto",
    feature: Annotated[FeatureName | None, typer.Option(help="Only scenarios of this feature")] = None,
    side: Annotated[Side | None, typer.Option(help="Only changes from this side")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=16, help="Vendors tested at once; default: two for each core")
    ] = None,
    include: Annotated[list[str] | None, typer.Option(help="Only tests with this tag")] = None,
    transport: Annotated[Transport, typer.Option(help="How phones reach the lab's server")] = Transport.UDP,
    phone_config: Annotated[
        Path | None, typer.Option(help="Exported configuration of the phone to be played")
    ] = None,
    results: Annotated[Path | None, typer.Option(help="Where run folders go")] = None,
) -> None:
    """Run the suites and write a report; the exit code says what came of it."""
    from .run import Order, carry_out

    order = Order(
        vendors=tuple(vendors or ()),
        bench=bench,
        feature=feature.value if feature else "-",
        side=side.value if side else "-",
        jobs=jobs,
        include=tuple(include or ()),
        transport=transport.value,
        results=(results or repository() / "results").absolute(),
        phone_config=phone_config.absolute() if phone_config else None,
    )
    raise typer.Exit(carry_out(order, out))


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    }
)
def test(context: typer.Context) -> None:
    """The project's own tests, through tox. Words after ``--`` go to pytest."""
    command = [sys.executable, "-m", "tox", "run", "--conf", str(repository() / "tox.ini")]
    raise typer.Exit(subprocess.run([*command, "--", *context.args] if context.args else command).returncode)


@app.command("list")
def list_(vendors: Vendors = None) -> None:
    """The scenarios each vendor gets, and why others are skipped."""
    from .listing import scenarios

    for name in vendors or places.vendor_names():
        table = Table(title=places.profile(name).vendor.title, title_justify="left", box=None)
        for column in ("scenario", "requirements", "what it proves, or why it is skipped"):
            table.add_column(column, no_wrap=column == "scenario")
        for row in scenarios(name):
            table.add_row(*row)
        out.print(table)


vendors_app = typer.Typer(help="Profiles: what each system claims, and how sure that is.")
app.add_typer(vendors_app, name="vendors")


@vendors_app.callback(invoke_without_command=True)
def vendors_(context: typer.Context) -> None:
    """The capability table of all profiles."""
    from . import listing

    if context.invoked_subcommand:
        return
    table = Table(box=None)
    columns = (
        "vendor",
        "feature",
        "phone side",
        "server side",
        "on code",
        "off code",
        "how sure",
        "deviations",
    )
    for column in columns:
        table.add_column(column)
    for name in places.vendor_names():
        for row in listing.claims(places.profile(name)):
            table.add_row(*row)
    out.print(table)


@vendors_app.command("check")
def check(file: Annotated[Path, typer.Argument(help="A profile or a bench file")]) -> None:
    """Check a profile or a bench file; says file, key, expected, got."""
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    if "\n[vendor]" in f"\n{text}":
        profile = places.checked(file)
        out.print(f"{file}: a good profile of {profile.vendor.title}")
    else:
        bench = load_bench(file)
        bench.recipe(places.profile(bench.vendor))
        out.print(f"{file}: a good bench file for {bench.vendor}")


@app.command()
def requirements(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Default: all")] = None,
) -> None:
    """The catalogue: id, level, clause, text, and the scenarios that exercise it."""
    from featuresync.judge.catalogue import CATALOGUE

    from .listing import exercised

    for unknown in [one for one in ids or () if one not in CATALOGUE]:
        raise ConfigFault("requirements", "ID", "a requirement of the catalogue", repr(unknown))
    scenarios = exercised()
    for row in CATALOGUE.values():
        if not ids or row.id in ids:
            out.print(f"[bold]{row.id}[/] {row.level.value}  {row.clause}")
            out.print(f"      {row.text}")
            out.print(
                f"      exercised by: {', '.join(scenarios.get(row.id, ())) or 'every trace that shows it'}"
            )


@app.command()
def restore(
    results: Annotated[Path | None, typer.Option(help="Where run folders are")] = None,
) -> None:
    """Put a server's state back after a run that was killed."""
    from featuresync.bench.restore import restore_all

    lines, code = restore_all((results or repository() / "results").absolute())
    for line in lines:
        out.print(line, markup=False)
    raise typer.Exit(code)


@app.command()
def report(run_dir: Annotated[Path, typer.Argument(help="A run folder")]) -> None:
    """Render a run's reports again."""
    from .run import render_all

    render_all(run_dir.absolute(), out)


@app.command()
def guide(
    run_dir: Annotated[Path | None, typer.Argument(help="A run folder; default: the last run")] = None,
    file: Annotated[Path | None, typer.Option(help="Where the page goes")] = None,
) -> None:
    """Every statement of the guide with the scenarios that prove it and their last verdict."""
    from featuresync.library.guide import write_coverage

    target = file or repository() / "docs" / "guide-coverage.md"
    write_coverage((run_dir or repository() / "results" / "latest").resolve(), target)
    out.print(f"written: {target}", markup=False)


@lab_app.command("up")
def lab_up(
    vendors: Vendors = None,
    transport: Annotated[Transport, typer.Option(help="How the bench file says to reach it")] = Transport.UDP,
) -> None:
    """Start servers that stay until ``lab down``; prints their bench files."""
    from featuresync.bench.lab import up

    for name in vendors or places.vendor_names():
        out.print(f"{name}: {up(places.profile(name), transport.value)}", markup=False)


@lab_app.command("down")
def lab_down(vendors: Vendors = None) -> None:
    """Stop what ``lab up`` started."""
    from featuresync.bench.lab import down

    ended = [vendor for name in vendors or [None] for vendor in down(name)]  # type: ignore[list-item]
    for vendor in ended:
        out.print(f"{vendor}: down", markup=False)
    if not ended:
        out.print("no lab is up")


@lab_app.command("status")
def lab_status() -> None:
    """What ``lab up`` started and whether it still runs."""
    from featuresync.bench.lab import status

    standing = status()
    for lab in standing:
        out.print(
            f"{lab.vendor}: {lab.fingerprint} over {lab.transport}, bench file {lab.bench}", markup=False
        )
    if not standing:
        out.print("no lab is up")
