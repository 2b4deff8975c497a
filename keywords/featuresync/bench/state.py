"""The server's state of its accounts, got and set through its administration, told to the trace."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

from featuresync.judge.trace import Flip, Reading
from featuresync.profile import Bench, Profile
from featuresync.sync.feature import Feature, FeatureState, States

from .admin import Administration
from .ssh import SshSession

_POLL = 0.1
"""Seconds between two readings while a change is awaited."""


def wait(seconds: float) -> None:
    """Let ``seconds`` pass."""
    threading.Event().wait(seconds)


def ignore(event: Flip | Reading) -> None:
    """Where nobody keeps a trace: restore, preflight."""


class ServerState:
    """Get and set features of accounts (the user part of their address) on the server's side.

    ``clock`` gives seconds since the epoch, ``pause`` waits so many seconds; ``on_event`` is told every
    Flip and Reading and may be replaced at any time (a new test has a new trace). Close it, or use it as
    a context manager. All methods raise BenchFault when the server cannot be asked.
    """

    def __init__(
        self,
        administration: Administration,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = wait,
        on_event: Callable[[Flip | Reading], None] = ignore,
        session: SshSession | None = None,
    ) -> None:
        self.administration, self.session, self.on_event = administration, session, on_event
        self._clock, self._pause = clock, pause

    @classmethod
    def connect(
        cls,
        bench: Bench,
        profile: Profile,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = wait,
        on_event: Callable[[Flip | Reading], None] = ignore,
    ) -> ServerState:
        """The state of the bench's server, logged in. Raises LoginFault, or ConfigFault for bad files."""
        assert bench.admin.ssh is not None, "administration over HTTP comes with its own session"
        session = SshSession(bench.admin.ssh, bench.file, clock=clock)
        key = f"recipes.{bench.admin.recipe}"
        administration = Administration(bench.recipe(profile), session.run, owner=bench.file, key=key)
        session.connect()
        return cls(administration, clock=clock, pause=pause, on_event=on_event, session=session)

    def __enter__(self) -> ServerState:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self.session is not None:
            self.session.close()

    @property
    def features(self) -> tuple[Feature, ...]:
        """What can be got and set here."""
        return self.administration.features

    def get(self, account: str) -> States:
        """All features of the account, read now; recorded as a Reading."""
        states = self.administration.read(account)
        self.on_event(Reading(self._clock(), account, states))
        return states

    def set(self, account: str, state: FeatureState) -> None:
        """Change one feature; recorded as a Flip. Nothing is verified here: see ``read_back``."""
        sent = self._clock()
        self.administration.set(account, state)
        self.on_event(Flip(sent, self._clock(), account, state))

    def read_back(self, account: str, wanted: FeatureState, within: float) -> States:
        """Read until the account is as ``wanted``, for at most ``within`` seconds; the last states read.

        Whether they are what was wanted is the caller's to say (``FeatureState.satisfies``).
        """
        end = self._clock() + within
        states = self.get(account)
        for _ in range(math.ceil(within / _POLL)):
            left = end - self._clock()
            if states[wanted.feature].satisfies(wanted) or left <= 0:
                break
            self._pause(min(_POLL, left))
            states = self.get(account)
        return states
