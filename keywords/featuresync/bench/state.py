"""The server's state of its accounts, got and set through its administration, told to the trace."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from types import TracebackType

from featuresync.judge.trace import Flip, Reading
from featuresync.profile import Bench, Profile, Recipe
from featuresync.sync.feature import Feature, FeatureState, States

from .access import Access, no_one
from .admin import Administration
from .http import HttpAccess
from .ssh_command import CommandAccess
from .ssh_shell import ShellAccess

_POLL = 0.1
"""Seconds between two readings while a change is awaited."""


def wait(seconds: float) -> None:
    """Let ``seconds`` pass."""
    threading.Event().wait(seconds)


def ignore(event: Flip | Reading) -> None:
    """Where nobody keeps a trace: restore, preflight."""


def open_access(
    bench: Bench,
    recipe: Recipe,
    clock: Callable[[], float] = time.time,
    on_secret: Callable[[str], None] = no_one,
) -> Access:
    """The access that the recipe is for, not logged in yet. Raises ConfigFault."""
    admin, owner = bench.admin, bench.file
    secrets = {name: ref.resolve(owner, f"admin.secrets.{name}") for name, ref in admin.secrets.items()}
    key = f"recipes.{admin.recipe}"
    if admin.http is not None:
        return HttpAccess(
            admin.http, owner, recipe,
            values=admin.values, secrets=secrets, clock=clock, on_secret=on_secret, key=key,
        )  # fmt: skip
    assert admin.ssh is not None, "the model demands one of the two"
    if recipe.kind == "ssh-shell":
        return ShellAccess(
            admin.ssh, owner, recipe, values=admin.values, secrets=secrets, clock=clock, key=key
        )
    return CommandAccess(admin.ssh, owner, values=admin.values, secrets=secrets, clock=clock)


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
        session: Access | None = None,
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
        on_secret: Callable[[str], None] = no_one,
    ) -> ServerState:
        """The state of the bench's server, logged in by the kind of access that its recipe is for.

        ``on_secret`` is told each token that a login gives, before anything else is done with it. Raises
        LoginFault, or ConfigFault for bad files.
        """
        session = open_access(bench, bench.recipe(profile), clock, on_secret)
        administration = Administration(
            bench.recipe(profile),
            session,
            values=bench.admin.values,
            accounts={account.user: account.values for account in bench.accounts.values()},
            owner=bench.file,
            key=f"recipes.{bench.admin.recipe}",
        )
        try:
            session.connect()
        except BaseException:
            session.close()
            raise
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
            held = states.get(wanted.feature)
            if held is None or held.satisfies(wanted) or left <= 0:
                break
            self._pause(min(_POLL, left))
            states = self.get(account)
        return states
