"""Products that are administered by commands over SSH: a real shell runs them, stand-ins answer."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import paramiko

from featuresync.sync.feature import Feature, FeatureState

from ..ssh_server import SshServer
from .service import PASSWORD, USERS, Service

_FAMILIES = {"DND": Feature.DND, "CF": Feature.CF_ALWAYS, "CFB": Feature.CF_BUSY, "CFU": Feature.CF_NO_ANSWER}


class SshService(Service):
    """``run`` answers a command: its output, its errors, its exit code."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __enter__(self) -> SshService:
        self.server = SshServer(password=PASSWORD, handler=self._handle).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def _handle(self, channel: paramiko.Channel, command: str) -> int:
        out, err, code = self.run(command)
        channel.sendall(out.encode())
        channel.sendall_stderr(err.encode())
        return code

    def run(self, command: str) -> tuple[str, str, int]:
        raise NotImplementedError


class Oci(SshService):
    """The application server's host, with its demonstration client in a folder."""

    vendor, recipe, rings = "broadsoft", "oci", True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.password = PASSWORD
        """The one that the client's login demands."""
        self.values = {"client": str(folder), "server": "192.0.2.1", "port": "2208", "mode": "OCS"}
        self.values |= {"login": "admin"}
        self.secrets = {"oci_password": PASSWORD}
        script = folder / "startASOCIClient.sh"
        client = Path(__file__).with_name("oci_client.py")
        script.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-S", str(client)])} "$@"\n')
        script.chmod(0o755)

    @staticmethod
    def of_account(user: str) -> dict[str, str]:
        return {"id": f"{user}@as.example.net"}

    def run(self, command: str) -> tuple[str, str, int]:
        file = self.folder / "states.json"
        kept = {"temper": self.temper, "password": self.password}
        states = {
            user: {str(one): asdict(state) for one, state in of.items()} for user, of in self.states.items()
        }
        file.write_text(json.dumps(kept | {"states": states}))
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=20)
        for user, of in json.loads(file.read_text())["states"].items():
            for name, state in of.items():
                one = Feature(name)
                self.states[user][one] = FeatureState(one, state["on"], state["number"], state["rings"])
        return done.stdout, done.stderr, done.returncode


class AstDb(SshService):
    """A host with ``asterisk -rx``: one command each, exit code 0 whatever happened."""

    vendor, recipe = "asterisk", "freepbx"

    def run(self, command: str) -> tuple[str, str, int]:
        program, option, line = shlex.split(command)
        assert (program, option) == ("asterisk", "-rx")
        verb, *words = line.removeprefix("database ").split()
        if verb == "show":
            return self._shown("/" + "/".join(words)), "", 0
        family, user = _FAMILIES.get(words[0]), words[1]
        if self.temper == "fails" or family is None:
            return "Failed to update entry.\n", "", 0
        state = self.states[user][family]
        if verb == "put":
            self.change(user, family, True, words[2] if state.feature.is_forward else None)
            return "Updated database successfully\n", "", 0
        self.change(user, family, False, "")
        return ("Database entry removed.\n" if state.on else "Database entry does not exist.\n"), "", 0

    def _shown(self, under: str) -> str:
        lines = []
        for name, feature in _FAMILIES.items():
            for user in USERS:
                state = self.states[user][feature]
                if state.on:
                    value = state.number if feature.is_forward else "YES"
                    lines.append(f"{f'/{name}/{user}':<50}: {value}\n")
        shown = [line for line in lines if f"{line.split()[0]}/".startswith(f"{under}/")]
        return "".join(shown) + f"{len(shown)} results found.\n"
