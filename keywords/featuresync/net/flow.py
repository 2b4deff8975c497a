"""A flow: one way between two sockets, and the one tap that sees all that crosses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a message goes or came from. ``transport`` is the true one: ``udp``, ``tcp`` or ``tls``."""

    transport: str
    local: Address
    remote: Address

    @property
    def reliable(self) -> bool:
        return self.transport != "udp"

    def __str__(self) -> str:
        return f"{self.transport} {self.remote[0]} port {self.remote[1]}"


Tap = Callable[[float, bool, Flow, bytes], None]
"""Called with (time in epoch seconds, sent by us, flow, bytes) for each datagram or stream message."""
