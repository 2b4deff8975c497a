"""Text that any report format can carry: device input is hostile, XML 1.0 and readers are picky."""

from __future__ import annotations

import re

# What XML 1.0 2.2 does not allow, the C1 controls it discourages, and the characters that turn the
# reading direction round, with which a device could make evidence read differently from its bytes.
_UNPRINTABLE = re.compile(
    "[^\t\n -~\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)


def printable(text: str) -> str:
    r"""The text with every character that no report may hold written out, as in ``\x00``.

    CR LF becomes LF. Bytes kept by ``surrogateescape`` come out as the byte they stand for.
    """
    return _UNPRINTABLE.sub(_written_out, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line of at most ``limit`` characters, cut with an ellipsis."""
    line = " ".join(printable(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
