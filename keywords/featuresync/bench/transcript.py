"""What was sent to the server's administration and what it answered: evidence for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """One step. ``time`` is seconds since the epoch."""

    time: float
    command: str
    """The command, or the request: ``PUT /path`` and below it the body. Secrets are not in it."""
    output: str
    """The answer (of a command standard output, then standard error), then our own line about a failure."""
    end: str
    """How it ended: an exit code, a status, a prompt."""
    sign: str = "$ "
    """What stands before the command."""


@dataclass
class Transcript:
    """Everything that went over one access, in order."""

    exchanges: list[Exchange] = field(default_factory=list)

    def add(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def text(self) -> str:
        """The transcript as it was; whoever writes it into evidence takes the remaining secrets out."""
        blocks = []
        for exchange in self.exchanges:
            when = datetime.fromtimestamp(exchange.time, UTC).isoformat(timespec="milliseconds")
            output = exchange.output.rstrip("\n")
            answer = f"{output}\n" if output else ""
            blocks.append(f"{when} {exchange.sign}{exchange.command}\n{answer}[{exchange.end}]\n")
        return "\n".join(blocks)
