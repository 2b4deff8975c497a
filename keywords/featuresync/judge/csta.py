"""uaCSTA: what a server tells phones by INFO."""

from __future__ import annotations

from collections.abc import Iterator

from featuresync.sync.csta import MEDIA_TYPE, CstaBody, is_csta, read_csta

from .change import Change
from .exchange import Received
from .rows import P, Rows
from .story import Story
from .verdict import Finding

CSTA = Rows()
TR87 = "ECMA TR/87"


def told_by_info(story: Story) -> Iterator[tuple[Received, CstaBody]]:
    """Every INFO that one of our phones was sent and that is uaCSTA by its type or by its body."""
    for info in story.received:
        if info.message.method == "INFO":
            typed = is_csta(info.message.header("content-type"))
            if typed or b"ecma-323/csta" in info.message.body:
                yield info, read_csta(info.message.body)


@CSTA.row(
    "CS-01",
    P,
    TR87,
    f"An event has the type {MEDIA_TYPE} and is well-formed, in any edition of ECMA-323.",
    "C",
)
def event_is_well_formed(story: Story) -> Iterator[Finding]:
    for info, body in told_by_info(story):
        wrong = list(body.problems)
        if not is_csta(info.message.header("content-type")):
            wrong.append(f"Content-Type {info.message.header('content-type')[:80]!r}")
        seen = "; ".join(wrong)[:400] or f"{body.root}, {body.edition}"
        yield Finding(not wrong, f"{MEDIA_TYPE} of any edition", seen, info.wire)


@CSTA.row(
    "CS-04",
    P,
    f"{TR87} (guide)",
    "A change at the server is told to each registered phone of the account by INFO, and to no other.",
    "C",
)
def change_is_told_by_info(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        claimed = story.fact(f"features.{change.feature}.server_side")
        if change.flipped and claimed == "uacsta" and story.took(change):
            until = story.next_change(change.account, change.feature, change.time)
            for actor in story.phones.registered(change.account, change.time):
                yield from _told(story, change, actor, until)
            for stranger in sorted(set(story.setting.accounts.values()) - {change.account}):
                for actor in story.phones.registered(stranger, change.time):
                    yield from _not_told(story, change, actor, stranger)


def _told(story: Story, change: Change, actor: str, until: float) -> Iterator[Finding]:
    limit = story.deadline("push")
    said = [
        (info, body.states[change.feature])
        for info, body in told_by_info(story)
        if info.actor == actor and change.time <= info.time < until and change.feature in body.states
    ]
    in_time = [one for one in said if one[0].time <= change.done + limit]
    expected = f"an event to {actor} with {change.state} within {limit:g} s, answered 200"
    watched = story.watched(actor, change.done, limit, until)
    if in_time:
        info, state = in_time[-1]
        # Until the phone has answered nothing is wrong yet.
        ok = state.satisfies(change.state) and info.status in (0, 200)
        if ok or watched or info.status not in (0, 200):
            answered = f", answered {info.status}" if info.status else ""
            yield Finding(ok, expected, f"last event: {state}{answered}", info.wire)
    elif watched and not story.is_so(change):
        late = f"event with {said[0][1]} only after {said[0][0].time - change.done:.1f} s" if said else ""
        yield Finding(False, expected, late or f"no event about the {change.feature.label}", change.at)


def _not_told(story: Story, change: Change, actor: str, account: str) -> Iterator[Finding]:
    following = story.next_change(account, change.feature, change.time)
    until = min(following, change.done + story.deadline("push"))
    expected = f"no event to {actor}, a phone of {account}"
    for info, body in told_by_info(story):
        if info.actor == actor and change.time <= info.time < until and change.feature in body.states:
            yield Finding(False, expected, f"event: {body.states[change.feature]}", info.wire)
            return
    if story.listened(actor, change.done):
        yield Finding(True, expected, "none", change.at)
