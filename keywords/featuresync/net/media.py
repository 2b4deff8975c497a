"""The sound of a call: an RTP port that counts what it hears and, when told, sends silence (RFC 3550, 3551).

Nothing heard is kept. Every other packet of ours goes to the configured server only; silence is the one
exception: it goes to the media address that this server's own session description names, because media
servers often stand on another host. That address must be an IP address of a single host of the same
family; multicast, broadcast and unspecified addresses are refused, and so is loopback unless we are there.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass

from .flow import Address, Flow
from .udp import UdpTransport

PACKET_SECONDS = 0.02
SAMPLES = 160
"""Bytes, and units of the RTP timestamp, of 20 ms of PCMU or PCMA (RFC 3551 4.5.14)."""
SILENCE = {0: b"\xff" * SAMPLES, 8: b"\xd5" * SAMPLES}
"""By payload type: what nothing sounds like in PCMU and PCMA."""
LONGEST_SILENCE = 3600.0
"""Seconds after which silence stops by itself: as long as a call may be held."""
_TRIES = 16


@dataclass(slots=True)
class Heard:
    """What a media port received, counted. Times are seconds since the epoch; None: no packet yet."""

    packets: int = 0
    """RTP packets."""
    bytes: int = 0
    """Of RTP, headers included."""
    other: int = 0
    """Datagrams that are no RTP (RTCP among them)."""
    first: float | None = None
    last: float | None = None


class MediaPort:
    """A UDP port on one of our addresses, from ``Reactor.open_media``. Methods run in the reactor's thread.

    Raises OSError when the address cannot be bound.
    """

    def __init__(self, local: str, clock: Callable[[], float], silence: bool) -> None:
        self.silence = silence
        """Whether ``start`` sends anything."""
        self.heard = Heard()
        self.sent = 0
        """Packets of silence that went out."""
        self._clock = clock
        self._transport = _bind(local, self._received)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._flow: Flow | None = None
        self._payload = 0
        self._next = self._until = 0.0
        self._source = secrets.randbits(32)
        self._sequence, self._timestamp = secrets.randbits(16), secrets.randbits(32)

    @property
    def local(self) -> Address:
        return self._transport.local

    def start(self, remote: Address, payload: int) -> None:
        """Send silence to ``remote`` until ``stop``, if this port is to; an unfit address gets none."""
        if not self.silence or payload not in SILENCE or not may_hear_us(remote, self.local[0]):
            self.stop()
            return
        flow = self._transport.flow(remote)
        if self._timer is not None and (flow, payload) == (self._flow, self._payload):
            return
        self.stop()
        self._flow, self._payload = flow, payload
        self._next = self._loop.time()
        self._until = self._next + LONGEST_SILENCE
        self._send(first=True)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Stop, and give the port back. What was heard stays readable."""
        self.stop()
        self._transport.close()

    def _send(self, first: bool = False) -> None:
        assert self._flow is not None
        # RFC 3550 5.1; the marker tells the first packet after a pause (RFC 3551 4.1).
        head = struct.pack(
            "!BBHII", 0x80, self._payload | 0x80 * first, self._sequence, self._timestamp, self._source
        )
        self.sent += self._transport.send(head + SILENCE[self._payload], self._flow)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + SAMPLES) & 0xFFFFFFFF
        # In step with the clock, however late this turn came; but what was missed is not sent in a burst.
        self._next = max(self._next + PACKET_SECONDS, self._loop.time())
        self._timer = self._loop.call_at(self._next, self._send) if self._next < self._until else None

    def _received(self, data: bytes, _flow: Flow) -> None:
        if not is_rtp(data):
            self.heard.other += 1
            return
        now = self._clock()
        self.heard.packets += 1
        self.heard.bytes += len(data)
        self.heard.first = now if self.heard.first is None else self.heard.first
        self.heard.last = now


def is_rtp(data: bytes) -> bool:
    """Version 2, a whole header, and none of the packet types of RTCP (RFC 3550 5.1, RFC 5761 4)."""
    return len(data) >= 12 and data[0] >> 6 == 2 and not 192 <= data[1] <= 223


def may_hear_us(remote: Address, local: str) -> bool:
    """Whether silence may be sent to ``remote`` from our address ``local``."""
    try:
        address, own = ipaddress.ip_address(remote[0]), ipaddress.ip_address(local)
    except ValueError:
        return False
    if address.version != own.version or not 0 < remote[1] <= 65535:
        return False
    if address.is_multicast or address.is_unspecified or address.is_loopback is not own.is_loopback:
        return False
    # Mapped addresses would hide one of the other family; 240.0.0.0/4 holds the broadcast address.
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped is None
    return not address.is_reserved


def _bind(local: str, on_packet: Callable[[bytes, Flow], None]) -> UdpTransport:
    """A free port, an even one where one is found soon: RTP's has to be even (RFC 3550 11)."""
    transport = UdpTransport((local, 0), on_packet)
    for _ in range(_TRIES):
        if transport.local[1] % 2 == 0:
            break
        transport.close()
        transport = UdpTransport((local, 0), on_packet)
    return transport
