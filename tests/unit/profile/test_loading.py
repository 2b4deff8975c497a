"""Files that are no TOML, and no word of Pydantic's in what a user reads."""

from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from featuresync.errors import ConfigFault
from featuresync.profile import Bench, Profile, load_bench
from featuresync.profile.loading import _SHAPES, _WORDS

SYNTAX = "syntax: expected valid TOML"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "file: expected a readable TOML file, got no such file"),
        (b"a = 1\nb = '\xff'\n", "file: expected text in UTF-8, got byte 0xff (at line 2)"),
        (b"a = 1\na = 2\n", f"{SYNTAX}, got Cannot overwrite a value (at line 2, column 6)"),
        (b"a\n", f"{SYNTAX}, got Expected '=' after a key in a key/value pair (at line 1, column 2)"),
        (b"", "name: expected a value, got nothing"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read(tmp_path, content, line):
    file = tmp_path / "bench.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigFault) as caught:
        load_bench(file)
    assert str(caught.value) == f"{file}: {line}"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigFault) as caught:
        load_bench(tmp_path)
    assert str(caught.value) == f"{tmp_path}: file: expected a readable TOML file, got is a directory"


def patterns(schema):
    """Every pattern of a schema, of values and of keys; ``pattern`` may be a property's name too."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), dict):
            yield from schema["patternProperties"]
        for part in schema.values():
            yield from patterns(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from patterns(part)


@pytest.mark.parametrize("model", [Profile, Bench])
def test_every_pattern_is_said_in_words(model):
    found = set(patterns(model.model_json_schema()))
    assert found
    assert found <= set(_SHAPES)


def test_the_words_are_of_kinds_that_there_are():
    assert set(_WORDS) <= set(get_args(ErrorType))
