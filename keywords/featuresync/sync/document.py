"""XML from a device, read with the guard up: a light tree and problems come back, nothing is raised.

Document types, entities, processing instructions and oversize documents are refused before anything
is expanded. What is merely wrong (a byte outside the declared encoding, an undeclared prefix, junk
around the document) is reported as a strict problem and read all the same, so that one error of form
does not hide the state. Why expat and no library: ``docs/adr/0001-xml-reading.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn
from xml.parsers import expat

REFUSED = "refused"
"""Code of a problem that is no requirement row: we refuse to read this, though it may be XML."""

ENCODINGS = frozenset(
    {"utf-8", "iso-8859-1", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", "latin1"}
)
MAX_DOCUMENTS = 16

_BOM = b"\xef\xbb\xbf"
_ANOTHER = re.compile(rb"<[?A-Za-z_]")
_INVALID_TOKEN, _UNBOUND_PREFIX = 4, 27


@dataclass(frozen=True, slots=True)
class Problem:
    """A breach of form. ``code`` is the requirement row it breaks (``BD-01``), or ``REFUSED``.

    ``line`` is where it stands, from 1; 0 for the document as a whole.
    """

    code: str
    text: str
    line: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of one document: bytes, levels, elements, characters of text in one element."""

    size: int = 64 * 1024
    depth: int = 16
    elements: int = 200
    text: int = 8 * 1024


@dataclass(frozen=True, slots=True)
class Element:
    """One element: local name, namespace ("" for none), its own text, its child elements in order.

    ``line`` is that of its start tag, from 1. It and the attributes tell no two elements apart.
    """

    name: str
    namespace: str
    text: str
    children: tuple[Element, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict, compare=False)
    line: int = field(default=0, compare=False)

    def find(self, name: str) -> list[Element]:
        """The child elements of that local name, whatever their namespace."""
        return [child for child in self.children if child.name == name]

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Reading:
    """One document as read. ``tree`` is None when nothing could be made of it."""

    raw: bytes
    tree: Element | None
    problems: tuple[Problem, ...]


def read_documents(data: bytes, limits: Limits = Limits()) -> list[Reading]:
    """Every document in ``data``: one, or several where a device glued them together.

    Junk after the last document is a BD-14 problem of that document. Never raises.
    """
    found: list[Reading] = []
    rest = data
    while len(found) < MAX_DOCUMENTS:
        reading, rest = _read(rest, limits)
        found.append(reading)
        if not _ANOTHER.match(rest):
            break
    if rest:
        last = found[-1]
        where = data[: len(data) - len(rest)].count(b"\n") + 1
        junk = Problem("BD-14", f"after the root element: {_excerpt(rest)}", where)
        found[-1] = Reading(last.raw, last.tree, (*last.problems, junk))
    return found


def _read(data: bytes, limits: Limits) -> tuple[Reading, bytes]:
    """The first document and the bytes after it (b"" when only white space follows)."""
    problems: list[Problem] = []
    if len(data) > limits.size:
        text = f"document of {len(data)} bytes, more than {limits.size}"
        return Reading(data, None, (Problem(REFUSED, text),)), b""
    start = _declaration_start(data)
    if start:
        problems.append(Problem("BD-14", f"before the XML declaration: {_excerpt(data[:start])}", 1))
    xml = data[start:]
    attempt = _Attempt(xml, limits, "", True)
    problems += [attempt.wrong] if attempt.wrong else []
    attempt = _read_on(attempt, xml, limits)
    if attempt.refused and attempt.wrong and attempt.wrong not in problems:
        problems.append(attempt.wrong)
    end = len(xml) if attempt.rest is None else attempt.rest
    return Reading(xml[:end] if attempt.rest is not None else xml, attempt.tree, tuple(problems)), xml[end:]


