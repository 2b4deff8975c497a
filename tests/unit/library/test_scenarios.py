"""The suites as written: every scenario is a sentence, tagged with what it exercises and needs."""

import re
from pathlib import Path

import pytest

from featuresync.judge.catalogue import CATALOGUE
from featuresync.library.claims import feature_of, requirements, side_of
from featuresync.library.scenarios import all_scenarios, scenario_id
from featuresync.sync.feature import Feature

SUITES = Path(__file__).parents[3] / "suites"
SCENARIOS = list(all_scenarios(SUITES))


def test_ids_are_those_of_the_contract():
    source = SUITES / "scenarios" / "phone_side" / "dnd.robot"
    assert scenario_id(SUITES, source, "DND On") == "phone_side/dnd_on"
    assert scenario_id(SUITES, SUITES / "broadsoft" / "x.robot", "No-Answer It") == "own/no_answer_it"


def test_ids_are_unique_for_each_vendor():
    for folder in {scenario.folder for scenario in SCENARIOS}:
        ids = [scenario.id for scenario in SCENARIOS if scenario.folder == folder]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_scenario_is_well_formed(scenario):
    assert re.fullmatch(r"[A-Z].*\.", scenario.sentence), "a sentence that a support engineer understands"
    assert requirements(scenario.tags), "tagged with the requirements it exercises"
    assert set(requirements(scenario.tags)) <= set(CATALOGUE)
    assert feature_of(scenario.tags) in {"all", *Feature}
    assert side_of(scenario.tags) in {"phone", "server", "lifecycle", "effect"}


def test_every_requirement_of_the_catalogue_is_exercised():
    exercised = {one for scenario in SCENARIOS for one in requirements(scenario.tags)}
    assert set(CATALOGUE) - exercised == set()
