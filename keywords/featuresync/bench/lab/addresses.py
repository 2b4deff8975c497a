"""Loopback addresses of a lab: one block 127.2.N.0/24 each, so that any number of runs go side by side.

A block is held by an abstract socket name. The kernel keeps these names per network namespace, which is
exactly where the addresses are valid: for every user and container that shares it. It forgets a name when
the last process that holds the socket ends, however it ends, so nothing stale can be left behind.
"""

from __future__ import annotations

import errno
import random
import socket
from dataclasses import dataclass

from ...errors import BenchFault

BLOCKS = range(1, 255)
_V6_PORTS = 17000
_NAME = "\0featuresync-lab-127.2."


@dataclass(frozen=True, slots=True)
class Block:
    """A held block. ``holder`` is the socket that holds it; whoever inherits it goes on holding."""

    number: int
    holder: socket.socket

    def host(self, number: int) -> str:
        """An IPv4 address of the block."""
        return f"127.2.{self.number}.{number}"

    @property
    def server(self) -> str:
        return self.host(1)

    @property
    def admin(self) -> str:
        return self.host(2)

    @property
    def without(self) -> str:
        """Where the server answers as one without the package."""
        return self.host(3)

    @property
    def inner(self) -> str:
        """Where a server stands that phones reach only through the one at ``server``."""
        return self.host(4)

    @property
    def phones(self) -> str:
        """Where phones bind; the addresses above it are free too."""
        return self.host(10)

    @property
    def v6_ports(self) -> tuple[int, int]:
        """Two ports of ``::1`` that belong to this block: plain and TLS. There is one address only."""
        return _V6_PORTS + 2 * self.number, _V6_PORTS + 2 * self.number + 1

    def release(self) -> None:
        """Let go of this process's hold."""
        self.holder.close()


def lease(blocks: range = BLOCKS) -> Block:
    """Hold a block that nobody holds. Raises BenchFault when all are held.

    The search starts anywhere, so that a late datagram to a server just stopped seldom meets a new one.
    """
    first = random.randrange(len(blocks))
    for step in range(len(blocks)):
        number = blocks[(first + step) % len(blocks)]
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(f"{_NAME}{number}")
        except OSError as error:
            holder.close()
            if error.errno != errno.EADDRINUSE:
                raise BenchFault(f"cannot hold loopback addresses: {error.strerror}") from None
            continue
        return Block(number, holder)
    raise BenchFault(f"all {len(blocks)} blocks of loopback addresses are in use: ./featuresync lab status")


def port(address: str, preferred: int) -> int:
    """``preferred`` when it is free at ``address`` for UDP and TCP, else one that is. Raises BenchFault.

    A foreign server that listens on every address (0.0.0.0) takes the port on ours too.
    """
    for wanted in (preferred, 0, 0, 0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with (
            socket.socket(family, socket.SOCK_STREAM) as stream,
            socket.socket(family, socket.SOCK_DGRAM) as dgram,
        ):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                stream.bind((address, wanted))
                dgram.bind((address, stream.getsockname()[1]))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise BenchFault(f"cannot bind to {address}: {error.strerror}") from None
                continue
            return int(stream.getsockname()[1])
    raise BenchFault(f"no free port at {address}")
