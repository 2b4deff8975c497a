"""Before a run: can the server's administration be used, and can its state be put back afterwards?"""

from __future__ import annotations

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Bench
from featuresync.sync.feature import States

from .state import ServerState


def snapshot(bench: Bench, state: ServerState) -> dict[str, States]:
    """The states of all accounts of the bench, each one proved to be settable again.

    Meant as the snapshot of ``open_journal``. Logging in was done by ``ServerState.connect``. Raises
    BenchFault naming the account when its state cannot be read or could not be put back.
    """
    taken: dict[str, States] = {}
    for role, account in bench.accounts.items():
        try:
            taken[account.user] = state.get(account.user)
        except BenchFault as error:
            raise BenchFault(f"preflight: account {account.user} ({role}) cannot be read: {error}") from None
        for feature_state in taken[account.user].values():
            try:
                state.administration.commands(account.user, feature_state)
            except ConfigFault as error:
                raise BenchFault(
                    f"preflight: account {account.user} ({role}) has a state that could not be put back, "
                    f"{feature_state}: {error}"
                ) from None
    return taken
