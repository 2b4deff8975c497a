"""uaCSTA bodies (ECMA TR/87): events about features that a server sends in an INFO.

The vocabulary is that of ``as-feature-event``, whose makers took it from ECMA-323; the namespace is that of
any edition. Like there, a body is read twice: strictly for the form, leniently for the state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .as_feature_event import read_body, read_set
from .document import Element, read_documents
from .feature import Feature, FeatureState
from .vocabulary import DND_EVENT, FORWARDING_EVENT, SET_DND, SET_FORWARDING

MEDIA_TYPE = "application/csta+xml"
_EDITION = re.compile(
    r"https?://www\.ecma(?:-international\.org|\.ch)/standards/ecma-323/csta/(?P<edition>ed\d{1,2})"
)
_ABOUT_FEATURES = (DND_EVENT, FORWARDING_EVENT, SET_DND, SET_FORWARDING)


@dataclass(frozen=True, slots=True)
class CstaBody:
    """What one body says. ``edition`` is ``ed3`` and the like, "" when the namespace is of none."""

    root: str
    edition: str
    states: dict[Feature, FeatureState]
    problems: tuple[str, ...]
    """What a strict reader has against it: not well-formed, no edition's namespace, no readable state."""


def is_csta(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def read_csta(body: bytes) -> CstaBody:
    """Read a body. Never raises; other roots than those about features give no state and no problem.

    Some servers push ``SetDoNotDisturb`` or ``SetForwarding`` where TR/87 has an event: the state is read
    all the same.
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
    if tree.name in _ABOUT_FEATURES and not states:
        problems.append(f"{tree.name} without a readable state")
    return CstaBody(tree.name, edition["edition"] if edition else "", states, tuple(problems))


def _states(tree: Element, body: bytes) -> dict[Feature, FeatureState]:
    if tree.name in (SET_DND, SET_FORWARDING):
        asked = read_set(body)
        return {asked.feature: asked} if asked else {}
    return read_body("", body).states
