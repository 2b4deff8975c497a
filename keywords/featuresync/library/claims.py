"""Tags of a scenario against the claims of a profile: what runs, and why something is skipped.

=====================  =============================================================================
``feature:dnd``        the feature it is about; ``feature:all`` for scenarios about all of them
``side:phone``         who changes it: ``phone``, ``server``, ``lifecycle`` (nobody), ``effect`` (calls);
                       ``adversity``, ``hostile`` and ``security`` are lifecycles of their kind
``by:feature-code``    the mechanism it is about; without it any mechanism that changes a feature will do
``needs:NAME``         a fact that must hold: of ``[expect]``, or by its full dotted name
``without:NAME``       a fact that must be known not to hold
``role:target``        an account that the bench must have
``bench:restart``      something that the bench must be able to show (``shows`` of the bench file)
``opt-in``             only run when asked for by ``--include``: it is known to harm some product
``sync:off``           it is about a phone whose Feature Sync is off
``ST-01``              a requirement that it exercises
=====================  =============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from featuresync.agent.phone_config import PhoneConfig
from featuresync.profile import Bench, Claim, Expectations, Fact, Mechanism, Profile

REQUIREMENT = re.compile(r"^[A-Z]{2}-\d{2}$")
SYNCHRONISES = {
    "phone": (Mechanism.AS_FEATURE_EVENT, Mechanism.FEATURE_CODE),
    "server": (Mechanism.AS_FEATURE_EVENT, Mechanism.UACSTA),
}
"""What can carry a change from each side."""


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


def skip_reason(
    profile: Profile,
    tags: Iterable[str],
    bench: Bench | None = None,
    phone: PhoneConfig | None = None,
) -> str:
    """Why this system does not get the scenario; "" when it does.

    ``bench`` is None where no bench is asked about; ``phone`` is the configuration of the phone that is
    played, None for one that has all it needs.
    """
    tags = list(tags)
    return (
        _unmet_need(profile, tags)
        or _unclaimed_side(profile, tags)
        or (_unable_bench(profile, tags, bench) if bench else "")
        or (_unable_phone(profile, tags, phone) if phone else "")
    )


def _unmet_need(profile: Profile, tags: list[str]) -> str:
    title, facts = profile.vendor.title, profile.facts()
    for prefix, unwelcome in (("needs:", False), ("without:", True)):
        for need in tagged(tags, prefix):
            fact = facts.get(need) or facts.get(f"expect.{need}")
            if "." not in need and need not in Expectations.model_fields:
                return f"the scenario needs {need!r}, which no profile knows"
            if fact is None or fact.value is None:
                note = fact.note if fact else ""
                return f"unknown for {title}: {need} ({note or 'no source says'})"
            if fact.value is unwelcome:
                return f"{'claimed' if unwelcome else 'not claimed'} by {title}: {need}"
    return ""


def _unclaimed_side(profile: Profile, tags: list[str]) -> str:
    """A scenario about all features runs when any of them is synchronised that way."""
    feature, side, title = feature_of(tags), side_of(tags), profile.vendor.title
    claims = [claim for name, claim in profile.features.items() if feature in (name, "all")]
    if not claims:
        return f"{title} does not synchronise {feature}"
    by = [Mechanism(name) for name in tagged(tags, "by:")]
    if by == [Mechanism.FEATURE_CODE]:
        return _unknown_codes(title, feature, claims)
    sides = {"phone": ("phone",), "server": ("server",), "effect": ("phone",)}.get(side, ("phone", "server"))
    facts = [(one, _side(claim, one)) for one in sides for claim in claims]
    if any(fact.value in (by or SYNCHRONISES[one]) for one, fact in facts):
        return ""
    words = " and ".join(f"the {one} side" for one in sides)
    if all(fact.value is None for _, fact in facts):
        return f"unknown for {title}: {words} of {feature}"
    used = ", ".join(sorted({str(fact.value) for _, fact in facts if fact.value}))
    return f"{title} changes {feature} from {words} by {used}"


def _unknown_codes(title: str, feature: str, claims: list[Claim]) -> str:
    codes = [claim.codes for claim in claims if claim.codes]
    if not codes:
        return f"{title} has no feature code for {feature}"
    if all(one.on.value is None or one.off.value is None for one in codes):
        return f"unknown for {title}: feature codes of {feature} ({codes[0].on.note or 'no source says'})"
    return ""


def _side(claim: Claim, side: str) -> Fact[Mechanism]:
    return claim.phone_side if side == "phone" else claim.server_side


def _unable_bench(profile: Profile, tags: list[str], bench: Bench) -> str:
    missing = [role for role in tagged(tags, "role:") if role not in bench.accounts]
    if missing:
        return f"the bench has no account {missing[0]!r}"
    unable = [name for name in tagged(tags, "bench:") if name not in bench.shows]
    if unable:
        return f"the bench cannot show {unable[0]!r} (its file does not say so)"
    readable, feature = bench.recipe(profile).features, feature_of(tags)
    if feature != "all" and feature not in readable:
        return f"the bench's recipe {bench.admin.recipe} cannot read {feature}"
    return ""


def _unable_phone(profile: Profile, tags: list[str], phone: PhoneConfig) -> str:
    """What the phone's own configuration keeps it from doing."""
    needed = profile.expect.feature_sync_needed
    regardless = needed is not None and needed.value is False
    if not phone.feature_sync and not regardless and not tagged(tags, "sync:"):
        return "Feature Sync is off in the phone's configuration: it executes features by itself"
    feature, side = feature_of(tags), side_of(tags)
    claim = profile.features.get(feature)  # type: ignore[call-overload]
    dialled = claim is not None and (
        "feature-code" in tagged(tags, "by:")
        or (claim.phone_side.value is Mechanism.FEATURE_CODE and side in ("phone", "effect"))
    )
    if dialled and phone.codes_used is False:
        return "the phone's configuration does not use feature codes"
    codes = phone.codes.get(feature)
    if dialled and (codes is None or not (codes.on and codes.off)):
        return f"the phone's configuration has no feature codes for {feature}"
    return ""
