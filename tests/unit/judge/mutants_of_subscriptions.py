"""Faults in lifetime, NOTIFY heads, refresh and end."""

from __future__ import annotations

from dataclasses import replace

from featuresync.sync.as_feature_event import MEDIA_TYPE, write_event

from . import scenarios
from .faults import drop, edit, empty, immortal, late, lose, mutant, pause, put, state_of, status, tag_of
from .traces import BUSY, Dialog, Outgoing, Stage

# -- lifetime ---------------------------------------------------------------------------------------


@mutant("EX-01", scenarios.starts)
def no_default_length(stage: Stage) -> None:
    handle = stage.start

    def start(phone, request, asked):  # type: ignore[no-untyped-def]
        if not request.has("expires"):
            return stage.answer(phone, request, 423, [("Min-Expires", "60")], "short")
        return handle(phone, request, asked)

    stage.start = start  # type: ignore[method-assign]


@mutant("EX-02", scenarios.starts)
def too_short_without_min_expires(stage: Stage) -> None:
    edit(stage, drop("Min-Expires"), kind="response", why="short")


@mutant("EX-02", scenarios.round_trips)
def an_hour_is_too_short(stage: Stage) -> None:
    stage.minimum = 7200


@mutant("EX-07", scenarios.flips)
def notified_expires_stands_still(stage: Stage) -> None:
    edit(stage, put("Subscription-State", "active;expires=600"), why="flip")


# -- NOTIFY -----------------------------------------------------------------------------------------


@mutant("NO-01", scenarios.lifecycle, also="UN-02")
def end_without_notify(stage: Stage) -> None:
    edit(stage, lose, why="end")


@mutant("NO-01", scenarios.lifecycle, also="RF-02")
def refresh_without_notify(stage: Stage) -> None:
    edit(stage, lose, why="refresh", nth=1)


@mutant("NO-02", scenarios.flips)
def notify_with_another_call_id(stage: Stage) -> None:
    edit(stage, put("Call-ID", "other"), nth=3)


@mutant("NO-02", scenarios.flips)
def notify_with_another_from_tag(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "From", "other"), nth=3)


@mutant("NO-02", scenarios.flips)
def notify_without_to_tag(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "To", ""), nth=3)


@mutant("NO-03", scenarios.flips)
def notify_without_event(stage: Stage) -> None:
    edit(stage, drop("Event"), nth=3)


@mutant("NO-03", scenarios.flips)
def event_in_other_letters(stage: Stage) -> None:
    edit(stage, put("Event", "As-Feature-Event"), nth=3)


@mutant("NO-04", scenarios.flips)
def comma_in_subscription_state(stage: Stage) -> None:
    edit(stage, lambda m: m.draft.put("Subscription-State", state_of(m).replace(";", ", ")), why="start")


@mutant("NO-04", scenarios.flips)
def no_subscription_state(stage: Stage) -> None:
    edit(stage, drop("Subscription-State"), nth=2)


@mutant("NO-05", scenarios.flips)
def active_without_expires(stage: Stage) -> None:
    edit(stage, put("Subscription-State", "active"), nth=2)


@mutant("NO-06", scenarios.flips)
def notify_without_contact(stage: Stage) -> None:
    edit(stage, drop("Contact"), nth=2)


@mutant("NO-07", scenarios.flips)
def notify_to_the_address_of_record(stage: Stage) -> None:
    edit(stage, lambda m: setattr(m.draft, "start_line", "NOTIFY sip:2001@lab SIP/2.0"), nth=2)


@mutant("NO-08", scenarios.flips)
def cseq_jumps(stage: Stage) -> None:
    edit(stage, lambda m: setattr(m.dialog, "cseq", m.dialog.cseq + 1), why="flip")  # type: ignore[union-attr]


@mutant("NO-10", scenarios.flips, also="ST-09")
def change_is_not_told(stage: Stage) -> None:
    edit(stage, lose, why="flip", nth=4)


@mutant("NO-10", scenarios.flips, also="ST-10 EX-07")
def change_is_told_late(stage: Stage) -> None:
    late(stage, 3)


@mutant("NO-12", scenarios.flips)
def content_type_without_body(stage: Stage) -> None:
    edit(stage, put("Content-Type", MEDIA_TYPE), why="end")


@mutant("NO-12", scenarios.flips, also="BD-13")
def body_without_content_type(stage: Stage) -> None:
    edit(stage, drop("Content-Type"), why="flip", nth=1)


# -- refresh and end --------------------------------------------------------------------------------


@mutant("RF-01", scenarios.lifecycle, also="TR-02")
def refresh_makes_a_new_dialog(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "To", "new"), kind="response", why="refresh", nth=2)


