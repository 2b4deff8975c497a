"""Writing a bench file: TOML from plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """The table as TOML: strings, booleans, numbers, lists and tables; None is left out."""
    lines = [f"[{'.'.join(map(_key, path))}]"] if path else []
    lines += [
        f"{_key(name)} = {_value(value)}"
        for name, value in table.items()
        if not isinstance(value, Mapping) and value is not None
    ]
    for name, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", toml(value, (*path, name)).rstrip("\n")]
    return "\n".join(lines).lstrip("\n") + "\n"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, (str, bool, int, float)):
        # What JSON writes for these is TOML too, but for DEL, which only TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError(f"not a TOML value: {value!r}")
