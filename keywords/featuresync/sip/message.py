"""SIP messages: the received bytes are kept, everything else is read from them when asked.

A tester judges what was sent, so ``Message.raw`` is never touched and reading never raises: what is
wrong is listed in ``Message.problems``. ``Draft`` writes messages, right or deliberately wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from .uri import NameAddr, parse_parameters, split_outside_quotes

# RFC 3261 7.3.3 and 20, RFC 6665 8.4, RFC 3515, 3892, 3841: compact forms.
COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "o": "event", "r": "refer-to", "s": "subject",
    "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}  # fmt: skip

# Headers whose values may be joined by commas (RFC 3261 7.3.1); all others are kept whole.
LISTS = frozenset(
    "accept accept-encoding accept-language alert-info allow allow-events call-info contact "
    "content-encoding error-info in-reply-to path proxy-require record-route require route "
    "service-route supported unsupported via warning".split()
)

# Headers that must stand exactly once, and those that may be absent but not stand twice.
SINGLE = ("from", "to", "call-id", "cseq")
AT_MOST_ONE = ("content-length", "content-type", "max-forwards")


class Message:
    """One SIP request or response, as received. Text is UTF-8 with surrogateescape: no byte is lost."""

    __slots__ = ("__dict__", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __repr__(self) -> str:
        return f"<{self.start_line[:80]}>"

    # -- the start line -------------------------------------------------------------------------

    @cached_property
    def _split(self) -> tuple[bytes, bytes]:
        """Head and all bytes after the first empty line; bare LF line ends are tolerated and reported.

        Line ends before the start line are no part of the head (RFC 3261 7.5).
        """
        data = self.raw.lstrip(b"\r\n")
        end, rest = find_empty_line(data) or (len(data), len(data))
        return data[:end], data[rest:]

    @cached_property
    def start_line(self) -> str:
        return _text(self._split[0].partition(b"\n")[0].rstrip(b"\r"))

    @cached_property
    def is_request(self) -> bool:
        return self.start_line[:4].upper() != "SIP/"

    @cached_property
    def method(self) -> str:
        """The request's method; for a response the method its CSeq names."""
        return self.start_line.partition(" ")[0] if self.is_request else self.cseq_method

    @cached_property
    def request_uri(self) -> str:
        parts = self.start_line.split(" ")
        return parts[1] if self.is_request and len(parts) > 1 else ""

    @cached_property
    def status(self) -> int:
        """The status code, 0 for a request or an unreadable status line."""
        parts = self.start_line.split(" ", 2)
        return int(parts[1]) if not self.is_request and len(parts) > 1 and _digits(parts[1]) else 0

    @cached_property
    def reason(self) -> str:
        return "" if self.is_request else self.start_line.partition(" ")[2].partition(" ")[2]

    # -- headers --------------------------------------------------------------------------------

    @cached_property
    def lines(self) -> list[tuple[str, str]]:
        """Header lines in order as written: (full lower-case name, unfolded value)."""
        found: list[tuple[str, str]] = []
        for line in _text(self._split[0]).split("\n")[1:]:
            line = line.rstrip("\r")
            if line[:1] in (" ", "\t") and found:
                name, value = found[-1]
                found[-1] = (name, f"{value} {line.strip()}".strip())
            elif line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                found.append((COMPACT.get(name, name), value.strip()))
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.lines:
            values = split_outside_quotes(value, ",") if name in LISTS else [value]
            found.setdefault(name, []).extend(item.strip() for item in values)
        return found

    def headers(self, name: str) -> list[str]:
        """Every value of a header, comma-joined lists taken apart. Compact names count."""
        return self._by_name.get(name.lower(), [])

    def header(self, name: str) -> str:
        """The first value of a header, "" when it is absent (ask ``has`` to tell it from empty)."""
        values = self.headers(name)
        return values[0] if values else ""

    def has(self, name: str) -> bool:
        return name.lower() in self._by_name

    # -- the fields that route a message ----------------------------------------------------------

    @cached_property
    def call_id(self) -> str:
        return self.header("call-id")

    @cached_property
    def cseq(self) -> int:
        """The CSeq number, -1 when it is missing or no number."""
        number = self.header("cseq").split()[:1]
        return int(number[0]) if number and _digits(number[0]) else -1

    @cached_property
    def cseq_method(self) -> str:
        # RFC 3261 25.1: any linear white space may stand between number and method.
        return " ".join(self.header("cseq").split()[1:])

    @cached_property
    def from_(self) -> NameAddr:
        return NameAddr.parse(self.header("from"))

    @cached_property
    def to(self) -> NameAddr:
        return NameAddr.parse(self.header("to"))

    @cached_property
    def via_parameters(self) -> dict[str, str | None]:
        """Parameters of the top Via."""
        return parse_parameters(self.header("via").partition(";")[2])

    @cached_property
    def branch(self) -> str:
        return self.via_parameters.get("branch") or ""

    # -- the body -------------------------------------------------------------------------------

    @cached_property
    def content_length(self) -> int | None:
        """The Content-Length as written; None when absent or no number."""
        value = self.header("content-length")
        return int(value) if _digits(value) else None

    @cached_property
    def body(self) -> bytes:
        """The body, cut to Content-Length where that is shorter (RFC 3261 18.3)."""
        rest = self._split[1]
        return rest if self.content_length is None else rest[: self.content_length]

    @cached_property
    def media_type(self) -> str:
        """The Content-Type without its parameters, lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    # -- what is wrong with it ------------------------------------------------------------------

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Every breach of the message grammar that was seen, in words; empty for a good message."""
        return (*self._start_line_problems(), *self._header_problems(), *self._length_problems())

    def _start_line_problems(self) -> Iterator[str]:
        parts = self.start_line.split(" ")
        if self.is_request and (len(parts) != 3 or parts[2] != "SIP/2.0"):
            yield f"request line is not 'METHOD URI SIP/2.0': {self.start_line[:80]!r}"
        if not self.is_request and (parts[0] != "SIP/2.0" or not 100 <= self.status <= 699):
            yield f"status line is not 'SIP/2.0 CODE REASON': {self.start_line[:80]!r}"

    def _header_problems(self) -> Iterator[str]:
        for name in SINGLE:
            if len(self.headers(name)) != 1:
                yield f"{len(self.headers(name))} {name} headers where exactly 1 is due"
        for name in AT_MOST_ONE:
            if len(self.headers(name)) > 1:
                yield f"{len(self.headers(name))} {name} headers where at most 1 is due"
        if not self.has("via"):
            yield "no via header"
        if self.has("cseq") and not 0 <= self.cseq < 2**31:
            yield f"CSeq is not a number below 2**31: {self.header('cseq')[:60]!r}"
        if self.is_request and self.has("cseq") and self.cseq_method != self.method:
            yield f"CSeq names {self.cseq_method!r}, the request is {self.method!r}"
        yield from (f"header line without a name or colon: {n!r}" for n, _ in self.lines if not _token(n))

    def _length_problems(self) -> Iterator[str]:
        head = self.raw.lstrip(b"\r\n")
        if not head.startswith(self._split[0] + b"\r\n\r\n"):
            yield "no empty line (CRLF CRLF) after the headers"
        if b"\n" in self._split[0].replace(b"\r\n", b""):
            yield "bare LF at the end of a header line"
        if not self.has("content-length"):
            return
        there = len(self._split[1])
        if self.content_length is None:
            yield f"Content-Length is no number: {self.header('content-length')[:60]!r}"
        elif self.content_length != there:
            yield f"Content-Length {self.content_length}, but {there} bytes follow"


