"""What came of a change, as a phone was told it: the resulting state, after the burst has settled."""

from __future__ import annotations

from dataclasses import dataclass

from featuresync.sync.feature import FeatureState

from .change import Change
from .exchange import Notify
from .story import Story
from .subscription import Subscription
from .verdict import Finding


@dataclass(frozen=True, slots=True)
class Outcome:
    """The last NOTIFY of the changed feature within the deadline, in one subscription."""

    change: Change
    limit: float
    last: Notify | None
    late: Notify | None
    """The first that came after the deadline."""
    watched: bool
    """Whether the time was long enough for its absence, or for a wrong last word, to mean something."""

    @property
    def said(self) -> FeatureState | None:
        return self.last.states[self.change.feature] if self.last else None

    @property
    def ok(self) -> bool:
        return self.said is not None and self.said.satisfies(self.change.state) and not self.change.refused

    @property
    def decided(self) -> bool:
        return self.ok or self.change.refused or self.watched

    @property
    def seen(self) -> str:
        exchange = self.change.exchange
        if exchange is not None and self.change.refused:
            return f"the set was refused: {exchange.outcome}"
        if self.said is not None:
            return f"last NOTIFY: {self.said}"
        if self.late is not None:
            late = self.late.states[self.change.feature]
            return f"NOTIFY with {late} only after {self.late.time - self.change.done:.1f} s"
        return f"no NOTIFY about the {self.change.feature.label}"

    def finding(self) -> Finding:
        """The finding; ask ``decided`` first."""
        expected = f"a NOTIFY with {self.change.state} within {self.limit:g} s"
        at = self.last or self.late
        return Finding(self.ok, expected, self.seen, at.wire if at else self.change.at)


def outcome(story: Story, change: Change, sub: Subscription, limit: float) -> Outcome:
    """What ``sub`` was told of ``change`` before the next change of that feature, ``limit`` in seconds."""
    following = story.next_change(change.account, change.feature, change.time)
    until = min(following, sub.until)
    told = [n for n in sub.heard(change.time, until) if change.feature in n.states]
    in_time = [notify for notify in told if notify.time <= change.done + limit]
    late = next((notify for notify in told if notify.time > change.done + limit), None)
    watched = story.watched(sub.actor, change.done, limit, until)
    return Outcome(change, limit, in_time[-1] if in_time else None, late, watched)
