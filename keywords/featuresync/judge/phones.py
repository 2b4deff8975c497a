"""Our phones as the trace tells them: whose they are, and when they are registered."""

from __future__ import annotations

from collections.abc import Iterable

from .exchange import Exchange, number_in
from .subscription import user_of
from .topics import UNPLUGGED
from .trace import Note


class Phones:
    """Accounts are user parts of addresses of record."""

    def __init__(self, exchanges: Iterable[Exchange], notes: Iterable[Note]) -> None:
        registered: dict[str, str] = {}
        others: dict[str, str] = {}
        turns: list[tuple[float, str, bool]] = []
        for exchange in exchanges:
            message = exchange.first.message
            others.setdefault(exchange.actor, user_of(message.from_.uri))
            if exchange.method == "REGISTER":
                registered.setdefault(exchange.actor, user_of(message.to.uri))
                if exchange.accepted:
                    # RFC 3261 10.2.2: zero takes the binding away.
                    there = number_in(exchange.request.message, "expires") != 0
                    turns.append((exchange.answered, exchange.actor, there))
        turns += [(note.time, note.actor, False) for note in notes if note.topic == UNPLUGGED]
        self._owners = others | registered
        self._turns = sorted(turns)

    def account_of(self, actor: str) -> str:
        """The account that the phone registered for, else that of its From; "" where neither is known."""
        return self._owners.get(actor, "")

    def registered(self, account: str, at: float) -> list[str]:
        """The phones of an account that were registered at that time, in the order they first came."""
        there = {actor: is_there for time, actor, is_there in self._turns if time <= at}
        return [actor for actor, owner in self._owners.items() if owner == account and there.get(actor)]
