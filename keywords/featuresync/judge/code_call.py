"""Feature codes: the call itself, as the server carries it."""

from __future__ import annotations

from collections.abc import Iterator

from featuresync.sip.dialog import contact_uri
from featuresync.sip.message import Message
from featuresync.sip.uri import NameAddr, Uri

from .calls import Call
from .rows import PRACTICE, M, O, Rows
from .story import Story
from .verdict import Finding

CODE_CALLS = Rows()
_LIMIT = 2**31


def _answered(story: Story) -> Iterator[Call]:
    """Calls to codes that the server answered with a 2xx."""
    return (call for call in story.calls if call.by_code and call.answered)


@CODE_CALLS.row("FC-09", O, PRACTICE, "The server itself ends the call to a code.", "FC")
def server_ends_the_call(story: Story) -> Iterator[Finding]:
    for call in _answered(story):
        if call.bye is not None and not call.cut_short:
            held = call.bye.time - call.exchange.answered
            by = "the phone" if call.bye.sent else "the server"
            expected = f"BYE from the server within {call.rules.cap:g} s"
            yield Finding(not call.bye.sent, expected, f"by {by} after {held:.1f} s", call.bye)


@CODE_CALLS.row(
    "FC-10",
    M,
    "RFC 3261 12.1.1, 12.2.1.1, 15",
    "What the server sends in a call fits its dialog.",
    "FC",
)
def dialog_is_in_order(story: Story) -> Iterator[Finding]:
    for call in story.calls:
        if call.by_code and call.exchange.final is not None:
            if call.answered:
                wrong = _lacks(call.exchange.final.message)
                expected = "a 2xx with To tag, Contact, and Record-Routes that can be used"
                yield Finding(not wrong, expected, "; ".join(wrong) or "all good", call.exchange.final)
            yield from _requests(call)


def _lacks(answer: Message) -> list[str]:
    """What keeps a 2xx from making a dialog."""
    wrong = [] if answer.to.tag else ["no To tag"]
    target = contact_uri(answer)
    if not target:
        wrong.append("no Contact")
    elif not _usable(target):
        wrong.append(f"Contact {target[:120]!r}")
    for route in answer.headers("record-route"):
        if not _usable(NameAddr.parse(route).uri):
            wrong.append(f"Record-Route {route[:120]!r}")
    return wrong


def _usable(uri: str) -> bool:
    try:
        return Uri.parse(uri).scheme in ("sip", "sips")
    except ValueError:
        return False


def _requests(call: Call) -> Iterator[Finding]:
    """The server's requests in the call, each against the dialog and against the one before it."""
    last: dict[str, int] = {}
    tags = _tags(call)
    for request in call.requests:
        message = request.message
        invite = call.exchange.request.message
        wrong = []
        if message.call_id != invite.call_id:
            wrong.append(f"Call-ID {message.call_id[:80]}")
        if message.to.tag != invite.from_.tag:
            wrong.append(f"To tag {message.to.tag[:80]}")
        if message.from_.tag not in tags:
            wrong.append(f"From tag {message.from_.tag[:80] or 'none'}")
        before = last.get(message.from_.tag)
        if not 0 <= message.cseq < _LIMIT or message.cseq_method != message.method:
            wrong.append(f"CSeq {message.header('cseq')[:60]!r}")
        elif before is not None and message.cseq != before + 1:
            wrong.append(f"CSeq {message.cseq} after {before}")
        if message.method == "BYE" and not call.answered:
            wrong.append("sent before any 2xx")
        last[message.from_.tag] = message.cseq
        expected = f"{message.method} with the dialog's Call-ID and tags, CSeq one higher than the last"
        yield Finding(not wrong, expected, "; ".join(wrong) or f"CSeq {message.cseq}", request.wire)


def _tags(call: Call) -> set[str]:
    """The server's tags: of the dialogs that its responses made, early ones too."""
    return {wire.message.to.tag for wire in call.exchange.attempts[-1].responses if wire.message.status > 100}
