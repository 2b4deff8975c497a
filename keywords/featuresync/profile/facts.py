"""What a statement about a system is: a value, where it comes from, and how sure that is."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

T = TypeVar("T")
NAME = r"^[a-z][a-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
FeatureName = Literal["dnd", "cf_always", "cf_busy", "cf_no_answer"]


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f": a regular expression: {value!r} ({error})") from None
    return value


Pattern = Annotated[str, AfterValidator(_regex)]


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
