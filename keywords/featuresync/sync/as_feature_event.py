"""Reading ``as-feature-event`` bodies, twice: strictly for the form, leniently for the state.

One error of form must not hide ten results about the state, so a body yields both the problems a
strict reader has with it, each with the requirement row it breaks, and the states that a patient
phone would have understood.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from featuresync.sip.uri import parse_parameters

from .document import Element, Problem, Reading, read_documents
from .feature import Feature, FeatureState, describe
from .multipart import read_multipart
from .vocabulary import (
    ACCEPT,
    CSTA_NAMESPACE,
    DND_EVENT,
    EVENT_ROOTS,
    EXTENSION_EVENTS,
    EXTENSION_NAMESPACE,
    FEATURE_OF_TYPE,
    FORWARDING_EVENT,
    MEDIA_TYPE,
    MULTIPART_TYPE,
    PACKAGE,
    REQUEST_ROOTS,
    SET_DND,
    SET_FORWARDING,
)
from .writing import Dialect, write_event, write_full_state, write_multipart, write_set

__all__ = [
    "ACCEPT",
    "CSTA_NAMESPACE",
    "EXTENSION_NAMESPACE",
    "MEDIA_TYPE",
    "MULTIPART_TYPE",
    "PACKAGE",
    "Body",
    "Dialect",
    "Document",
    "Problem",
    "read_body",
    "read_set",
    "summarise",
    "write_event",
    "write_full_state",
    "write_multipart",
    "write_set",
]

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

# Which row speaks of which child, for a child that stands twice.
_ROW_OF_CHILD = {
    "doNotDisturbOn": "BD-04",
    "forwardStatus": "BD-04",
    "forwardingType": "BD-05",
    "forwardTo": "BD-06",
    "ringCount": "BD-08",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One event document. ``root`` is its local name and ``elements`` are its children's, in order."""

    raw: bytes
    media_type: str
    """Of the part or the body it came in, lower case, "" when none was given."""
    tree: Element | None
    state: FeatureState | None
    """The state read leniently; None when it says none of the four features, or nothing readable."""
    problems: tuple[Problem, ...]

    @property
    def root(self) -> str:
        return self.tree.name if self.tree else ""

    @property
    def namespace(self) -> str:
        return self.tree.namespace if self.tree else ""

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(child.name for child in self.tree.children) if self.tree else ()

    def value(self, name: str) -> str | None:
        """Text of the first child of that name as it stands, None when there is no such child."""
        return _value(self.tree, name) if self.tree else None


@dataclass(frozen=True, slots=True)
class Body:
    """A NOTIFY's body. ``problems`` are the container's own; each document has its own as well."""

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    multipart: bool = False

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """The container's problems and those of every document."""
        return (*self.problems, *(p for document in self.documents for p in document.problems))

    @property
    def strict(self) -> bool:
        """True when a strict reader has nothing to say."""
        return not self.all_problems

    @property
    def states(self) -> dict[Feature, FeatureState]:
        """What the body says of each feature; where it speaks twice of one, the last word counts."""
        said = [document.state for document in self.documents if document.state is not None]
        return {state.feature: state for state in said}


def read_body(content_type: str, body: bytes) -> Body:
    """Read a NOTIFY's body. Never raises; an empty body has no documents and no problems."""
    if not body.strip():
        return Body()
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    if not media_type.startswith("multipart/") and not body.lstrip().startswith(b"--"):
        return _plain(media_type, body)
    boundary = parse_parameters(parameters).get("boundary") or ""
    problems: list[Problem] = []
    if not media_type.startswith("multipart/"):
        problems.append(Problem("MP-03", f"Content-Type {media_type!r}, but the body is a multipart"))
    multipart = read_multipart(body, boundary)
    if not multipart.parts and body.lstrip().startswith(b"<"):
        plain = _plain(media_type, body)
        return Body(plain.documents, (*problems, *multipart.problems, *plain.problems))
    documents: list[Document] = []
    for number, part in enumerate(multipart.parts, 1):
        if part.media_type != MEDIA_TYPE:
            said = part.media_type or "no Content-Type"
            problems.append(Problem("MP-04", f"part {number}: {said[:80]}, not {MEDIA_TYPE}"))
        readings = read_documents(part.body)
        problems += _glued(readings)
        documents += (_document(reading, part.media_type) for reading in readings)
    return Body(tuple(documents), (*multipart.problems, *problems), multipart=True)


def _plain(media_type: str, body: bytes) -> Body:
    readings = read_documents(body)
    return Body(tuple(_document(reading, media_type) for reading in readings), tuple(_glued(readings)))


def _glued(readings: list[Reading]) -> list[Problem]:
    if len(readings) < 2:
        return []
    return [Problem("MP-01", f"{len(readings)} documents one after the other instead of a multipart")]


def read_set(body: bytes) -> FeatureState | None:
    """What a phone's set asks for, read leniently; None when the body asks for none of the features."""
    tree = read_documents(body)[0].tree if body.strip() else None
    if tree is None or tree.name not in (SET_DND, SET_FORWARDING):
        return None
    return _state(tree, tree.name == SET_DND, "activateForward", "forwardDN")


