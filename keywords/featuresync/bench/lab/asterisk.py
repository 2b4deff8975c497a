"""One Asterisk of the lab: its configuration, command line and readiness."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...errors import BenchFault
from ...profile import Profile
from .certificates import Certificates
from .dialplan import Dialplan
from .engine import Ports
from .places import fixtures
from .template import render
from .tree import Tree

RING_SECONDS = 2
_WRAPPERS = "libnss_wrapper.so:libresolv_wrapper.so"
_EMPTY = ("acl", "ccss", "cel", "cli_permissions", "features", "http", "manager", "pjproject", "udptl")
"""Files that Asterisk wants to find."""


@dataclass(frozen=True, slots=True)
class Asterisk:
    """An Asterisk to be, at ``address``; ``run`` is the lab's private folder (short, for sockets).

    Phones register and call here, directly or through ``proxy`` (``host:port``). With ``announcements_only``
    it knows no phones: it takes calls from ``proxy`` alone, plays what the profile's codes play, and keeps
    no state. ``ipv6`` are the ports at ::1 (plain, TLS); phones then come from there only.
    """

    name: ClassVar[str] = "asterisk"

    tree: Tree
    run: Path
    address: str
    ports: Ports
    profile: Profile
    dialect: str
    passwords: Mapping[str, str]
    faults: tuple[str, ...] = ()
    proxy: str = ""
    announcements_only: bool = False
    certificates: Certificates | None = None
    ipv6: tuple[int, int] | None = None

    @property
    def folder(self) -> Path:
        return self.run / "asterisk"

    @property
    def programs(self) -> dict[str, Sequence[str]]:
        if "UNEXPECTED_PUSH" in self.faults and not self.proxy:
            return {"asterisk": ["/bin/sh", str(self.folder / "pushing")]}
        return {"asterisk": self._console()}

    def write(self) -> None:
        """Put the configuration into a folder of its own below the run folder."""
        (self.folder / "var").mkdir(parents=True)
        accounts = () if self.announcements_only else tuple(self.passwords)
        values = {
            "RUN": str(self.folder),
            "MODULES": str(self.tree.lib / "asterisk/modules"),
            "DATA": str(self.tree.root / "usr/share/asterisk"),
            "MEDIA": "::1" if self.ipv6 else self.address,
            "TRANSPORTS": "\n".join(self._transports()),
            "PHONES": "\n".join(self._phones()),
            "RINGSECONDS": str(RING_SECONDS),
            "CODES": self._dialplan().text(),
            "ASTERISK": shlex.join(self._console()),
            "NUMBERS": "\n".join(f"exten => {account},1,Goto(calls,${{EXTEN}},1)" for account in accounts),
        }
        for file in (fixtures() / "asterisk").glob("*.in"):
            text = render(file, values)
            (self.folder / file.name.removesuffix(".in")).write_text(text, encoding="utf-8")
        for name in _EMPTY:
            (self.folder / f"{name}.conf").touch()
        (self.folder / "hosts").write_text("127.0.0.1 lab\n::1 lab\n", encoding="utf-8")
        (self.folder / "resolv.conf").write_text(f"nameserver {self.address}\n", encoding="utf-8")
        if self.certificates:
            (self.folder / "server.pem").write_bytes(self.certificates.certificate)
            (self.folder / "server.key").write_bytes(self.certificates.key)

    def command(self) -> list[str]:
        """``-f -n``: in the foreground, without colours.

        Asterisk asks the machine's name servers for the machine's own name, and whoever is named in a
        message. The two libraries give it a name of its own, and a name server that is not there.
        """
        program = self.tree.command("usr/sbin/asterisk", *self._configuration, "-f", "-n", preload=_WRAPPERS)
        names = {
            "NSS_WRAPPER_HOSTNAME": "lab",
            "NSS_WRAPPER_HOSTS": str(self.folder / "hosts"),
            "RESOLV_WRAPPER_CONF": str(self.folder / "resolv.conf"),
        }
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in names.items()), *program]

    def ready(self) -> bool:
        """Whether it is fully booted: the control socket is there long before the listeners are.

        Nobody may connect and hang up at once: in its first moments Asterisk would die of the broken pipe.
        """
        if not (self.folder / "asterisk.ctl").exists():
            return False
        with suppress(BenchFault):  # it does not listen there yet; whether it lives is not asked here
            return "fully booted" in self.output("core waitfullybooted")
        return False

    def output(self, command: str) -> str:
        """What the running server prints for a command of its console. Raises BenchFault."""
        return self.tree.output("usr/sbin/asterisk", *self._configuration, "-rx", command)

    def title(self) -> str:
        said = self.output("core show version").split()
        if len(said) < 2 or said[0] != "Asterisk":
            raise BenchFault(f"the lab's Asterisk answers {' '.join(said)[:80]!r} when asked for its version")
        return f"Asterisk {said[1].partition('~')[0].partition('+')[0]}"

    @property
    def _configuration(self) -> tuple[str, str]:
        return "-C", str(self.folder / "asterisk.conf")

    def _console(self) -> list[str]:
        """The command line of its console, to be followed by ``-rx COMMAND``."""
        return self.tree.command("usr/sbin/asterisk", *self._configuration)

    def _dialplan(self) -> Dialplan:
        call, dialect = self.profile.call, self.dialect
        if self.announcements_only:
            dialect = "early" if call and call.answer.value == "early" else "established"
        final = (call and call.final_early and call.final_early.value) or (480,)
        return Dialplan(self.profile, dialect, self.faults, final[0], stores=not self.announcements_only)

    def _transports(self) -> Iterator[str]:
        places = [(self.address, self.ports.sip, self.ports.tls, "")]
        if self.ipv6:
            places.append(("[::1]", *self.ipv6, "6"))
        for address, plain, secure, suffix in places:
            for kind, port in (("udp", plain), ("tcp", plain), ("tls", secure)):
                if kind != "tls" or self.certificates:
                    yield f"[{kind}{suffix}]\ntype = transport\nprotocol = {kind}\nbind = {address}:{port}"
                if kind == "tls" and self.certificates:
                    # By itself it would offer TLS 1.0 alone, which its own OpenSSL refuses.
                    yield f"cert_file = {self.folder}/server.pem\npriv_key_file = {self.folder}/server.key"
                    yield "method = tlsv1_2"

    def _phones(self) -> Iterator[str]:
        if self.announcements_only:
            host = self.proxy.rpartition(":")[0]
            yield f"[proxy](phone)\n[proxy]\ntype = identify\nendpoint = proxy\nmatch = {host}"
            return
        for user, password in self.passwords.items():
            yield f"[{user}](phone)\nauth = {user}\naors = {user}\ncallerid = <{user}>"
            yield f"[{user}](secret)\nusername = {user}\npassword = {password}\n[{user}](contacts)\n"
