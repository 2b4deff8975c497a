"""Faults in the calls to feature codes themselves."""

from __future__ import annotations

from featuresync.sync.feature import FeatureState

from . import scenarios_of_codes as scenarios
from .faults import drop, edit, mutant, put, tag_of
from .switch import Leg
from .traces import Stage


@mutant("FC-09", scenarios.keys)
def phone_has_to_hang_up(stage: Stage) -> None:
    stage.switch.hangs_up = False


@mutant("FC-10", scenarios.keys)
def answer_without_contact(stage: Stage) -> None:
    edit(stage, drop("Contact"), kind="response", why="answer")


@mutant("FC-10", scenarios.keys)
def answer_with_a_contact_that_is_no_uri(stage: Stage) -> None:
    edit(stage, put("Contact", "<127.0.0.1:5060>"), kind="response", why="answer", nth=1)


@mutant("FC-10", scenarios.keys)
def answer_with_a_route_that_is_no_uri(stage: Stage) -> None:
    edit(stage, put("Record-Route", "<lab;lr>"), kind="response", why="answer", nth=1)


@mutant("FC-10", scenarios.keys, also="TR-02")
def answer_without_to_tag(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "To", ""), kind="response", why="answer", nth=1)


@mutant("FC-10", scenarios.keys)
def bye_with_another_from_tag(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "From", "x"), kind="request", why="bye", nth=2)


@mutant("FC-10", scenarios.keys)
def bye_with_another_to_tag(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "To", "x"), kind="request", why="bye", nth=2)


@mutant("FC-10", scenarios.keys)
def bye_with_another_call_id(stage: Stage) -> None:
    edit(stage, put("Call-ID", "x"), kind="request", why="bye", nth=2)


@mutant("FC-10", scenarios.keys)
def bye_with_the_cseq_of_another_method(stage: Stage) -> None:
    edit(stage, put("CSeq", "1 INVITE"), kind="request", why="bye", nth=2)


def informs(stage: Stage, cseq: int) -> None:
    """An INFO in the call before its BYE, which has number 1."""
    hang_up = stage.switch.hang_up

    def inform(leg: Leg) -> None:
        draft = stage.switch.request("INFO", leg).put("CSeq", f"{cseq} INFO")
        stage.ask(leg.phone, draft, "info")
        hang_up(leg)

    stage.switch.hang_up = inform  # type: ignore[method-assign]


@mutant("FC-10", scenarios.keys)
def cseq_of_the_bye_is_used_up(stage: Stage) -> None:
    informs(stage, 1)


@mutant("FC-10", scenarios.keys)
def cseq_goes_down(stage: Stage) -> None:
    informs(stage, 7)


@mutant("FC-10", scenarios.keys, also="FC-01 FC-02")
def bye_before_the_answer(stage: Stage) -> None:
    """It says goodbye in the early dialog, and then refuses."""
    stage.facts["call.answer"], stage.facts["call.final_early"] = "early", (480,)
    stage.switch.early, stage.switch.release = True, 503
    announce = stage.switch.announce

    def goodbye(leg: Leg, state: FeatureState) -> None:
        hang_up, leg.answered = stage.switch.respond, False

        def then(leg: Leg, status: int, *rest: object) -> None:
            if status == stage.switch.release:
                stage.switch.hang_up(leg)
            hang_up(leg, status, *rest)  # type: ignore[arg-type]

        stage.switch.respond = then  # type: ignore[method-assign]
        announce(leg, state)
        stage.switch.respond = hang_up  # type: ignore[method-assign]

    stage.switch.announce = goodbye  # type: ignore[method-assign]
