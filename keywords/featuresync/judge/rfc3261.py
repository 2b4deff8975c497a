"""RFC 3261: what holds for every SIP message and every dialog."""

from __future__ import annotations

from collections.abc import Iterator

from featuresync.sip.message import Message
from featuresync.sip.uri import Uri, parse_parameters, split_outside_quotes

from .exchange import Attempt, Exchange, Kind, Notify
from .rows import M, Rows
from .story import Story
from .subscription import Subscription
from .trace import Wire
from .verdict import Finding

RFC3261 = Rows()
_COOKIE = "z9hG4bK"


@RFC3261.row(
    "TR-02",
    M,
    "RFC 3261 8.2.6.2",
    "A response repeats Via, From, To, Call-ID and CSeq of its request, and its To has a tag.",
)
def responses_repeat_their_request(story: Story) -> Iterator[Finding]:
    for attempt in story.attempts:
        for wire in attempt.responses:
            yield _repeats(attempt.request.message, wire)
    for wire in story.strays:
        origin = _origin(story.attempts, wire)
        if origin is not None:
            yield _repeats(origin.request.message, wire)


def _origin(attempts: list[Attempt], wire: Wire) -> Attempt | None:
    """The request that a response with an unknown branch seems to answer."""
    answer = wire.message
    for attempt in reversed(attempts):
        sent = attempt.request.message
        if attempt.request.actor == wire.actor and (sent.call_id, sent.cseq) == (answer.call_id, answer.cseq):
            return attempt
    return None


def _repeats(request: Message, wire: Wire) -> Finding:
    response = wire.message
    wrong = [
        f"{name} {said!r} instead of {due!r}"
        for name, due, said in (
            ("Via", _vias(request), _vias(response)),
            ("From", (request.from_.uri, request.from_.tag), (response.from_.uri, response.from_.tag)),
            ("To", request.to.uri, response.to.uri),
            ("Call-ID", request.call_id, response.call_id),
            ("CSeq", (request.cseq, request.method), (response.cseq, response.cseq_method)),
        )
        if due != said
    ]
    if request.to.tag and response.to.tag != request.to.tag:
        wrong.append(f"To tag {response.to.tag!r} instead of {request.to.tag!r}")
    elif not response.to.tag and response.status > 100:
        wrong.append("To without a tag")
    seen = "; ".join(wrong)[:400] or "all repeated"
    return Finding(not wrong, "Via, From, To, Call-ID and CSeq of the request, and a To tag",
                   f"{response.status} to {request.method}: {seen}", wire)  # fmt: skip


def _vias(message: Message) -> list[tuple[str, tuple[tuple[str, str | None], ...]]]:
    """Each Via without what a server fills in: received and rport (RFC 3261 18.2.1, RFC 3581 4)."""
    found = []
    for value in message.headers("via"):
        sent_by, _, rest = value.partition(";")
        kept = {n: v for n, v in parse_parameters(rest).items() if n not in ("received", "rport")}
        found.append((" ".join(sent_by.split()), tuple(sorted(kept.items()))))
    return found


@RFC3261.row(
    "TR-06",
    M,
    "RFC 3261 8.1.1.6, 8.1.1.7",
    "Every new NOTIFY has Max-Forwards and a branch of its own that starts with z9hG4bK.",
)
def notifies_have_a_branch_of_their_own(story: Story) -> Iterator[Finding]:
    used: set[tuple[str, str]] = set()
    for notify in _all_notifies(story):
        branch, hops = notify.message.branch, notify.message.header("max-forwards")
        key = (notify.wire.actor, branch)
        wrong = []
        if not branch.startswith(_COOKIE) or branch == _COOKIE:
            wrong.append(f"branch {branch!r}")
        elif key in used:
            wrong.append(f"branch {branch!r} of an earlier NOTIFY")
        if not (hops.isascii() and hops.isdigit()):
            wrong.append(f"Max-Forwards {hops!r}" if hops else "no Max-Forwards")
        used.add(key)
        yield Finding(not wrong, "a new branch that starts with z9hG4bK, and Max-Forwards",
                      "; ".join(wrong) or f"branch {branch}, Max-Forwards {hops}", notify.wire)  # fmt: skip


@RFC3261.row(
    "TR-07",
    M,
    "RFC 3261 20.14, 18.3",
    "Content-Length equals the bytes of the body; over TCP and TLS it is always there.",
)
def content_length_is_right(story: Story) -> Iterator[Finding]:
    responses = [wire for attempt in story.attempts for wire in attempt.responses]
    for wire in [*responses, *(notify.wire for notify in _all_notifies(story))]:
        there = len(wire.message.raw.partition(b"\r\n\r\n")[2])
        if wire.message.has("content-length"):
            said = wire.message.header("content-length")
            yield Finding(said == str(there) or wire.message.content_length == there,
                          f"Content-Length: {there}", f"Content-Length: {said[:40]}", wire)  # fmt: skip
        else:
            yield Finding(wire.transport == "udp", "a Content-Length", f"none, over {wire.transport}", wire)


