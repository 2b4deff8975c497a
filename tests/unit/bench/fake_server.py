"""A server's administration for tests: a few shell-like commands over states kept in memory or in a file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from featuresync.bench.access import Access
from featuresync.bench.admin import Administration
from featuresync.bench.ssh_command import check_command, fill_command
from featuresync.bench.state import ServerState
from featuresync.errors import BenchFault
from featuresync.profile import FeatureRecipe, Recipe, Step, Sure, load_bench
from featuresync.sync.feature import Feature

FORWARD = r"^{account} NAME=(?P<on>\S*) to=(?P<number>\S*)$"
RECIPE = Recipe(
    words=("yes", "no"),
    read=("show {account}",),
    features={
        "dnd": FeatureRecipe(on=r"^{account} dnd=(?P<on>\S*)", set=("set {account} dnd {on}",)),
        "cf_always": FeatureRecipe(
            on=FORWARD.replace("NAME", "cf_always"), set=("set {account} cf_always {on} {number}",)
        ),
        "cf_busy": FeatureRecipe(
            on=FORWARD.replace("NAME", "cf_busy"), set=("set {account} cf_busy {on} {number}",)
        ),
        "cf_no_answer": FeatureRecipe(
            on=FORWARD.replace("NAME", "cf_no_answer"),
            rings=r"^{account} rings=(?P<rings>\S+)$",
            set=("set {account} cf_no_answer {on} {number}", "rings {account} {rings}"),
        ),
    },
    default_rings=3,
    source="here",
    sure=Sure.CODE,
)
BENCH = """
name = "{name}"
vendor = "acme"
targets = ["1003", "1004"]
[sip]
address = "127.0.0.1"
[accounts.primary]
user = "1001"
password = {{ env = "PASSWORD" }}
[accounts.other]
user = "1002"
password = {{ env = "PASSWORD" }}
[admin]
recipe = "fake"
[admin.ssh]
host = "{host}"
user = "admin"
password = {{ env = "PASSWORD" }}
host_key = "ssh-ed25519 AAAA"
"""


class FakeAccess(Access):
    """Commands, handed to ``obey``. ``calls`` says in which order the access was asked for what."""

    def __init__(self, obey: Callable[[str], str], secrets: Mapping[str, str] | None = None) -> None:
        super().__init__(Path("bench.toml"), {}, secrets or {}, lambda: 0.0)
        self.obey, self.calls = obey, []

    def connect(self) -> None:
        self.calls.append("connect")

    def close(self) -> None:
        self.calls.append("close")

    def abandon(self) -> None:
        self.calls.append("abandon")

    def check(self, step: Step, known: frozenset[str], key: str) -> None:
        check_command("v.toml", str(step), known | self._secrets.keys(), key)

    def shown(self, step: Step, values: Mapping[str, str]) -> str:
        return fill_command("v.toml", step, values, self._secrets).shown

    def run(self, step: Step, values: Mapping[str, str]) -> str:
        command = fill_command("v.toml", step, values, self._secrets).sent
        self.calls.append(command)
        return self.obey(command)


@dataclass
class FakeServer:
    """``file`` keeps the states, so that they outlive a process. ``broken`` makes every command fail."""

    file: Path | None = None
    values: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    dnd_drops_forwards: bool = False
    broken: bool = False

    def run(self, command: str) -> str:
        self.commands.append(command)
        if self.broken:
            raise BenchFault("the server is on fire")
        verb, account, *words = shlex.split(command)
        if self.file is not None and self.file.exists():
            self.values = json.loads(self.file.read_text())
        if verb == "show":
            lines = [f"{key}={value}" for key, value in self.values.items() if key.split()[0] == account]
            return "\n".join(lines) + "\n"
        if verb == "rings":
            self.values[f"{account} rings"] = words[0]
        else:
            feature, on, *number = words
            self.values[f"{account} {feature}"] = on + "".join(f" to={target}" for target in number)
            if feature == "dnd" and on == "yes" and self.dnd_drops_forwards:
                for forward in ("cf_always", "cf_busy", "cf_no_answer"):
                    self.values[f"{account} {forward}"] = "no to="
        if self.file is not None:
            fresh = self.file.with_suffix(".new")
            fresh.write_text(json.dumps(self.values))
            fresh.replace(self.file)
        return ""


class Time:
    """A clock that only ``pause`` moves."""

    def __init__(self):
        self.now = 1000.0
        self.pauses = []

    def clock(self):
        return self.now

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def altered(obey):
    """The administration of a server that ``obey`` stands in front of."""
    return Administration(RECIPE, FakeAccess(obey))


def administration(server):
    return altered(server.run)


def state_of(server, time=None, on_event=lambda event: None):
    time = time or Time()
    return ServerState(administration(server), clock=time.clock, pause=time.pause, on_event=on_event)


def write_bench(folder, name="box", host="127.0.0.1"):
    file = folder / f"{name}.toml"
    file.write_text(BENCH.format(name=name, host=host))
    return load_bench(file)


ALL = tuple(Feature)
