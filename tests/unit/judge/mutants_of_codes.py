"""Faults in what feature codes do, and in what phones are told that should not be."""

from __future__ import annotations

from collections.abc import Callable

from featuresync.sync.as_feature_event import MEDIA_TYPE, PACKAGE, write_event
from featuresync.sync.feature import FeatureState

from . import scenarios_of_codes as scenarios
from .faults import edit, lose, mutant, swap
from .switch import Leg
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Dialog, Stage, off, on

# -- what a code does -------------------------------------------------------------------------------


def obeys(stage: Stage, instead: Callable[[FeatureState], FeatureState | None]) -> None:
    """What the server makes of a code: another state, or None for nothing at all."""
    obey = stage.switch.obey

    def other(user: str, state: FeatureState) -> None:
        wrong = instead(state)
        if wrong is not None:
            obey(user, wrong)

    stage.switch.obey = other  # type: ignore[method-assign]


def finals(stage: Stage, status: int, concerns: Callable[[FeatureState], bool]) -> None:
    """The server does what the code says, and refuses the call all the same."""
    announce = stage.switch.announce

    def refuse(leg: Leg, state: FeatureState) -> None:
        if not concerns(state):
            return announce(leg, state)
        stage.switch.obey(leg.phone.account, state)
        return stage.switch.respond(leg, status)

    stage.switch.announce = refuse  # type: ignore[method-assign]


@mutant("FC-01", scenarios.keys)
def answered_and_nothing_changed(stage: Stage) -> None:
    obeys(stage, lambda state: None if state == on(DND) else state)


@mutant("FC-01", scenarios.keys)
def changed_and_refused(stage: Stage) -> None:
    finals(stage, 404, lambda state: state.feature is DND)


@mutant("FC-01", scenarios.keys, also="ST-08")
def dnd_code_sets_a_forward(stage: Stage) -> None:
    obeys(stage, lambda state: on(BUSY, "2009") if state == on(DND) else state)


@mutant("FC-02", scenarios.keys)
def forward_answered_and_not_set(stage: Stage) -> None:
    obeys(stage, lambda state: None if state == on(ALWAYS, "2003") else state)


@mutant("FC-02", scenarios.keys)
def forward_set_and_refused(stage: Stage) -> None:
    finals(stage, 486, lambda state: state.feature is NO_ANSWER)


@mutant("FC-02", scenarios.keys)
def code_sets_another_number(stage: Stage) -> None:
    obeys(stage, lambda state: on(ALWAYS, "200") if state == on(ALWAYS, "2004") else state)


@mutant("FC-02", scenarios.keys)
def code_leaves_the_forward_on(stage: Stage) -> None:
    obeys(stage, lambda state: None if state == off(NO_ANSWER) else state)


@mutant("FC-02", scenarios.keys, also="ST-08")
def code_sets_another_forward(stage: Stage) -> None:
    obeys(stage, lambda state: on(ALWAYS, state.number) if state.feature is BUSY and state.on else state)


@mutant("FC-02", scenarios.wrong_phone, also="ST-08")
def phone_dials_another_code_than_meant(stage: Stage) -> None:
    """The server is right; what the user meant is judged."""


@mutant("FC-02", scenarios.keys, also="FC-01")
def early_announcement_released_with_another_status(stage: Stage) -> None:
    stage.facts["call.answer"], stage.facts["call.final_early"] = "early", (480,)
    stage.switch.early, stage.switch.release = True, 503


@mutant("FC-02", scenarios.keys, also="FC-01")
def refusal_without_any_announcement(stage: Stage) -> None:
    """480 is fine after an announcement, and there was none."""
    stage.facts["call.answer"], stage.facts["call.final_early"] = "either", (480,)
    finals(stage, 480, lambda state: True)


@mutant("FC-03", scenarios.keys, also="FC-01")
def code_toggles(stage: Stage) -> None:
    obeys(stage, lambda state: off(DND) if state == on(DND) and stage.states["2001"][DND].on else state)


@mutant("ST-08", scenarios.keys)
def code_ends_dnd_too(stage: Stage) -> None:
    obey = stage.switch.obey

    def more(user: str, state: FeatureState) -> None:
        obey(user, state)
        if state == on(BUSY, "2003"):
            stage.states[user][DND] = on(DND)

    stage.switch.obey = more  # type: ignore[method-assign]


@mutant("ST-23", scenarios.told_codes)
def change_by_code_is_not_told(stage: Stage) -> None:
    edit(stage, lose, why="code", nth=1)


@mutant("ST-23", scenarios.told_codes)
def change_by_code_is_told_wrong(stage: Stage) -> None:
    edit(stage, swap(b">2003<", b">2009<"), why="code")


# -- a server that should be silent -----------------------------------------------------------------


def tells(stage: Stage, tell: Callable[[str, FeatureState], None]) -> None:
    stage.push = lambda user, state, origin, why: tell(user, state)  # type: ignore[method-assign]


