"""A phone's own configuration: whether it keeps its features in step, and what it dials to switch them.

- A setting of the chosen SIP line goes before one for the whole phone, unless it is empty. Those of other
  lines are passed over; settings that nobody here knows are listed, and are no error.
- A setting that stands there twice is taken when it says the same, and refused otherwise: which of the two
  the phone obeys only the phone knows.
- A code that switches a forward on and has no ``{number}`` in it gets the number appended, whatever it ends
  in (``*72`` becomes ``*72{number}``): so phones dial it. Codes that switch off are dialled bare.
- An empty code means that the phone has none. An empty switch says nothing: the phone's default holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from featuresync.errors import ConfigFault
from featuresync.sync.feature import Feature
from featuresync.sync.feature_code import FeatureCodes

from .phone_export import Setting, read_settings
from .phone_settings import Known, catalogue

SHOWN = 10
"""Unknown settings that are shown by name."""


class Taken(NamedTuple):
    """A setting that was understood: the number of its text line, its name, what it means in words."""

    at: int
    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class PhoneConfig:
    """What one SIP line of a phone is set to. None is what the file does not say."""

    line: int
    """Number of the SIP line, from 1."""
    feature_sync: bool | None
    """None is the phone's default: off, the phone executes features by itself."""
    codes_used: bool | None
    """Whether the phone switches features by codes, where it has a setting for that."""
    codes: Mapping[str, FeatureCodes]
    """What is dialled, by feature. A code that the phone lacks is ""; a feature without any is left out."""
    uri_escaped: bool | None
    """Whether ``#`` is dialled as ``%23`` (RFC 3261 25.1)."""
    dnd_return_code: int | None
    """The response to calls while DND is on."""
    taken: tuple[Taken, ...]
    unknown: tuple[tuple[int, str], ...]
    """What nobody here knows: number of the text line, name."""


def read_phone_config(file: Path, line: int = 1) -> PhoneConfig:
    """The configuration of SIP line ``line`` as a phone exported it: text, ``key = value`` or XML, in UTF-8.

    Raises ConfigFault with ``line N`` of the file as its key for what cannot be read or cannot be meant.
    """
    known_names, chosen = catalogue(), _Chosen(file)
    lines: set[int] = set()
    unknown = []
    for setting in read_settings(file, known_names.index):
        of, known = known_names.find(setting.name)
        lines |= {of} if of is not None else set()
        if of is not None and of != line:
            continue
        if known is None:
            unknown.append((setting.at, setting.name))
        else:
            chosen.take(setting, known, own=of is not None)
    if lines and line not in lines:
        there = ", ".join(map(str, sorted(lines)))
        raise ConfigFault(file, "SIP line", f"one of those in the file ({there})", str(line))
    return PhoneConfig(
        line=line,
        feature_sync=chosen.value("feature_sync"),
        codes_used=chosen.value("codes_used"),
        codes=dict(chosen.codes()),
        uri_escaped=chosen.value("uri_escaped"),
        dnd_return_code=chosen.value("dnd_return_code"),
        taken=tuple(chosen.taken),
        unknown=tuple(unknown),
    )


def describe(config: PhoneConfig) -> list[str]:
    """What was made of the configuration, as lines to print: what was taken, and what nobody here knows."""
    said = [f"SIP line {config.line} of the phone: {_sync(config.feature_sync)}"]
    said += [f"  line {one.at}: {one.name}: {one.meaning}" for one in config.taken]
    said += [f"  {code} is the code of more than one thing: {', '.join(of)}" for code, of in _shared(config)]
    if config.unknown:
        names = ", ".join(name for _, name in config.unknown[:SHOWN])
        more = len(config.unknown) - SHOWN
        said.append(f"  not known, passed over: {names}{f' and {more} more' if more > 0 else ''}")
    return said


def _sync(on: bool | None) -> str:
    if on is None:
        return "Feature Sync is not in the file; the default is off, the phone executes features by itself"
    return f"Feature Sync is {'on' if on else 'off, the phone executes features by itself'}"


def _shared(config: PhoneConfig) -> Iterator[tuple[str, list[str]]]:
    """Codes that are set for several switches: the server can mean only one of them."""
    meant: defaultdict[str, list[str]] = defaultdict(list)
    for feature, codes in config.codes.items():
        for switch, code in (("on", codes.on), ("off", codes.off)):
            meant[code].append(f"{Feature(feature).label} {switch}")
    return ((code, of) for code, of in meant.items() if code and len(of) > 1)


class _Chosen:
    """The settings of one SIP line. Of one key there may be two: the line's own and the whole phone's."""

    def __init__(self, file: Path) -> None:
        self.taken: list[Taken] = []
        self._file = file
        self._settings: dict[tuple[str, bool], Setting] = {}
        self._values: dict[tuple[str, bool], Any] = {}

    def take(self, setting: Setting, known: Known, own: bool) -> None:
        earlier = self._settings.setdefault((known.key, own), setting)
        value = known.read(self._file, setting)
        if value != self._values.setdefault((known.key, own), value):
            got = f"another value than that of {earlier.name!r} in line {earlier.at}"
            raise ConfigFault(self._file, f"line {setting.at}", "each setting once", got)
        self.taken.append(Taken(setting.at, setting.name, known.meaning(value)))

    def value(self, key: str) -> Any:
        own = self._values.get((key, True))
        return own if own is not None else self._values.get((key, False))

    def codes(self) -> Iterator[tuple[str, FeatureCodes]]:
        for feature in Feature:
            on, off = self.value(f"{feature}.on"), self.value(f"{feature}.off")
            if on or off:
                yield feature.value, FeatureCodes(on or "", off or "")
