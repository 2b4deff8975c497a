"""The settings of phones that are understood: what makers call them, their values, what these mean.

The names are data, in ``phone_settings.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from featuresync.errors import ConfigFault
from featuresync.sync.feature import Feature
from featuresync.sync.feature_code import NUMBER

from .phone_export import Setting

LINE = "{line}"

_CODE = re.compile(r"[0-9A-D*#+]*(\{number\}[0-9A-D*#+]*)?")
_MAX_VALUE = 40
_IGNORED = str.maketrans("", "", " \t_-")


@dataclass(frozen=True)
class Known:
    """A setting that is understood. ``key`` is our name for it: ``feature_sync``, ``dnd.on``."""

    key: str
    words: Mapping[str, Any]
    """What the data says of it."""

    def read(self, file: Path, setting: Setting) -> Any:
        """What the value says, None for nothing. Raises ConfigFault for one that the setting cannot have."""
        raise NotImplementedError

    def meaning(self, value: Any) -> str:
        """A value that was read, in words."""
        raise NotImplementedError

    def fault(self, file: Path, setting: Setting, expected: str) -> ConfigFault:
        got = repr(setting.value[:_MAX_VALUE])
        return ConfigFault(file, f"line {setting.at}", f"{expected} for {setting.name!r}", got)


class Switch(Known):
    """``True``, ``False``, or None for an empty value."""

    def read(self, file: Path, setting: Setting) -> bool | None:
        said = {"": None, "0": False, "no": False, "1": True, "yes": True}
        if setting.value.lower() not in said:
            raise self.fault(file, setting, "0 or 1")
        return said[setting.value.lower()]

    def meaning(self, value: Any) -> str:
        return "empty: the phone's default" if value is None else str(self.words["on" if value else "off"])


class Response(Known):
    """The status of a final response, or None for an empty value."""

    def read(self, file: Path, setting: Setting) -> int | None:
        if setting.value and not re.fullmatch(r"[4-6]\d\d", setting.value, re.ASCII):
            raise self.fault(file, setting, "a status from 400 to 699")
        return int(setting.value) if setting.value else None

    def meaning(self, value: Any) -> str:
        return "empty: the phone's default" if value is None else f"{self.words['meaning']} {value}"


class Code(Known):
    """What is dialled to switch a feature: ``*72{number}``, ``*73``; None where there is no code."""

    def read(self, file: Path, setting: Setting) -> str | None:
        code, (feature, switch) = setting.value, self.key.split(".")
        takes_number = switch == "on" and Feature(feature).is_forward
        if len(code) > _MAX_VALUE or not _CODE.fullmatch(code) or (NUMBER in code and not takes_number):
            raise self.fault(file, setting, "a feature code (0-9 A-D * # +)")
        return code + NUMBER if code and takes_number and NUMBER not in code else code or None

    def meaning(self, value: Any) -> str:
        feature, switch = self.key.split(".")
        return f"{Feature(feature).label} {switch}: {f'dial {value}' if value else 'no code'}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Settings by name, folded: those of a line, of the phone's first line, of the whole phone."""

    index: Mapping[str, str]
    """What the text form writes before the number of an indexed XML element."""
    prefixes: frozenset[str]
    """What stands before the number of a line."""
    line: Mapping[str, Known]
    first: Mapping[str, Known]
    phone: Mapping[str, Known]

    def find(self, name: str) -> tuple[int | None, Known | None]:
        """The SIP line that the name speaks of, None for the whole phone, and what is known of it."""
        for prefix in self.prefixes:
            match = re.match(rf"{re.escape(prefix)}(\d{{1,3}})(?!\d)(.*)", name, re.ASCII | re.IGNORECASE)
            if match:
                return int(match[1]), self.line.get(folded(prefix + LINE + match[2]))
        known = self.first.get(folded(name))
        return (1, known) if known else (None, self.phone.get(folded(name)))


def folded(name: str) -> str:
    """A name as it is compared."""
    return name.translate(_IGNORED).lower()


@cache
def catalogue() -> Catalogue:
    """What ``phone_settings.toml`` holds."""
    data = tomllib.loads(resources.files(__package__).joinpath("phone_settings.toml").read_text("utf-8"))
    known: list[Known] = [Switch(key, words) for key, words in data["switch"].items()]
    known += [Response(key, words) for key, words in data["response"].items()]
    known += [
        Code(f"{feature}.{switch}", words)
        for feature, switches in data["code"].items()
        for switch, words in switches.items()
    ]

    def names(scope: str) -> dict[str, Known]:
        return {folded(name): one for one in known for name in one.words.get(scope, ())}

    prefixes = {name.partition(LINE)[0] for one in known for name in one.words.get("line", ())}
    return Catalogue(data["index"], frozenset(prefixes), names("line"), names("first"), names("phone"))