def _declaration_start(data: bytes) -> int:
    """Where the declaration stands when something other than a byte order mark precedes it, else 0."""
    at = data.find(b"<?xml", 0, 1024)
    return at if at > 0 and b"<" not in data[:at] and data[:at] != _BOM else 0


def _read_on(attempt: _Attempt, xml: bytes, limits: Limits) -> _Attempt:
    """Leniently: as ISO-8859-1 when the encoding failed, without namespaces when a prefix did."""
    encoding, namespaces = "", True
    while attempt.tree is None and not attempt.refused:
        if not encoding and (attempt.encoding_wrong or attempt.code == _INVALID_TOKEN):
            encoding = "iso-8859-1"
        elif namespaces and attempt.code == _UNBOUND_PREFIX:
            namespaces = False
        else:
            break
        attempt = _Attempt(xml, limits, encoding, namespaces)
    return attempt


class _Refusal(Exception):
    def __init__(self, code: str, text: str) -> None:
        self.problem = Problem(code, text)


@dataclass(slots=True)
class _Open:
    """An element whose end tag has not come yet. ``length`` counts the characters of its text."""

    written: str
    attributes: Mapping[str, str]
    line: int
    pieces: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)
    length: int = 0


class _Attempt:
    """One run of expat. ``rest`` is where the bytes after the document start, None when nothing follows."""

    def __init__(self, xml: bytes, limits: Limits, encoding: str, namespaces: bool) -> None:
        self.tree: Element | None = None
        self.wrong: Problem | None = None
        self.code: int | None = None
        self.rest: int | None = None
        self.encoding_wrong = False
        self._limits, self._forced = limits, bool(encoding)
        self._open: list[_Open] = []
        self._count = 0
        self._parser = parser = expat.ParserCreate(encoding or None, " " if namespaces else None)
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(xml, True)
        except _Refusal as refusal:
            self.wrong, self.tree = replace(refusal.problem, line=parser.CurrentLineNumber), None
        except expat.ExpatError as error:
            self.code = error.code
            # Codes 18 and 19: an encoding that is unknown, or not the one the bytes are in.
            self.encoding_wrong = error.code in (18, 19)
            if self.tree is not None:
                # The root was closed: what stopped expat stands after it.
                at = parser.ErrorByteIndex
                self.rest = at - (xml[at - 1 : at] == b"<")
            else:
                self.wrong = Problem("BD-01", f"not well-formed XML: {error}", error.lineno)
        finally:
            # Its handlers are ours: a circle that only the collector could free.
            del self._parser

    @property
    def refused(self) -> bool:
        return self.wrong is not None and self.wrong.code == REFUSED

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS and not self._forced:
            self.encoding_wrong = True
            raise _Refusal("BD-01", f"declared encoding {encoding[:40]!r} is not one a phone reads")

    def _doctype(self, *_: object) -> NoReturn:
        raise _Refusal(REFUSED, "a document type declaration")

    def _instruction(self, target: str, data: str) -> None:
        raise _Refusal(REFUSED, f"a processing instruction {target[:40]!r}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= self._limits.depth:
            raise _Refusal(REFUSED, f"elements nested more than {self._limits.depth} deep")
        if self._count > self._limits.elements:
            raise _Refusal(REFUSED, f"more than {self._limits.elements} elements")
        self._open.append(_Open(name, attributes, self._parser.CurrentLineNumber))

    def _characters(self, text: str) -> None:
        element = self._open[-1]
        element.pieces.append(text)
        element.length += len(text)
        if element.length > self._limits.text:
            raise _Refusal(REFUSED, f"more than {self._limits.text} characters of text in one element")

    def _end(self, _name: str) -> None:
        done = self._open.pop()
        namespace, _, name = done.written.rpartition(" ")
        local = name.rpartition(":")[2]
        text, children = "".join(done.pieces), tuple(done.children)
        element = Element(local, namespace, text, children, done.attributes, done.line)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.tree = element


def _excerpt(data: bytes) -> str:
    return repr(data[:40])[1:]
