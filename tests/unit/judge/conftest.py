"""Traces, made once: judging does not change them."""

from __future__ import annotations

import pytest

from featuresync.judge.trace import Trace

from .scenarios import ALL
from .traces import Stage


@pytest.fixture(scope="session")
def good() -> dict[str, Trace]:
    """The trace of each scenario with a server that does everything right."""
    made = {}
    for name, scenario in ALL.items():
        stage = Stage()
        scenario(stage)
        made[name] = stage.trace
    return made
