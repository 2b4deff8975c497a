"""Real servers for tests: ``tree`` is fetched once, ``start_lab`` starts labs and stops them afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from featuresync.bench.lab import Lab, repository
from featuresync.bench.lab.tree import Tree, ensure
from featuresync.errors import BenchFault
from featuresync.profile import Profile, load_profile


@pytest.fixture(scope="session")
def tree() -> Tree:
    """The unpacked servers; skips, with the reason, where they cannot be had."""
    try:
        return ensure()
    except BenchFault as reason:
        # A CI without the lab would be green and prove nothing.
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no lab here: {reason}")


def profile(vendor: str) -> Profile:
    return load_profile(repository() / "vendors" / f"{vendor}.toml")


@pytest.fixture
def start_lab(tree: Tree, tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """``start_lab("broadsoft", transport="tcp", ...)``: a running Lab of a vendor or a profile; further words
    as of ``Lab.start``."""
    with ExitStack() as stack:
        numbers = iter(range(1000))

        def start(vendor: str | Profile = "broadsoft", **options: Any) -> Lab:
            folder = tmp_path / f"bench-{next(numbers)}"
            of = profile(vendor) if isinstance(vendor, str) else vendor
            return stack.enter_context(Lab.start(of, folder, tree=tree, **options))

        yield start
