"""Reading profiles and bench files: every mistake is one line with file, key, expected, got."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from featuresync.errors import ConfigFault

from .bench import Bench
from .facts import Model
from .vendor import Profile

M = TypeVar("M", bound=Model)


def load(model: type[M], file: Path) -> M:
    """Read one TOML file into a model. Raises ConfigFault with file, key, expected, got."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigFault(file, "file", "a readable TOML file", "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFault(file, "file", "a readable TOML file in UTF-8", str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigFault(file, "syntax", "valid TOML", str(error)) from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _as_fault(file, error) from None


def _as_fault(file: Path, error: ValidationError) -> ConfigFault:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    kind, message, got = first["type"], str(first["msg"]), first["input"]
    if kind == "missing":
        return ConfigFault(file, key, "a value", "nothing")
    if kind == "extra_forbidden":
        return ConfigFault(file, key, "a known key", "an unknown one (spelling?)")
    said = "a table" if isinstance(got, Mapping) else repr(got)[:120]
    if kind == "value_error":
        # A model's own words: "key: expected: got", the key relative to where the model stands.
        words = message.removeprefix("Value error, ").split(": ", 2)
        if len(words) > 1:
            inner = ".".join(part for part in (key, words[0]) if part)
            return ConfigFault(file, inner, words[1], words[2] if len(words) > 2 else said)
        message = words[0]
    return ConfigFault(file, key or "file", message, said)


def load_profile(file: Path) -> Profile:
    profile = load(Profile, file)
    if profile.vendor.name != file.stem:
        raise ConfigFault(file, "vendor.name", f"the file's name, {file.stem!r}", repr(profile.vendor.name))
    return profile


def load_bench(file: Path) -> Bench:
    return load(Bench, file).model_copy(update={"file": file.resolve()})
