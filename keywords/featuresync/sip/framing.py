"""Cutting a TCP or TLS stream into SIP messages (RFC 3261 18.3, keep-alives of RFC 5626 4.4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from .message import Message, find_empty_line


@dataclass(frozen=True, slots=True)
class FramingProblem:
    """Why the stream cannot be cut any further. ``data`` is the head that it broke at."""

    text: str
    data: bytes

    def __str__(self) -> str:
        return self.text


class StreamFramer:
    """Bytes in, whole messages out; the result does not depend on how the stream was chunked.

    ``max_head`` and ``max_body`` are bytes and bound the memory used. When a message's end cannot be
    told (no Content-Length, or a garbled, contradictory or too large one, or an endless head) the
    stream is ``broken``: everything after it is dropped, because there is no way to find the next start.

    ``pings`` counts CRLF CRLF between messages (each is due a CRLF in return), ``crlfs`` every single
    CRLF between messages (to the side that pings, each is a pong).
    """

    def __init__(self, max_head: int = 64 * 1024, max_body: int = 1024 * 1024) -> None:
        self.problems: list[FramingProblem] = []
        self.pings = self.crlfs = 0
        self._max_head, self._max_body = max_head, max_body
        self._buffer = bytearray()
        self._searched = 0
        self._need = 0
        self._half_ping = False

    @property
    def broken(self) -> bool:
        return bool(self.problems)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes, oldest first. Never raises."""
        if self.broken:
            return []
        self._buffer += data
        found: list[bytes] = []
        start = 0
        while not self.broken:
            if not self._need:
                start = self._skip_line_ends(start)
                self._need = self._message_length(start)
            if not self._need or len(self._buffer) - start < self._need:
                break
            found.append(bytes(self._buffer[start : start + self._need]))
            start += self._need
            self._need = self._searched = 0
        del self._buffer[: len(self._buffer) if self.broken else start]
        return found

    def _skip_line_ends(self, at: int) -> int:
        """Past keep-alives; a lone CR at the end is left until its LF comes. A bare LF counts as nothing."""
        buffer = self._buffer
        while at < len(buffer):
            if buffer[at : at + 2] == b"\r\n":
                self.crlfs += 1
                self.pings += self._half_ping
                self._half_ping = not self._half_ping
                at += 2
            elif buffer[at] == 0x0A:
                at += 1
            else:
                if buffer[at:] != b"\r":
                    self._half_ping = False
                break
        return at

    def _message_length(self, start: int) -> int:
        """Bytes of the message at ``start``, head and body; 0 while its head is not complete."""
        gap = find_empty_line(self._buffer, start + self._searched)
        if gap is None or gap[1] - start > self._max_head:
            if len(self._buffer) - start >= self._max_head:
                head = bytes(self._buffer[start : start + self._max_head])
                self._break(f"no end of the headers within {self._max_head} bytes", head)
            # The gap may have begun in the last three bytes.
            self._searched = max(0, len(self._buffer) - start - 3)
            return 0
        head = bytes(self._buffer[start : gap[1]])
        values = set(Message(head).headers("content-length"))
        value = values.pop() if len(values) == 1 else ""
        if values:
            self._break("several Content-Length headers that differ", head)
        elif not value:
            self._break("no Content-Length on a stream", head)
        elif not (value.isascii() and value.isdigit()):
            self._break(f"Content-Length is no number: {value[:40]!r}", head)
        elif len(value) > 9 or int(value) > self._max_body:
            self._break(f"Content-Length {value[:40]} is more than {self._max_body} bytes", head)
        else:
            return len(head) + int(value)
        return 0

    def _break(self, text: str, head: bytes) -> None:
        self.problems.append(FramingProblem(text, head))
