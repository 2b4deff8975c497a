"""Servers with exactly one fault each: the row that must fail, and rows that say the same of it."""

from __future__ import annotations

from . import (
    mutants_of_calls,
    mutants_of_code_calls,
    mutants_of_codes,
    mutants_of_starts,
    mutants_of_state,
    mutants_of_subscriptions,
)
from .faults import MUTANTS, Mutant

__all__ = [
    "MUTANTS",
    "Mutant",
    "mutants_of_calls",
    "mutants_of_code_calls",
    "mutants_of_codes",
    "mutants_of_starts",
    "mutants_of_state",
    "mutants_of_subscriptions",
]
