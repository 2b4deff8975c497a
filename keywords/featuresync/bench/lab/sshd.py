"""One OpenSSH server of the lab: it lets one key in and runs one forced command.

The command is ``dispatch.py`` (single commands), or ``console.py`` (a shell on a terminal). Both are
scripts that import nothing of the package, since they must start in no time; their one argument is a JSON
file with the command lines of the programs that they may run, by name.

It works as root and as any user, also one without an entry in the host's passwd or with a shell that
refuses logins: libnss_wrapper shows the server accounts of our own making. ``admin`` is whoever runs it.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import BenchFault
from .addresses import Block
from .certificates import KeyPair
from .places import fixtures
from .template import render
from .tree import Tree

SSH_PORT = 2222
USER = "admin"

_WRAPPER = "libnss_wrapper.so"
_PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass(frozen=True, slots=True)
class Sshd:
    """An sshd to be. ``programs`` are the command lines that requests may lead to; ``console``: a shell."""

    tree: Tree
    run: Path
    block: Block
    port: int
    host_key: KeyPair
    client_key: str
    programs: Mapping[str, Sequence[str]]
    console: bool = False

    @property
    def env(self) -> dict[str, str]:
        return {"NSS_WRAPPER_PASSWD": str(self.run / "passwd"), "NSS_WRAPPER_GROUP": str(self.run / "group")}

    def write(self) -> None:
        """Put the configuration and what it needs into the run folder.

        As root sshd insists on an empty /run/sshd, the one thing made on the host. Raises BenchFault.
        """
        uid, gid = os.getuid(), os.getgid()
        privileged = "sshd:x:65533:65533::/nonexistent:/usr/sbin/nologin\n" if uid == 0 else ""
        self._file("passwd", f"{USER}:x:{uid}:{gid}::{self.run}:/bin/sh\n{privileged}")
        self._file("group", f"{USER}:x:{gid}:\nsshd:x:65533:\n")
        self._file("host_key", self.host_key.private.decode())
        self._file("programs.json", json.dumps({name: list(words) for name, words in self.programs.items()}))
        script = Path(__file__).with_name("console.py" if self.console else "dispatch.py")
        forced = shlex.join([sys.executable, "-I", "-S", str(script), str(self.run / "programs.json")])
        self._file("forced", f"exec {forced}\n")
        options = f'command="/bin/sh {self.run / "forced"}",restrict' + (",pty" if self.console else "")
        self._file("authorized_keys", f"{options} {self.client_key}\n")
        assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.env.items())
        for name in ("sshd-session", "sshd-auth"):
            command = shlex.join(self.tree.command(f"usr/lib/openssh/{name}", preload=_WRAPPER))
            self._file(name, f'#!/bin/sh\n{assignments} exec {command} "$@"\n', mode=0o700)
        values = {
            "ADDRESS": self.block.admin, "PORT": str(self.port), "RUN": str(self.run), "USER": USER,
            "TTY": "yes" if self.console else "no",
        }  # fmt: skip
        self._file("sshd_config", render(fixtures() / "sshd" / "sshd_config.in", values))
        if uid == 0:
            try:
                _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
            except OSError as error:
                raise BenchFault(f"cannot make {_PRIVILEGE_SEPARATION}: {error.strerror}") from None

    def command(self) -> list[str]:
        return self.tree.command(
            "usr/sbin/sshd", "-D", "-e", "-f", str(self.run / "sshd_config"), preload=_WRAPPER
        )

    def banner(self) -> str:
        """What the server says first: ``SSH-2.0-OpenSSH_10.6p1 ...``; "" when it does not answer."""
        try:
            with socket.create_connection((self.block.admin, self.port), 1.0) as connection:
                connection.settimeout(2.0)
                return connection.recv(255).decode("ascii", "replace").strip()
        except OSError:
            return ""

    def version(self) -> str:
        """``10.6p1``. Raises BenchFault when something else answers."""
        said = self.banner()
        if not said.startswith("SSH-2.0-OpenSSH_"):
            raise BenchFault(f"the lab's sshd says {said[:80]!r}")
        return said.removeprefix("SSH-2.0-OpenSSH_").split()[0]

    def _file(self, name: str, text: str, mode: int = 0o600) -> None:
        file = self.run / name
        file.touch(mode=mode)
        file.write_text(text, encoding="utf-8")
