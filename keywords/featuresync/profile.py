"""Vendor profiles and bench files: how a system behaves, and where one stands. Typed and validated.

Both are TOML. Every statement about a vendor is a ``Fact``: a value, where it comes from, and how sure
that is. What is unknown is ``value`` left out, never a guess. Errors are ``ConfigFault``: file, key,
expected, got.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .errors import ConfigFault

T = TypeVar("T")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
FeatureName = Literal["dnd", "cf_always", "cf_busy", "cf_no_answer"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sure(StrEnum):
    """How a fact is known: the evidence tags of the protocol reference, in words."""

    DOCUMENT = "document"
    CODE = "code"
    WIRE = "wire"
    SECONDARY = "secondary"
    MEASURED = "measured"
    INFERRED = "inferred"
    MEMORY = "memory"


class Fact(Model, Generic[T]):
    """One statement about a system. Without ``value`` it is unknown, and what needs it is skipped."""

    value: T | None = None
    source: str = Field(min_length=1, description="Key of [sources]")
    sure: Sure
    note: str = ""


class Mechanism(StrEnum):
    AS_FEATURE_EVENT = "as-feature-event"
    FEATURE_CODE = "feature-code"
    UACSTA = "uacsta"
    NONE = "none"


class Claim(Model):
    """What the system claims for one feature, per side."""

    phone_side: Fact[Mechanism]
    server_side: Fact[Mechanism]


class Expectations(Model):
    """Facts about the ``as-feature-event`` dialect that scenarios and requirement rows ask for."""

    full_state: Fact[Literal["multipart", "separate", "none"]]
    challenge: Fact[bool]
    """Whether SUBSCRIBE is challenged (AU-01)."""
    package_off: Fact[bool]
    """Whether the bench can show a server (or account) without the package (489)."""


class Deviation(Model):
    """A breach the vendor is known for. It is reported as ``deviation``, not as ``fail``."""

    requirement: str = Field(pattern=r"^[A-Z]{2}-\d{2}$")
    reason: str = Field(min_length=10)
    link: str = ""
    seen: str = Field("", description="Regular expression searched in what was seen")
    scenarios: tuple[str, ...] = ()

    @field_validator("seen")
    @classmethod
    def _is_regex(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"a regular expression ({error})") from None
        return value


class FeatureRecipe(Model):
    """How one feature is read and set. Patterns are regular expressions over the output of ``read``.

    ``{account}`` stands for the account's user part in patterns and commands; in commands also
    ``{on}`` (one of ``words``), ``{number}`` and ``{rings}``. Values are shell-quoted when put in.
    """

    on: str = Field(description="Pattern with a group (?P<on>...) matching one of words")
    number: str = ""
    rings: str = ""
    set: tuple[str, ...] = Field(min_length=1)


class Recipe(Model):
    """A way to administer the system: commands over one kind of access."""

    kind: Literal["ssh-exec"] = "ssh-exec"
    words: tuple[str, str] = ("true", "false")
    """What stands for on and off in the system's own language."""
    read: tuple[str, ...] = Field(min_length=1)
    features: dict[FeatureName, FeatureRecipe]
    default_rings: int | None = None
    source: str = Field(min_length=1)
    sure: Sure


class StandIn(Model):
    """The engine of the lab that stands in for this system."""

    engine: Name
    dialect: Name
    recipe: Name


class Vendor(Model):
    name: Name
    title: str
    product: str = ""
    families: frozenset[str]
    """The "Applies" letters of the requirement table this system answers to."""
    itself: bool = False
    """True when the lab's engine is the system itself, not a stand-in."""


class Profile(Model):
    """``vendors/NAME.toml``: how a system behaves."""

    vendor: Vendor
    sources: dict[Name, str]
    features: dict[FeatureName, Claim]
    expect: Expectations
    deviation: tuple[Deviation, ...] = ()
    recipes: dict[Name, Recipe] = Field(default_factory=dict)
    lab: StandIn | None = None

    @model_validator(mode="after")
    def _sources_exist(self) -> Profile:
        for key, fact in self.facts().items():
            if fact.source not in self.sources:
                raise ValueError(f"{key}.source: one of [sources] ({', '.join(sorted(self.sources))})")
        return self

    def facts(self) -> dict[str, Fact[Any]]:
        """Every fact by dotted name: ``expect.challenge``, ``features.dnd.phone_side``."""
        found: dict[str, Fact[Any]] = {}
        for name in Expectations.model_fields:
            found[f"expect.{name}"] = getattr(self.expect, name)
        for feature, claim in self.features.items():
            found[f"features.{feature}.phone_side"] = claim.phone_side
            found[f"features.{feature}.server_side"] = claim.server_side
        return found


