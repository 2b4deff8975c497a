"""How long SIP waits, in seconds (RFC 3261 17 and its table 4, RFC 6026, RFC 6665 4.1.2.4)."""

from __future__ import annotations

from dataclasses import dataclass

# On a reliable transport nothing is repeated, and nothing repeated has to be soaked up.
_RETRANSMIT = frozenset("AEG")
_ABSORB = frozenset("DIJK")


@dataclass(frozen=True, slots=True)
class Timers:
    """The base values; every other timer follows from them. Raises ValueError for values that would spin."""

    t1: float = 0.5
    """Estimate of the round trip."""
    t2: float = 4.0
    """Longest wait between two copies of a non-INVITE request or an INVITE response."""
    t4: float = 5.0
    """Longest time a message stays in the network."""
    c: float = 180.0
    """How long an INVITE may ring (RFC 3261 16.6 step 11); bounds what a silent peer makes us keep."""

    def __post_init__(self) -> None:
        if not (0 < self.t1 <= self.t2 and self.t4 >= 0 and self.c > 0):
            raise ValueError(f"timers need 0 < T1 <= T2, T4 >= 0, C > 0, not {self}")

    @property
    def timeout(self) -> float:
        """64*T1: Timers B, D, F, H, J, L, M and N."""
        return 64 * self.t1

    def seconds(self, timer: str, reliable: bool) -> float | None:
        """A timer by its letter. None: it does not run on a reliable transport; 0: it ends at once."""
        if timer in _RETRANSMIT:
            return None if reliable else self.t1
        if timer in _ABSORB and reliable:
            return 0.0
        if timer == "C":
            return self.c
        return self.t4 if timer in "IK" else self.timeout

    def refresh_after(self, left: float) -> float:
        """When to refresh what ends in ``left`` seconds (RFC 3261 10.2.4, RFC 6665 4.1.2.2).

        Two full time-outs before the end, so that one refresh may fail completely and the next still
        counts; half-way where the time is too short for that.
        """
        return max(left - 2 * self.timeout, left / 2)
