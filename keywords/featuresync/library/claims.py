"""Tags of a scenario against the claims of a profile: what runs, and why something is skipped.

``feature:dnd`` names the feature (``feature:all`` for scenarios about all of them), ``side:phone`` who
changes it, ``needs:NAME`` a fact of the profile's ``[expect]`` that must hold, and a tag such as ``ST-01``
a requirement that the scenario exercises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from featuresync.profile import Mechanism, Profile

REQUIREMENT = re.compile(r"^[A-Z]{2}-\d{2}$")


def tagged(tags: Iterable[str], prefix: str) -> list[str]:
    return [tag.removeprefix(prefix) for tag in map(str, tags) if tag.startswith(prefix)]


def requirements(tags: Iterable[str]) -> list[str]:
    """Requirement ids among the tags, in order."""
    return [tag for tag in map(str, tags) if REQUIREMENT.match(tag)]


def feature_of(tags: Iterable[str]) -> str:
    return next(iter(tagged(tags, "feature:")), "all")


def side_of(tags: Iterable[str]) -> str:
    return next(iter(tagged(tags, "side:")), "lifecycle")


def wanted(tags: Iterable[str], feature: str, side: str) -> bool:
    """True when the user's ``--feature`` and ``--side`` (``-`` for all) let the scenario in."""
    tags = list(tags)
    return feature in ("-", feature_of(tags)) and side in ("-", side_of(tags))


def skip_reason(profile: Profile, tags: Iterable[str]) -> str:
    """Why this system does not get the scenario; "" when it does."""
    tags = list(tags)
    return _unmet_need(profile, tags) or _unclaimed_side(profile, feature_of(tags), side_of(tags))


def _unmet_need(profile: Profile, tags: list[str]) -> str:
    for need in tagged(tags, "needs:"):
        fact = profile.facts().get(f"expect.{need}")
        if fact is None:
            return f"the scenario needs {need!r}, which no profile knows"
        if fact.value is None:
            return f"unknown for {profile.vendor.title}: {need} ({fact.note or 'no source says'})"
        if fact.value is False:
            return f"not claimed by {profile.vendor.title}: {need}"
    return ""


def _unclaimed_side(profile: Profile, feature: str, side: str) -> str:
    """A scenario about all features runs when any of them is synchronised that way."""
    claims = [claim for name, claim in profile.features.items() if feature in (name, "all")]
    if not claims:
        return f"{profile.vendor.title} does not synchronise {feature}"
    for one in ("phone", "server") if side == "lifecycle" else (side,):
        facts = [claim.phone_side if one == "phone" else claim.server_side for claim in claims]
        if all(fact.value is None for fact in facts):
            return f"unknown for {profile.vendor.title}: {one} side of {feature}"
        if not any(fact.value is Mechanism.AS_FEATURE_EVENT for fact in facts):
            used = ", ".join(sorted({str(fact.value) for fact in facts if fact.value}))
            return f"{profile.vendor.title} changes {feature} from the {one} side by {used}"
    return ""