def summarise(content_type: str, body: bytes) -> str:
    """The body's meaning in at most 300 characters, for a ladder: ``DND on``, ``full state: ...``,
    ``set: DND on``.
    """
    words = _words(content_type, body)
    return words if len(words) <= 300 else words[:299] + "…"


def _words(content_type: str, body: bytes) -> str:
    if not body.strip():
        return "no body"
    asked = read_set(body)
    if asked is not None:
        return f"set: {asked}"
    read = read_body(content_type, body)
    words = [describe(read.states)] if read.states else []
    words += [_other(document) for document in read.documents if document.state is None]
    if not read.documents:
        return f"unreadable {content_type.partition(';')[0].strip()[:80] or 'body'}, {len(body)} bytes"
    return f"{'full state: ' if len(read.documents) > 1 else ''}{'; '.join(words)}"


def _other(document: Document) -> str:
    if document.root in EVENT_ROOTS - {DND_EVENT, FORWARDING_EVENT}:
        return document.root
    return f"unreadable {document.root[:60] or document.media_type[:60] or 'body'}"


def _document(reading: Reading, media_type: str) -> Document:
    tree = reading.tree
    if tree is None:
        return Document(reading.raw, media_type, None, None, reading.problems)
    state = None
    if tree.name in (DND_EVENT, FORWARDING_EVENT):
        state = _state(tree, tree.name == DND_EVENT, "forwardStatus", "forwardTo")
    problems = (*reading.problems, *_strict_problems(tree))
    return Document(reading.raw, media_type, tree, state, problems)


# -- the lenient reading ------------------------------------------------------------------------


def _state(tree: Element, dnd: bool, switch: str, target: str) -> FeatureState | None:
    on = _BOOLEANS.get((_value(tree, "doNotDisturbOn" if dnd else switch) or "").strip().lower())
    feature = Feature.DND if dnd else FEATURE_OF_TYPE.get((_value(tree, "forwardingType") or "").strip())
    if on is None or feature is None:
        return None
    if dnd:
        return FeatureState(feature, on)
    rings = _integer((_value(tree, "ringCount") or "").strip()) if feature is Feature.CF_NO_ANSWER else None
    return FeatureState(feature, on, (_value(tree, target) or "").strip(), rings)


def _value(tree: Element, name: str) -> str | None:
    found = tree.find(name)
    return found[0].text if found else None


def _integer(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


# -- the strict reading -------------------------------------------------------------------------


def _strict_problems(tree: Element) -> Iterable[Problem]:
    if tree.name not in EVENT_ROOTS:
        kind = "a request, not an event" if tree.name in REQUEST_ROOTS else "no event of this package"
        yield Problem("BD-03", f"root element {tree.name[:60]!r} is {kind}")
        return
    due = EXTENSION_NAMESPACE if tree.name in EXTENSION_EVENTS else CSTA_NAMESPACE
    if tree.namespace != due:
        yield Problem("BD-02", f"{tree.name} is in namespace {tree.namespace[:120]!r}, not {due!r}")
    if tree.name not in (DND_EVENT, FORWARDING_EVENT):
        return
    for child in tree.children:
        if tree.namespace == due != child.namespace and child.name in ("device", *_ROW_OF_CHILD):
            yield Problem("BD-02", f"{child.name} is in namespace {child.namespace[:120]!r}, not {due!r}")
    for name, row in _ROW_OF_CHILD.items():
        if len(tree.find(name)) > 1:
            yield Problem(row, f"{name} stands {len(tree.find(name))} times")
    if tree.name == DND_EVENT:
        yield from _boolean_problem(tree, "doNotDisturbOn")
    else:
        yield from _boolean_problem(tree, "forwardStatus")
        yield from _forwarding_problems(tree)


def _boolean_problem(tree: Element, name: str) -> Iterable[Problem]:
    text = _value(tree, name)
    if text is None:
        yield Problem("BD-04", f"no {name}")
    elif text not in ("true", "false"):
        yield Problem("BD-04", f"{name} is {text[:40]!r}, not 'true' or 'false'")


def _forwarding_problems(tree: Element) -> Iterable[Problem]:
    kind, target, rings = (_value(tree, name) for name in ("forwardingType", "forwardTo", "ringCount"))
    if kind is None:
        yield Problem("BD-05", "no forwardingType")
    elif kind not in FEATURE_OF_TYPE:
        yield Problem("BD-05", f"forwardingType is {kind[:40]!r}, not one of {', '.join(FEATURE_OF_TYPE)}")
    on = _BOOLEANS.get((_value(tree, "forwardStatus") or "").strip().lower())
    if on is True and not (target or "").strip():
        yield Problem("BD-06", f"forwarding is on and forwardTo is {'absent' if target is None else 'empty'}")
    if on is False and target and not any(char.isalnum() for char in target):
        yield Problem("BD-07", f"forwarding is off and forwardTo is the filler {target[:40]!r}")
    feature = FEATURE_OF_TYPE.get((kind or "").strip())
    if feature is Feature.CF_NO_ANSWER:
        if rings is None:
            yield Problem("BD-08", "no ringCount for forwardNoAns")
        elif _integer(rings) is None:
            yield Problem("BD-08", f"ringCount is {rings[:40]!r}, not an integer")
    elif feature is not None and rings is not None:
        yield Problem("BD-09", f"ringCount {rings[:40]!r} for {kind}")
