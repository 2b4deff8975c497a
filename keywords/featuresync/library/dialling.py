"""Calls that the scenario's phones make: to feature codes, and to each other."""

from __future__ import annotations

from typing import Any

from featuresync.agent.calling import PlacedCall
from featuresync.errors import ConfigFault
from featuresync.judge import topics
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.feature_code import FeatureCodes, dial, request_uri

from .session import Handset, Session

UNKNOWN_CODE = "*000999"
"""What is dialled as a code that means nothing anywhere."""


def codes_of(session: Session, feature: Feature) -> FeatureCodes:
    """What the phone dials for the feature: as its own configuration says, else as the profile does.

    Raises ConfigFault when neither knows: the selection should have skipped the scenario.
    """
    own = session.phone_config.codes.get(feature) if session.phone_config else None
    if own is not None:
        return own
    claim = session.profile.features.get(feature.value)
    if claim is None or claim.codes is None or not (claim.codes.on.value and claim.codes.off.value):
        name = f"vendors/{session.profile.vendor.name}.toml"
        raise ConfigFault(name, f"features.{feature}.codes", "feature codes", "nothing")
    return FeatureCodes(claim.codes.on.value, claim.codes.off.value)


def dial_feature(
    session: Session, handset: Handset, state: FeatureState, credentials: bool = True
) -> PlacedCall:
    """Dial the code that brings the feature to ``state``; the display follows when the server took it."""
    placed = dial_code(session, handset, dial(codes_of(session, state.feature), state), credentials)
    early = _fact(session, "call.final_early") or ()
    if placed.over and (placed.established or (placed.early_announcement and placed.status in early)):
        handset.phone.shown[state.feature] = state
    return placed


def dial_code(session: Session, handset: Handset, dialled: str, credentials: bool = True) -> PlacedCall:
    """Dial ``dialled`` as the profile says it is to be written, and hold the call until it is over.

    The server ends it; the phone gives up after ``call.cap`` seconds.
    """
    _keep_the_gap(session, handset)
    config = session.phone_config
    raw = config is not None and config.uri_escaped is False
    uri = request_uri(
        dialled,
        session.bench.domain,
        user_parameter=_fact(session, "call.user_parameter") or "none",
        phone_context=_fact(session, "call.phone_context") or session.bench.domain,
        hash_sign="raw" if raw else _fact(session, "call.hash_sign") or "escaped",
    )
    cap = float(_fact(session, "call.cap") or 30.0)
    placed = place_call(session, handset, uri, cap, credentials)
    named = f"the end of the call to {dialled}"
    session.wait(handset, named, "cap", lambda _: placed.over, cap + session.bench.deadlines.answer)
    session.dialled = session.reactor.clock()
    heard = handset.media[-1].heard
    if heard.packets and heard.first is not None and heard.last is not None:
        length = heard.last - heard.first
        session.note(handset, topics.SOUND, f"heard {heard.packets} packets of sound in {length:.1f} s")
    return placed


def place_call(
    session: Session, handset: Handset, uri: str, cap: float, credentials: bool = True
) -> PlacedCall:
    """A call with an offer of sound. Raises BenchFault when no port for it can be had."""
    silence = _fact(session, "call.media") != "nothing"
    media = session.reactor.open_media(handset.way.local, session.bench.deadlines.answer, silence=silence)
    handset.media.append(media)
    return session.run(
        handset,
        lambda core, now: core.place_call(uri, now, cap=cap, media=media, credentials=credentials),
    )


def _keep_the_gap(session: Session, handset: Handset) -> None:
    """Some systems ban who calls too fast: the profile says how far apart calls must be."""
    gap = float(_fact(session, "call.gap") or 0.0)
    left = session.dialled + gap - session.reactor.clock()
    if left > 0:
        session.reactor.wait(handset.endpoint, lambda: None, left)


def _fact(session: Session, name: str) -> Any:
    fact = session.profile.facts().get(name)
    return fact.value if fact else None
