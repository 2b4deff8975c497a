"""Effect: that the state of the features shows in real calls. Read from the wire alone.

One of our phones calls an account of the bench; at which of our other phones an INVITE arrives meanwhile
is where the call went.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from featuresync.sync.feature import Feature, FeatureState

from .calls import Call
from .exchange import Received
from .rows import PRACTICE, P, Rows
from .story import Story
from .subscription import user_of
from .verdict import Finding

EFFECT = Rows()
DND, ALWAYS, BUSY, NO_ANSWER = Feature
CLAUSE = f"{PRACTICE} (effect on calls)"
_NEVER_PLACED = (401, 403, 407)


@dataclass(frozen=True, eq=False)
class Visit:
    """One call to an account, the features it met there, and where it went."""

    story: Story
    call: Call
    callee: str
    held: dict[Feature, FeatureState | None]
    """None where nobody knows."""
    until: float
    """When it was over, or somebody changed a feature of the callee's."""

    @cached_property
    def arrivals(self) -> list[Received]:
        """The INVITEs by which it reached our phones, in order."""
        since = self.call.exchange.first.time
        return [one for one in self.story.received if since <= one.time <= self.until and _carries(self, one)]

    def at(self, account: str) -> list[Received]:
        """Those that reached a phone of the account."""
        return [one for one in self.arrivals if self.story.phones.account_of(one.actor) == account]

    @property
    def own(self) -> list[Received]:
        return self.at(self.callee)

    def on(self, feature: Feature) -> bool:
        state = self.held.get(feature)
        return state is not None and state.on

    def off(self, *features: Feature) -> bool:
        """True when each is known to be off; a feature that the account has not is off."""
        return all(
            feature not in self.held or ((state := self.held[feature]) is not None and not state.on)
            for feature in features
        )

    def target(self, feature: Feature) -> str:
        """The account that the forward points at, "" when it is none of the bench's."""
        state = self.held.get(feature)
        number = state.number if state else ""
        accounts = set(self.story.setting.accounts.values())
        return next((one for one in (number, user_of(number)) if one in accounts), "")

    def phones(self, account: str) -> list[str]:
        return self.story.phones.registered(account, self.call.start)

    def missed(self, account: str, deadline: str, since: float | None = None) -> bool:
        """Whether it means something that the call did not reach the account's phones.

        It does when the server has ended the call, or when somebody waited for it there long enough.
        """
        ended = self.call.exchange.final is not None and self.call.given_up is None
        if ended and self.call.exchange.answered <= self.until:
            return True
        start = self.call.exchange.first.time if since is None else since
        limit = self.story.deadline(deadline)
        return any(self.story.watched(actor, start, limit, self.until) for actor in self.phones(account))

    def in_time(self, arrivals: list[Received], deadline: str, since: float | None = None) -> bool:
        """Whether the first of them came within the deadline, counted from the first INVITE."""
        start = self.call.exchange.first.time if since is None else since
        return bool(arrivals) and arrivals[0].time <= start + self.story.deadline(deadline)

    @property
    def where(self) -> str:
        if not self.arrivals:
            return f"reached no phone: {self.call.outcome}"
        account_of = self.story.phones.account_of
        return "reached " + ", then ".join(
            f"{one.actor} of {account_of(one.actor)} after {one.time - self.call.exchange.first.time:.1f} s"
            + (f" ({one.status})" if one.status else "")
            for one in self.arrivals[:6]
        )

    def finding(self, ok: bool, expected: str) -> Finding:
        at = self.arrivals[-1].wire if self.arrivals else self.call.exchange.request
        return Finding(ok, expected, self.where, at)


def _visits(story: Story) -> Iterator[Visit]:
    accounts = set(story.setting.accounts.values())
    for call in story.calls:
        if call.dialled not in accounts - {call.account} or call.status in _NEVER_PLACED:
            continue
        held = {feature: story.held(call.dialled, feature, call.start) for feature in story.assigned}
        until = min(call.end, story.next_change(call.dialled, None, call.start))
        visit = Visit(story, call, call.dialled, held, until)
        if visit.phones(call.dialled):
            yield visit