@dataclass(slots=True)
class Draft:
    """A message being written. Nothing is checked: a tester must be able to write wrong ones.

    ``encode`` adds ``Content-Length`` unless the draft has one of its own or ``content_length`` is
    False.
    """

    start_line: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def add(self, name: str, value: str) -> Draft:
        self.headers.append((name, value))
        return self

    def drop(self, name: str) -> Draft:
        """Take every header of that name out (letter case ignored; compact spelling is another name)."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return self

    def put(self, name: str, value: str) -> Draft:
        """Replace every header of that name by one, at the place of the first."""
        place = next((i for i, p in enumerate(self.headers) if p[0].lower() == name.lower()), None)
        self.drop(name)
        self.headers.insert(len(self.headers) if place is None else place, (name, value))
        return self

    def encode(self, content_length: bool = True) -> bytes:
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.headers)]
        if content_length and not any(n.lower() in ("content-length", "l") for n, _ in self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + self.body


def reply(request: Message, status: int, reason: str, extra: Iterable[tuple[str, str]] = (),
          to_tag: str = "", body: bytes = b"") -> Draft:  # fmt: skip
    """A response to ``request`` (RFC 3261 8.2.6.2): Via, From, To, Call-ID and CSeq are copied.

    ``to_tag`` is added to To when the request had none.
    """
    draft = Draft(f"SIP/2.0 {status} {reason}", body=body)
    for name in ("Via", "Record-Route") if status < 300 else ("Via",):
        for value in request.headers(name):
            draft.add(name, value)
    to = request.header("to")
    if to_tag and not request.to.tag:
        to += f";tag={to_tag}"
    draft.add("From", request.header("from")).add("To", to)
    draft.add("Call-ID", request.call_id).add("CSeq", request.header("cseq"))
    draft.headers.extend(extra)
    return draft


def find_empty_line(data: bytes | bytearray, start: int = 0) -> tuple[int, int] | None:
    """Where the text before the first empty line ends and what follows it starts; line ends CRLF or LF."""
    crlf = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, crlf + 1 if crlf >= 0 else len(data))
    at, rest = (bare, bare + 2) if bare >= 0 else (crlf, crlf + 3)
    if at < 0:
        return None
    return at - (at > start and data[at - 1] == 0x0D), rest


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _digits(text: str) -> bool:
    # isascii: str.isdigit accepts digits of other scripts; the bound keeps int() cheap.
    return text.isascii() and text.isdigit() and len(text) <= 20


def _token(name: str) -> bool:
    return name.isascii() and bool(name) and all(c.isalnum() or c in "-.!%*_+`'~" for c in name)
