"""Fixtures of the tests of the bench."""

import pytest


@pytest.fixture
def owner(tmp_path):
    """A bench file's place, with the password that it would name beside it."""
    (tmp_path / "password").write_text("correct horse\n")
    return tmp_path / "bench.toml"
