"""Each fault is caught by its row, and by no row that it has nothing to do with."""

from __future__ import annotations

import pytest

from featuresync.judge.catalogue import CATALOGUE

from .mutants import MUTANTS, Mutant
from .test_catalogue import broken
from .traces import Stage


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.row}-{mutant.name}")
def test_a_fault_is_caught_by_its_row_alone(mutant: Mutant):
    stage = Stage()
    mutant.fault(stage)
    mutant.scenario(stage)
    assert set(broken(stage.trace)) == {mutant.row} | mutant.also


def test_each_fault_is_of_a_row():
    assert {mutant.row for mutant in MUTANTS} <= set(CATALOGUE)


def test_names_are_unique():
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
