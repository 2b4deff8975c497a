"""Faults in whom calls reach, and in what phones are told by uaCSTA."""

from __future__ import annotations

from collections.abc import Callable

from featuresync.sync.feature import Feature, FeatureState

from . import scenarios_of_calls as calls
from . import scenarios_of_codes as scenarios
from .faults import edit, lose, mutant, put, swap
from .switch import Leg
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Outgoing, Stage, off

# -- whom calls reach -------------------------------------------------------------------------------


def call(stage: Stage, act: Callable[[Leg, dict[Feature, FeatureState]], bool]) -> None:
    """What the server does with a call to 2001 instead, where ``act`` says True."""
    route = stage.switch.call

    def other(leg: Leg, user: str) -> None:
        if not act(leg, stage.states[user]):
            route(leg, user)

    stage.switch.call = other  # type: ignore[method-assign]


def forgets(stage: Stage, feature: Feature) -> None:
    """Calls are carried as if the feature were off."""
    route = stage.switch.call

    def other(leg: Leg, user: str) -> None:
        held = stage.states[user][feature]
        stage.states[user][feature] = off(feature)
        route(leg, user)
        stage.states[user][feature] = held

    stage.switch.call = other  # type: ignore[method-assign]


@mutant("EF-01", calls.effects)
def dnd_rings_all_the_same(stage: Stage) -> None:
    forgets(stage, DND)


@mutant("EF-02", calls.effects)
def unconditional_forward_rings_the_phone(stage: Stage) -> None:
    forgets(stage, ALWAYS)


@mutant("EF-02", calls.effects)
def unconditional_forward_rings_both(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        if states[ALWAYS].on:
            stage.switch.ring(leg, "2001")
        return False

    call(stage, act)


@mutant("EF-02", calls.effects)
def unconditional_forward_reaches_nobody(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        if states[ALWAYS].on:
            stage.switch.respond(leg, 480)
        return states[ALWAYS].on

    call(stage, act)


@mutant("EF-02", calls.effects)
def unconditional_forward_takes_long(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        stage.now += 8 * states[ALWAYS].on
        return False

    call(stage, act)


@mutant("EF-03", calls.effects)
def busy_forward_is_forgotten(stage: Stage) -> None:
    forgets(stage, BUSY)


@mutant("EF-03", calls.effects)
def busy_forward_does_not_try_the_phone(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        if states[BUSY].on:
            stage.switch.ring(leg, "2003")
        return states[BUSY].on

    call(stage, act)


@mutant("EF-04", calls.effects)
def no_answer_forward_is_forgotten(stage: Stage) -> None:
    forgets(stage, NO_ANSWER)


@mutant("EF-04", calls.effects)
def no_answer_forward_does_not_try_the_phone(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        if states[NO_ANSWER].on:
            stage.switch.ring(leg, "2003")
        return states[NO_ANSWER].on

    call(stage, act)


@mutant("EF-04", calls.effects)
def no_answer_forward_takes_too_long(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        states[NO_ANSWER] = FeatureState(NO_ANSWER, states[NO_ANSWER].on, states[NO_ANSWER].number, 11)
        return False

    call(stage, act)


@mutant("EF-05", calls.effects)
def call_reaches_nobody(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        idle = not any(state.on for state in states.values())
        if idle:
            stage.switch.respond(leg, 404)
        return idle

    call(stage, act)


@mutant("EF-05", calls.effects)
def call_reaches_somebody_else_too(stage: Stage) -> None:
    def act(leg: Leg, states: dict[Feature, FeatureState]) -> bool:
        if not any(state.on for state in states.values()):
            stage.switch.ring(leg, "2003")
        return False

    call(stage, act)


# -- uaCSTA -----------------------------------------------------------------------------------------


def event(stage: Stage, change: Callable[[Outgoing], object], nth: int = 1) -> None:
    edit(stage, change, kind="request", why="info", nth=nth)


@mutant("CS-01", scenarios.events)
def event_of_another_type(stage: Stage) -> None:
    event(stage, put("Content-Type", "text/xml"))


@mutant("CS-01", scenarios.events)
def event_of_no_edition(stage: Stage) -> None:
    event(stage, swap(b"csta/ed3", b"csta/draft"))


@mutant("CS-01", scenarios.events, also="CS-04")
def event_is_not_well_formed(stage: Stage) -> None:
    event(stage, swap(b"</DoNotDisturbEvent>", b""))


@mutant("CS-01", scenarios.events)
def event_shouts(stage: Stage) -> None:
    event(stage, swap(b">true<", b">TRUE<"))


@mutant("CS-04", scenarios.events)
def event_is_missing(stage: Stage) -> None:
    event(stage, lose)


@mutant("CS-04", scenarios.events)
def event_reaches_one_phone(stage: Stage) -> None:
    event(stage, lose, nth=4)


@mutant("CS-04", scenarios.events)
def event_says_the_old_value(stage: Stage) -> None:
    event(stage, swap(b">false<", b">true<"), nth=3)


@mutant("CS-04", scenarios.events)
def event_comes_late(stage: Stage) -> None:
    event(stage, lambda m: setattr(m, "delay", 8.0), nth=2)


@mutant("CS-04", scenarios.events)
def event_reaches_a_stranger(stage: Stage) -> None:
    inform = stage.switch.inform

    def astray(phone, body):  # type: ignore[no-untyped-def]
        inform(phone, body)
        if phone.name == "home":
            inform(next(one for one in stage.phones if one.name == "stranger"), body)

    stage.switch.inform = astray  # type: ignore[method-assign]
