"""Keywords about the server's own state, over its administration."""

from __future__ import annotations

from collections.abc import Callable

from robot.api import logger
from robot.api.deco import keyword

from featuresync.errors import BenchFault
from featuresync.judge.trace import Awaited
from featuresync.sync.feature import Feature, FeatureState, States, describe

from .session import Session


class ServerKeywords:
    """Flips and read-back. Accounts are named by their role in the bench file."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    @keyword(tags=["server"])
    def server_switches(
        self,
        feature: Feature,
        state: bool,
        number: str = "",
        rings: int | None = None,
        account: str = "primary",
    ) -> None:
        """Change a feature at the server; ``rings`` counts rings."""
        session = self._session()
        user = session.account(account).user
        wanted = FeatureState(feature, state, number, rings)
        session.act("push")
        session.expect(user, wanted)
        session.state.set(user, wanted)

    @keyword(tags=["server"])
    def server_has(
        self,
        feature: Feature,
        state: bool,
        number: str = "",
        rings: int | None = None,
        account: str = "primary",
    ) -> None:
        """Read all four features back and compare them with what they should be now.

        Reads again until the named feature is as said, for the ``confirmation`` time at most.
        """
        session = self._session()
        user = session.account(account).user
        wanted = FeatureState(feature, state, number, rings)
        states = session.state.read_back(user, wanted, session.bench.deadlines.confirmation)
        logger.info(f"{user}: {describe(states)}")
        due = {**session.expected.get(user, {}), feature: wanted}
        wrong = [s for f, s in due.items() if f not in states or not states[f].satisfies(s)]
        session.trace.add(
            Awaited(
                session.reactor.clock(),
                "server",
                f"{user} at the server: {describe(due)}",
                f"confirmation ({session.bench.deadlines.confirmation:g} s)",
                not wrong,
                describe(states) if wrong else "",
            )
        )

    @keyword(tags=["server"])
    def server_state_is_read(self, account: str = "primary") -> None:
        """Read all four features and put them into the evidence."""
        session = self._session()
        logger.info(describe(session.state.get(session.account(account).user)))

    @keyword(tags=["server"])
    def switch_everything_off(self, account: str = "primary") -> None:
        """Every feature off, read back; the scenario's known state."""
        session = self._session()
        user = session.account(account).user
        states = session.state.get(user)
        on = [state for state in states.values() if state.on]
        for state in on:
            # Without its number: the server may hold one that was typed in a way no recipe can repeat.
            session.state.set(user, FeatureState(state.feature, False))
        if on:
            states = session.state.get(user)
        for state in states.values():
            session.expect(user, FeatureState(state.feature, False))
        self._demand_off(user, states)

    def _demand_off(self, user: str, states: States) -> None:
        on = [state for state in states.values() if state.on]
        if on:
            # The administration took the command and the state stayed: no scenario can start from here.
            raise BenchFault(f"account {user} cannot be brought to a known state: {describe(states)}")
