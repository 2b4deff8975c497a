"""The scenarios as Robot reads them: ids, tags and sentences, without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from robot.api import TestSuite

OWN = "own"
"""Stands in a scenario's id where a vendor's own folder would: nobody else has it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test as it is written. ``folder`` is its folder under ``suites``: shared or a vendor's own."""

    id: str
    folder: str
    sentence: str
    tags: tuple[str, ...]


def scenario_id(suites: Path, source: Path, title: str) -> str:
    """``phone_side/dnd_on``: the scenario's folder and its title; ``own/...`` in a vendor's own folder."""
    parts = source.relative_to(suites).parts
    folder = "/".join(parts[1:-1]) if parts[0] == "scenarios" else OWN
    return f"{folder}/{'_'.join(title.lower().replace('-', ' ').split())}"


def all_scenarios(suites: Path) -> Iterator[Scenario]:
    """Every scenario there is, shared and own."""

    def walk(suite: TestSuite) -> Iterator[Scenario]:
        for test in suite.tests:
            source = Path(str(test.source))
            yield Scenario(
                id=scenario_id(suites, source, test.name),
                folder=source.relative_to(suites).parts[0],
                sentence=test.doc,
                tags=tuple(test.tags),
            )
        for child in suite.suites:
            yield from walk(child)

    yield from walk(TestSuite.from_file_system(suites))
