"""The capture: a pcapng file drawn from the tap, so that it shows the very messages that were judged.

UDP and TCP messages become IP packets (link type RAW). The tap sees TLS only in clear; those messages
are written as Wireshark's own "exported PDU" for SIP with their addresses and ports: nothing pretends
that plaintext crossed port 5061. See ADR 0004. Format: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Iterator, Sequence

from featuresync.judge.trace import Address, Trace, Wire
from featuresync.judge.verdict import Judgement

from .redaction import Redactor
from .text import one_line

RAW, EXPORTED_PDU = 101, 252
MAX_UDP = 65_507
SEGMENT = 65_000
_UDP, _TCP = 17, 6
_COMMENT, _NAME, _DESCRIPTION, _RESOLUTION, _APPLICATION = 1, 2, 3, 9, 4
_INTERFACES = {
    "udp": (RAW, "UDP as it crossed our socket"),
    "tcp": (RAW, "TCP, drawn from the tap: one segment per message, no handshake"),
    "tls": (EXPORTED_PDU, "TLS: the plaintext our side sent and received, from the tap"),
}


def write(trace: Trace, judgements: Sequence[Judgement], redactor: Redactor) -> bytes:
    """The whole capture as one pcapng section. Requirement ids stand as comments on judged packets."""
    numbers = {name: number for number, name in enumerate(_INTERFACES)}
    streams = _Streams()
    said = comments(judgements)
    blocks = [_section(), *(_interface(name, *about) for name, about in _INTERFACES.items())]
    blocks += _names(trace)
    for wire in trace.of(Wire):
        remarks = [redactor.text(remark) for remark in said.get(id(wire), ())]
        for packet, remark in _packets(wire, redactor.bytes(wire.data), streams):
            blocks.append(_packet(numbers.get(wire.transport, 0), wire.time, packet, [*remark, *remarks]))
            remarks = []
    return b"".join(blocks)


def comments(judgements: Iterable[Judgement]) -> dict[int, list[str]]:
    """What the judge says of each event, one line per finding, by the event's identity."""
    said: dict[int, list[str]] = {}
    for judgement in judgements:
        for finding in judgement.findings:
            if finding.at is None:
                continue
            line = f"{judgement.requirement.id} pass"
            if not finding.ok:
                line = f"{judgement.requirement.id} {judgement.verdict}"
                line += f": expected {one_line(finding.expected)}; seen {one_line(finding.seen)}"
            said.setdefault(id(finding.at), []).append(line)
    return said


# -- packets ------------------------------------------------------------------------------------------


class _Streams:
    """The next sequence number of each direction of each TCP connection."""

    def __init__(self) -> None:
        self._next: dict[tuple[Address, Address], int] = {}

    def take(self, source: Address, target: Address, length: int) -> tuple[int, int]:
        sequence = self._next.get((source, target), 1)
        self._next[source, target] = (sequence + length) & 0xFFFFFFFF
        return sequence, self._next.get((target, source), 1)


def _packets(wire: Wire, data: bytes, streams: _Streams) -> Iterator[tuple[bytes, list[str]]]:
    """The packets of one message, each with remarks about how it is drawn."""
    source, target = (wire.local, wire.remote) if wire.sent else (wire.remote, wire.local)
    if wire.transport == "tls":
        yield _exported(source, target, data), ["sent over TLS; this is its plaintext, from the tap"]
    elif wire.transport == "tcp":
        for start in range(0, max(len(data), 1), SEGMENT):
            payload = data[start : start + SEGMENT]
            sequence, acknowledged = streams.take(source, target, len(payload))
            header = struct.pack("!IIBBH", sequence, acknowledged, 5 << 4, 0x18, 65_535)
            yield _ip(_TCP, source, target, header, payload), []
    else:
        remark = [f"{len(data)} bytes, cut to the largest datagram"] if len(data) > MAX_UDP else []
        yield _ip(_UDP, source, target, b"", data[:MAX_UDP]), remark