class SecretRef(Model):
    """A secret by reference: an environment variable or a file, never the secret itself."""

    env: str = ""
    file: str = ""

    @model_validator(mode="after")
    def _one(self) -> SecretRef:
        if bool(self.env) == bool(self.file):
            raise ValueError('exactly one of { env = "NAME" } or { file = "PATH" }')
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
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigFault(owner, key, f"a readable file {self.file}", str(error)) from None


class Account(Model):
    """One line of the server. ``auth_user`` is the digest user name when it is not ``user``."""

    user: str = Field(min_length=1, max_length=128)
    auth_user: str = ""
    password: SecretRef


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
            raise ValueError("exactly one of key and password")
        if bool(self.host_key) == bool(self.known_hosts):
            raise ValueError("exactly one of host_key and known_hosts")
        return self


class Admin(Model):
    recipe: str = Field(min_length=1, description="Name of a recipe in the profile or in this file")
    ssh: Ssh


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


class Bench(Model):
    """The bench file: where one system stands. ``file`` is set by ``load_bench``."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    vendor: Name
    sip: Sip
    accounts: dict[Literal["primary", "other"], Account]
    targets: tuple[str, str] = Field(description="Two numbers that forwards may point at")
    admin: Admin
    recipes: dict[Name, Recipe] = Field(default_factory=dict)
    deadlines: Deadlines = Deadlines()
    fingerprint: str = Field("", description="What the device under test is, with version")
    standin: bool = False
    without_package: Sip | None = Field(None, description="The same system without the package, for 489")
    file: Path = Field(Path(), exclude=True)

    @property
    def domain(self) -> str:
        return self.sip.domain or self.sip.address

    def recipe(self, profile: Profile) -> Recipe:
        found = self.recipes.get(self.admin.recipe) or profile.recipes.get(self.admin.recipe)
        if found is None:
            known = sorted({*self.recipes, *profile.recipes}) or ["none defined"]
            raise ConfigFault(self.file, "admin.recipe", f"one of {', '.join(known)}", self.admin.recipe)
        return found

    def secrets(self) -> list[str]:
        """Every password and passphrase of the bench. Raises ConfigFault when one is not there."""
        ssh = self.admin.ssh
        named: dict[str, SecretRef | None] = {
            "admin.ssh.password": ssh.password,
            "admin.ssh.passphrase": ssh.passphrase,
        }
        named |= {f"accounts.{role}.password": account.password for role, account in self.accounts.items()}
        return [secret.resolve(self.file, key) for key, secret in named.items() if secret is not None]

    def path(self, relative: str) -> Path:
        """A path written in the bench file, relative to that file."""
        return self.file.parent / relative


M = TypeVar("M", bound=Model)


def load(model: type[M], file: Path) -> M:
    """Read one TOML file into a model. Raises ConfigFault with file, key, expected, got."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigFault(file, "file", "a readable TOML file", "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFault(file, "file", "a readable TOML file in UTF-8", str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigFault(file, "syntax", "valid TOML", str(error)) from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _as_fault(file, data, error) from None


def _as_fault(file: Path, data: Mapping[str, Any], error: ValidationError) -> ConfigFault:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "file"
    kind, message = first["type"], str(first["msg"])
    if kind == "missing":
        return ConfigFault(file, key, "a value", "nothing")
    if kind == "extra_forbidden":
        return ConfigFault(file, key, "a known key", "an unknown one (spelling?)")
    if kind == "value_error":
        inner, _, rest = message.removeprefix("Value error, ").partition(": ")
        if rest:
            return ConfigFault(file, inner, rest, "another value")
        message = inner
    got = first["input"]
    return ConfigFault(file, key, message, "a table" if isinstance(got, Mapping) else repr(got)[:120])


def load_profile(file: Path) -> Profile:
    profile = load(Profile, file)
    if profile.vendor.name != file.stem:
        raise ConfigFault(file, "vendor.name", f"the file's name, {file.stem!r}", repr(profile.vendor.name))
    return profile


def load_bench(file: Path) -> Bench:
    return load(Bench, file).model_copy(update={"file": file.resolve()})
