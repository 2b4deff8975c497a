"""RFC 6665 and the package: how a subscription starts, and for how long it is granted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from featuresync.sip.uri import parse_parameters
from featuresync.sync.as_feature_event import MEDIA_TYPE, PACKAGE
from featuresync.sync.feature import Feature

from .exchange import Exchange, Kind, Notify, number_in, package_of
from .rows import PRACTICE, M, P, Rows, S
from .story import Story
from .subscription import Subscription
from .topics import NO_SUCH_PACKAGE
from .verdict import Finding

START = Rows()

_LIMIT = 32.0
"""64*T1, seconds: when a transaction is given up (RFC 3261 17.1.2.2)."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which features the NOTIFYs after a SUBSCRIBE spoke of."""

    notifies: list[Notify]
    missing: list[Feature]
    decided: bool
    """False when the time was too short to say that something is missing."""

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def seen(self) -> str:
        if not self.missing:
            return f"all of it in {len(self.notifies)} NOTIFY(s)"
        if not self.notifies:
            return "no NOTIFY"
        bodies = sum(notify.has_body for notify in self.notifies)
        lack = ", ".join(feature.label for feature in self.missing)
        return f"{len(self.notifies)} NOTIFY(s), {bodies} with a body, nothing of {lack}"


def coverage(story: Story, sub: Subscription, exchange: Exchange) -> Coverage:
    """What the phone was told between an accepted SUBSCRIBE and the next one, in the full-state time."""
    limit, following = story.deadline("full_state"), sub.after(exchange)
    notifies = sub.heard(exchange.request.time, min(following, exchange.answered + limit + 1e-9))
    told = {feature for notify in notifies for feature in notify.states}
    missing = [feature for feature in Feature if feature in story.assigned - told]
    decided = not missing or story.watched(sub.actor, exchange.answered, limit, following)
    return Coverage(notifies, missing, decided)


def full_state(story: Story, sub: Subscription, exchange: Exchange) -> Iterator[Finding]:
    """The finding of a SUBSCRIBE that full state is due to."""
    found = coverage(story, sub, exchange)
    if story.assigned and found.decided:
        expected = f"the state of {len(story.assigned)} feature(s) within {story.deadline('full_state'):g} s"
        yield Finding(found.complete, expected, found.seen, exchange.final)


@START.row("SU-01", M, "RFC 3261 17.1.2", "A SUBSCRIBE gets a final response within 32 s.")
def final_response_comes(story: Story) -> Iterator[Finding]:
    for exchange in story.exchanges:
        if exchange.method != "SUBSCRIBE":
            continue
        for attempt in exchange.attempts:
            sent, final = attempt.request, attempt.final
            if final is not None:
                took = final.time - sent.time
                seen = f"{final.message.status} after {took:.3f} s"
                yield Finding(took <= _LIMIT, "a final response within 32 s", seen, final)
            elif story.watched(sent.actor, sent.time, _LIMIT):
                waited = min(story.end - sent.time, _LIMIT)
                yield Finding(False, "a final response within 32 s", f"none in {waited:.1f} s", sent)


@START.row("SU-02", M, "RFC 6665 8.3.1", "The success code of a SUBSCRIBE is 200.")
def success_is_200(story: Story) -> Iterator[Finding]:
    for _, exchange in story.accepted():
        yield Finding(exchange.status == 200, "200", exchange.outcome, exchange.final)


@START.row("SU-03", M, "RFC 6665 3.1.1", "The 2xx to a SUBSCRIBE has Expires.")
def success_has_expires(story: Story) -> Iterator[Finding]:
    for _, exchange in story.accepted():
        assert exchange.final is not None
        message = exchange.final.message
        seen = f"Expires: {message.header('expires')[:40]}" if message.has("expires") else "no Expires"
        readable = number_in(message, "expires") is not None
        yield Finding(readable, "Expires with a number of seconds", seen, exchange.final)


