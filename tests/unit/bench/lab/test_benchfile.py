import tomllib

import pytest

from featuresync.bench.lab.benchfile import toml


def test_written_is_read():
    table = {
        "name": "a\"b\\c\n\x7fé", "yes": True, "number": 3, "half": 1.5, "list": ["x", "y"], "empty": [],
        "sub": {"x.y": {"deep": r"^\s*(?P<on>[^/\n]*)$"}, "plain": {}},
    }  # fmt: skip
    assert tomllib.loads(toml(table)) == table


def test_what_is_not_there_is_left_out():
    assert toml({"a": None, "b": {"c": None, "d": 1}}) == "[b]\nd = 1\n"


def test_other_values_are_refused():
    with pytest.raises(TypeError, match="not a TOML value"):
        toml({"a": object()})