def _ip(protocol: int, source: Address, target: Address, transport: bytes, payload: bytes) -> bytes:
    """An IPv4 or IPv6 packet with a UDP or TCP header; all checksums are right."""
    ports = struct.pack("!HH", source[1] & 0xFFFF, target[1] & 0xFFFF)
    here, there = _pair(source, target)
    length = len(payload) + (8 if protocol == _UDP else 8 + len(transport))
    if protocol == _UDP:
        head, tail = ports + struct.pack("!H", length), b""
    else:
        head, tail = ports + transport, b"\0\0"
    pseudo = here.packed + there.packed + struct.pack("!IxxxB", length, protocol)
    checksum = _checksum(pseudo + head + b"\0\0" + tail + payload) or 0xFFFF
    segment = head + struct.pack("!H", checksum) + tail + payload
    if here.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, protocol, 64) + here.packed + there.packed + segment
    bare = (
        struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, protocol, 0)
        + here.packed
        + there.packed
    )
    return bare[:10] + struct.pack("!H", _checksum(bare)) + bare[12:] + segment


def _exported(source: Address, target: Address, data: bytes) -> bytes:
    """Wireshark's exported PDU: tags (dissector, addresses, port type TCP, ports), then the message."""
    here, there = _pair(source, target)
    kinds = (20, 21) if here.version == 4 else (22, 23)
    tags = [(12, b"sip"), (kinds[0], here.packed), (kinds[1], there.packed), (24, struct.pack("!I", 2))]
    tags += [(25, struct.pack("!I", source[1])), (26, struct.pack("!I", target[1])), (0, b"")]
    return (
        b"".join(struct.pack("!HH", tag, len(_padded(value))) + _padded(value) for tag, value in tags) + data
    )


Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


def _pair(source: Address, target: Address) -> tuple[Ip, Ip]:
    """Both addresses in one family; a host name that was never resolved is drawn as 0.0.0.0."""
    here, there = _address(source[0]), _address(target[0])
    if here.version == there.version:
        return here, there
    return (_as_v6(here), _as_v6(there))


def _address(host: str) -> Ip:
    try:
        found = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return ipaddress.IPv4Address(0)
    return getattr(found, "ipv4_mapped", None) or found


def _as_v6(address: Ip) -> ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv6Address):
        return address
    return ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# -- blocks -------------------------------------------------------------------------------------------


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _options(*options: tuple[int, bytes]) -> bytes:
    if not options:
        return b""
    written = (struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options)
    return b"".join(written) + struct.pack("<HH", 0, 0)


def _section() -> bytes:
    about = (_COMMENT, b"Drawn from the tap; secrets are overwritten by x"), (_APPLICATION, b"featuresync")
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options(*about))


def _interface(name: str, link: int, about: str) -> bytes:
    options = (_NAME, name.encode()), (_DESCRIPTION, about.encode()), (_RESOLUTION, b"\x09")
    return _block(1, struct.pack("<HHI", link, 0, 0) + _options(*options))


def _packet(interface: int, time: float, packet: bytes, remarks: Sequence[str]) -> bytes:
    # The tap's clock is good to the microsecond; a float cannot hold nanoseconds of this century.
    stamp = round(time * 1_000_000) * 1000
    head = struct.pack("<IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(packet), len(packet))
    text = [(_COMMENT, remark.encode("utf-8", "replace")[:60_000]) for remark in remarks]
    return _block(6, head + _padded(packet) + _options(*text))


def _names(trace: Trace) -> list[bytes]:
    """A name resolution block: actor per address, where an address is one actor's alone."""
    owners: dict[str, set[str]] = {}
    for wire in trace.of(Wire):
        owners.setdefault(wire.local[0], set()).add(wire.actor)
        owners.setdefault(wire.remote[0], set()).add("server")
    records = b""
    for host, names in owners.items():
        if len(names) == 1:
            address = _address(host)
            name = "-".join(one_line(min(names)).split()).encode("ascii", "replace") or b"phone"
            value = address.packed + name + b"\0"
            records += struct.pack("<HH", 1 if address.version == 4 else 2, len(value)) + _padded(value)
    return [_block(4, records + struct.pack("<HH", 0, 0))] if records else []
