"""UDP: one non-blocking socket, read until it is empty each time it becomes readable."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from .flow import Address, Flow

BUFFER = 65535
# A flood must not starve timers: after this many datagrams the loop gets a turn.
BURST = 512


class UdpTransport:
    """A bound UDP socket. ``on_message(data, flow)`` gets each datagram as it came.

    A draining reader costs a fifth of asyncio's datagram protocol, which takes one datagram per turn.
    Raises OSError when the address cannot be bound.
    """

    def __init__(self, local: Address, on_message: Callable[[bytes, Flow], None]) -> None:
        family = socket.AF_INET6 if ":" in local[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(local)
        except OSError:
            self._socket.close()
            raise
        self.local: Address = self._socket.getsockname()[:2]
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._drain)

    def flow(self, remote: Address) -> Flow:
        return Flow("udp", self.local, remote)

    def send(self, data: bytes, flow: Flow) -> bool:
        """False when the kernel refused the datagram; retransmission is the transaction's work."""
        try:
            self._socket.sendto(data, flow.remote)
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _drain(self) -> None:
        for _ in range(BURST):
            try:
                data, remote = self._socket.recvfrom(BUFFER)
            except BlockingIOError:
                return
            except OSError:
                # ICMP errors of earlier datagrams surface here; the next read goes on.
                continue
            self._on_message(data, Flow("udp", self.local, (remote[0], remote[1])))
            if self._socket.fileno() < 0:
                return
