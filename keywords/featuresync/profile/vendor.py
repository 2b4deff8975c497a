"""Vendor profiles: how a system keeps phones in step."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .facts import Fact, FeatureName, Model, Name, Pattern, Seconds
from .recipe import Recipe

NUMBER = "{number}"
REQUIREMENT = r"^[A-Z]{2}-\d{2}$"
CODE = r"^[0-9A-D*#+]*(\{number\}[0-9A-D*#+]*)?$"
Code = Annotated[str, Field(pattern=CODE, min_length=1, max_length=40)]
Status = Annotated[int, Field(ge=200, le=699)]


class Mechanism(StrEnum):
    AS_FEATURE_EVENT = "as-feature-event"
    FEATURE_CODE = "feature-code"
    UACSTA = "uacsta"
    NONE = "none"


class Codes(Model):
    """Feature codes of one feature: the user part to dial, before any escaping (``*72{number}``, ``#57#``).

    ``{number}`` stands for the forward's target; only ``on`` of a forward has it, and must.
    """

    on: Fact[Code]
    off: Fact[Code]
    toggle: Fact[Code] | None = None
    without_number: Fact[Literal["voicemail", "prompt", "stored", "refused"]] | None = None
    """What the ``on`` code does when no number follows."""
    off_with_digits: Fact[Literal["ignored", "refused", "other_extension"]] | None = None
    """What the ``off`` code does with an extension behind it; ``other_extension`` hits that one's forward."""

    def facts(self) -> Iterator[tuple[str, Fact[Any]]]:
        for name in type(self).model_fields:
            fact = getattr(self, name)
            if fact is not None:
                yield name, fact


class Claim(Model):
    """What the system claims for one feature, per side."""

    phone_side: Fact[Mechanism]
    server_side: Fact[Mechanism]
    codes: Codes | None = None


class Call(Model):
    """How a call to a feature code is dialled and how it goes."""

    answer: Fact[Literal["established", "early", "either"]]
    """Where the announcement is heard: after 200, before a final response, or either."""
    final_early: Fact[tuple[Status, ...]] | None = None
    """Final responses that end an early announcement without meaning failure."""
    ends: Fact[Literal["server", "either"]]
    """Who hangs up an answered call. We wait for the server, for ``cap`` at most."""
    cap: Fact[Seconds]
    """Seconds that we hold the call before we give it up."""
    user_parameter: Fact[Literal["none", "phone", "dialstring"]]
    """``user=`` of the Request-URI (RFC 3261 19.1.1, RFC 4967)."""
    phone_context: Fact[str] | None = None
    """``phone-context`` for ``dialstring`` (RFC 4967); the bench's domain where it is not said."""
    hash_sign: Fact[Literal["escaped", "raw"]]
    """``#`` is not legal raw in a URI (RFC 3261 25.1); some systems want it all the same."""
    media: Fact[Literal["silence", "nothing"]]
    """What we send while the announcement plays."""
    gap: Fact[Annotated[float, Field(ge=0, le=60)]] | None = None
    """Least seconds between two calls, where the system bans quick callers."""


class Expectations(Model):
    """Facts that scenarios and requirement rows ask for by name. What is left out is unknown."""

    full_state: Fact[Literal["multipart", "separate", "none"]] | None = None
    challenge: Fact[bool] | None = None
    """Whether SUBSCRIBE is challenged (AU-01)."""
    package_off: Fact[bool] | None = None
    """Whether the bench can show a server (or account) without the package (489)."""
    package_refused: Fact[bool] | None = None
    """Whether the system itself has no such package and says so (489)."""
    feature_sync_needed: Fact[bool] | None = None
    """False when phones subscribe to this system's features whatever their Feature Sync setting says."""
    notify_after_code: Fact[bool] | None = None
    """Whether a change by feature code is told to the account's subscriptions too (ST-23)."""
    carries_calls: Fact[bool] | None = None
    """Whether calls between the bench's accounts go through, so that effects can be seen."""


class Deviation(Model):
    """A breach the vendor is known for. It is reported as ``deviation``, not as ``fail``."""

    requirement: str = Field(pattern=REQUIREMENT)
    reason: str = Field(min_length=10)
    link: str = ""
    seen: Pattern = Field("", description="Regular expression searched in what was seen")
    scenarios: tuple[str, ...] = ()


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
    expect: Expectations = Expectations()
    call: Call | None = None
    deviation: tuple[Deviation, ...] = ()
    recipes: dict[Name, Recipe] = Field(default_factory=dict)
    quirks: tuple[str, ...] = ()
    """What a reader of a failure should know of this system, one sentence each."""
    lab: StandIn | None = None

    @model_validator(mode="after")
    def _sources_exist(self) -> Profile:
        named = {key: fact.source for key, fact in self.facts().items()}
        named |= {f"recipes.{key}": recipe.source for key, recipe in self.recipes.items()}
        for key, source in named.items():
            if source not in self.sources:
                known = ", ".join(sorted(self.sources))
                raise ValueError(f"{key}.source: one of [sources] ({known}): {source!r}")
        return self

    @model_validator(mode="after")
    def _codes_are_there(self) -> Profile:
        for name, claim in self.features.items():
            if claim.server_side.value is Mechanism.FEATURE_CODE:
                ways = ", ".join(repr(way.value) for way in Mechanism if way is not Mechanism.FEATURE_CODE)
                raise ValueError(f"features.{name}.server_side.value: one of {ways}: 'feature-code'")
            if claim.phone_side.value is Mechanism.FEATURE_CODE and claim.codes is None:
                raise ValueError(f"features.{name}.codes: a table, as phone_side is feature-code: nothing")
            if claim.codes is not None and self.call is None:
                raise ValueError(f"call: a table, as features.{name} has codes: nothing")
        return self

    @model_validator(mode="after")
    def _codes_make_sense(self) -> Profile:
        seen: dict[str, str] = {}
        for key, code, slot in self._dialled():
            if slot != (NUMBER in code):
                wanted = f"a code {'with' if slot else 'without'} {NUMBER}"
                raise ValueError(f"{key}: {wanted}: {code!r}")
            if code in seen:
                raise ValueError(f"{key}: a code of its own: {code!r}, which {seen[code]} has too")
            seen[code] = key
        return self

    def _dialled(self) -> Iterator[tuple[str, str, bool]]:
        """Every known code: its key, the code, and whether a number belongs into it."""
        for name, claim in self.features.items():
            for kind in ("on", "off", "toggle") if claim.codes else ():
                fact = getattr(claim.codes, kind)
                if fact is not None and fact.value is not None:
                    yield f"features.{name}.codes.{kind}", fact.value, kind == "on" and name != "dnd"

    def facts(self) -> dict[str, Fact[Any]]:
        """Every fact by dotted name: ``expect.challenge``, ``features.dnd.codes.on``, ``call.cap``."""
        found: dict[str, Fact[Any]] = {}
        for name in Expectations.model_fields:
            found[f"expect.{name}"] = getattr(self.expect, name)
        for name in Call.model_fields if self.call else ():
            found[f"call.{name}"] = getattr(self.call, name)
        for feature, claim in self.features.items():
            found[f"features.{feature}.phone_side"] = claim.phone_side
            found[f"features.{feature}.server_side"] = claim.server_side
            for name, fact in claim.codes.facts() if claim.codes else ():
                found[f"features.{feature}.codes.{name}"] = fact
        return {name: fact for name, fact in found.items() if fact is not None}
