"""Reading profiles and bench files: every mistake is one line with file, key, expected, got."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from featuresync.errors import ConfigFault

from .bench import BASE_URL, BENCH_NAME, Bench, SecretRef
from .facts import NAME, Model
from .vendor import CODE, REQUIREMENT, Profile

M = TypeVar("M", bound=Model)

_SHAPES = {
    NAME: "a name of a-z 0-9 _ that begins with a letter",
    CODE: "a feature code of 0-9 A-D * # + and at most one {number}",
    REQUIREMENT: "the id of a requirement, such as NO-04",
    BENCH_NAME: "a name of A-Z a-z 0-9 . _ - that begins with a letter or digit",
    BASE_URL: "http:// or https:// with a host, without ? and #",
}
"""What the patterns of the models ask for, in words."""

_WORDS = {
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "text, at least {min_length} long",
    "string_too_long": "text, at most {max_length} long",
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list in [ ]",
    "frozen_set_type": "a list in [ ]",
    "dict_type": "a table",
    "model_type": "a table",
}
"""What Pydantic's kinds of error ask for, in a user's words; ``{...}`` is of the error's context."""


def load(model: type[M], file: Path) -> M:
    """Read one TOML file into a model. Raises ConfigFault with file, key, expected, got."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigFault(file, "file", "a readable TOML file", "no such file") from None
    except OSError as error:
        raise ConfigFault(file, "file", "a readable TOML file", (error.strerror or "none").lower()) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        got = f"byte 0x{error.object[error.start]:02x} (at line {line})"
        raise ConfigFault(file, "file", "text in UTF-8", got) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigFault(file, "syntax", "valid TOML", str(error)) from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _as_fault(file, min(error.errors(include_url=False), key=_rank)) from None


def _rank(error: ErrorDetails) -> tuple[bool, bool]:
    """What to tell first: a misspelt key explains the one that is missing.

    Of a step's two forms the one that was meant: a table is no command.
    """
    is_table = isinstance(error["input"], Mapping)
    return error["type"] != "extra_forbidden", error["type"] == "string_type" and is_table


def _as_fault(file: Path, error: ErrorDetails) -> ConfigFault:
    key, kind = _key(error["loc"]), error["type"]
    got = "a table" if isinstance(error["input"], Mapping) else repr(error["input"])[:120]
    if kind == "missing":
        return ConfigFault(file, key, "a value", "nothing")
    if kind == "extra_forbidden":
        return ConfigFault(file, key, "a known key", "an unknown one (spelling?)")
    if kind == "value_error":
        # A model's own words: "key: expected: got", the key relative to where the model stands.
        inner, expected, *said = str(error["msg"]).removeprefix("Value error, ").split(": ", 2)
        return ConfigFault(file, ".".join(filter(None, (key, inner))), expected, said[0] if said else got)
    context = error.get("ctx", {})
    of = context.get("class_name", "")
    if of == SecretRef.__name__:
        # It may be the secret itself: nobody may see it.
        return ConfigFault(file, key, '{ env = "NAME" } or { file = "PATH" }', "something else")
    if of.startswith("Fact["):
        return ConfigFault(file, key, "a table { value, source, sure }", got)
    if kind == "string_pattern_mismatch":
        return ConfigFault(file, key, _SHAPES.get(context["pattern"], str(error["msg"])), got)
    if kind == "string_type" and error["loc"][-1] == "str":
        return ConfigFault(file, key, "a command or a request", got)
    expected = _WORDS.get(kind, str(error["msg"])).format(**context)
    return ConfigFault(file, key or "file", expected, got)


def _key(place: tuple[int | str, ...]) -> str:
    """The key as the file writes it: without the marks of Pydantic for a key itself and for a step's form."""
    parts = [str(part) for part in place if part != "[key]"]
    for at in range(len(parts) - 1, 0, -1):
        if parts[at] in ("str", "Request") and (parts[at - 1].isdigit() or parts[at - 1] == "step"):
            del parts[at]
    return ".".join(parts)


def load_profile(file: Path) -> Profile:
    profile = load(Profile, file)
    if profile.vendor.name != file.stem:
        raise ConfigFault(file, "vendor.name", f"the file's name, {file.stem!r}", repr(profile.vendor.name))
    return profile


def load_bench(file: Path) -> Bench:
    return load(Bench, file).model_copy(update={"file": file.resolve()})
