"""multipart bodies (RFC 2046 5.1.1), read twice in one pass: strict problems and lenient parts.

Servers end lines with a bare LF, forget the CRLF before a delimiter or the closing delimiter. The
parts are read in spite of it, and each breach is a problem with the requirement row it breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from featuresync.sip.message import Message, find_empty_line

from .document import Problem

MAX_PARTS = 64
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_END_OF_LINE = re.compile(rb"[ \t]*(\r\n|\n|\Z)")
_FIRST_LINE = re.compile(rb"(?:\A|\n)--([^\r\n]{1,200}?)[ \t]*\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One body part: header lines as (lower-case name, value), and its bytes."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header, "" when it is absent."""
        return next((value for key, value in self.headers if key == name.lower()), "")

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, lower case, "" when there is none."""
        return self.header("content-type").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Multipart:
    """Parts as read leniently; ``problems`` are what a strict reader objects to (MP-03, MP-05)."""

    parts: tuple[Part, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Delimiter:
    start: int
    """Where it begins, the line end before it included: the part before ends here."""
    end: int
    closing: bool
    faults: tuple[str, ...]


def read_multipart(body: bytes, boundary: str) -> Multipart:
    """Take ``body`` apart at ``boundary`` ("" when the header names none: it is then guessed).

    Preamble and epilogue are skipped, as RFC 2046 says. Never raises.
    """
    faults: list[str] = []
    token = boundary.encode("utf-8", "surrogateescape")
    if not boundary:
        faults.append("no boundary parameter")
        guess = _FIRST_LINE.search(body)
        token = guess[1] if guess else b""
    elif len(boundary) > 70:
        faults.append(f"boundary of {len(boundary)} characters, more than 70")
    elif not _BOUNDARY.fullmatch(boundary):
        faults.append(f"boundary with a character RFC 2046 does not allow: {boundary!r}")
    delimiters = list(_delimiters(body, token)) if token else []
    faults += [fault for delimiter in delimiters for fault in delimiter.faults]
    if not delimiters:
        faults.append("no delimiter line in the body")
    elif not delimiters[-1].closing:
        faults.append("no closing delimiter")
    parts: list[Part] = []
    problems: list[Problem] = []
    for number, delimiter in enumerate(delimiters):
        if delimiter.closing:
            break
        end = delimiters[number + 1].start if number + 1 < len(delimiters) else len(body)
        part, fault = _part(body[delimiter.end : max(end, delimiter.end)])
        parts.append(part)
        faults += [f"part {number + 1}: {fault}"] if fault else []
        problems += _length_problem(part, number + 1)
    if delimiters and not parts:
        faults.append("no part between the delimiters")
    return Multipart(tuple(parts), (*(Problem("MP-03", text) for text in faults), *problems))


def _delimiters(body: bytes, token: bytes) -> Iterator[_Delimiter]:
    """Delimiter lines up to the closing one; the same bytes inside a longer word are no delimiter."""
    mark = b"--" + token
    at = body.find(mark)
    count = 0
    inside: list[str] = []
    while at >= 0 and count <= MAX_PARTS:
        after = at + len(mark)
        closing = body[after : after + 2] == b"--"
        line = _END_OF_LINE.match(body, after + 2 * closing)
        if line is None and not closing:
            inside = ["the boundary stands inside a part"]
            at = body.find(mark, after)
            continue
        faults, inside = inside, []
        start = at
        if body[max(at - 2, 0) : at] == b"\r\n":
            start -= 2
        elif body[max(at - 1, 0) : at] == b"\n":
            start -= 1
            faults.append("bare LF before a delimiter")
        elif at:
            faults.append("no CRLF before a delimiter")
        if line is None:
            faults.append("something follows the closing delimiter on its line")
        elif line[1] == b"\n":
            faults.append("bare LF after a delimiter")
        elif not line[1] and not closing:
            faults.append("a delimiter ends the body")
        end = line.end() if line is not None else after + 2
        yield _Delimiter(start, end, closing, tuple(faults))
        if closing:
            return
        count += 1
        at = body.find(mark, end)


def _part(data: bytes) -> tuple[Part, str]:
    """The part, and what is wrong with its head ("" when nothing is)."""
    if data.startswith(b"\r\n"):
        return Part((), data[2:]), ""
    if data.startswith(b"\n"):
        return Part((), data[1:]), "bare LF before the body"
    gap = find_empty_line(data)
    if data.lstrip().startswith(b"<"):
        return Part((), data), "no empty line before the body"
    if gap is None:
        return Part(tuple(_head(data)), b""), "no empty line after the headers"
    fault = "bare LF in the headers" if re.search(rb"(?<!\r)\n", data[: gap[1]]) else ""
    return Part(tuple(_head(data[: gap[0]])), data[gap[1] :]), fault


def _head(data: bytes) -> list[tuple[str, str]]:
    # A part's header lines follow the same grammar as a message's, without the start line.
    return Message(b"PART x SIP/2.0\r\n" + data).lines


def _length_problem(part: Part, number: int) -> list[Problem]:
    value = part.header("content-length")
    if not value or value == str(len(part.body)):
        return []
    return [Problem("MP-05", f"part {number}: Content-Length {value[:20]}, but {len(part.body)} bytes")]
