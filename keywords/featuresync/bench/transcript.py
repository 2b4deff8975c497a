"""What was typed at the server's administration and what it answered: evidence for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command. ``time`` is seconds since the epoch; ``rc`` is None when no exit code came."""

    time: float
    command: str
    rc: int | None
    output: str
    """Standard output, then standard error, then our own line about a failure."""


@dataclass
class Transcript:
    """Everything that went over one session, in order."""

    exchanges: list[Exchange] = field(default_factory=list)

    def add(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def text(self) -> str:
        """The transcript as it was; whoever writes it into evidence takes the secrets out."""
        blocks = []
        for exchange in self.exchanges:
            when = datetime.fromtimestamp(exchange.time, UTC).isoformat(timespec="milliseconds")
            end = "no exit code" if exchange.rc is None else f"exit code {exchange.rc}"
            output = exchange.output.rstrip("\n")
            blocks.append(f"{when} $ {exchange.command}\n{output + chr(10) if output else ''}[{end}]\n")
        return "\n".join(blocks)
