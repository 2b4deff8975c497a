"""Recipes: how a system's features are read and set through its administration, as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from .facts import FeatureName, Model, Pattern, Sure


class Request(Model):
    """One HTTP request. ``path`` is put behind the bench's ``base_url``.

    Placeholders are percent-encoded in ``path`` and escaped in ``body`` for its ``type``: JSON, XML, form.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field(min_length=1)
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    type: str = Field("", description="Content-Type of the body")


Step = str | Request
"""A command (SSH) or a request (HTTP)."""


class Find(Model):
    """A step whose answer gives further placeholders: the named groups of ``pattern``, say (?P<id>...)."""

    step: Step
    pattern: Pattern


class Reply(Model):
    """What to type when the shell shows something."""

    expect: Pattern
    send: str


class Shell(Model):
    """How an interactive shell is spoken to.

    ``prompt`` is matched at the end of what was printed. ``login`` is done once after the SSH login,
    ``leave`` before the connection is closed. Texts may hold placeholders of ``admin.secrets``.
    """

    prompt: Pattern
    pager: Reply | None = None
    login: tuple[Reply, ...] = ()
    prepare: tuple[str, ...] = ()
    """Commands typed once after the login, say to switch the pager off."""
    leave: tuple[str, ...] = ()


class Login(Model):
    """A request that gives a token, known to all later steps as ``{token}``."""

    request: Request
    pattern: Pattern = Field(description="Pattern with a group (?P<token>...)")
    expired: Pattern = Field(
        "", description="Found in an answer that refuses an old token, where its status is not 401"
    )


class FeatureRecipe(Model):
    """How one feature is read and set. Patterns are regular expressions over the answers to ``read``.

    ``{account}`` stands for the account's user part in patterns and steps; in steps also ``{on}`` (one of
    ``words``), ``{number}``, ``{rings}``, what ``find`` found, the account's and the bench's own ``values``.
    Values are quoted for the place where they are put in.
    """

    on: Pattern = Field("", description="Pattern with a group (?P<on>...) matching one of words")
    present: Pattern = Field("", description="Instead of on: the feature is on when this pattern is found")
    number: Pattern = ""
    rings: Pattern = ""
    set: tuple[Step, ...] = Field(min_length=1)
    set_off: tuple[Step, ...] = Field((), description="Steps to switch off, where they differ")
    clear: tuple[Step, ...] = Field(
        (), description="Steps to switch off where no number is known to put beside it, where they differ"
    )

    @model_validator(mode="after")
    def _one(self) -> FeatureRecipe:
        if bool(self.on) == bool(self.present):
            raise ValueError("on: exactly one of on and present: " + ("both" if self.on else "neither"))
        return self


class Recipe(Model):
    """A way to administer the system: steps over one kind of access."""

    kind: Literal["ssh-exec", "ssh-shell", "http"] = "ssh-exec"
    words: tuple[str, str] = ("true", "false")
    """What stands for on and off in the system's own language."""
    find: tuple[Find, ...] = ()
    read: tuple[Step, ...] = Field(min_length=1)
    commit: tuple[Step, ...] = Field((), description="Steps after each set, without which it does not count")
    ok: Pattern = Field("", description="Found in every good answer; else the step was refused")
    error: Pattern = Field("", description="Found in an answer that says no, whatever its status")
    complete: bool = Field(
        False,
        description="Answers to read name every feature that has an on pattern, be it on or off: one that is "
        "not found there is unreadable, not off",
    )
    features: dict[FeatureName, FeatureRecipe] = Field(min_length=1)
    default_rings: int | None = None
    shell: Shell | None = Field(None, description="For kind ssh-shell")
    auth: Literal["none", "basic", "digest"] = Field(
        "none", description="For kind http: RFC 7617 or RFC 7616"
    )
    login: Login | None = Field(None, description="For kind http")
    headers: dict[str, str] = Field(default_factory=dict, description="For kind http: of every request")
    source: str = Field(min_length=1)
    sure: Sure
    note: str = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Recipe:
        if (self.kind == "ssh-shell") != (self.shell is not None):
            wanted, got = ("a table", "nothing") if self.shell is None else ("nothing", "a table")
            raise ValueError(f"shell: {wanted}, as kind is {self.kind}: {got}")
        for name in ("login", "headers", "auth") if self.kind != "http" else ():
            if getattr(self, name) not in (None, {}, "none"):
                raise ValueError(f"{name}: nothing, as it is for kind http: kind {self.kind}")
        wanted, wrong = ("a request", str) if self.kind == "http" else ("a command", Request)
        for key, step in self._steps():
            if isinstance(step, wrong):
                got = "a command" if self.kind == "http" else "a request"
                raise ValueError(f"{key}: {wanted}, as kind is {self.kind}: {got}")
        return self

    def _steps(self) -> Iterator[tuple[str, Step]]:
        """Every step, with its key."""
        yield from ((f"find.{number}.step", found.step) for number, found in enumerate(self.find))
        for name in ("read", "commit"):
            yield from ((f"{name}.{number}", step) for number, step in enumerate(getattr(self, name)))
        for feature, one in self.features.items():
            for name in ("set", "set_off", "clear"):
                for number, step in enumerate(getattr(one, name)):
                    yield f"features.{feature}.{name}.{number}", step
