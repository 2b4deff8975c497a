"""What somebody changed, and what the server said of it."""

from __future__ import annotations

from dataclasses import dataclass

from featuresync.sync.feature import Feature, FeatureState, States

from .calls import Call
from .exchange import Exchange
from .subscription import Subscription
from .trace import Event


@dataclass(frozen=True, eq=False)
class Change:
    """A feature that somebody changed: a set or a call to a code from a phone, or a flip at the server."""

    time: float
    """When it was asked for."""
    done: float
    """When the server answered; of a call when it was over, infinite while it is not."""
    account: str
    state: FeatureState
    at: Event
    origin: Subscription | None = None
    """The subscription of the phone that did it; None for a flip, or a feature code."""
    exchange: Exchange | None = None
    call: Call | None = None
    """The call to a feature code that did it."""

    @property
    def flipped(self) -> bool:
        """It was made at the server."""
        return self.origin is None and self.call is None

    @property
    def feature(self) -> Feature:
        return self.state.feature

    @property
    def refused(self) -> bool:
        """The server said no."""
        if self.call is not None:
            return self.call.refused
        return self.exchange is not None and self.exchange.status >= 300


@dataclass(frozen=True, eq=False)
class Report:
    """What the server said of an account: in a NOTIFY, or when read back."""

    time: float
    account: str
    states: States
    at: Event
