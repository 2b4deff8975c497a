"""Feature codes: what a phone dials to switch a feature, how that is written as a SIP URI, and read back.

A code is a template over what can be dialled, ``0-9 A-D * # +``. ``{number}`` is the place of a forward's
target: ``*72{number}``, ``*57*{number}#``. A code that switches off is dialled bare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote

from .feature import Feature, FeatureState

NUMBER = "{number}"
LONGEST = 40
"""Characters of a number that can be dialled."""
_DIALLED = re.compile(r"[0-9A-D*#+]+")
_ANY_NUMBER = r"([0-9A-D*#+]*)"
# RFC 3261 25.1: `mark` and `user-unreserved` may stand in a user part as they are. `;` may too, but
# parameters of a dial string begin with it (RFC 4967 3).
_UNESCAPED = "-_.!~*'()&=+$,?/"
_LONGEST_USER = 200

UserParameter = Literal["none", "phone", "dialstring"]
HashSign = Literal["escaped", "raw"]


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """The codes of one feature. "" where there is none, or where it is not known."""

    on: str
    off: str
    toggle: str = ""
    """Switches on what is off and off what is on."""


def dial(codes: FeatureCodes, state: FeatureState) -> str:
    """What is dialled for ``state``: the on code with the number put in, or the bare off code.

    Raises ValueError, in one line, when there is no such code or no number that it could be dialled with.
    """
    code = codes.on if state.on else codes.off
    label = state.feature.label
    if not code:
        raise ValueError(f"{label}: no code is known to switch it {'on' if state.on else 'off'}")
    if not state.on:
        return code
    if NUMBER not in code:
        if state.number:
            raise ValueError(f"{label}: code {code!r} has no place for number {state.number[:LONGEST]!r}")
        return code
    if not state.number:
        raise ValueError(f"{label}: code {code!r} needs a number")
    if len(state.number) > LONGEST or not _DIALLED.fullmatch(state.number):
        shown = repr(state.number[: LONGEST + 1])
        raise ValueError(f"{label}: a number of at most {LONGEST} characters of 0-9A-D*#+, not {shown}")
    return code.replace(NUMBER, state.number)


def request_uri(
    dialled: str,
    domain: str,
    user_parameter: UserParameter = "none",
    phone_context: str = "",
    hash_sign: HashSign = "escaped",
) -> str:
    """The Request-URI of a call to what was dialled.

    ``*`` stands as it is, ``#`` is escaped unless ``hash_sign`` is ``raw``, which is no URI but what some
    systems want (RFC 3261 25.1). ``user_parameter`` says what the user part is: nothing, ``user=phone``
    (RFC 3261 19.1.1), or ``user=dialstring`` (RFC 4967) whose ``phone_context`` is the domain where "".
    """
    user = quote(dialled, safe=_UNESCAPED + ("#" if hash_sign == "raw" else ""))
    if user_parameter == "dialstring":
        return f"sip:{user};phone-context={phone_context or domain}@{domain};user=dialstring"
    return f"sip:{user}@{domain}" + (";user=phone" if user_parameter == "phone" else "")


def read_code(user: str, codes: Mapping[Feature, FeatureCodes]) -> FeatureState | None:
    """The state that the user part of a Request-URI asks for; None when it is no code of ``codes``.

    Of several codes that fit, the one with the most characters of its own wins; a code without a place
    for a number goes before one with it. A toggle asks for no state: None. An on code that was dialled
    without its number gives ``number`` "". Never raises.
    """
    dialled = unquote(user.partition(";")[0][:_LONGEST_USER])
    best: tuple[int, bool] = (-1, False)
    found: FeatureState | None = None
    for template, feature, on in _templates(codes):
        own = template.replace(NUMBER, "")
        bare = own == template
        if (len(own), bare) <= best:
            continue
        match = re.fullmatch(_ANY_NUMBER.join(map(re.escape, template.split(NUMBER, 1))), dialled)
        if match is not None:
            best = (len(own), bare)
            found = None if on is None else FeatureState(feature, on, "" if bare else match[1])
    return found


def _templates(codes: Mapping[Feature, FeatureCodes]) -> Iterator[tuple[str, Feature, bool | None]]:
    """Every code there is: its template, its feature, and whether it switches on; None for a toggle."""
    for feature, one in codes.items():
        for template, on in ((one.on, True), (one.off, False), (one.toggle, None)):
            if template:
                yield template, feature, on
