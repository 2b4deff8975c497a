"""Servers that do things differently and still right: no row may fail for them."""

from __future__ import annotations

from collections.abc import Callable

from featuresync.sync.as_feature_event import MEDIA_TYPE, write_event
from featuresync.sync.feature import FeatureState

from .phones import STEP
from .traces import Outgoing, Stage

VARIANTS: list[Callable[[Stage], None]] = []


def variant(setup: Callable[[Stage], None]) -> Callable[[Stage], None]:
    VARIANTS.append(setup)
    return setup


@variant
def retransmits_each_notify(stage: Stage) -> None:
    stage.edits.append(lambda message: setattr(message, "copies", 2 if message.kind == "notify" else 1))


@variant
def notify_overtakes_the_response(stage: Stage) -> None:
    send, held = stage.send, []

    def overtaking(phone, message):  # type: ignore[no-untyped-def]
        if message.kind == "response" and message.why in ("start", "refresh", "set", "end", "fetch"):
            held.append((phone, message))
            return
        send(phone, message)
        while held:
            send(*held.pop())

    stage.send = overtaking  # type: ignore[method-assign]


@variant
def one_notify_per_feature(stage: Stage) -> None:
    """And an empty one first; the last one of a fetch ends it."""
    stage.facts["expect.full_state"] = "separate"
    notify = stage.notify

    def one_by_one(dialog, content, why):  # type: ignore[no-untyped-def]
        if why not in ("start", "refresh", "fetch"):
            return notify(dialog, content, why)
        states = list(stage.states[dialog.account].values())
        notify(dialog, ("", b""), "start")
        for state in states:
            last = state is states[-1]
            notify(dialog, (MEDIA_TYPE, write_event(state)), why if last else "start")
        return None

    stage.notify = one_by_one  # type: ignore[method-assign]


@variant
def compact_header_names(stage: Stage) -> None:
    names = {
        b"Via": b"v", b"From": b"f", b"To": b"t", b"Call-ID": b"i", b"Contact": b"m", b"Content-Type": b"c",
        b"Content-Length": b"l", b"Event": b"o", b"Allow-Events": b"u",
    }  # fmt: skip

    def compact(data: bytes) -> bytes:
        head, gap, body = data.partition(b"\r\n\r\n")
        lines = [line.partition(b":") for line in head.split(b"\r\n")]
        return b"\r\n".join(names.get(n, n) + colon + rest for n, colon, rest in lines) + gap + body

    stage.edits.append(lambda message: setattr(message, "raw", compact))


@variant
def asks_for_no_credentials(stage: Stage) -> None:
    stage.facts["expect.challenge"] = False
    stage.demands_credentials = lambda request: request.has("authorization")


@variant
def remembers_numbers_of_inactive_forwards(stage: Stage) -> None:
    def store(at: Stage, user: str, state: FeatureState) -> None:
        number = state.number or at.states[user][state.feature].number
        at.states[user][state.feature] = FeatureState(state.feature, state.on, number, state.rings)

    stage.stores = store


@variant
def tells_the_old_value_before_the_new_one(stage: Stage) -> None:
    """A stale NOTIFY first; the last one counts."""
    stage.before_set = lambda dialog: stage.notify(
        dialog, (MEDIA_TYPE, write_event(stage.states[dialog.account][stage.asked.feature])), "set"
    )


@variant
def announces_codes_before_the_final_response(stage: Stage) -> None:
    """TS 24.238: the announcement in an early dialog, and a release that means no failure."""
    stage.facts |= {"call.answer": "either", "call.final_early": (480,)}
    stage.switch.early = True


@variant
def sends_calls_through_proxies_and_hides_the_caller(stage: Stage) -> None:
    stage.switch.routes = ("<sip:p1.lab;lr>", "<sip:p2.lab;lr>")
    stage.edits.append(
        lambda m: m.draft.put("From", '"Anonymous" <sip:anonymous@lab>;tag=x') if m.why == "invite" else None
    )


@variant
def takes_half_a_second_for_each_message(stage: Stage) -> None:
    stage.edits.append(lambda message: setattr(message, "delay", 0.5 - STEP))


@variant
def grants_less_than_asked(stage: Stage) -> None:
    stage.grants = lambda asked: min(asked, 300)


@variant
def speaks_tcp(stage: Stage) -> None:
    stage.transport = "tcp"


@variant
def ends_with_the_state_in_the_last_notify(stage: Stage) -> None:
    def full(message: Outgoing) -> None:
        if message.kind == "notify" and message.why == "end" and message.dialog is not None:
            kind, message.draft.body = stage.full_state(message.dialog.account)
            message.draft.put("Content-Type", kind)

    stage.edits.append(full)
