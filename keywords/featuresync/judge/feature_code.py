"""Feature codes: what a call to one changes. The call's status alone never decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from featuresync.sync.as_feature_event import MEDIA_TYPE, PACKAGE
from featuresync.sync.feature import Feature, FeatureState

from .calls import Call
from .change import Change
from .csta import told_by_info
from .exchange import package_of
from .outcome import outcome
from .rows import PRACTICE, O, P, Rows
from .story import Story
from .topics import OFF_WITH_DIGITS, UNKNOWN_CODE, WITHOUT_CREDENTIALS, WITHOUT_NUMBER
from .trace import Event, Quiet, Wire
from .verdict import Finding

CODES = Rows()
GUIDE = f"{PRACTICE} (guide)"
_LIMIT = 32.0
"""64*T1, seconds: when an INVITE without any response is given up (RFC 3261 17.1.1.2)."""


# -- what a code does -----------------------------------------------------------------------------


def _switched(forward: bool) -> Callable[[Story], Iterator[Finding]]:
    """A judge of changes by code: the call is answered, and what is read back is what was meant."""

    def judge(story: Story) -> Iterator[Finding]:
        for change in story.changes:
            call = change.call
            if call is None or change.feature.is_forward != forward or call.cut_short:
                continue
            read = story.read_after(change)
            held = read.states[change.feature] if read else None
            # The call alone decides nothing; but one that nobody answers at all cannot be right.
            if held is None and not (call.status == 0 and story.watched(call.actor, call.start, _LIMIT)):
                continue
            expected = f"{call.dialled} answered, and {change.state} at the server"
            ok = call.accepted and held is not None and held.satisfies(change.state)
            seen = f"{call.outcome}; read back: {held or 'nothing'}"
            yield Finding(ok, expected, seen, call.exchange.final or change.at)

    return judge


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
        read = story.read_after(change) if change.call is not None and change.state.on else None
        before = story.held(change.account, change.feature, change.time) if read else None
        if read is not None and before is not None and before.satisfies(change.state):
            held = read.states[change.feature]
            yield Finding(held.on, f"{change.feature.label} still on", f"read back: {held}", read.at)


@CODES.row("ST-23", P, PRACTICE, "A change by feature code is told to subscriptions too.", "R FC")
def change_by_code_is_told(story: Story) -> Iterator[Finding]:
    if story.fact("expect.notify_after_code") is not True:
        return
    for change in story.changes:
        if change.call is None or change.refused:
            continue
        for sub in story.subscriptions:
            if sub.account == change.account and sub.live(change.time):
                found = outcome(story, change, sub, story.deadline("confirmation"))
                # Nothing need come when nothing changed.
                if found.decided and (found.last is not None or not story.is_so(change)):
                    yield found.finding()


# -- a server that tells nothing ------------------------------------------------------------------


@CODES.row("FC-04", P, GUIDE, "A system that cannot tell phones tells them nothing of a change.", "FC")
def nothing_is_pushed(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        claimed = story.fact(f"features.{change.feature}.server_side")
        if change.flipped and claimed == "none" and story.took(change):
            for actor in story.phones.registered(change.account, change.time):
                yield from _silence(story, change, actor)


def _silence(story: Story, change: Change, actor: str) -> Iterator[Finding]:
    following = story.next_change(change.account, None, change.time)
    # What answers a SUBSCRIBE of the phone's own is no push.
    asked = [e.first.time for _, e in story.subscribes if e.actor == actor and e.first.time > change.time]
    until = min(following, *asked, math.inf)
    told = [wire for wire in _told(story, actor) if change.time <= wire.time < until]
    heard = [q for q in story.trace.of(Quiet) if q.actor == actor and change.done <= q.until < until]
    if told:
        yield Finding(False, f"nothing told to {actor}", told[0].message.method, told[0])
    elif heard and story.listened(actor, change.done, until):
        silent = heard[-1].until - change.done
        yield Finding(True, f"nothing told to {actor}", f"nothing in {silent:.1f} s", heard[-1])


def _told(story: Story, actor: str) -> list[Wire]:
    """Messages about features that the phone was sent without being asked for, in order."""
    notifies = [*(notify for notify, _ in [*story.notifies, *story.misdirected]), *story.stray_notifies]
    told = [
        notify.wire
        for notify in notifies
        if package_of(notify.message) == PACKAGE or MEDIA_TYPE.encode() in notify.message.raw.lower()
    ]
    told += [info.wire for info, _ in told_by_info(story)]
    return sorted((wire for wire in told if wire.actor == actor), key=lambda wire: wire.time)


# -- codes dialled wrongly ------------------------------------------------------------------------


def _wrong(story: Story, topic: str) -> Iterator[Call]:
    """The calls that are wrong in that way on purpose, and are over."""
    return (call for call in story.calls if call.topic == topic and call.end < math.inf)


class _Aftermath:
    """What an account held before a call and what was read back after it, where nobody changed it between."""

    def __init__(self, story: Story, call: Call, account: str) -> None:
        following = min(story.next_change(account, None, call.start), story.next_wrong_call(call.start))
        after = [r for r in story.readings if r.account == account and call.end <= r.time < following]
        self.at: Event | None = after[-1].at if after else None
        """The reading."""
        self.after = dict(after[-1].states) if after else {}
        known = {feature: story.held(account, feature, call.start) for feature in self.after}
        self.before = {feature: state for feature, state in known.items() if state is not None}

    def harm(self, but: Feature | None = None) -> list[str]:
        """The features, other than ``but``, that are not as they were."""
        return [
            f"{self.after[feature]} (was: {state})"
            for feature, state in self.before.items()
            if feature is not but and not self.after[feature].satisfies(state)
        ]


@CODES.row("FC-05", P, "inferred", "An off code with digits behind it harms nobody.", "FC")
def off_code_with_digits_harms_nobody(story: Story) -> Iterator[Finding]:
    for call in _wrong(story, OFF_WITH_DIGITS):
        others = set(story.setting.accounts.values()) - {call.account}
        # The one whose number was dialled matters; where that cannot be told, all of them do.
        named = {account for account in others if call.dialled.endswith(account)}
        for account in sorted(named or others):
            seen = _Aftermath(story, call, account)
            if seen.before:
                harm = "; ".join(seen.harm()) or "no change"
                expected = f"no change at {account} by {call.dialled}"
                yield Finding(not seen.harm(), expected, f"{call.outcome}; {harm}", seen.at)


@CODES.row("FC-06", P, PRACTICE, "An on code without a number does what the vendor says of it.", "FC")
def on_code_without_number(story: Story) -> Iterator[Finding]:
    for call in _wrong(story, WITHOUT_NUMBER):
        feature, seen = call.touches, _Aftermath(story, call, call.account)
        if feature is None or feature not in seen.before or call.cut_short:
            continue
        claimed = story.fact(f"features.{feature}.codes.without_number")
        after, harm = seen.after[feature], seen.harm(but=feature)
        known = _numbers(story, call.account, feature, call.start)
        if claimed == "voicemail":
            ok = after.on and bool(after.number) and after.number not in known
            expected = f"{feature.label} on, to a number of the system's own"
        elif claimed == "stored" and known:
            ok = after.on and after.number == known[-1]
            expected = str(FeatureState(feature, True, known[-1]))
        elif claimed in ("prompt", "refused"):
            ok, expected = after.satisfies(seen.before[feature]), "no change"
        else:
            continue
        said = "; ".join([f"{call.outcome}; read back: {after}", *harm])
        yield Finding(ok and not harm, f"{expected}, nothing else changed", said, seen.at)


def _numbers(story: Story, account: str, feature: Feature, before: float) -> list[str]:
    """Every number that the forward is known to have had, in order."""
    said = [(r.time, r.states[feature].number) for r in story.reports
            if r.account == account and feature in r.states]  # fmt: skip
    said += [(c.time, c.state.number) for c in story.changes if (c.account, c.feature) == (account, feature)]
    return [number for time, number in sorted(said) if number and time < before]


@CODES.row("FC-07", P, PRACTICE, "A code that means nothing changes nothing.", "FC")
def unknown_code_is_harmless(story: Story) -> Iterator[Finding]:
    yield from _harmless(story, UNKNOWN_CODE, "")


@CODES.row("FC-08", P, PRACTICE, "A feature code without credentials changes nothing.", "FC")
def code_without_credentials_is_harmless(story: Story) -> Iterator[Finding]:
    yield from _harmless(story, WITHOUT_CREDENTIALS, " without credentials")


def _harmless(story: Story, topic: str, how: str) -> Iterator[Finding]:
    """Refused or answered with an announcement: what counts is that nothing changes."""
    for call in _wrong(story, topic):
        seen = _Aftermath(story, call, call.account)
        if seen.before:
            harm = "; ".join(seen.harm())
            expected = f"no change by {call.dialled}{how}"
            yield Finding(not harm, expected, f"{call.outcome}; {harm or 'no change'}", seen.at)
