"""One Kamailio of the lab: its configuration, command line and readiness."""

from __future__ import annotations

import shutil
import socket
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...errors import BenchFault, ConfigFault
from ...profile import Profile, Recipe
from .addresses import Block
from .certificates import Certificates
from .places import fixtures
from .template import render
from .tree import Tree

SIP_PORT, TLS_PORT = 5060, 5061
MODULES = "kamailio/modules"


@dataclass(frozen=True, slots=True)
class Engine:
    """What ``engine.toml`` says: the dialects and faults of the configuration, and the recipes."""

    dialects: tuple[str, ...]
    faults: tuple[str, ...]
    recipes: dict[str, Recipe]

    @classmethod
    def load(cls) -> Engine:
        file = fixtures() / "kamailio" / "engine.toml"
        try:
            data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
            recipes = TypeAdapter(dict[str, Recipe]).validate_python(data["recipes"])
            return cls(tuple(data["dialects"]), tuple(data["faults"]), recipes)
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise ConfigFault(file, "engine", "an engine of the lab", str(error).split("\n")[0]) from None

    def check(self, profile: Profile, faults: Iterable[str]) -> Recipe:
        """The recipe of the profile's stand-in. Raises ConfigFault when the engine cannot play it."""
        asked, owner = profile.lab, f"vendors/{profile.vendor.name}.toml"
        assert asked is not None
        if asked.dialect not in self.dialects:
            raise ConfigFault(owner, "lab.dialect", f"one of {', '.join(self.dialects)}", asked.dialect)
        if asked.recipe not in self.recipes:
            raise ConfigFault(owner, "lab.recipe", f"one of {', '.join(self.recipes)}", asked.recipe)
        for fault in faults:
            if fault not in self.faults or asked.dialect == "stock":
                raise BenchFault(f"the lab has no fault {fault} in the dialect {asked.dialect}")
        return self.recipes[asked.recipe]


@dataclass(frozen=True, slots=True)
class Ports:
    sip: int
    tls: int


@dataclass(frozen=True, slots=True)
class Kamailio:
    """A Kamailio to be: everything its files say. ``run`` is its private folder (short, for sockets)."""

    tree: Tree
    run: Path
    block: Block
    ports: Ports
    domain: str
    passwords: Mapping[str, str]
    dialect: str
    faults: tuple[str, ...] = ()
    ipv6: bool = False
    certificates: Certificates | None = None

    def write(self) -> None:
        """Put the configuration and what it needs into the run folder."""
        shutil.copytree(self.tree.root / "usr/share/kamailio/dbtext/kamailio", self.run / "dbtext")
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
        }
        text = render(fixtures() / "kamailio" / "kamailio.cfg.in", values)
        (self.run / "kamailio.cfg").write_text(text, encoding="utf-8")
        if self.certificates:
            (self.run / "server.pem").write_bytes(self.certificates.certificate)
            (self.run / "server.key").write_bytes(self.certificates.key)

    def command(self) -> list[str]:
        """``-DD``: stay in the foreground; 32 MB shared memory, 4 MB for each process."""
        defines = [f"DIALECT_{self.dialect.upper()}", *(f"FAULT_{fault}" for fault in self.faults)]
        if self.ipv6:
            defines.append("WITH_IPV6")
        if self.certificates:
            defines.append("WITH_TLS")
        return self.tree.command(
            "usr/sbin/kamailio",
            *("-f", str(self.run / "kamailio.cfg"), "-L", str(self.tree.lib / MODULES), "-Y", str(self.run)),
            *(word for define in defines for word in ("-A", define)),
            *("-DD", "-E", "-m", "32", "-M", "4"),
        )

    @property
    def kamcmd(self) -> list[str]:
        """The command line of ``kamcmd`` on this server's socket, to be followed by a command."""
        return self.tree.command("usr/sbin/kamcmd", "-s", f"unix:{self.run / 'ctl'}")

    def ready(self) -> bool:
        """Whether the control socket takes connections: Kamailio opens it, then its ports, then forks."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            return control.connect_ex(str(self.run / "ctl")) == 0

    def version(self) -> str:
        """As the running server answers, once it serves: ``6.1.5``. Raises BenchFault."""
        said = self.tree.output("usr/sbin/kamcmd", "-s", f"unix:{self.run / 'ctl'}", "core.version")
        words = said.split()
        if len(words) < 2 or words[0] != "kamailio":
            raise BenchFault(f"the lab's Kamailio answers {said[:80]!r} when asked for its version")
        return words[1]
