"""Which SIP servers make up the lab of a profile, and how they stand to each other.

What phones talk to stands at the block's ``server``:

- engine ``kamailio``: Kamailio in the profile's dialect. When the profile has feature codes, an Asterisk at
  ``inner`` takes the calls to them that Kamailio hands on, plays the announcement and keeps no state.
- engine ``asterisk``: Asterisk. In the dialect ``behind_proxy`` it stands at ``inner``, and a Kamailio in
  its dialect ``in_front`` hands everything on to it.

With IPv6, phones of a server that stands behind another are heard by it no more: media stays IPv4 there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...profile import Profile
from . import addresses
from .asterisk import Asterisk
from .certificates import Certificates
from .dialplan import codes
from .engine import SIP_PORT, Ports, SipServer
from .kamailio import Kamailio
from .tree import Tree


@dataclass(frozen=True, slots=True)
class Front:
    """Where phones reach a lab: at the block's ``server``, with ``ipv6`` at ::1 as well."""

    block: addresses.Block
    ports: Ports
    domain: str
    certificates: Certificates | None
    ipv6: bool


def compose(
    profile: Profile,
    front: Front,
    tree: Tree,
    run: Path,
    passwords: Mapping[str, str],
    faults: tuple[str, ...],
) -> tuple[SipServer, ...]:
    """The servers to be, the one that phones talk to first."""
    assert profile.lab is not None
    block, dialect = front.block, profile.lab.dialect
    alone = profile.lab.engine == "asterisk" and dialect != "behind_proxy"
    behind = profile.lab.engine == "asterisk" and not alone
    if alone:
        return (
            Asterisk(
                tree, run, block.server, front.ports, profile, dialect, passwords, faults,
                certificates=front.certificates, ipv6=block.v6_ports if front.ipv6 else None,
            ),
        )  # fmt: skip
    inner = Ports(addresses.port(block.inner, SIP_PORT), 0)
    kamailio = Kamailio(
        tree, run, block, front.ports, front.domain, passwords, profile,
        "in_front" if behind else dialect, faults,
        inner=f"{block.inner}:{inner.sip}" if behind or codes(profile) else "",
        ipv6=front.ipv6, certificates=front.certificates,
    )  # fmt: skip
    if not behind and not codes(profile):
        return (kamailio,)
    asterisk = Asterisk(
        tree, run, block.inner, inner, profile, dialect, passwords, faults,
        proxy=f"{block.server}:{front.ports.sip}",
        announcements_only=not behind,
    )  # fmt: skip
    return kamailio, asterisk