@RFC3261.row(
    "NO-07",
    M,
    "RFC 3261 12.2.1.1",
    "A NOTIFY's Request-URI is the Contact that the phone gave.",
)
def notifies_go_to_the_contact(story: Story) -> Iterator[Finding]:
    for notify, sub in story.notifies:
        targets = _targets(sub, notify.time)
        said = notify.message.request_uri
        if targets:
            yield Finding(any(_same_uri(said, target) for target in targets),
                          " or ".join(targets), said[:200], notify.wire)  # fmt: skip


def _targets(sub: Subscription, at: float) -> list[str]:
    """The Contacts that a NOTIFY at that time may be sent to: one, or two while a SUBSCRIBE is unanswered."""
    targets: list[str] = []
    for exchange in sub.exchanges:
        uri = _contact_uri(exchange.request.message)
        # A refused SUBSCRIBE changes no target (RFC 3261 12.2.2).
        if exchange.request.time > at or (exchange.final is not None and not exchange.accepted) or not uri:
            continue
        targets = [uri] if exchange.final is not None and exchange.final.time <= at else [*targets, uri]
    return list(dict.fromkeys(targets))


def _contact_uri(message: Message) -> str:
    value = message.header("contact")
    if "<" in value:
        return value.partition("<")[2].partition(">")[0]
    return split_outside_quotes(value, ";")[0].strip()


def _same_uri(one: str, other: str) -> bool:
    """RFC 3261 19.1.4, as far as a Request-URI needs it: no header part, every parameter kept."""
    try:
        a, b = Uri.parse(one), Uri.parse(other)
    except ValueError:
        return one == other
    return (a.scheme, a.user, a.host.lower(), a.port, a.parameters) == (
        b.scheme,
        b.user,
        b.host.lower(),
        b.port,
        b.parameters,
    )


@RFC3261.row("NO-08", M, "RFC 3261 12.2.1.1", "The CSeq of NOTIFYs grows by exactly one within a dialog.")
def notify_cseq_grows_by_one(story: Story) -> Iterator[Finding]:
    for sub in story.subscriptions:
        for before, after in zip(sub.notifies, sub.notifies[1:], strict=False):
            due = before.message.cseq + 1
            said = after.message.cseq
            yield Finding(said == due, f"CSeq {due}", f"CSeq {said} after {due - 1}", after.wire)


@RFC3261.row("NO-12", M, "RFC 3261 20.15", "A NOTIFY has a Content-Type when, and only when, it has a body.")
def content_type_goes_with_a_body(story: Story) -> Iterator[Finding]:
    for notify in _all_notifies(story):
        kind, size = notify.message.header("content-type"), len(notify.message.body)
        due = f"{'a' if size else 'no'} Content-Type with {size} bytes of body"
        seen = f"Content-Type: {kind[:80]}" if kind else "none"
        yield Finding(bool(kind) == bool(size), due, seen, notify.wire)


@RFC3261.row(
    "RF-07",
    M,
    "RFC 3261 12.2.2",
    "A new Contact in a refresh becomes the address that NOTIFYs are sent to.",
)
def new_contact_is_used(story: Story) -> Iterator[Finding]:
    for sub in story.subscriptions:
        for before, exchange in zip(sub.exchanges, sub.exchanges[1:], strict=False):
            new = _contact_uri(exchange.request.message)
            if not exchange.accepted or not _moved(before, exchange):
                continue
            for notify in sub.heard(exchange.answered, sub.after(exchange)):
                arrived = notify.wire.local == exchange.request.local
                uri = notify.message.request_uri
                yield Finding(
                    arrived and _same_uri(uri, new),
                    f"a NOTIFY to {new}, at port {exchange.request.local[1]}",
                    f"to {uri[:200]}, at port {notify.wire.local[1]}",
                    notify.wire,
                )


def _moved(before: Exchange, after: Exchange) -> bool:
    old, new = _contact_uri(before.request.message), _contact_uri(after.request.message)
    return bool(old and new) and not _same_uri(old, new)


@RFC3261.row("UN-04", M, "RFC 3261 12.2.2", "A SUBSCRIBE in a subscription that has ended is answered 481.")
def ended_dialog_is_unknown(story: Story) -> Iterator[Finding]:
    for sub in story.subscriptions:
        ended = False
        for exchange in sub.exchanges:
            if ended and exchange.final is not None and exchange.status not in (401, 407):
                yield Finding(exchange.status == 481, "481", exchange.outcome, exchange.final)
            ended = ended or (exchange.accepted and exchange.kind is Kind.END)


def _all_notifies(story: Story) -> list[Notify]:
    """NOTIFYs of our subscriptions and those of our package that match none."""
    found = [notify for notify, _ in story.notifies]
    return [*found, *(notify for notify, _ in story.misdirected), *story.stray_notifies]
