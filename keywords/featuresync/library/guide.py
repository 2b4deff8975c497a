"""The guide, statement by statement: which scenarios prove each one, and how they ended in a run.

The statements are data, in ``suites/guide.toml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from featuresync.bench.lab.places import repository
from featuresync.evidence.record import RunRecord, load
from featuresync.judge.verdict import Verdict
from featuresync.profile import Profile, load_profile
from featuresync.profile.facts import Model, Name
from featuresync.profile.loading import load as load_data

from .claims import skip_reason
from .scenarios import Scenario, all_scenarios

NOT_RUN = "not run"
OUT_OF_SCOPE = "not for a server"
COMMAND = "./featuresync guide RUN_DIR"
_HEAD = ("| | the guide says | of | proved by | verdict |", "|---|---|---|---|---|")
_READING = (
    "A statement is proved, for each system it speaks of, by the scenarios beside it; `*` stands for",
    "anything. The verdict is the worst of their tests, with how many of them ended so. Where an engine",
    "of the lab stands in for a system, it is the suite that is shown to tell right from wrong: nothing",
    "is proved of the vendor's own product.",
)


class Statement(Model):
    """One statement of the guide, in our own words."""

    id: str = Field(pattern=r"^G-\d{2}$")
    chapter: str = Field(min_length=1)
    says: Annotated[str, Field(min_length=10, max_length=160)]
    vendors: tuple[Name, ...] = ()
    """The systems it speaks of, by their profiles' names."""
    proofs: tuple[str, ...] = ()
    """``vendor/scenario`` with ``*`` for anything, also for the statement's vendors."""
    scope: str = ""
    """Why no server can prove it, and what there is in its place."""
    note: str = ""
    """How the statement is read, where that is a question."""

    @model_validator(mode="after")
    def _proved_or_out_of_scope(self) -> Statement:
        if bool(self.scope) == bool(self.proofs) or bool(self.proofs) != bool(self.vendors):
            raise ValueError("proofs: vendors and proofs, or else a scope: neither or both")
        return self


class Guide(Model):
    """``suites/guide.toml``."""

    statement: tuple[Statement, ...]

    @model_validator(mode="after")
    def _numbered(self) -> Guide:
        for number, statement in enumerate(self.statement, 1):
            if statement.id != f"G-{number:02}":
                raise ValueError(
                    f"statement.{number - 1}.id: 'G-{number:02}', as there are no gaps: {statement.id!r}"
                )
        return self


@dataclass(frozen=True, slots=True)
class Row:
    """A statement, the tests that prove it (``vendor/scenario``), and the verdicts of those that were run."""

    statement: Statement
    tests: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    gaps: tuple[str, ...]
    """What keeps it from being proved: a proof that no scenario fits, a vendor that has none left."""

    @property
    def verdict(self) -> str:
        """The worst verdict in words, with how many of the tests it is that of."""
        if self.statement.scope:
            return OUT_OF_SCOPE
        if not self.verdicts:
            return NOT_RUN
        worst = max(self.verdicts, key=list(Verdict).index)
        count, run, all_ = self.verdicts.count(worst), len(self.verdicts), len(self.tests)
        said = f"{worst} ({all_})" if count == all_ else f"{worst} ({count} of {all_})"
        return f"{said}, {all_ - run} not run" if run < all_ else said


def coverage(suites: Path, profiles: Mapping[str, Profile], run: RunRecord | None) -> list[Row]:
    """Every statement of the guide with the scenarios that its vendors really get.

    Raises ConfigFault when the data is wrong, naming file and key.
    """
    scenarios = list(all_scenarios(suites))
    ended = {test.id: test.verdict for test in run.tests} if run else {}
    rows = []
    for statement in load_data(Guide, suites / "guide.toml").statement:
        tests = list(_tests(statement, scenarios, profiles))
        ran = (ended[test] for test in tests if test in ended)
        verdicts = tuple(verdict for verdict in ran if verdict is not Verdict.SKIPPED)
        rows.append(Row(statement, tuple(tests), verdicts, tuple(_gaps(statement, tests))))
    return rows


def _tests(
    statement: Statement, scenarios: Sequence[Scenario], profiles: Mapping[str, Profile]
) -> Iterator[str]:
    for vendor in statement.vendors:
        for scenario in scenarios:
            test = f"{vendor}/{scenario.id}"
            if (
                vendor in profiles
                and scenario.folder in ("scenarios", vendor)
                and any(fnmatchcase(test, proof) for proof in statement.proofs)
                and not skip_reason(profiles[vendor], scenario.tags)
            ):
                yield test


def _gaps(statement: Statement, tests: Sequence[str]) -> Iterator[str]:
    for vendor in statement.vendors:
        if not any(test.startswith(f"{vendor}/") for test in tests):
            yield f"{statement.id}: no scenario proves it for {vendor}"
    for proof in statement.proofs:
        if not any(fnmatchcase(test, proof) for test in tests):
            yield f"{statement.id}: no scenario fits {proof!r}"


def write_coverage(run_dir: Path | None, file: Path) -> list[Row]:
    """Write the coverage as Markdown, with the verdicts of a run if there is one. The rows come back.

    Raises ConfigFault when the folder is no run folder or the data is wrong.
    """
    run = load(run_dir) if run_dir else None
    vendors = sorted((repository() / "vendors").glob("*.toml"))
    rows = coverage(repository() / "suites", {one.stem: load_profile(one) for one in vendors}, run)
    file.write_text(markdown(rows, run), encoding="utf-8")
    return rows


def markdown(rows: Sequence[Row], run: RunRecord | None) -> str:
    """The page: for the same rows and the same run always the same text."""
    lines = [
        "# The guide, and what proves it",
        "",
        f"Generated by `{COMMAND}` from `suites/guide.toml`; do not edit. {_origin(run)}",
        "",
        *_READING,
    ]
    if run and run.systems:
        lines += ["", *(f"- {run.systems[name].said}" for name in sorted(run.systems))]
    for chapter, group in groupby(rows, key=lambda row: row.statement.chapter):
        lines += ["", f"## {chapter}", "", *_HEAD]
        lines += [_table_row(row) for row in group]
    return "\n".join(lines) + "\n"


def _origin(run: RunRecord | None) -> str:
    if run is None:
        return "No run was given, so it has no verdicts."
    part = ", of some of the scenarios only" if run.partial else ""
    return (
        f"Verdicts are those of the run of {run.started:%Y-%m-%d %H:%M} UTC on the bench `{run.bench}`{part}."
    )


def _table_row(row: Row) -> str:
    statement = row.statement
    proofs = [f"`{proof}`" for proof in statement.proofs] or [statement.scope]
    note = [f"*{statement.note}*"] if statement.note else []
    cells = (
        statement.id,
        statement.says,
        "<br>".join(statement.vendors),
        "<br>".join(proofs + note),
        row.verdict,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
