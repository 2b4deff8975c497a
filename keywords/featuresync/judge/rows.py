"""How a row of the catalogue is written: its data above the function that judges it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .story import Story, story_of
from .trace import Trace
from .verdict import Finding, Level, Requirement

Judge = Callable[[Story], Iterable[Finding]]

M, S, P, O, R = Level.MUST, Level.SHOULD, Level.PRACTICE, Level.OBSERVE, Level.ROBUST  # noqa: E741
PRACTICE = "package practice"
"""Source of what no standard says: several implementations, or makers' documents, agree."""


class Rows(list[Requirement]):
    """The requirements of one subject, in the order of the table."""

    def row(
        self, id: str, level: Level, clause: str, text: str, applies: str = "R"
    ) -> Callable[[Judge], Judge]:
        """Add the decorated function as a row; ``applies`` are family letters, parted by blanks."""

        def add(judge: Judge) -> Judge:
            self.put(id, level, clause, text, judge, applies)
            return judge

        return add

    def put(
        self,
        id: str,
        level: Level,
        clause: str,
        text: str,
        judge: Judge,
        applies: str = "R",
        how: str = "",
    ) -> None:
        """Add a row whose function is shared or made by another one.

        ``how`` says in one sentence how it is judged; where it is left out, the function's docstring does.
        """

        def over(trace: Trace) -> Iterable[Finding]:
            return judge(story_of(trace))

        how = how or " ".join((judge.__doc__ or "").split())
        self.append(Requirement(id, level, clause, text, frozenset(applies.split()), over, how))

    def unjudged(self, id: str, level: Level, clause: str, text: str, why: str, applies: str = "R") -> None:
        """Add a row that no trace of ours can decide, and say why."""
        self.append(
            Requirement(id, level, clause, text, frozenset(applies.split()), lambda _: (), unjudged=why)
        )
