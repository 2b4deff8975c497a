"""One Kamailio of the lab: its configuration, command line and readiness.

It is a notifier of as-feature-event that keeps the state itself (dialects ``stock`` and ``full_state``), or
a proxy in front of the server that keeps it (``in_front``).
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...errors import BenchFault
from ...profile import FeatureName, Profile
from .addresses import Block
from .certificates import Certificates
from .dialplan import LONGEST, Code, codes
from .engine import Ports
from .places import fixtures
from .template import render
from .tree import Tree

MODULES = "kamailio/modules"
IN_FRONT = "in_front"
RING_MS = 1000
"""How long one ring lasts in the lab, in milliseconds, so that tests of the no-answer forward are quick."""
_ENTRIES: dict[FeatureName, str] = {
    "dnd": "dnd",
    "cf_always": "forwardImmediate",
    "cf_busy": "forwardBusy",
    "cf_no_answer": "forwardNoAns",
}
"""What the configuration calls the features, in its table of state."""


@dataclass(frozen=True, slots=True)
class Kamailio:
    """A Kamailio to be: everything its files say. ``run`` is its private folder (short, for sockets).

    ``inner`` is ``host:port`` of the Asterisk behind it (UDP), "" when there is none.
    """

    name: ClassVar[str] = "kamailio"

    tree: Tree
    run: Path
    block: Block
    ports: Ports
    domain: str
    passwords: Mapping[str, str]
    profile: Profile
    dialect: str
    faults: tuple[str, ...] = ()
    inner: str = ""
    ipv6: bool = False
    certificates: Certificates | None = None

    def write(self) -> None:
        """Put the configuration and what it needs into the run folder."""
        users = "\n".join(
            f'\t$sht(users=>{user}) = "{password}";' for user, password in self.passwords.items()
        )
        plain6, tls6 = self.block.v6_ports
        values = {
            "ADDRESS": self.block.server,
            "WITHOUT": self.block.without,
            "PORT": str(self.ports.sip),
            "TLS_PORT": str(self.ports.tls),
            "PORT6": str(plain6),
            "TLS_PORT6": str(tls6),
            "DOMAIN": self.domain,
            "RUN": str(self.run),
            "USERS": users,
            "CODES": switches(codes(self.profile)),
            "INNER": self.inner,
            "INNER_ADDRESS": self.inner.rpartition(":")[0],
            "RING_MS": str(RING_MS),
        }
        main = f"{IN_FRONT}.cfg.in" if self.dialect == IN_FRONT else "kamailio.cfg.in"
        for template, name in ((main, "kamailio.cfg"), ("listen.cfg.in", "listen.cfg")):
            text = render(fixtures() / "kamailio" / template, values)
            (self.run / name).write_text(text, encoding="utf-8")
        if self.dialect != IN_FRONT:
            shutil.copytree(self.tree.root / "usr/share/kamailio/dbtext/kamailio", self.run / "dbtext")
        if self.certificates:
            (self.run / "server.pem").write_bytes(self.certificates.certificate)
            (self.run / "server.key").write_bytes(self.certificates.key)

    def command(self) -> list[str]:
        """``-DD``: stay in the foreground; 32 MB shared memory, 8 MB for each process."""
        defines = [f"DIALECT_{self.dialect.upper()}", *(f"FAULT_{fault}" for fault in self.faults)]
        if self.ipv6:
            defines.append("WITH_IPV6")
        if self.certificates:
            defines.append("WITH_TLS")
        if codes(self.profile):
            defines.append("WITH_CODES")
        return self.tree.command(
            "usr/sbin/kamailio",
            *("-f", str(self.run / "kamailio.cfg"), "-L", str(self.tree.lib / MODULES), "-Y", str(self.run)),
            *(word for define in defines for word in ("-A", define)),
            *("-DD", "-E", "-m", "32", "-M", "8"),
        )

    @property
    def programs(self) -> dict[str, Sequence[str]]:
        return {"kamcmd": self.kamcmd}

    @property
    def kamcmd(self) -> list[str]:
        """The command line of ``kamcmd`` on this server's socket, to be followed by a command."""
        return self.tree.command("usr/sbin/kamcmd", "-s", f"unix:{self.run / 'ctl'}")

    def ready(self) -> bool:
        """Whether the control socket takes connections: Kamailio opens it, then its ports, then forks."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            return control.connect_ex(str(self.run / "ctl")) == 0

    def title(self) -> str:
        return f"Kamailio {self.version()} ({'proxy' if self.dialect == IN_FRONT else 'presence_dfks'})"

    def version(self) -> str:
        """As the running server answers, once it serves: ``6.1.5``. Raises BenchFault."""
        said = self.tree.output("usr/sbin/kamcmd", "-s", f"unix:{self.run / 'ctl'}", "core.version")
        words = said.split()
        if len(words) < 2 or words[0] != "kamailio":
            raise BenchFault(f"the lab's Kamailio answers {said[:80]!r} when asked for its version")
        return words[1]


def switches(known: Sequence[Code]) -> str:
    """The profile's codes in the configuration's own language, see route CODES of ``kamailio.cfg.in``.

    A whole code comes before a code with a number, and a longer one before a shorter one; what only begins
    with a code is incomplete.
    """
    numbered = sorted((code for code in known if code.numbered), key=lambda code: -len(code.prefix))
    cases = [*_whole(known), *map(_numbered, numbered)]
    prefixes = sorted({f"^{_literal(code.prefix)}" for code in known})
    cases += [f'if ($var(dialled) =~ "{prefix}") route(INCOMPLETE);' for prefix in prefixes]
    return "\n".join(f"\t{case}" for case in cases)


def _whole(known: Sequence[Code]) -> Iterator[str]:
    """The codes that end where they are known, a forward's on code without its number among them."""
    for code in known:
        switch = {"stored": "true", "prompt": "prompt"}.get(code.without_number, "")
        if not code.numbered:
            switch = {"on": "true", "off": "false", "toggle": "toggle"}[code.action]
        if switch:
            yield f'if ($var(dialled) == "{code.prefix}{code.suffix}") {{ {_set(code, switch)} return; }}'


def _numbered(code: Code) -> str:
    pattern = f"^{_literal(code.prefix)}[+]?[0-9]{{1,{LONGEST}}}{_literal(code.suffix)}$"
    number = f"$(var(dialled){{s.strip,{len(code.prefix)}}}{{s.striptail,{len(code.suffix)}}})"
    return f'if ($var(dialled) =~ "{pattern}") {{ {_set(code, "true")} $var(number) = {number}; return; }}'


def _set(code: Code, switch: str) -> str:
    return f'$var(t) = "{_ENTRIES[code.feature]}"; $var(switch) = "{switch}";'


def _literal(code: str) -> str:
    """Every character for itself in a regular expression; backslashes would be read by the string first."""
    return "".join(f"[{character}]" for character in code)
