"""Feature codes: a change by a call, and that the call alone never decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from featuresync.sync.as_feature_event import MEDIA_TYPE, PACKAGE
from featuresync.sync.csta import is_csta
from featuresync.sync.feature import Feature, FeatureState

from . import topics
from .calls import Call
from .exchange import package_of
from .outcome import outcome
from .rows import PRACTICE, M, O, P, Rows
from .story import Report, Story
from .trace import Quiet, Wire
from .verdict import Finding

CODES = Rows()
GUIDE = f"{PRACTICE} (guide)"


# -- what a code does -----------------------------------------------------------------------------


def _switched(forward: bool) -> Callable[[Story], Iterator[Finding]]:
    """A judge of changes by code: the call is answered, and what is read back is what was meant."""

    def judge(story: Story) -> Iterator[Finding]:
        for change in story.changes:
            if change.call is None or change.feature.is_forward != forward:
                continue
            expected = f"{change.call.dialled} answered, and {change.state} at the server"
            read = story.read_after(change)
            if read is None:
                continue
            held = read.states[change.feature]
            ok = change.call.accepted and held.satisfies(change.state)
            seen = f"{_went(change.call)}; read back: {held}"
            yield Finding(ok, expected, seen, change.call.exchange.final or change.at)

    return judge


def _went(call: Call) -> str:
    announced = "announcement, then " if call.early_announcement and not call.exchange.accepted else ""
    return announced + call.exchange.outcome


CODES.put(
    "FC-01",
    P,
    GUIDE,
    "A call to the code for DND on or off is answered, and switches it.",
    _switched(forward=False),
    "FC",
)
CODES.put(
    "FC-02",
    P,
    GUIDE,
    "A call to a forward's code is answered, and sets it with its number or takes it off.",
    _switched(forward=True),
    "FC",
)


@CODES.row("FC-03", O, "inferred", "A code that switches on does not switch off when dialled again.", "FC")
def repeated_code_does_not_toggle(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        if change.call is None or not change.state.on or change.refused:
            continue
        before = story.reported(change.account, change.feature, change.time)
        read = story.read_after(change)
        if before is not None and before.on and read is not None:
            held = read.states[change.feature]
            yield Finding(held.on, f"{change.feature.label} still on", f"read back: {held}", read.at)


# -- a server that tells nothing ------------------------------------------------------------------


@CODES.row("FC-04", P, GUIDE, "A system that cannot tell phones tells them nothing of a change.", "FC")
def nothing_is_pushed(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        claimed = story.fact(f"features.{change.feature}.server_side")
        if not change.flipped or claimed != "none" or not story.took(change):
            continue
        until = story.next_change(change.account, None, change.time)
        for quiet in story.trace.of(Quiet):
            there = story.account_of(quiet.actor) == change.account
            if there and change.done <= quiet.until < until and story.listened(quiet.actor, change.done):
                told = _told(story, quiet.actor, change.time, quiet.until)
                seen = f"{told.message.method}" if told else f"nothing in {quiet.until - change.done:.1f} s"
                yield Finding(told is None, f"nothing told to {quiet.actor}", seen, told or quiet)


def _told(story: Story, actor: str, since: float, until: float) -> Wire | None:
    """The first message about features that the actor was sent in that time."""
    for wire in story.trace.of(Wire):
        message = wire.message
        if wire.sent or wire.actor != actor or not since <= wire.time <= until or not message.is_request:
            continue
        ours = package_of(message) == PACKAGE or MEDIA_TYPE.encode() in message.raw.lower()
        if (message.method == "NOTIFY" and ours) or is_csta(message.header("content-type")):
            return wire
    return None


# -- codes dialled wrongly ------------------------------------------------------------------------


def _wrong(story: Story, topic: str) -> Iterator[Call]:
    return (call for call in story.calls if call.topic == topic and call.end < math.inf)


def _around(story: Story, call: Call, account: str) -> tuple[Report, Report] | None:
    """What the account held before a call and after it, before anything else was changed there."""
    calls = [other.start for other in story.calls if other.account == account and other.start > call.start]
    following = min(story.next_change(account, None, call.start), *calls, math.inf)
    own = [report for report in story.readings if report.account == account]
    before = [r for r in own if r.time <= call.start]
    after = [r for r in own if call.end <= r.time < following]
    changed = [c.time for c in story.changes if c.account == account and c.time < call.start]
    if not before or not after or before[-1].time < max(changed, default=0.0):
        return None
    return before[-1], after[-1]


def _altered(before: Report, after: Report, but: set[Feature]) -> list[FeatureState]:
    """Features other than ``but`` that are not what they were."""
    return [
        after.states[feature]
        for feature, state in before.states.items()
        if feature not in but and feature in after.states and after.states[feature] != state
    ]


@CODES.row("FC-05", P, "inferred", "An off code with digits behind it harms nobody.", "FC")
def off_code_with_digits_harms_nobody(story: Story) -> Iterator[Finding]:
    for call in _wrong(story, topics.OFF_WITH_DIGITS):
        for account in story.setting.accounts.values():
            held = _around(story, call, account)
            if held is not None:
                own = story.features_of(call) if account == call.account else set()
                harm = "; ".join(map(str, _altered(*held, own)))
                expected = f"no change at {account} by {call.dialled}"
                yield Finding(not harm, expected, harm or "no change", held[1].at)


@CODES.row("FC-06", P, PRACTICE, "An on code without a number does what the vendor says of it.", "FC")
def on_code_without_number(story: Story) -> Iterator[Finding]:
    for call in _wrong(story, topics.WITHOUT_NUMBER):
        held = _around(story, call, call.account)
        for feature in story.features_of(call):
            if held is None or any(feature not in report.states for report in held):
                continue
            claimed = story.fact(f"features.{feature}.codes.without_number")
            before, after = (report.states[feature] for report in held)
            if claimed in ("voicemail", "stored"):
                stored = after.number == before.number
                ok = after.on and bool(after.number) and stored == (claimed == "stored")
                expected = f"{feature.label} on, to {'the stored number' if claimed == 'stored' else claimed}"
            elif claimed in ("prompt", "refused"):
                ok, expected = not _altered(*held, set()), "no change"
            else:
                continue
            yield Finding(ok, expected, f"{_went(call)}; read back: {after}", held[1].at)


@CODES.row("FC-07", P, PRACTICE, "A code that means nothing changes nothing.", "FC")
def unknown_code_is_harmless(story: Story) -> Iterator[Finding]:
    yield from _harmless(story, topics.UNKNOWN_CODE, "")


@CODES.row("FC-08", P, PRACTICE, "A feature code without credentials changes nothing.", "FC")
def code_without_credentials_is_harmless(story: Story) -> Iterator[Finding]:
    yield from _harmless(story, topics.WITHOUT_CREDENTIALS, " without credentials")


def _harmless(story: Story, topic: str, how: str) -> Iterator[Finding]:
    """Refused or answered with an announcement: what counts is that nothing changes."""
    for call in _wrong(story, topic):
        held = _around(story, call, call.account)
        if held is not None:
            harm = "; ".join(map(str, _altered(*held, set())))
            seen = f"{_went(call)}; {'now: ' + harm if harm else 'no change'}"
            yield Finding(not harm, f"no change by {call.dialled}{how}", seen, call.exchange.final)


# -- the call itself ------------------------------------------------------------------------------


def _answered(story: Story) -> Iterator[Call]:
    """Calls to codes that the server answered with a 2xx."""
    return (call for call in story.calls if (call.meant or call.topic) and call.exchange.accepted)


@CODES.row("FC-09", O, PRACTICE, "The server itself ends the call to a code.", "FC")
def server_ends_the_call(story: Story) -> Iterator[Finding]:
    for call in _answered(story):
        if call.bye is not None:
            held = call.bye.time - call.exchange.answered
            by = "the phone" if call.bye.sent else "the server"
            yield Finding(not call.bye.sent, "BYE from the server", f"by {by} after {held:.1f} s", call.bye)


@CODES.row("FC-10", M, "RFC 3261 12.1.1, 12.2.1.1", "What the server sends in a call fits its dialog.", "FC")
def dialog_is_in_order(story: Story) -> Iterator[Finding]:
    for call in _answered(story):
        answer = call.exchange.final
        assert answer is not None
        message = answer.message
        there = {"To tag": message.to.tag, "Contact": message.header("contact")}
        lacking = ", ".join(name for name, value in there.items() if not value)
        yield Finding(
            not lacking, "2xx with To tag and Contact", f"no {lacking}" if lacking else "both", answer
        )
        ours = message.from_.tag
        last = -1
        for wire in call.wires:
            request = wire.message
            if wire.sent or not request.is_request or request.method in ("ACK", "CANCEL"):
                continue
            fits = (request.from_.tag, request.to.tag) == (message.to.tag, ours)
            order = request.cseq > last or wire.data in [w.data for w in call.wires if w is not wire]
            seen = f"{request.method} with " + ("the dialog's tags" if fits else "other tags")
            seen += "" if order else f", CSeq {request.cseq} after {last}"
            yield Finding(fits and order, f"{request.method} of the dialog, CSeq rising", seen, wire)
            last = max(last, request.cseq)


@CODES.row("ST-23", P, PRACTICE, "A change by feature code is told to subscriptions too.", "FC")
def change_by_code_is_told(story: Story) -> Iterator[Finding]:
    if story.fact("expect.notify_after_code") is not True:
        return
    for change in story.changes:
        for sub in story.subscriptions if change.call and not change.refused else ():
            if sub.account == change.account and sub.live(change.time):
                found = outcome(story, change, sub, story.deadline("confirmation"))
                if found.decided:
                    yield found.finding()
