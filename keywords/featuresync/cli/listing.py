"""What ``list`` and ``requirements`` show: scenarios against the claims of the profiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from featuresync.bench.lab.places import repository
from featuresync.library.claims import requirements, skip_reason
from featuresync.library.scenarios import all_scenarios
from featuresync.profile import Fact, Profile

from . import places


def claims(profile: Profile) -> Iterator[tuple[str, ...]]:
    """One row for each feature: what the profile says of it, ``?`` where it says that nobody knows."""
    for feature, claim in profile.features.items():
        codes: list[Fact[Any]] = [claim.codes.on, claim.codes.off] if claim.codes else []
        facts: list[Fact[Any]] = [claim.phone_side, claim.server_side, *codes]
        said = [str(fact.value or "?") for fact in facts]
        sure = "/".join(dict.fromkeys(fact.sure.value for fact in facts))
        columns = said if codes else [*said, "-", "-"]
        yield profile.vendor.name, feature, *columns, sure, str(len(profile.deviation))


def scenarios(vendor: str) -> Iterator[tuple[str, str, str]]:
    """(scenario id, requirement ids, what it proves or why it is skipped) for one vendor."""
    profile = places.profile(vendor)
    for scenario in all_scenarios(repository() / "suites"):
        if scenario.folder in ("scenarios", vendor):
            reason = skip_reason(profile, scenario.tags)
            said = f"skipped: {reason}" if reason else scenario.sentence
            yield scenario.id, " ".join(requirements(scenario.tags)), said


def exercised() -> dict[str, list[str]]:
    """Scenario ids by the requirement they exercise."""
    found: dict[str, list[str]] = {}
    for scenario in all_scenarios(repository() / "suites"):
        for one in requirements(scenario.tags):
            found.setdefault(one, []).append(scenario.id)
    return found