@mutant("FC-04", scenarios.silence, also="NO-11")
def unexpected_push_by_notify(stage: Stage) -> None:
    def tell(user: str, state: FeatureState) -> None:
        for phone in stage.contacts:
            event, contact = PACKAGE, phone.contact[1:-1]
            dialog = Dialog(phone, user, f"u{stage.token()}", "x", f"s{stage.token()}", event, contact)
            stage.notify(dialog, (MEDIA_TYPE, write_event(state)), "flip")

    tells(stage, tell)


@mutant("FC-04", scenarios.silence)
def unexpected_push_by_info(stage: Stage) -> None:
    def tell(user: str, state: FeatureState) -> None:
        for phone in stage.contacts:
            stage.switch.inform(phone, scenarios.EVENT.format(on=str(state.on).lower()).encode())

    tells(stage, tell)


@mutant("FC-04", scenarios.silence)
def unexpected_push_of_a_forward_only(stage: Stage) -> None:
    body = write_event(on(ALWAYS, "2003"))

    def tell(user: str, state: FeatureState) -> None:
        for phone in stage.contacts if state.feature is ALWAYS and state.on else ():
            stage.switch.inform(phone, body)

    tells(stage, tell)


# -- codes dialled wrongly --------------------------------------------------------------------------


@mutant("FC-05", scenarios.wrong_codes)
def off_code_with_digits_hits_the_other_account(stage: Stage) -> None:
    dialled = stage.switch.dialled

    def other(leg: Leg, user: str) -> None:
        if user == "*732002":
            stage.states["2002"][ALWAYS] = off(ALWAYS)
        dialled(leg, user)

    stage.switch.dialled = other  # type: ignore[method-assign]


@mutant("FC-05", scenarios.wrong_codes)
def off_code_with_digits_sets_the_other_account(stage: Stage) -> None:
    dialled = stage.switch.dialled

    def other(leg: Leg, user: str) -> None:
        if user == "*732002":
            stage.states["2002"][BUSY] = on(BUSY, "2001")
            return stage.switch.announce(leg, off(ALWAYS))
        return dialled(leg, user)

    stage.switch.dialled = other  # type: ignore[method-assign]


def without_number(stage: Stage, act: Callable[[Leg], None]) -> None:
    stage.switch.without_number = lambda leg, feature: act(leg)  # type: ignore[method-assign]


@mutant("FC-06", scenarios.wrong_codes)
def code_without_number_is_refused(stage: Stage) -> None:
    """The profile says voicemail."""
    without_number(stage, lambda leg: stage.switch.respond(leg, 484))


@mutant("FC-06", scenarios.wrong_codes)
def code_without_number_takes_the_last_one(stage: Stage) -> None:
    """2006 was the busy forward's number before."""
    stage.states["2001"][BUSY] = FeatureState(BUSY, False, "2006")
    without_number(stage, lambda leg: stage.switch.announce(leg, on(BUSY, "2006")))


@mutant("FC-06", scenarios.wrong_codes)
def code_without_number_forwards_to_nowhere(stage: Stage) -> None:
    without_number(stage, lambda leg: stage.switch.announce(leg, on(BUSY)))


@mutant("FC-06", scenarios.wrong_codes)
def code_without_number_sets_dnd_too(stage: Stage) -> None:
    def act(leg: Leg) -> None:
        stage.states["2001"][DND] = on(DND)
        stage.switch.announce(leg, on(BUSY, "8000"))

    without_number(stage, act)


def unknown(stage: Stage, act: Callable[[Leg], None]) -> None:
    dialled = stage.switch.dialled
    stage.switch.dialled = lambda leg, user: (  # type: ignore[method-assign]
        act(leg) if user == "*000999" else dialled(leg, user)
    )


@mutant("FC-07", scenarios.wrong_codes)
def unknown_code_is_answered_and_changes_something(stage: Stage) -> None:
    def act(leg: Leg) -> None:
        leg.answered = True
        stage.switch.obey(leg.phone.account, off(NO_ANSWER))
        stage.switch.respond(leg, 200)

    unknown(stage, act)


@mutant("FC-07", scenarios.wrong_codes)
def unknown_code_is_refused_and_changes_something(stage: Stage) -> None:
    def act(leg: Leg) -> None:
        stage.states["2001"][NO_ANSWER] = off(NO_ANSWER)
        stage.switch.respond(leg, 404)

    unknown(stage, act)


@mutant("FC-08", scenarios.wrong_codes)
def bare_code_is_obeyed(stage: Stage) -> None:
    challenged = stage.switch.challenged
    stage.switch.challenged = lambda phone, request: (  # type: ignore[method-assign]
        "*78@" not in request.request_uri and challenged(phone, request)
    )


@mutant("FC-08", scenarios.wrong_codes)
def bare_code_is_challenged_and_obeyed(stage: Stage) -> None:
    challenged = stage.switch.challenged

    def early(phone, request):  # type: ignore[no-untyped-def]
        if "*78@" in request.request_uri:
            stage.states["2001"][DND] = on(DND)
        return challenged(phone, request)

    stage.switch.challenged = early  # type: ignore[method-assign]
