"""What a terminal would show of an interactive shell's output: lines, without the tricks that made them."""

from __future__ import annotations

import codecs
import re

_TOKEN = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erasing (ECMA-48 5.4)
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # a title and other strings (ECMA-48 5.6)
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"  # other escape sequences
    r"|[^\x00-\x1f\x7f-\x9f]+|[\s\S]"
)
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?\Z")
_LONGEST_ESCAPE = 1024
_COUNT = re.compile(r"\x1b\[(\d*)([CDGK])\Z")
_WIDEST = 1000


class Screen:
    """Takes bytes as they come and keeps the lines they make.

    Carriage returns, backspaces and the erasing of lines act as on a terminal, so that a pager's own line
    is gone when the pager took it off. Colours, titles and bells leave nothing. UTF-8, repaired if need be.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._lines: list[str] = []
        self._line: list[str] = []
        self._column = 0

    @property
    def last_line(self) -> str:
        """The line that the cursor stands in. Blanks behind the cursor are what erasing left, not text."""
        line = "".join(self._line)
        return line[: self._column] if line[self._column :].isspace() else line

    @property
    def last_words(self) -> str:
        """The last line that is not blank."""
        lines = reversed([*self._lines, self.last_line])
        return next((line for line in lines if line.strip()), "")

    @property
    def lines(self) -> list[str]:
        """Every line, the last one as ``last_line``."""
        return [*self._lines, self.last_line]

    def feed(self, data: bytes) -> None:
        text = self._held + self._decode(data)
        unfinished = _UNFINISHED.search(text, max(0, len(text) - _LONGEST_ESCAPE))
        self._held = text[unfinished.start() :] if unfinished else ""
        for token in _TOKEN.findall(text[: len(text) - len(self._held)]):
            self._take(token)

    def wipe_line(self) -> None:
        """Forget the last line: a pager's question that was answered."""
        self._line, self._column = [], 0

    def _take(self, token: str) -> None:
        if token == "\n":
            self._lines.append("".join(self._line).rstrip())
            self.wipe_line()
        elif token == "\r":
            self._column = 0
        elif token == "\b":
            self._column = max(0, self._column - 1)
        elif token == "\t" or _TEXT.match(token):
            self._print(token)
        elif move := _COUNT.match(token):
            self._move(move[2], min(int(move[1] or 0), _WIDEST) if len(move[1]) < 6 else _WIDEST)

    def _print(self, text: str) -> None:
        if self._column > len(self._line):
            self._line += " " * (self._column - len(self._line))
        self._line[self._column : self._column + len(text)] = text
        self._column += len(text)

    def _move(self, what: str, count: int) -> None:
        if what == "C":
            self._column = min(self._column + (count or 1), _WIDEST)
        elif what == "D":
            self._column = max(0, self._column - (count or 1))
        elif what == "G":
            self._column = max(0, count - 1)
        elif count == 0:  # K: erase to the end of the line
            del self._line[self._column :]
        elif count == 1:
            self._line[: self._column] = " " * min(self._column, len(self._line))
        else:
            self._line = []
