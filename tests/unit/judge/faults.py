"""Ways to break the server of ``traces.py``, and the register of the broken ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from featuresync.sip.message import Draft
from featuresync.sync.feature import FeatureState

from . import scenarios
from .traces import Outgoing, Stage, off

Fault = Callable[[Stage], None]


@dataclass(frozen=True)
class Mutant:
    name: str
    row: str
    scenario: scenarios.Scenario
    fault: Fault
    also: frozenset[str] = frozenset()
    """Rows that the same fault breaks by their own meaning."""


MUTANTS: list[Mutant] = []


def mutant(
    row: str, scenario: scenarios.Scenario, also: str = "", name: str = ""
) -> Callable[[Fault], Fault]:
    def add(fault: Fault) -> Fault:
        MUTANTS.append(Mutant(name or fault.__name__, row, scenario, fault, frozenset(also.split())))
        return fault

    return add


def edit(
    stage: Stage, change: Callable[[Outgoing], object], *, kind: str = "notify", why: str = "", nth: int = 0
) -> None:
    """Apply ``change`` to what is sent, of that kind and for that reason; ``nth`` only to the nth such."""
    count = 0

    def apply(message: Outgoing) -> None:
        nonlocal count
        if message.kind == kind and (not why or message.why in why.split()):
            count += 1
            if not nth or count == nth:
                change(message)

    stage.edits.append(apply)


def put(name: str, value: str) -> Callable[[Outgoing], object]:
    return lambda message: message.draft.put(name, value)


def drop(name: str) -> Callable[[Outgoing], object]:
    return lambda message: message.draft.drop(name)


def swap(old: bytes, new: bytes) -> Callable[[Outgoing], object]:
    def change(message: Outgoing) -> None:
        message.draft.body = message.draft.body.replace(old, new)

    return change


def status(code: int) -> Callable[[Outgoing], object]:
    def change(message: Outgoing) -> None:
        message.draft.start_line = f"SIP/2.0 {code} Changed"

    return change


def lose(message: Outgoing) -> None:
    message.drop = True
    if message.dialog is not None and message.kind == "notify":
        message.dialog.cseq -= 1


def pause(message: Outgoing) -> None:
    """Nothing is heard for a while, so that what is missing is seen to be missing."""
    message.pause = 6.0


def empty(message: Outgoing) -> None:
    message.draft.drop("Content-Type").body = b""


def tag_of(draft: Draft, name: str, tag: str) -> None:
    value = next(v for n, v in draft.headers if n == name).partition(";tag=")[0]
    draft.put(name, f"{value};tag={tag}" if tag else value)


def state_of(message: Outgoing) -> str:
    return dict(message.draft.headers)["Subscription-State"]


def late(stage: Stage, nth: int) -> None:
    """The nth flip's NOTIFY takes 8 s."""
    edit(stage, lambda m: setattr(m, "delay", 8.0), why="flip", nth=nth)


def immortal(stage: Stage) -> None:
    """Dialogs live on after their end."""
    handle = stage.in_dialog

    def in_dialog(phone, request, asked):  # type: ignore[no-untyped-def]
        handle(phone, request, asked)
        for dialog in stage.dialogs:
            if dialog.tag == request.to.tag and not asked:
                dialog.over, dialog.expiry = False, stage.now + 600

    stage.in_dialog = in_dialog  # type: ignore[method-assign]


def said(stage: Stage, asked: FeatureState, instead: FeatureState) -> None:
    """The server keeps and tells another state than the one that was asked for."""

    def store(at: Stage, user: str, state: FeatureState) -> None:
        Stage.store(at, user, instead if state == asked else state)

    stage.stores = store


def forgets(stage: Stage, asked: FeatureState) -> None:
    """The server tells the state that was asked for and does not keep it."""
    push = stage.push

    def forgetful(user, state, origin, why):  # type: ignore[no-untyped-def]
        push(user, state, origin, why)
        if state == asked:
            stage.states[user][state.feature] = off(state.feature)

    stage.push = forgetful  # type: ignore[method-assign]
