"""What the lab's engines have in common: what ``engine.toml`` says, and what a lab asks of its servers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from ...errors import BenchFault, ConfigFault
from ...profile import Profile, Recipe
from .places import fixtures

SIP_PORT, TLS_PORT = 5060, 5061


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a SIP server listens: ``sip`` for UDP and TCP, ``tls``."""

    sip: int
    tls: int


class SipServer(Protocol):
    """One SIP server of a lab to be. Nothing runs before the lab starts its ``command``."""

    @property
    def name(self) -> str:
        """Of its process and its log."""

    @property
    def programs(self) -> Mapping[str, Sequence[str]]:
        """Command lines that administer it, by the name under which SSH offers them (``dispatch.py``)."""

    def write(self) -> None:
        """Put the configuration and what it needs into the run folder."""

    def command(self) -> list[str]: ...

    def ready(self) -> bool: ...

    def title(self) -> str:
        """What it is, as the running server says: ``Kamailio 6.1.5 (presence_dfks)``. Raises BenchFault."""


def engines() -> list[str]:
    """Names of the engines that the lab has."""
    return sorted(file.parent.name for file in fixtures().glob("*/engine.toml"))


@dataclass(frozen=True, slots=True)
class Engine:
    """What ``engine.toml`` says: the dialects and faults of the configuration, and the recipes.

    ``faults`` are those of every dialect but ``stock``, ``faults_of`` those that a dialect has besides.
    """

    name: str
    dialects: tuple[str, ...]
    faults: tuple[str, ...]
    faults_of: dict[str, tuple[str, ...]]
    recipes: dict[str, Recipe]

    @classmethod
    def load(cls, name: str) -> Engine:
        """Raises BenchFault when the lab has no such engine."""
        if name not in engines():
            raise BenchFault(f"the lab has no engine {name}: one of {', '.join(engines())}")
        file = fixtures() / name / "engine.toml"
        try:
            data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
            recipes = TypeAdapter(dict[str, Recipe]).validate_python(data["recipes"])
            faults_of = {dialect: tuple(more) for dialect, more in data.get("faults_of", {}).items()}
            return cls(name, tuple(data["dialects"]), tuple(data["faults"]), faults_of, recipes)
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise ConfigFault(file, "engine", "an engine of the lab", str(error).split("\n")[0]) from None

    def check(self, profile: Profile, faults: Iterable[str]) -> Recipe:
        """The recipe of the profile's stand-in: the profile's own, else the engine's of that name.

        Raises ConfigFault when the engine cannot play it, BenchFault for a fault that it does not have.
        """
        asked, owner = profile.lab, f"vendors/{profile.vendor.name}.toml"
        assert asked is not None
        if asked.dialect not in self.dialects:
            raise ConfigFault(owner, "lab.dialect", f"one of {', '.join(self.dialects)}", asked.dialect)
        recipes = {**self.recipes, **profile.recipes}
        if asked.recipe not in recipes:
            raise ConfigFault(owner, "lab.recipe", f"one of {', '.join(sorted(recipes))}", asked.recipe)
        known = () if asked.dialect == "stock" else (*self.faults, *self.faults_of.get(asked.dialect, ()))
        for fault in faults:
            if fault not in known:
                raise BenchFault(f"the lab has no fault {fault} in the dialect {asked.dialect}")
        return recipes[asked.recipe]
