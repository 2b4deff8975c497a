"""The exported configuration of a phone as named settings, whatever its form.

Three forms are read: the text configuration of the guide (``SIP1 Feature Sync :0``, sections in dashes or
angle brackets), lines of ``key = value``, and XML with the line's number in an attribute ``index``
(``<line index="1">``) or an element ``<ID>SIP1</ID>``. A password may stand in any line: what is wrong with a
line is told by its number, and nothing of it is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from featuresync.errors import ConfigFault
from featuresync.sync.document import Element, Limits, Problem, read_documents

MAX_SIZE = 1024 * 1024
"""Bytes of a configuration that is read; that of a phone with twenty lines has 150 000."""

_LIMITS = Limits(size=MAX_SIZE, elements=20_000)
# <SIP CONFIG MODULE> opens a section of the text form: only what an XML document can begin with is XML.
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:[?!]|[A-Za-z_][\w.:-]*(?:\s*/?>|\s+[\w.:-]+\s*=))")
_SECTION = re.compile(r"<<?[^<>]+>>?.*|--.*--\s*:?")
_SETTING = re.compile(r"([^:=]+)[:=](.*)")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_ID = "ID"
_MAX_NAME = 80


class Setting(NamedTuple):
    """One setting of the file: the number of its text line, its name (printable), its value."""

    at: int
    name: str
    value: str


def read_settings(file: Path, index: Mapping[str, str]) -> list[Setting]:
    """Every setting of the file, in its order.

    ``index`` says what the text form writes before the number of an indexed XML element. Raises ConfigFault,
    with ``line N`` as its key, for what is none of the three forms, not UTF-8 or binary.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_SIZE + 1)
    except OSError as error:
        raise ConfigFault(file, "file", "a readable phone configuration", error.strerror or "none") from None
    if len(data) > MAX_SIZE:
        raise ConfigFault(file, "file", f"a phone configuration of at most {MAX_SIZE} bytes", "more")
    return _xml(file, data, index) if _XML.match(data) else _text(file, data)


def _text(file: Path, data: bytes) -> list[Setting]:
    found = []
    for at, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            line = raw.decode("utf-8").rstrip("\r")
        except UnicodeDecodeError as error:
            got = f"byte 0x{raw[error.start]:02x}"
            raise ConfigFault(file, f"line {at}", "text in UTF-8", got) from None
        control = _CONTROL.search(line)
        if control:
            raise ConfigFault(file, f"line {at}", "text", f"control character 0x{ord(control[0]):02x}")
        line = line.strip()
        if not line or line.startswith("#") or _SECTION.fullmatch(line):
            continue
        setting = _SETTING.fullmatch(line)
        if not setting:
            raise ConfigFault(file, f"line {at}", "'NAME :VALUE' or 'NAME = VALUE'", "neither")
        found.append(Setting(at, _name(setting[1]), setting[2].strip()))
    return found


def _xml(file: Path, data: bytes, index: Mapping[str, str]) -> list[Setting]:
    readings = read_documents(data, _LIMITS)
    for reading in readings:
        for problem in reading.problems:
            raise _fault(file, problem)
    if len(readings) > 1 or readings[0].tree is None:
        raise ConfigFault(file, "file", "one XML document", f"{len(readings)} of them")
    return list(_leaves(readings[0].tree, "", index))


def _fault(file: Path, problem: Problem) -> ConfigFault:
    # What stands around the document is quoted behind the colon: it may be a password.
    got = problem.text.split(": '")[0]
    return ConfigFault(
        file, f"line {problem.line}" if problem.line else "file", "one plain XML document", got
    )


def _leaves(element: Element, prefix: str, index: Mapping[str, str]) -> Iterator[Setting]:
    """Elements without children, named as in the text form: ``SIP1 FeatureSync``."""
    if not element.children:
        name = element.attributes.get("name") or element.name
        yield Setting(element.line, _name(f"{prefix} {name}"), element.text.strip())
        return
    number = element.attributes.get("index", "")
    if number and element.name in index:
        prefix = index[element.name] + number.strip()
    for named in element.find(_ID):
        prefix = named.text.strip()
    for child in element.children:
        if child.name != _ID:
            yield from _leaves(child, prefix, index)


def _name(written: str) -> str:
    name = " ".join(written.split())[:_MAX_NAME]
    return "".join(char if char.isprintable() else "?" for char in name)
