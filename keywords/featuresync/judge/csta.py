"""uaCSTA: what a server tells phones by INFO."""

from __future__ import annotations

from collections.abc import Iterator

from featuresync.sync.csta import MEDIA_TYPE, CstaBody, is_csta, read_csta

from .rows import P, Rows
from .story import Change, Story
from .trace import Wire
from .verdict import Finding

CSTA = Rows()
TR87 = "ECMA TR/87"


def _events(story: Story) -> Iterator[tuple[Wire, CstaBody]]:
    """Every INFO with a uaCSTA body that one of our phones was sent, its first copy."""
    seen: set[tuple[str, bytes]] = set()
    for wire in story.trace.of(Wire):
        message = wire.message
        if wire.sent or message.method != "INFO" or (wire.actor, wire.data) in seen:
            continue
        seen.add((wire.actor, wire.data))
        if is_csta(message.header("content-type")) or b"ecma-323/csta" in message.body:
            yield wire, read_csta(message.body)


@CSTA.row("CS-01", P, TR87, f"An event is well-formed {MEDIA_TYPE}, of any edition of ECMA-323.", "C")
def event_is_well_formed(story: Story) -> Iterator[Finding]:
    for wire, body in _events(story):
        problems = list(body.problems)
        if not is_csta(wire.message.header("content-type")):
            problems.append(f"Content-Type {wire.message.header('content-type')[:80]!r}")
        seen = "; ".join(problems) or f"{body.root}, {body.edition}"
        yield Finding(not problems, f"{MEDIA_TYPE} of any edition", seen, wire)


@CSTA.row("CS-04", P, f"{TR87} (guide)", "A change at the server is told to the phones by INFO.", "C")
def change_is_told_by_info(story: Story) -> Iterator[Finding]:
    limit = story.deadline("push")
    for change in story.changes:
        claimed = story.fact(f"features.{change.feature}.server_side")
        if change.flipped and claimed == "uacsta" and story.took(change):
            until = story.next_change(change.account, change.feature, change.time)
            for actor in story.registered(change.account, change.time):
                yield from _told(story, change, actor, min(until, change.done + limit), until)


def _is_so(story: Story, change: Change) -> bool:
    """Whether the server held already what the change asks for: nothing need be told then."""
    held = story.held(change.account, change.feature, change.time)
    return held is not None and held.satisfies(change.state)


def _told(story: Story, change: Change, actor: str, in_time: float, until: float) -> Iterator[Finding]:
    said = [
        (wire, body.states[change.feature])
        for wire, body in _events(story)
        if wire.actor == actor and change.time <= wire.time < in_time and change.feature in body.states
    ]
    expected = f"an event to {actor} with {change.state} within {story.deadline('push'):g} s"
    if said:
        wire, state = said[-1]
        yield Finding(state.satisfies(change.state), expected, f"last event: {state}", wire)
    elif not _is_so(story, change) and story.watched(actor, change.done, story.deadline("push"), until):
        yield Finding(False, expected, "no event", change.at)
