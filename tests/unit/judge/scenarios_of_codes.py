"""Scenarios with feature codes, and with a server that tells phones nothing or by uaCSTA."""

from __future__ import annotations

from featuresync.judge.topics import OFF_WITH_DIGITS, UNKNOWN_CODE, WITHOUT_CREDENTIALS, WITHOUT_NUMBER
from featuresync.sync.feature import Feature, FeatureState

from .calling import dials, dials_wrongly
from .phones import Phone
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Stage, off, on

EVENT = (
    '<?xml version="1.0" encoding="UTF-8"?><DoNotDisturbEvent xmlns='
    '"http://www.ecma-international.org/standards/ecma-323/csta/ed3"><monitorCrossRefID>m1</monitorCrossRefID>'
    "<device><deviceIdentifier>2001</deviceIdentifier></device><doNotDisturbOn>{on}</doNotDisturbOn>"
    "</DoNotDisturbEvent>"
)


def changed_by(stage: Stage, phone_side: str, server_side: str) -> None:
    """What the profile says of the way that all features are changed."""
    for feature in Feature:
        stage.facts[f"features.{feature}.phone_side"] = phone_side
        stage.facts[f"features.{feature}.server_side"] = server_side


def registered(stage: Stage, name: str = "desk", account: str = "primary") -> Phone:
    phone = stage.phone(name, account)
    phone.register()
    return phone


def keys(stage: Stage) -> None:
    """Every feature set on, changed and taken off by its code, each read back."""
    changed_by(stage, "feature-code", "none")
    stage.read()
    desk = registered(stage)
    for state in (
        on(DND), on(DND), off(DND), on(ALWAYS, "2003"), on(ALWAYS, "2004"), off(ALWAYS), on(BUSY, "2003"),
        on(NO_ANSWER, "2004"), off(NO_ANSWER), off(BUSY),
    ):  # fmt: skip
        dials(desk, state)
        stage.has(state)


def wrong_codes(stage: Stage) -> None:
    """Codes dialled wrongly on purpose, with what both accounts hold before and after."""
    changed_by(stage, "feature-code", "none")
    stage.facts["features.cf_busy.codes.without_number"] = "voicemail"
    stage.read()
    stage.read("other")
    desk = registered(stage)
    stage.flip(on(ALWAYS, "2003"))
    stage.flip(on(ALWAYS, "2004"), "other")
    stage.read("other")
    dials_wrongly(desk, OFF_WITH_DIGITS, "*732002")
    stage.read()
    stage.read("other")
    dials_wrongly(desk, WITHOUT_NUMBER, "*90")
    stage.read()
    stage.wait(1)
    stage.flip(on(NO_ANSWER, "2004", 3))
    dials_wrongly(desk, UNKNOWN_CODE, "*000999")
    stage.read()
    dials_wrongly(desk, WITHOUT_CREDENTIALS, "*78", "none")
    stage.read()
    dials(desk, on(DND))
    stage.has(on(DND))


def told_codes(stage: Stage) -> None:
    """A change by code is told to the account's subscription."""
    stage.facts["expect.notify_after_code"] = True
    stage.switch.tells = True
    stage.read()
    desk = registered(stage)
    desk.subscribe()
    for state in (on(DND), off(DND), on(ALWAYS, "2003")):
        desk.news = []
        dials(desk, state)
        desk.told(state)
        stage.has(state)
    desk.end()


def silence(stage: Stage) -> None:
    """A server that tells phones nothing of its changes."""
    changed_by(stage, "feature-code", "none")
    stage.read()
    registered(stage)
    for state in (on(DND), off(DND), on(ALWAYS, "2003"), off(ALWAYS)):
        stage.wait(1)
        stage.flip(state)
        stage.quiet("desk")
        stage.has(state)


def events(stage: Stage) -> None:
    """DND changed at the server is told to the account's phones by uaCSTA."""
    changed_by(stage, "feature-code", "none")
    stage.facts["features.dnd.server_side"] = "uacsta"
    push = stage.push

    def inform(user: str, state: FeatureState, origin: object, why: str) -> None:
        for phone in stage.contacts:
            if phone.account == user and state.feature is DND:
                stage.switch.inform(phone, EVENT.format(on=str(state.on).lower()).encode())

    if push == stage.push:
        stage.push = inform  # type: ignore[method-assign]
    stage.read()
    for name, account in (("desk", "primary"), ("home", "primary"), ("stranger", "other")):
        registered(stage, name, account)
    for state in (on(DND), off(DND), on(ALWAYS, "2003")):
        stage.wait(1)
        stage.flip(state)
        stage.quiet("stranger", seconds=6)
        stage.has(state)


def wrong_phone(stage: Stage) -> None:
    """The phone's code for the busy forward is really that of the unconditional one."""
    changed_by(stage, "feature-code", "none")
    stage.read()
    dials(registered(stage), on(BUSY, "2003"), instead="*722003")
    stage.has(on(BUSY, "2003"))


ALL = (keys, wrong_codes, told_codes, silence, events)
