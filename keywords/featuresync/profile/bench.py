"""Bench files: where one system stands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from featuresync.errors import ConfigFault

from .facts import FeatureName, Model, Name, Port, Seconds
from .recipe import Recipe
from .vendor import Profile

BASE_URL = r"^https?://[^/?#\s]+[^?#\s]*$"
BENCH_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class SecretRef(Model):
    """A secret by reference: an environment variable or a file, never the secret itself."""

    env: str = ""
    file: str = ""

    @model_validator(mode="after")
    def _one(self) -> SecretRef:
        if bool(self.env) == bool(self.file):
            raise ValueError(f": exactly one of env and file: {'both' if self.env else 'neither'}")
        return self

    def resolve(self, owner: Path, key: str) -> str:
        """The secret. Raises ConfigFault when the variable or file is missing."""
        if self.env:
            value = os.environ.get(self.env)
            if not value:
                raise ConfigFault(owner, key, f"environment variable {self.env} to be set", "unset")
            return value
        try:
            return (owner.parent / self.file).read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            got = (error.strerror or "none").lower()
            raise ConfigFault(owner, key, f"a readable file {self.file}", got) from None
        except UnicodeDecodeError:
            # Its words hold bytes of the secret.
            raise ConfigFault(owner, key, f"a readable file {self.file}", "no text in UTF-8") from None


class Account(Model):
    """One line of the server. ``auth_user`` is the digest user name when it is not ``user``."""

    user: str = Field(min_length=1, max_length=128)
    auth_user: str = ""
    password: SecretRef
    values: dict[Name, str] = Field(
        default_factory=dict, description="Placeholders of the recipe that differ by account"
    )
    features: tuple[FeatureName, ...] | None = Field(
        None, description="Features assigned to it, where that is not all that the system has"
    )


class Tls(Model):
    ca: str = Field("", description="PEM file; empty: the system's own trust store")
    verify: bool = True
    server_name: str = ""
    keylog: bool = Field(False, description="Put TLS secrets into captures; test benches only")


class Sip(Model):
    """Where the server's SIP side stands. All SIP traffic goes to ``address``:``port`` and nowhere else."""

    address: str = Field(min_length=1)
    port: Port = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    domain: str = Field("", description="Domain of the addresses of record; empty: address")
    local: str = Field("127.0.0.1", description="Address our phones bind to")
    tls: Tls = Tls()


class Ssh(Model):
    """Administrative access. The host key is always checked."""

    host: str = Field(min_length=1)
    port: Port = 22
    user: str = Field(min_length=1)
    key: SecretRef | None = Field(None, description="Private key file, by reference")
    passphrase: SecretRef | None = None
    password: SecretRef | None = None
    host_key: str = Field("", description="'ssh-ed25519 AAAA...', as in known_hosts")
    known_hosts: str = Field("", description="A known_hosts file, instead of host_key")
    connect: Seconds = 10
    command: Seconds = 10

    @model_validator(mode="after")
    def _complete(self) -> Ssh:
        if (self.key is None) == (self.password is None):
            raise ValueError(f": exactly one of key and password: {'both' if self.key else 'neither'}")
        if bool(self.host_key) == bool(self.known_hosts):
            got = "both" if self.host_key else "neither"
            raise ValueError(f": exactly one of host_key and known_hosts: {got}")
        return self


class Http(Model):
    """Administrative access over HTTP. Requests go to ``base_url`` only; no redirect is followed."""

    base_url: Annotated[str, Field(pattern=BASE_URL)]
    user: str = ""
    password: SecretRef | None = None
    ca: str = Field("", description="PEM file; empty: the system's own trust store")
    verify: bool = True
    connect: Seconds = 10
    command: Seconds = 10


class Admin(Model):
    """How the bench's server is administered: a recipe over SSH or over HTTP."""

    recipe: str = Field(min_length=1, description="Name of a recipe in the profile or in this file")
    ssh: Ssh | None = None
    http: Http | None = None
    values: dict[Name, str] = Field(default_factory=dict, description="Placeholders of the recipe")
    secrets: dict[Name, SecretRef] = Field(
        default_factory=dict, description="Placeholders of the recipe that nobody may see"
    )

    @model_validator(mode="after")
    def _one(self) -> Admin:
        if (self.ssh is None) == (self.http is None):
            raise ValueError(f": exactly one of ssh and http: {'both' if self.ssh else 'neither'}")
        return self

    @property
    def place(self) -> str:
        """Where the administration stands: ``host:port``, or the base URL."""
        if self.ssh is not None:
            return f"{self.ssh.host}:{self.ssh.port}"
        return self.http.base_url if self.http else ""