def _carries(visit: Visit, received: Received) -> bool:
    """Whether an INVITE that reached one of our phones is that call: a server in between gives it other ids.

    It is by its Call-ID or its caller; where a server hides both, when no other call is under way.
    """
    message, call = received.message, visit.call
    if message.method != "INVITE" or message.to.tag or received.actor == call.actor:
        return False
    if message.call_id == call.exchange.request.message.call_id:
        return True
    named = {user_of(message.from_.uri), user_of(message.header("p-asserted-identity"))}
    if call.account in named:
        return True
    others = (c for c in visit.story.calls if c is not call and c.start <= received.time <= c.end)
    return not any(others)


def _row(id: str, text: str) -> Callable[[Callable[[Visit], Iterator[Finding]]], None]:
    def add(judge: Callable[[Visit], Iterator[Finding]]) -> None:
        def over(story: Story) -> Iterator[Finding]:
            for visit in _visits(story):
                yield from judge(visit)

        EFFECT.put(id, P, CLAUSE, text, over, "EF")

    return add


@_row("EF-01", "With DND on, a call does not reach a phone of the account.")
def dnd_keeps_quiet(visit: Visit) -> Iterator[Finding]:
    if visit.on(DND) and visit.off(ALWAYS) and (visit.own or visit.missed(visit.callee, "ring")):
        yield visit.finding(not visit.own, f"no phone of {visit.callee} reached")


@_row("EF-02", "With the unconditional forward on, a call reaches its target and not the phone.")
def unconditional_forward_reaches(visit: Visit) -> Iterator[Finding]:
    if not visit.on(ALWAYS) or not visit.off(DND):
        return
    target = visit.target(ALWAYS)
    if not visit.phones(target):
        if visit.own or visit.missed(visit.callee, "ring"):
            yield visit.finding(not visit.own, f"no phone of {visit.callee} reached")
    elif visit.own or visit.at(target) or visit.missed(target, "ring"):
        ok = not visit.own and visit.in_time(visit.at(target), "ring")
        yield visit.finding(
            ok, f"a phone of {target} reached {_within(visit, 'ring')}, none of {visit.callee}"
        )


@_row("EF-03", "With the busy forward on, a call to a busy phone reaches its target.")
def busy_forward_reaches(visit: Visit) -> Iterator[Finding]:
    target = visit.target(BUSY)
    if not visit.on(BUSY) or not visit.off(DND, ALWAYS) or not visit.phones(target):
        return
    reached = visit.at(target)
    if visit.own and all(one.status == 486 for one in visit.own):
        since = max(one.answers[-1].time for one in visit.own)
        if reached or visit.missed(target, "ring", since):
            expected = f"a phone of {target} reached {_within(visit, 'ring')} of the 486"
            yield visit.finding(visit.in_time(reached, "ring", since), expected)
    elif reached and visit.off(NO_ANSWER):
        yield visit.finding(False, f"no phone of {target} reached before that of {visit.callee} was busy")


@_row("EF-04", "With the no-answer forward on, a call that nobody answers reaches its target in the end.")
def no_answer_forward_reaches(visit: Visit) -> Iterator[Finding]:
    target = visit.target(NO_ANSWER)
    if not visit.on(NO_ANSWER) or not visit.off(DND, ALWAYS) or not visit.phones(target):
        return
    if any(one.status == 486 for one in visit.own):
        return
    first = visit.own[0].time if visit.in_time(visit.own, "ring") else math.inf
    reached = visit.at(target)
    if reached or visit.missed(target, "no_answer"):
        ok = bool(reached) and first < reached[0].time and visit.in_time(reached, "no_answer")
        limit = _within(visit, "no_answer")
        yield visit.finding(ok, f"a phone of {visit.callee} reached, then one of {target} {limit}")


@_row("EF-05", "With every feature off, a call reaches the phone that was called and nobody else.")
def call_reaches_the_phone(visit: Visit) -> Iterator[Finding]:
    if visit.held and visit.off(*Feature) and (visit.arrivals or visit.missed(visit.callee, "ring")):
        ok = visit.in_time(visit.own, "ring") and len(visit.own) == len(visit.arrivals)
        yield visit.finding(ok, f"a phone of {visit.callee} reached {_within(visit, 'ring')}, nobody else's")


def _within(visit: Visit, deadline: str) -> str:
    return f"within {visit.story.deadline(deadline):g} s"
