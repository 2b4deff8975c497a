"""The little of SDP (RFC 4566) that a call needs: an offer of one audio stream, and where the peer's is.

Reading is bounded and never raises: a session description comes from the device under test.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

MEDIA_TYPE = "application/sdp"
PCMU, PCMA, TELEPHONE_EVENT = 0, 8, 101
"""Payload types: the first two are static (RFC 3551 6), the third is our choice for RFC 4733."""
LONGEST = 8192
"""Bytes of a body that is read at all."""
MOST_LINES = 200
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Audio:
    """The peer's end of an audio stream."""

    address: str
    """An IP address; a host name is not looked up."""
    port: int
    payload: int
    """PCMU or PCMA, whichever it names first."""
    sends: bool
    """The peer lets us hear something (``sendrecv`` or ``sendonly``)."""
    receives: bool
    """The peer wants to hear us (``sendrecv`` or ``recvonly``)."""


def write_offer(address: str, port: int, session: int) -> bytes:
    """One ``sendrecv`` audio stream at our address and port: PCMU, PCMA, telephone events (RFC 3264 5).

    ``session`` is the number of the session; its version is the same and never changes.
    """
    family = "IP6" if ":" in address else "IP4"
    lines = [
        "v=0",
        f"o=- {session} {session} IN {family} {address}",
        "s=-",
        f"c=IN {family} {address}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {PCMU} {PCMA} {TELEPHONE_EVENT}",
        f"a=rtpmap:{PCMU} PCMU/8000",
        f"a=rtpmap:{PCMA} PCMA/8000",
        f"a=rtpmap:{TELEPHONE_EVENT} telephone-event/8000",
        f"a=fmtp:{TELEPHONE_EVENT} 0-15",
        "a=ptime:20",
        "a=sendrecv",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def read_audio(body: bytes) -> Audio | None:
    """The first audio stream of a description.

    None when there is no media on it: port 0 (RFC 3264 6), ``inactive``, or held with address 0.0.0.0 (8.4),
    neither PCMU nor PCMA, or nothing that can be read.
    """
    if len(body) > LONGEST:
        return None
    lines = [line.strip() for line in body.decode("utf-8", "replace").split("\n")]
    if len(lines) > MOST_LINES or lines[0] != "v=0":
        return None
    streams = [at for at, line in enumerate(lines) if line.startswith("m=")]
    at = next((at for at in streams if lines[at].lower().startswith("m=audio ")), None)
    if at is None:
        return None
    session, stream = lines[: streams[0]], lines[at + 1 : next((s for s in streams if s > at), None)]
    port, payload = _media_line(lines[at])
    address = _address(_values("c=", stream) or _values("c=", session))
    direction = _direction(stream) or _direction(session) or "sendrecv"
    if not address or not port or payload is None or direction == "inactive":
        return None
    return Audio(
        address, port, payload, direction in ("sendrecv", "sendonly"), direction in ("sendrecv", "recvonly")
    )


def _media_line(line: str) -> tuple[int, int | None]:
    """Port and payload type of ``m=audio PORT PROTOCOL FORMAT ...``; 0 and None for what is not there."""
    words = line.split()
    port = _number(words[1].partition("/")[0]) if len(words) > 3 and words[2] == "RTP/AVP" else 0
    payload = next((int(word) for word in words[3:] if word in (str(PCMU), str(PCMA))), None)
    return (port if port <= 65535 else 0), payload


def _values(kind: str, lines: list[str]) -> list[str]:
    return [line[2:] for line in lines if line.startswith(kind)]


def _address(connections: list[str]) -> str:
    """The address of the last ``c=`` line; "" for none, for no IP address, and for a held stream."""
    words = connections[-1].split() if connections else []
    if len(words) != 3 or words[0] != "IN" or "%" in words[2]:
        return ""
    try:
        address = ipaddress.ip_address(words[2].partition("/")[0])
    except ValueError:
        return ""
    same = words[1] == f"IP{address.version}"
    return str(address) if same and not address.is_unspecified else ""


def _direction(lines: list[str]) -> str:
    return next((value for value in _values("a=", lines) if value in _DIRECTIONS), "")


def _number(text: str) -> int:
    """0 for what is no number; the bound keeps int() cheap."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
