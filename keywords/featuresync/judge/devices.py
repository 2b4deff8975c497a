"""Several phones: those of one account are told alike, those of another are not told at all."""

from __future__ import annotations

from collections.abc import Iterator

from .change import Change
from .exchange import Kind, Notify
from .outcome import outcome
from .rows import PRACTICE, P, R, Rows
from .story import Story
from .subscription import Subscription
from .verdict import Finding

DEVICES = Rows()


def _told(story: Story, change: Change, subs: list[Subscription]) -> Iterator[Finding]:
    """What each of them was told of a change within the ``push`` time."""
    for sub in subs:
        found = outcome(story, change, sub, story.deadline("push"))
        if found.decided and (found.last is not None or not change.flipped or story.alters(change)):
            said = found.finding()
            yield Finding(said.ok, f"to {sub.actor}: {said.expected}", said.seen, said.at)


def _live(story: Story, change: Change) -> list[Subscription]:
    return [s for s in story.subscriptions if s.account == change.account and s.live(change.time)]


@DEVICES.row(
    "MS-01", P, PRACTICE, "A change at the server is told in every living subscription of the account."
)
def change_reaches_every_subscription(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        living = _live(story, change)
        if change.flipped and len(living) > 1 and story.took(change):
            yield from _told(story, change, living)


@DEVICES.row("MS-02", P, PRACTICE, "A set by one phone is told to the account's other phones too.")
def set_reaches_the_others(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        if change.origin is not None and not change.refused:
            others = [sub for sub in _live(story, change) if sub is not change.origin]
            yield from _told(story, change, others)


@DEVICES.row("MS-03", R, "inferred", "The end of one phone's subscription leaves the others subscribed.")
def end_leaves_the_others(story: Story) -> Iterator[Finding]:
    for gone, end in story.accepted(Kind.END):
        for change in story.changes:
            if change.call is not None or change.account != gone.account:
                continue
            if change.time > end.answered and story.took(change):
                # Those that were there when the other one left, and still are.
                others = [sub for sub in _live(story, change) if sub is not gone and sub.live(end.answered)]
                yield from _told(story, change, others)


@DEVICES.row("MS-04", P, "inferred", "A change of one account is told to no other account.")
def other_accounts_are_not_told(story: Story) -> Iterator[Finding]:
    for notify, owner in story.misdirected:
        seen = f"a NOTIFY of {owner.account} came to {notify.wire.actor}"
        yield Finding(False, f"NOTIFYs of {owner.account} at its own phones only", seen, notify.wire)
    for change in story.changes:
        for sub in story.subscriptions:
            if sub.account == change.account or not sub.live(change.time):
                continue
            wrong = _unexplained(story, change, sub)
            expected = f"no NOTIFY to {sub.actor} because of {change.account}'s {change.state}"
            if wrong is not None:
                said = ", ".join(map(str, wrong.states.values())) or "no state"
                yield Finding(False, expected, f"a NOTIFY with {said}", wrong.wire)
            elif story.listened(sub.actor, change.done):
                yield Finding(True, expected, "none", change.at)


def _unexplained(story: Story, change: Change, sub: Subscription) -> Notify | None:
    """The first NOTIFY after another account's change for which there is no reason in this account."""
    until = min(
        sub.until,
        sub.next_subscribe(change.time),
        story.next_change(sub.account, None, change.time),
        change.done + story.deadline("push"),
    )
    latest = [e for e in sub.accepted if e.request.time <= change.time][-1]
    told = {feature for n in sub.heard(latest.request.time, change.time) for feature in n.states}
    awaited = until if story.assigned - told else change.time
    # While the phone's own SUBSCRIBE or change is still being answered, a NOTIFY may well come.
    awaited = min(awaited, latest.answered + story.deadline("full_state"))
    pending = story.touched(sub.account, change.time, change.time)
    for notify in sub.heard(change.time, until):
        said = notify.states.get(change.feature)
        own = story.reported(sub.account, change.feature, notify.time)
        leaked = said is not None and said.satisfies(change.state) and own is not None and said != own
        answers = notify.time < awaited or bool(pending & set(notify.states))
        if change.feature not in pending and leaked:
            return notify
        if not answers:
            return notify
    return None