@mutant("RF-01", scenarios.lifecycle)
def refresh_is_unknown(stage: Stage) -> None:
    edit(stage, status(500), kind="response", why="refresh", nth=1)
    edit(stage, lose, why="refresh", nth=1)


@mutant("RF-02", scenarios.lifecycle)
def refresh_tells_one_feature(stage: Stage) -> None:
    def change(message: Outgoing) -> None:
        message.draft.body = write_event(stage.states["2001"][BUSY])
        message.draft.put("Content-Type", MEDIA_TYPE)
        pause(message)

    edit(stage, change, why="refresh", nth=2)


@mutant("RF-03", scenarios.lifecycle, also="EX-07")
def refresh_leaves_the_clock(stage: Stage) -> None:
    stage.restarts_clock = lambda why: why != "refresh"


@mutant("RF-04", scenarios.lifecycle, also="NO-08")
def refresh_makes_a_second_subscription(stage: Stage) -> None:
    refreshed: list[Dialog] = []
    handle, notify = stage.in_dialog, stage.notify

    def in_dialog(phone, request, asked):  # type: ignore[no-untyped-def]
        handle(phone, request, asked)
        dialog = next(d for d in stage.dialogs if d.tag == request.to.tag)
        if asked and not request.body and dialog not in refreshed and not dialog.over:
            refreshed.append(dialog)

    def twice(dialog, content, why):  # type: ignore[no-untyped-def]
        notify(dialog, content, why)
        if dialog in refreshed and why == "flip":
            # The second subscription counts its CSeq by itself.
            notify(replace(dialog), content, why)

    stage.in_dialog, stage.notify = in_dialog, twice  # type: ignore[method-assign]


@mutant("RF-05", scenarios.lifecycle, also="EX-07")
def set_leaves_the_clock(stage: Stage) -> None:
    stage.restarts_clock = lambda why: why != "set"


@mutant("RF-07", scenarios.lifecycle, also="NO-07")
def new_contact_is_ignored(stage: Stage) -> None:
    stage.moves = False


@mutant("UN-01", scenarios.lifecycle, also="SU-04")
def end_grants_time(stage: Stage) -> None:
    edit(stage, put("Expires", "60"), kind="response", why="end")


@mutant("UN-01", scenarios.lifecycle)
def end_is_refused(stage: Stage) -> None:
    handle = stage.in_dialog

    def in_dialog(phone, request, asked):  # type: ignore[no-untyped-def]
        if not asked:
            return stage.answer(phone, request, 500, [], "end")
        return handle(phone, request, asked)

    stage.in_dialog = in_dialog  # type: ignore[method-assign]


@mutant("UN-02", scenarios.round_trips)
def last_notify_is_active(stage: Stage) -> None:
    edit(stage, put("Subscription-State", "active;expires=0"), why="end")
    edit(stage, pause, why="end")


@mutant("UN-02", scenarios.round_trips)
def two_last_notifies(stage: Stage) -> None:
    notify = stage.notify

    def twice(dialog, content, why):  # type: ignore[no-untyped-def]
        notify(dialog, content, why)
        if why == "end":
            notify(dialog, content, why)

    stage.notify = twice  # type: ignore[method-assign]


@mutant("UN-03", scenarios.lifecycle, also="UN-04 EX-07")
def end_ends_nothing(stage: Stage) -> None:
    immortal(stage)


@mutant("UN-04", scenarios.lifecycle)
def ended_dialog_is_accepted(stage: Stage) -> None:
    edit(stage, put("Contact", "<sip:127.0.0.1:5060>"), kind="response", why="gone")
    edit(stage, put("Expires", "60"), kind="response", why="gone")
    edit(stage, status(200), kind="response", why="gone")


@mutant("UN-05", scenarios.starts)
def fetch_stays_active(stage: Stage) -> None:
    edit(stage, put("Subscription-State", "active;expires=0"), why="fetch")


@mutant("UN-05", scenarios.starts)
def fetch_without_state(stage: Stage) -> None:
    edit(stage, empty, why="fetch")
    edit(stage, pause, why="fetch")


@mutant("NO-11", scenarios.unsubscribed)
def notify_to_a_phone_that_did_not_subscribe(stage: Stage) -> None:
    push = stage.push

    def also(user, state, origin, why):  # type: ignore[no-untyped-def]
        push(user, state, origin, why)
        stray = replace(stage.dialogs[0], phone=stage.phones[0], call_id="stray", phone_tag="stray")
        stage.notify(stray, (MEDIA_TYPE, write_event(state)), why)

    stage.push = also  # type: ignore[method-assign]