@START.row("SU-04", M, "RFC 6665 3.1.1", "The 2xx to a SUBSCRIBE grants no longer time than was asked for.")
def no_more_is_granted_than_asked(story: Story) -> Iterator[Finding]:
    for _, exchange in story.accepted():
        assert exchange.final is not None
        said = number_in(exchange.final.message, "expires")
        if said is not None and exchange.requested is not None:
            yield Finding(said <= exchange.requested, f"Expires of at most {exchange.requested}",
                          f"Expires: {said}", exchange.final)  # fmt: skip


@START.row("SU-05", M, "RFC 6665 8.1.1, RFC 3261 12.1.1", "The 2xx to a SUBSCRIBE has Contact and a To tag.")
def success_makes_a_dialog(story: Story) -> Iterator[Finding]:
    for _, exchange in story.accepted():
        assert exchange.final is not None
        message = exchange.final.message
        lacks = [] if message.header("contact") else ["no Contact"]
        lacks += [] if message.to.tag else ["no To tag"]
        yield Finding(not lacks, "Contact and a To tag", " and ".join(lacks) or "both", exchange.final)


@START.row("SU-07", M, "RFC 6665 4.2.1.1, 8.3.2", "An unknown package is refused with 489 and Allow-Events.")
def unknown_package_is_refused(story: Story) -> Iterator[Finding]:
    for exchange in story.exchanges:
        if exchange.method != "SUBSCRIBE" or exchange.final is None or exchange.status in (401, 407):
            continue
        unknown = package_of(exchange.first.message) == NO_SUCH_PACKAGE
        numbered = ";" in exchange.first.message.header("event")
        if not unknown and (exchange.status != 489 or numbered):
            continue
        lists = exchange.final.message.has("allow-events")
        seen = exchange.outcome + (", Allow-Events" if lists else ", no Allow-Events")
        yield Finding(exchange.status == 489 and lists, "489 with Allow-Events", seen, exchange.final)


@START.row("SU-08", S, "RFC 6665 4.4.4", "Allow-Events in a 2xx to OPTIONS or SUBSCRIBE lists the package.")
def package_is_listed(story: Story) -> Iterator[Finding]:
    without = {e.first.remote for _, e in story.subscribes if e.status == 489}
    options = [e for e in story.exchanges if e.method == "OPTIONS" and e.accepted]
    asked = [e for e in options if e.first.remote not in without]
    if not asked or not story.claims("as-feature-event"):
        return
    answers = [e for e in [*asked, *(e for _, e in story.accepted())] if e.final is not None]
    listed = {item for e in answers if e.final for item in e.final.message.headers("allow-events")}
    seen = f"Allow-Events: {', '.join(sorted(listed))[:200]}" if listed else "no Allow-Events"
    yield Finding(PACKAGE in listed, f"Allow-Events with {PACKAGE}", seen, asked[-1].final)


@START.row(
    "SU-11", M, "RFC 6665 8.2.1", "NOTIFYs repeat the Event id of the SUBSCRIBE, or have none as it had none."
)
def event_id_is_repeated(story: Story) -> Iterator[Finding]:
    for sub in story.subscriptions:
        first = sub.exchanges[0]
        due = _event_id(first.first.message.header("event"))
        expected = f"id={due}" if due is not None else "no id"
        if due is not None and first.status == 489:
            yield Finding(False, f"a subscription with {expected}", first.outcome, first.final)
        for notify in sub.notifies:
            if notify.message.has("event"):
                value = notify.message.header("event")
                yield Finding(_event_id(value) == due, expected, f"Event: {value[:80]}", notify.wire)


def _event_id(value: str) -> str | None:
    return parse_parameters(value.partition(";")[2]).get("id")


