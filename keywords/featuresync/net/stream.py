"""TCP and TLS: one connection to the server, cut into SIP messages (RFC 3261 18.3)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from featuresync.sip.framing import StreamFramer

from .flow import Address, Flow

PONG = b"\r\n"
"""The answer to a keep-alive, CRLF CRLF (RFC 5626 4.4.1)."""


class StreamTransport(asyncio.Protocol):
    """A connection. ``on_message(data, flow)`` gets whole messages, ``on_lost(flow, reason)`` its end."""

    def __init__(
        self,
        transport_name: str,
        on_message: Callable[[bytes, Flow], None],
        on_lost: Callable[[Flow, str], None],
    ) -> None:
        self._name = transport_name
        self._on_message, self._on_lost = on_message, on_lost
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self.local: Address = ("", 0)
        self.remote: Address = ("", 0)

    @classmethod
    async def connect(
        cls,
        local: str,
        remote: Address,
        on_message: Callable[[bytes, Flow], None],
        on_lost: Callable[[Flow, str], None],
        context: ssl.SSLContext | None = None,
        server_name: str = "",
    ) -> StreamTransport:
        """Connect from ``local`` (any free port). Raises OSError or ssl.SSLError."""
        name = "tls" if context else "tcp"
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: cls(name, on_message, on_lost),
            *remote,
            ssl=context,
            server_hostname=(server_name or remote[0]) if context else None,
            local_addr=(local, 0),
        )
        return protocol

    def flow(self, remote: Address | None = None) -> Flow:
        return Flow(self._name, self.local, self.remote)

    def send(self, data: bytes, flow: Flow) -> bool:
        """False when the connection is gone."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(data)
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.local = transport.get_extra_info("sockname")[:2]
        self.remote = transport.get_extra_info("peername")[:2]

    def data_received(self, data: bytes) -> None:
        pings = self._framer.pings
        for message in self._framer.feed(data):
            self._on_message(message, self.flow())
        if self._transport is not None and self._framer.pings > pings:
            self._transport.write(PONG)
        if self._framer.broken:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        reason = "; ".join(str(p) for p in self._framer.problems) or str(exc or "closed by the server")
        self._on_lost(self.flow(), reason)


def tls_context(ca: str = "", verify: bool = True, keylog: str = "") -> ssl.SSLContext:
    """A client context. ``ca`` is a PEM file (empty: the system's trust store).

    Raises OSError or ssl.SSLError when the file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if keylog:
        context.keylog_filename = keylog
    return context
