"""Writing ``as-feature-event`` bodies: what three phone makers send, and what a server answers.

Bodies are made from templates (no tree is built), declared and encoded as ISO-8859-1; a character
outside it is written as a character reference.
"""

from __future__ import annotations

from enum import StrEnum

from .feature import Feature, FeatureState, States
from .vocabulary import (
    CSTA_NAMESPACE,
    DND_EVENT,
    FORWARDING_EVENT,
    FORWARDING_TYPES,
    MEDIA_TYPE,
    MULTIPART_TYPE,
    SET_DND,
    SET_FORWARDING,
)

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


class Dialect(StrEnum):
    """How a phone maker's phones write a set; servers must take all three (ER-06, ER-07, ER-08)."""

    POLYCOM = "polycom"
    """``device`` first, always the same constant."""
    YEALINK = "yealink"
    """No ``device``; the forwarding type before its switch."""
    AUDIOCODES = "audiocodes"
    """An empty ``device`` first."""


_DEVICE: dict[Dialect, str | None] = {
    Dialect.POLYCOM: "7659366",
    Dialect.YEALINK: None,
    Dialect.AUDIOCODES: "",
}


def write_set(state: FeatureState, dialect: Dialect) -> bytes:
    """The body of the SUBSCRIBE that asks the server for ``state``.

    ``forwardDN`` is always written, empty where there is no number; ``ringCount`` only for the
    no-answer forward and only when ``state`` says how many rings.
    """
    device = _DEVICE[dialect]
    children = [] if device is None else [("device", device)]
    if not state.feature.is_forward:
        return _document(SET_DND, [*children, ("doNotDisturbOn", _boolean(state.on))])
    switch = ("activateForward", _boolean(state.on))
    kind = ("forwardingType", FORWARDING_TYPES[state.feature])
    children += [kind, switch] if dialect is Dialect.YEALINK else [switch, kind]
    return _document(SET_FORWARDING, [*children, ("forwardDN", state.number), *_rings(state)])


def write_event(state: FeatureState, device: str = "") -> bytes:
    """The document a NOTIFY carries for one feature; ``forwardTo`` only where there is a number."""
    children = [("device", device)]
    if not state.feature.is_forward:
        return _document(DND_EVENT, [*children, ("doNotDisturbOn", _boolean(state.on))])
    children.append(("forwardingType", FORWARDING_TYPES[state.feature]))
    children.append(("forwardStatus", _boolean(state.on)))
    if state.number:
        children.append(("forwardTo", state.number))
    return _document(FORWARDING_EVENT, [*children, *_rings(state)])


def write_full_state(states: States, boundary: str = "feature-state", device: str = "") -> tuple[str, bytes]:
    """Content-Type and body of a full-state NOTIFY, in the guide's order of features.

    Several features make a ``multipart/mixed`` (MP-01), one a plain document (MP-02), none an empty
    body with Content-Type "" (MP-09).
    """
    documents = [write_event(states[feature], device) for feature in Feature if feature in states]
    if not documents:
        return "", b""
    if len(documents) == 1:
        return MEDIA_TYPE, documents[0]
    return f'{MULTIPART_TYPE};boundary="{boundary}"', write_multipart(documents, boundary)


def write_multipart(documents: list[bytes], boundary: str) -> bytes:
    """RFC 2046 5.1.1: every document a part with its Content-Type, lines ended by CRLF."""
    mark = b"--" + boundary.encode("ascii")
    head = f"\r\nContent-Type: {MEDIA_TYPE}\r\n\r\n".encode("ascii")
    return b"".join([*(mark + head + document + b"\r\n" for document in documents), mark, b"--\r\n"])


def _document(root: str, children: list[tuple[str, str]]) -> bytes:
    lines = "".join(f"  <{name}>{text.translate(_ESCAPES)}</{name}>\r\n" for name, text in children)
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n'
        f'<{root} xmlns="{CSTA_NAMESPACE}">\r\n{lines}</{root}>\r\n'
    )
    return text.encode("iso-8859-1", "xmlcharrefreplace")


def _boolean(on: bool) -> str:
    return "true" if on else "false"


def _rings(state: FeatureState) -> list[tuple[str, str]]:
    if state.feature is not Feature.CF_NO_ANSWER or state.rings is None:
        return []
    return [("ringCount", str(state.rings))]
