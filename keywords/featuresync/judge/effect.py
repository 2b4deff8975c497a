"""Effect: that the state of the features shows in real calls. Read from the wire alone.

One of our phones calls the account under test; at which of our other phones an INVITE arrives meanwhile is
where the call went.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from featuresync.sync.feature import Feature, FeatureState

from .calls import Call
from .rows import PRACTICE, P, Rows
from .story import Story
from .trace import Awaited, Wire
from .verdict import Finding

EFFECT = Rows()
DND, ALWAYS, BUSY, NO_ANSWER = Feature
CLAUSE = f"{PRACTICE} (effect on calls)"


@dataclass(frozen=True)
class Visit:
    """One call to an account, the features it met there, and where it arrived."""

    call: Call
    callee: str
    held: dict[Feature, FeatureState]
    arrived: dict[str, Wire]
    """Account → the first INVITE that reached a phone of it."""
    busy: bool
    """Every phone of the callee that was reached answered 486."""
    decided: bool
    """Whether it means something that the call did not arrive somewhere."""

    def on(self, feature: Feature) -> bool:
        return feature in self.held and self.held[feature].on

    @property
    def where(self) -> str:
        outcome = self.call.exchange.outcome
        return f"rang at {' and '.join(self.arrived)}" if self.arrived else f"rang nowhere ({outcome})"

    def target(self, feature: Feature) -> str:
        return self.held[feature].number

    def finding(self, ok: bool, expected: str, *allowed: str) -> Iterator[Finding]:
        """Nothing, while the call may still go where it should and has gone nowhere else than ``allowed``."""
        if ok or self.decided or set(self.arrived) - set(allowed):
            yield Finding(ok, expected, self.where, self.call.exchange.final or self.call.exchange.request)


def visits(story: Story) -> Iterator[Visit]:
    accounts = set(story.setting.accounts.values())
    for call in story.calls:
        if call.dialled not in accounts or call.topic or call.meant is not None:
            continue
        held = {f: state for f in Feature if (state := story.held(call.dialled, f, call.start)) is not None}
        came = [
            wire
            for wire in story.trace.of(Wire)
            if _is_call(wire) and wire.actor != call.actor and call.start <= wire.time <= call.end
        ]
        arrived: dict[str, Wire] = {}
        for wire in came:
            arrived.setdefault(story.account_of(wire.actor), wire)
        own = [wire for wire in came if story.account_of(wire.actor) == call.dialled]
        busy = bool(own) and all(_answered_busy(story, wire) for wire in own)
        yield Visit(call, call.dialled, held, arrived, busy, _decided(story, call))


def _is_call(wire: Wire) -> bool:
    message = wire.message
    return not wire.sent and message.is_request and message.method == "INVITE" and not message.to.tag


def _answered_busy(story: Story, invite: Wire) -> bool:
    return any(
        wire.sent
        and wire.actor == invite.actor
        and wire.message.call_id == invite.message.call_id
        and not wire.message.is_request
        and wire.message.status == 486
        for wire in story.trace.of(Wire)
    )


def _decided(story: Story, call: Call) -> bool:
    """The server ended it with a refusal that no CANCEL of ours asked for, or somebody waited in vain."""
    gave_up = any(wire.sent and wire.message.method == "CANCEL" for wire in call.wires)
    refused = call.exchange.status >= 300 and call.end < math.inf and not gave_up
    waited = any(not w.met and call.start <= w.time <= call.end for w in story.trace.of(Awaited))
    return refused or waited


def _row(id: str, text: str) -> Callable[[Callable[[Visit], Iterator[Finding]]], object]:
    def add(judge: Callable[[Visit], Iterator[Finding]]) -> object:
        EFFECT.put(id, P, CLAUSE, text, lambda story: (f for v in visits(story) for f in judge(v)), "EF")
        return judge

    return add


@_row("EF-01", "With DND on, a call does not reach a phone of the account.")
def dnd_keeps_quiet(visit: Visit) -> Iterator[Finding]:
    if visit.on(DND) and not visit.on(ALWAYS):
        reached = visit.callee in visit.arrived
        yield from visit.finding(visit.decided and not reached, f"no ringing at {visit.callee}")


@_row("EF-02", "With the unconditional forward on, a call reaches its target and not the phone.")
def unconditional_forward_reaches(visit: Visit) -> Iterator[Finding]:
    if visit.on(ALWAYS):
        target = visit.target(ALWAYS)
        yield from visit.finding(set(visit.arrived) == {target}, f"ringing at {target} alone", target)


@_row("EF-03", "With the busy forward on, a call to a busy phone reaches its target.")
def busy_forward_reaches(visit: Visit) -> Iterator[Finding]:
    if visit.busy and visit.on(BUSY) and not visit.on(ALWAYS) and not visit.on(DND):
        target = visit.target(BUSY)
        yield from visit.finding(target in visit.arrived, f"ringing at {target}", target, visit.callee)


@_row("EF-04", "With the no-answer forward on, a call that nobody answers reaches its target in the end.")
def no_answer_forward_reaches(visit: Visit) -> Iterator[Finding]:
    if visit.on(NO_ANSWER) and not visit.busy and not visit.on(ALWAYS) and not visit.on(DND):
        target = visit.target(NO_ANSWER)
        ok = [visit.callee, target] == list(visit.arrived)
        yield from visit.finding(ok, f"ringing at {visit.callee}, then at {target}", visit.callee)


@_row("EF-05", "With every feature off, a call reaches the phone that was called and nobody else.")
def call_reaches_the_phone(visit: Visit) -> Iterator[Finding]:
    if visit.held and not any(state.on for state in visit.held.values()):
        ok = set(visit.arrived) == {visit.callee}
        yield from visit.finding(ok, f"ringing at {visit.callee} alone", visit.callee)
