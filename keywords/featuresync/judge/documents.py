"""The package's documents and the container they come in: read strictly, message by message."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from featuresync.sync.as_feature_event import MEDIA_TYPE, MULTIPART_TYPE, Document
from featuresync.sync.feature import Feature

from .exchange import Kind, Notify
from .outcome import outcome
from .rows import PRACTICE, M, O, P, R, Rows
from .story import Story
from .verdict import Finding

DOCUMENTS = Rows()
_FORWARDING = "ForwardingEvent"


def _any(document: Document) -> bool:
    return True


def _readable(document: Document) -> bool:
    return document.tree is not None


def _basic(document: Document) -> bool:
    return document.root in ("DoNotDisturbEvent", _FORWARDING)


def _forwarding(document: Document) -> bool:
    return document.root == _FORWARDING


def _switch(document: Document) -> str:
    return (document.value("forwardStatus") or "").strip().lower() if _forwarding(document) else ""


def _forward_on(document: Document) -> bool:
    return _switch(document) in ("true", "1")


def _forward_off(document: Document) -> bool:
    return _switch(document) in ("false", "0")


def _other_forward(document: Document) -> bool:
    return document.state is not None and document.state.feature in (Feature.CF_ALWAYS, Feature.CF_BUSY)


def _form(
    id: str, expected: str, concerns: Callable[[Document], bool]
) -> Callable[[Story], Iterator[Finding]]:
    """A judge of the strict reader's problems with that row's id, in documents that the row speaks of."""

    def judge(story: Story) -> Iterator[Finding]:
        for notify, _ in story.notifies:
            documents = [document for document in notify.body.documents if concerns(document)]
            if documents:
                wrong = [p.text for document in documents for p in document.problems if p.code == id]
                wrong += [p.text for p in notify.body.problems if p.code == id]
                seen = "; ".join(wrong) or f"{len(documents)} good document(s)"
                yield Finding(not wrong, expected, seen, notify.wire)

    return judge


for _id, _level, _clause, _text, _expected, _concerns in (
    ("BD-01", M, "XML 1.0", "Each document is well-formed XML in the encoding that it declares.",
     "well-formed XML", _any),
    ("BD-02", P, PRACTICE, "The root is in the package's namespace, an extension in the extension namespace.",
     "the CSTA ed3 namespace", _readable),
    ("BD-03", P, PRACTICE, "A document has one root, and it is an event of the package.",
     "a root such as DoNotDisturbEvent or ForwardingEvent", _readable),
    ("BD-04", P, PRACTICE, "doNotDisturbOn and forwardStatus are exactly true or false.",
     "true or false", _basic),
    ("BD-05", P, PRACTICE, "A ForwardingEvent always has a forwardingType of the package.",
     "forwardImmediate, forwardBusy or forwardNoAns", _forwarding),
    ("BD-06", P, PRACTICE, "forwardTo is there and not empty when forwardStatus is true.",
     "a number in forwardTo", _forward_on),
    ("BD-07", O, PRACTICE, "In an inactive forward forwardTo is absent, empty or a number, not a filler.",
     "no forwardTo, an empty one, or a number", _forward_off),
    ("BD-09", P, PRACTICE, "ringCount does not appear for other forwards than no-answer.",
     "no ringCount", _other_forward),
    ("BD-14", R, "XML 1.0 2.8", "Nothing stands before the declaration, and only white space after the root.",
     "nothing before the declaration, only white space after the root", _any),
):  # fmt: skip
    DOCUMENTS.put(_id, _level, _clause, _text, _form(_id, _expected, _concerns))


@DOCUMENTS.row(
    "BD-08",
    P,
    PRACTICE,
    "ringCount appears for an active no-answer forward, is an integer, and equals what was set.",
    "B MS FS OS",
)
def ring_count_is_reported(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        for document in notify.body.documents:
            if document.state is None or document.state.feature is not Feature.CF_NO_ANSWER:
                continue
            written = document.value("ringCount")
            # Of a forward that is off nothing need be said.
            if written is not None or document.state.on:
                seen = "no ringCount" if written is None else f"ringCount {written[:40]!r}"
                yield Finding(document.state.rings is not None, "ringCount, an integer", seen, notify.wire)
    for change in story.changes:
        rings = change.state.rings
        if rings is None or not change.state.on or change.feature is not Feature.CF_NO_ANSWER:
            continue
        for sub in [change.origin] if change.origin else story.subscriptions:
            if sub.account != change.account or not sub.live(change.time):
                continue
            said = outcome(story, change, sub, story.deadline("confirmation")).said
            if said is not None and said.on and said.rings is not None:
                yield Finding(said.rings == rings, f"ringCount {rings}", f"ringCount {said.rings}", change.at)


@DOCUMENTS.row("BD-13", P, PRACTICE, f"A NOTIFY's Content-Type is {MEDIA_TYPE} or {MULTIPART_TYPE}.")
def content_type_is_the_packages(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        if notify.has_body:
            ok = notify.message.media_type in (MEDIA_TYPE, MULTIPART_TYPE)
            seen = notify.message.header("content-type")[:80] or "no Content-Type"
            yield Finding(ok, f"{MEDIA_TYPE} or {MULTIPART_TYPE}", seen, notify.wire)


@DOCUMENTS.row(
    "BD-15", P, PRACTICE, "The NOTIFY that confirms a set carries one document, of the changed feature."
)
def confirmation_is_one_document(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.accepted(Kind.SET):
        asked, sent = exchange.asked, exchange.request.time
        if asked is None or not sub.live(exchange.first.time):
            continue
        until = min(
            sub.after(exchange),
            story.next_change(sub.account, None, sent),
            exchange.answered + story.deadline("confirmation"),
        )
        # A NOTIFY of an earlier change may still be on its way.
        allowed = {asked.feature} | story.touched(sub.account, sent, sent)
        for notify in sub.heard(sent, until):
            if notify.has_body:
                ok = len(notify.body.documents) == 1 and set(notify.states) <= allowed
                yield Finding(
                    ok, f"one document, of the {asked.feature.label}", _content(notify), notify.wire
                )


def _content(notify: Notify) -> str:
    said = ", ".join(state.feature.label for state in notify.states.values())
    return f"{len(notify.body.documents)} document(s): {said or 'none of the features'}"


@DOCUMENTS.row(
    "MP-01", P, PRACTICE, "Two or more features in one NOTIFY come as a multipart/mixed.", "B FS OS"
)
def several_documents_are_a_multipart(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        count = len(notify.body.documents)
        if count > 1:
            glued = [p.text for p in notify.body.problems if p.code == "MP-01"]
            ok = notify.message.media_type == MULTIPART_TYPE and not glued
            seen = "; ".join(glued) or f"{count} documents in {notify.message.media_type or 'no type'}"
            yield Finding(ok, f"{count} parts of a {MULTIPART_TYPE}", seen, notify.wire)


@DOCUMENTS.row("MP-02", P, PRACTICE, "Exactly one feature comes as a plain document.", "B OS")
def one_document_is_plain(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        if len(notify.body.documents) == 1:
            seen = f"one document in {notify.message.media_type or 'no type'}"
            yield Finding(not notify.body.multipart, f"a plain {MEDIA_TYPE}", seen, notify.wire)


@DOCUMENTS.row(
    "MP-03",
    M,
    "RFC 2046 5.1.1",
    "A multipart's delimiters stand on lines of their own, ended by CRLF, and the last one closes it.",
)
def multipart_is_well_delimited(story: Story) -> Iterator[Finding]:
    yield from _container(story, "MP-03", "CRLF --boundary between the parts and --boundary-- at the end")


@DOCUMENTS.row("MP-04", P, PRACTICE, f"Each part has the Content-Type {MEDIA_TYPE}.")
def parts_have_the_packages_type(story: Story) -> Iterator[Finding]:
    yield from _container(story, "MP-04", f"Content-Type {MEDIA_TYPE} in each part")


def _container(story: Story, id: str, expected: str) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        said = notify.message.media_type.startswith("multipart/")
        if notify.has_body and (notify.body.multipart or said):
            wrong = [p.text for p in notify.body.all_problems if p.code == id]
            seen = "; ".join(wrong) or f"{len(notify.body.documents)} part(s)"
            yield Finding(not wrong, expected, seen, notify.wire)


@DOCUMENTS.row("MP-06", P, "inferred", "A NOTIFY speaks of each feature at most once.")
def each_feature_stands_once(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        pairs = [(d.root, d.value("forwardingType") or "") for d in notify.body.documents if d.root]
        if len(pairs) > 1:
            twice = sorted({" ".join(pair).strip() for pair in pairs if pairs.count(pair) > 1})
            yield Finding(not twice, "each feature once", ", ".join(twice) or "each once", notify.wire)
