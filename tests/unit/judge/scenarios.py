"""Scenarios that a server which does everything right passes; together they give every row an occasion."""

from __future__ import annotations

from collections.abc import Callable

from featuresync.sync.as_feature_event import MEDIA_TYPE

from . import scenarios_of_calls, scenarios_of_codes
from .phones import Phone
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Stage, off, on

Scenario = Callable[[Stage], None]


def _subscribed(stage: Stage, name: str = "desk", account: str = "primary", expires: int = 3600) -> Phone:
    phone = stage.phone(name, account)
    phone.register()
    phone.subscribe(expires)
    return phone


def round_trips(stage: Stage) -> None:
    """Every feature set on, changed and taken off at the phone, each read back."""
    stage.read()
    desk = _subscribed(stage)
    for state in (
        on(DND), on(DND), off(DND), on(ALWAYS, "2003"), on(ALWAYS, "2004"), off(ALWAYS), on(BUSY, "2003"),
        on(NO_ANSWER, "2003", 4), on(NO_ANSWER, "2003", 7), off(NO_ANSWER), off(BUSY),
    ):  # fmt: skip
        desk.press(state)
        stage.read()
    desk.end()


def flips(stage: Stage) -> None:
    """Every feature changed at the server."""
    stage.read()
    desk = _subscribed(stage, expires=600)
    for state in (
        on(DND),
        on(NO_ANSWER, "2003", 4),
        on(ALWAYS, "2004"),
        off(DND),
        off(ALWAYS),
        on(BUSY, "2003"),
    ):
        desk.news = []
        stage.flip(state)
        desk.told(state)
        stage.read()
        stage.wait(10)
    desk.end()


def lifecycle(stage: Stage) -> None:
    """Refreshes, sets and ends of one subscription, and a second one."""
    stage.read()
    stage.flip(on(BUSY, "2003"))
    desk = _subscribed(stage, expires=600)
    desk.refresh(1200)
    desk.press(on(DND), expires=900)
    stage.read()
    desk.length = 900
    stage.flip(on(ALWAYS, "2004"))
    stage.quiet("desk")
    desk.move()
    desk.refresh()
    stage.flip(off(DND))
    stage.quiet("desk")
    desk.end()
    desk.register()
    stage.flip(on(DND))
    stage.quiet("desk")
    desk.refresh()
    desk.subscribe()
    desk.end()


def starts(stage: Stage) -> None:
    """Subscriptions started in several ways."""
    desk = stage.phone()
    desk.options()
    desk.subscribe(accept="")
    desk.end()
    desk.subscribe(accept=MEDIA_TYPE)
    desk.end()
    desk.subscribe(event="as-feature-event;id=7")
    desk.end()
    desk.subscribe(expires=None)
    desk.end()
    desk.subscribe(expires=5)
    desk.subscribe(event="x-none")
    desk.subscribe(expires=0)
    stage.quiet("desk")


def credentials(stage: Stage) -> None:
    """Requests without credentials and with wrong ones."""
    stage.read()
    desk = stage.phone()
    desk.subscribe(password="none")
    stage.quiet("desk")
    desk.subscribe()
    desk.set_as(on(DND), "none")
    stage.quiet("desk")
    stage.read()
    desk.set_as(on(DND), "wrong")
    stage.quiet("desk")
    stage.read()
    desk.nonce = ""
    desk.end()


def rapid(stage: Stage) -> None:
    """Ten sets, one right after the other."""
    stage.read()
    desk = _subscribed(stage)
    for _ in range(5):
        desk.press(on(DND), settle=False)
        desk.press(off(DND), settle=False)
    stage.wait(6)
    stage.read()
    desk.end()


def devices(stage: Stage) -> None:
    """Two phones on one account, a stranger on another; one of the two leaves."""
    stage.read()
    stage.read("other")
    desk, home = _subscribed(stage, "desk"), _subscribed(stage, "home")
    stranger = _subscribed(stage, "stranger", "other")
    stage.wait(6)
    for phone in (desk, home, stranger):
        phone.news = []
    stage.flip(on(DND))
    desk.told(on(DND))
    home.told(on(DND))
    stage.quiet("stranger")
    desk.press(on(BUSY, "2003"))
    home.told(on(BUSY, "2003"))
    stage.quiet("stranger")
    desk.end()
    stage.flip(off(DND))
    home.told(off(DND))
    stage.quiet("desk", "stranger")
    home.end()
    stranger.end()


def typed(stage: Stage) -> None:
    """A number typed with brackets and blanks, which this server takes out."""
    stage.read()
    desk = _subscribed(stage)
    store = stage.stores

    def normalise(at: Stage, user: str, state):  # type: ignore[no-untyped-def]
        digits = "".join(char for char in state.number if char.isdigit())
        store(at, user, on(state.feature, digits))

    stage.stores = normalise
    desk.press(on(ALWAYS, "(555) 0100"), settle=False)
    stage.wait(6)
    stage.read()
    desk.end()


def unsubscribed(stage: Stage) -> None:
    """One phone of the account is registered and does not subscribe."""
    stage.read()
    stage.phone().register()
    home = _subscribed(stage, "home")
    stage.wait(6)
    stage.flip(on(DND))
    home.told(on(DND))
    stage.quiet("desk")
    stage.read()
    home.end()


ALL: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        round_trips, flips, lifecycle, starts, credentials, rapid, devices, typed, unsubscribed,
        *scenarios_of_codes.ALL, *scenarios_of_calls.ALL,
    )
}  # fmt: skip
