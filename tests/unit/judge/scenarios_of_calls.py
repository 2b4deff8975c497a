"""Scenarios with calls between accounts: whom they reach says what state the callee is in."""

from __future__ import annotations

from .calling import calls
from .scenarios_of_codes import registered
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Stage, off, on


def effects(stage: Stage) -> None:
    """Somebody calls the account in each of its states."""
    stage.read()
    desk, target = registered(stage), registered(stage, "target", "target")
    caller = registered(stage, "caller", "other")
    calls(caller, "2001", desk)
    stage.flip(on(DND))
    calls(caller, "2001")
    stage.flip(off(DND))
    stage.flip(on(ALWAYS, "2003"))
    calls(caller, "2001", target)
    stage.flip(off(ALWAYS))
    stage.flip(on(NO_ANSWER, "2003", 3))
    calls(caller, "2001", desk, target, deadline="no_answer")
    stage.flip(off(NO_ANSWER))
    desk.busy = True
    stage.flip(on(BUSY, "2003"))
    calls(caller, "2001", target)
    stage.flip(off(BUSY))
    calls(caller, "2001")
    stage.has(off(BUSY))


ALL = (effects,)