class Deadlines(Model):
    """Named time limits, in seconds. Every wait of a scenario uses one of them."""

    answer: Seconds = 4
    """Final response to a request (SU-01 allows 32)."""
    full_state: Seconds = 5
    confirmation: Seconds = 5
    push: Seconds = 5
    quiet: Seconds = 1.5
    """How long we listen to prove that nothing comes."""
    settle: Seconds = 0.25
    """How long nothing may come before a burst of NOTIFYs counts as over."""
    ring: Seconds = 5
    """Until a call rings where it should, or is refused."""
    no_answer: Seconds = 60
    """Until a call that nobody answers has gone on to its forward."""


Role = Literal["primary", "other", "target", "partial", "bare"]


class Bench(Model):
    """The bench file: where one system stands. ``file`` is set by ``load_bench``."""

    name: str = Field(pattern=BENCH_NAME)
    vendor: Name
    sip: Sip
    accounts: dict[Role, Account]
    """``primary`` is the line under test, ``other`` somebody else's, ``target`` the phone of the first of
    ``targets``: without it no call is followed to where it is forwarded. ``partial`` has some of the
    features only, ``bare`` none; each of the two says so in its ``features``."""
    targets: tuple[str, str] = Field(description="Two numbers that forwards may point at")
    admin: Admin
    recipes: dict[Name, Recipe] = Field(default_factory=dict)
    deadlines: Deadlines = Deadlines()
    fingerprint: str = Field("", description="What the device under test is, with version")
    standin: bool = False
    shows: frozenset[Literal["restart", "extended", "short"]] = Field(
        frozenset(),
        description="What this bench can show besides: the server restarts at our command; agents, executives"
        " and call recording are assigned to the primary account; subscriptions of a few seconds are granted",
    )
    without_package: Sip | None = Field(None, description="The same system without the package, for 489")
    file: Path = Field(Path(), exclude=True)

    @model_validator(mode="after")
    def _two_accounts(self) -> Bench:
        for role in ("primary", "other"):
            if role not in self.accounts:
                raise ValueError(f"accounts.{role}: an account: nothing")
        return self

    @property
    def domain(self) -> str:
        return self.sip.domain or self.sip.address

    def recipe(self, profile: Profile) -> Recipe:
        """The recipe that the bench names. Raises ConfigFault when there is none, or for another access."""
        found = self.recipes.get(self.admin.recipe) or profile.recipes.get(self.admin.recipe)
        if found is None:
            known = sorted({*self.recipes, *profile.recipes}) or ["none defined"]
            raise ConfigFault(self.file, "admin.recipe", f"one of {', '.join(known)}", self.admin.recipe)
        needed = "http" if found.kind == "http" else "ssh"
        if getattr(self.admin, needed) is None:
            expected = f"a table, since recipe {self.admin.recipe} is of kind {found.kind}"
            raise ConfigFault(self.file, f"admin.{needed}", expected, "nothing")
        return found

    def secrets(self) -> list[str]:
        """Every password and passphrase of the bench. Raises ConfigFault when one is not there."""
        named: dict[str, SecretRef | None] = {
            f"admin.secrets.{name}": secret for name, secret in self.admin.secrets.items()
        }
        if self.admin.ssh is not None:
            named["admin.ssh.password"] = self.admin.ssh.password
            named["admin.ssh.passphrase"] = self.admin.ssh.passphrase
        if self.admin.http is not None:
            named["admin.http.password"] = self.admin.http.password
        named |= {f"accounts.{role}.password": account.password for role, account in self.accounts.items()}
        return [secret.resolve(self.file, key) for key, secret in named.items() if secret is not None]

    def path(self, relative: str) -> Path:
        """A path written in the bench file, relative to that file."""
        return self.file.parent / relative
