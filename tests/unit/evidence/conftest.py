"""Fixtures over the synthetic run of ``synthetic.py``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from synthetic import judged, story

from featuresync.judge.trace import Trace
from featuresync.judge.verdict import Judgement


@pytest.fixture
def trace() -> Trace:
    return story()


@pytest.fixture
def judgements(trace: Trace) -> list[Judgement]:
    return judged(trace)


@pytest.fixture
def tell() -> Callable[..., Trace]:
    return story


@pytest.fixture
def judge() -> Callable[[Trace], list[Judgement]]:
    return judged
