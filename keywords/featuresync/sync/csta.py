"""uaCSTA bodies (ECMA TR/87): events about features that a server sends in an INFO.

The vocabulary is that of ``as-feature-event``, whose makers took it from ECMA-323; the namespace is that of
any edition. Like there, a body is read twice: strictly for the form, leniently for the state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .as_feature_event import read_body, read_set
from .document import Element, read_documents
from .feature import Feature, FeatureState
from .vocabulary import DND_EVENT, FEATURE_OF_TYPE, FORWARDING_EVENT, SET_DND, SET_FORWARDING

MEDIA_TYPE = "application/csta+xml"
_EDITION = re.compile(
    r"https?://www\.ecma(?:-international\.org|\.ch)/standards/ecma-323/csta/(?P<edition>ed\d{1,2})"
)
_SWITCHES = {
    DND_EVENT: "doNotDisturbOn",
    SET_DND: "doNotDisturbOn",
    FORWARDING_EVENT: "forwardStatus",
    SET_FORWARDING: "activateForward",
}
"""Roots about features, and the child that says on or off: an ``xsd:boolean``."""
# What ECMA-269 has besides the three types that phones know.
_OTHER_TYPES = frozenset(
    "forwardDND forwardImmInt forwardImmExt forwardBusyInt forwardBusyExt forwardNoAnsInt forwardNoAnsExt "
    "forwardDNDInt forwardDNDExt".split()
)


@dataclass(frozen=True, slots=True)
class CstaBody:
    """What one body says. ``edition`` is ``ed3`` and the like, "" when the namespace is of none."""

    root: str
    """Local name of the root element, "" when nothing could be made of the body."""
    edition: str
    states: dict[Feature, FeatureState]
    problems: tuple[str, ...]
    """What a strict reader has against it: not well-formed, no edition's namespace, no readable state."""


def is_csta(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def read_csta(body: bytes) -> CstaBody:
    """Read a body. Never raises; other roots than those about features give no state and no problem.

    Some servers push ``SetDoNotDisturb`` or ``SetForwarding`` where TR/87 has an event: the state is read
    all the same, with ``monitorCrossRefID`` or without. Rings are those of ``ringCount``: ``ringDuration``
    is seconds and says nothing of them.
    """
    readings = read_documents(body)
    tree = readings[0].tree
    problems = [problem.text for reading in readings for problem in reading.problems]
    if len(readings) > 1:
        problems.append(f"{len(readings)} documents in one body")
    if tree is None:
        return CstaBody("", "", {}, (*problems, "no document that can be read"))
    edition = _EDITION.fullmatch(tree.namespace)
    if edition is None:
        problems.append(f"namespace {tree.namespace[:120]!r} is that of no edition of ECMA-323")
    states = _states(tree, body)
    problems += _strict_problems(tree, bool(states))
    return CstaBody(tree.name, edition["edition"] if edition else "", states, tuple(problems))


def _states(tree: Element, body: bytes) -> dict[Feature, FeatureState]:
    if tree.name in (SET_DND, SET_FORWARDING):
        asked = read_set(body)
        return {asked.feature: asked} if asked else {}
    return read_body("", body).states


def _strict_problems(tree: Element, readable: bool) -> Iterator[str]:
    switch = _SWITCHES.get(tree.name)
    if switch is None:
        return
    kind = next((child.text.strip() for child in tree.find("forwardingType")), "")
    # A forward of a type that phones do not know is in order, and says nothing of theirs.
    if not readable and (kind in FEATURE_OF_TYPE or kind not in _OTHER_TYPES):
        yield f"{tree.name} without a readable state"
        return
    # White space around an xsd:boolean is no part of it.
    said = [child.text.strip() for child in tree.find(switch)]
    if len(said) != 1:
        yield f"{switch} stands {len(said)} times"
    elif said[0] not in ("true", "false", "1", "0"):
        yield f"{switch} is {said[0][:40]!r}, not a boolean"