@START.row("SU-12", P, PRACTICE, "A SUBSCRIBE without Accept gets the state in the package's own type.")
def no_accept_header_is_understood(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.subscribes:
        if exchange.kind not in (Kind.START, Kind.FETCH) or exchange.first.message.has("accept"):
            continue
        expected = f"state of type {MEDIA_TYPE}"
        if exchange.status in (400, 406):
            yield Finding(False, expected, exchange.outcome, exchange.final)
        elif exchange.accepted:
            found = coverage(story, sub, exchange)
            documents = [d for n in found.notifies for d in n.body.documents if d.state is not None]
            types = sorted({document.media_type or "no type" for document in documents})
            ok = types == [MEDIA_TYPE]
            if documents or story.watched(
                sub.actor, exchange.answered, story.deadline("full_state"), sub.after(exchange)
            ):
                yield Finding(ok, expected, ", ".join(types) or found.seen, exchange.final)


@START.row("SU-13", P, PRACTICE, "An Accept of just the package's own type still yields the full state.")
def plain_accept_header_is_understood(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.subscribes:
        if exchange.kind not in (Kind.START, Kind.FETCH):
            continue
        accepts = [v.partition(";")[0].strip().lower() for v in exchange.first.message.headers("accept")]
        if accepts != [MEDIA_TYPE]:
            continue
        if exchange.status in (400, 406):
            yield Finding(False, "the full state", exchange.outcome, exchange.final)
        elif exchange.accepted:
            yield from full_state(story, sub, exchange)


@START.row("SU-20", P, PRACTICE, "The initial, empty SUBSCRIBE is followed by the state of every feature.")
def start_is_followed_by_full_state(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.accepted(Kind.START):
        if not exchange.first.message.body:
            yield from full_state(story, sub, exchange)


@START.row("EX-01", M, "RFC 6665 3.1.1", "A SUBSCRIBE without Expires is granted a length, shown in the 2xx.")
def default_length_is_granted(story: Story) -> Iterator[Finding]:
    for _, exchange in story.subscribes:
        if exchange.kind is not Kind.START or exchange.first.message.has("expires"):
            continue
        if exchange.accepted and exchange.final is not None:
            granted = number_in(exchange.final.message, "expires")
            seen = f"{exchange.outcome}, Expires: {granted}" if granted is not None else "2xx without Expires"
            yield Finding(bool(granted), "2xx with an Expires above 0", seen, exchange.final)
        elif exchange.status in (400, 423):
            yield Finding(False, "2xx with an Expires above 0", exchange.outcome, exchange.final)


@START.row(
    "EX-02",
    M,
    "RFC 6665 4.2.1.1",
    "A length is granted, or refused with 423 and Min-Expires if it is under an hour and not 0.",
)
def only_short_lengths_are_refused(story: Story) -> Iterator[Finding]:
    for _, exchange in story.subscribes:
        asked = exchange.requested
        if exchange.final is None or asked is None:
            continue
        if not exchange.accepted and exchange.status not in (400, 423):
            continue
        if exchange.status == 423:
            least = number_in(exchange.final.message, "min-expires")
            said = "no Min-Expires" if least is None else f"Min-Expires: {least}"
            seen = f"423 to Expires: {asked}, {said}"
            ok = least is not None and asked < least and 0 < asked < 3600
        elif exchange.status == 400 and not (exchange.kind is Kind.START and 0 < asked < 60):
            continue
        else:
            ok, seen = exchange.accepted, f"{exchange.outcome} to Expires: {asked}"
        yield Finding(ok, "2xx, or for 1 to 3599 s 423 with Min-Expires", seen, exchange.final)


@START.row(
    "EX-07",
    M,
    "RFC 6665 4.1.3, 4.2.2",
    "The expires of each NOTIFY is the time the subscription has left, to 2 s, and falls between refreshes.",
)
def notified_expires_is_the_time_left(story: Story) -> Iterator[Finding]:
    for notify, sub in story.notifies:
        said = notify.subscription_state.expires
        left = sub.seconds_left(notify.time)
        if said is None or notify.terminated or not left:
            continue
        due = " or ".join(f"{max(seconds, 0):.0f}" for seconds in left)
        ok = any(abs(said - seconds) <= 2 for seconds in left)
        yield Finding(ok, f"expires={due}, 2 s more or less", f"expires={said}", notify.wire)
