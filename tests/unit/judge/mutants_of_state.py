"""Faults in documents, in state, and between phones."""

from __future__ import annotations

from featuresync.sync.as_feature_event import MEDIA_TYPE, write_event, write_full_state
from featuresync.sync.feature import FeatureState

from . import scenarios
from .faults import edit, forgets, lose, mutant, put, said, swap
from .traces import ALWAYS, BUSY, DND, NO_ANSWER, Outgoing, Stage, off, on

# -- documents --------------------------------------------------------------------------------------


@mutant("BD-01", scenarios.flips, also="ST-09")
def document_is_not_well_formed(stage: Stage) -> None:
    edit(stage, swap(b"</doNotDisturbOn>", b"</x>"), why="flip", nth=1)


@mutant("BD-01", scenarios.flips)
def document_is_in_another_encoding(stage: Stage) -> None:
    edit(stage, lambda m: (swap(b"ISO-8859-1", b"US-ASCII")(m), swap(b"<device>", b"<device>\xfc")(m)),
         why="flip", nth=1)  # fmt: skip


@mutant("BD-02", scenarios.flips)
def document_without_namespace(stage: Stage) -> None:
    edit(stage, swap(b"csta/ed3", b"csta/ed9"), why="flip", nth=1)


@mutant("BD-03", scenarios.flips, also="ST-09")
def request_instead_of_event(stage: Stage) -> None:
    edit(stage, swap(b"DoNotDisturbEvent", b"SetDoNotDisturb"), why="flip", nth=1)


@mutant("BD-04", scenarios.flips)
def boolean_is_a_digit(stage: Stage) -> None:
    edit(stage, swap(b">true<", b">1<"), why="flip", nth=1)


@mutant("BD-05", scenarios.flips, also="ST-10")
def forwarding_type_is_misspelt(stage: Stage) -> None:
    edit(stage, swap(b"forwardNoAns<", b"forwardNoAnswer<"), why="flip", nth=2)


@mutant("BD-06", scenarios.flips, also="ST-10")
def active_forward_without_number(stage: Stage) -> None:
    edit(stage, swap(b"<forwardTo>2004</forwardTo>", b"<forwardTo></forwardTo>"), why="flip", nth=3)


@mutant("BD-07", scenarios.flips)
def inactive_forward_with_a_filler(stage: Stage) -> None:
    edit(stage, swap(b"</forwardStatus>", b"</forwardStatus><forwardTo>---</forwardTo>"), why="flip", nth=5)


@mutant("BD-08", scenarios.flips)
def no_ring_count(stage: Stage) -> None:
    edit(stage, swap(b"<ringCount>4</ringCount>", b""), why="flip")


@mutant("BD-08", scenarios.flips)
def ring_count_in_words(stage: Stage) -> None:
    edit(stage, swap(b"<ringCount>4</ringCount>", b"<ringCount>four</ringCount>"), why="flip")


@mutant("BD-08", scenarios.round_trips, also="ST-07")
def ring_count_of_the_change_before(stage: Stage) -> None:
    edit(stage, swap(b"<ringCount>7</ringCount>", b"<ringCount>4</ringCount>"), why="set")


@mutant("BD-09", scenarios.flips)
def ring_count_of_another_forward(stage: Stage) -> None:
    edit(stage, swap(b"</forwardTo>", b"</forwardTo><ringCount>4</ringCount>"), why="flip", nth=3)


@mutant("BD-13", scenarios.flips)
def document_as_plain_xml(stage: Stage) -> None:
    edit(stage, put("Content-Type", "application/xml"), why="flip", nth=1)


@mutant("BD-14", scenarios.flips)
def junk_after_the_document(stage: Stage) -> None:
    edit(stage, lambda m: setattr(m.draft, "body", m.draft.body + b"\0"), why="flip", nth=1)


@mutant("BD-15", scenarios.round_trips)
def full_state_confirms_a_set(stage: Stage) -> None:
    def change(message: Outgoing) -> None:
        kind, message.draft.body = stage.full("2001")
        message.draft.put("Content-Type", kind)

    edit(stage, change, why="set", nth=1)


@mutant("BD-15", scenarios.round_trips, also="ST-01")
def another_feature_confirms_a_set(stage: Stage) -> None:
    edit(stage, lambda m: setattr(m.draft, "body", write_event(off(BUSY))), why="set", nth=1)


@mutant("MP-01", scenarios.flips)
def documents_are_glued(stage: Stage) -> None:
    def change(message: Outgoing) -> None:
        message.draft.body = b"".join(write_event(state) for state in stage.states["2001"].values())
        message.draft.put("Content-Type", MEDIA_TYPE)

    edit(stage, change, why="start")


@mutant("MP-02", scenarios.flips)
def one_document_in_a_multipart(stage: Stage) -> None:
    def change(message: Outgoing) -> None:
        body = message.draft.body
        message.draft.put("Content-Type", "multipart/mixed;boundary=b1")
        head = b"--b1\r\nContent-Type: application/x-as-feature-event+xml\r\n\r\n"
        message.draft.body = head + body + b"\r\n--b1--\r\n"

    edit(stage, change, why="flip", nth=1)


@mutant("MP-03", scenarios.flips)
def multipart_is_not_closed(stage: Stage) -> None:
    edit(stage, swap(b"--feature-state--", b""), why="start")


@mutant("MP-04", scenarios.flips)
def part_as_plain_xml(stage: Stage) -> None:
    edit(stage, swap(b"application/x-as-feature-event+xml", b"text/xml"), why="start")


@mutant("MP-06", scenarios.flips)
def feature_stands_twice(stage: Stage) -> None:
    def full(user: str) -> tuple[str, bytes]:
        kind, body = write_full_state(stage.states[user])
        part = body.partition(b"--feature-state\r\n")[2].partition(b"--feature-state")[0]
        return kind, body.replace(b"--feature-state--", b"--feature-state\r\n" + part + b"--feature-state--")

    stage.full = full


# -- state ------------------------------------------------------------------------------------------


@mutant("ST-01", scenarios.round_trips)
def dnd_stays_off(stage: Stage) -> None:
    said(stage, on(DND), off(DND))


@mutant("ST-01", scenarios.round_trips)
def dnd_is_told_and_not_kept(stage: Stage) -> None:
    forgets(stage, on(DND))


@mutant("ST-02", scenarios.round_trips)
def dnd_stays_on(stage: Stage) -> None:
    said(stage, off(DND), on(DND))


@mutant("ST-03", scenarios.round_trips, also="ST-01 NO-01")
def repeated_set_is_silent(stage: Stage) -> None:
    edit(stage, lose, why="set", nth=2)


@mutant("ST-04", scenarios.round_trips)
def unconditional_forward_loses_a_digit(stage: Stage) -> None:
    said(stage, on(ALWAYS, "2003"), on(ALWAYS, "200"))


@mutant("ST-05", scenarios.round_trips)
def unconditional_forward_stays(stage: Stage) -> None:
    said(stage, off(ALWAYS), on(ALWAYS, "2004"))


@mutant("ST-06", scenarios.round_trips)
def busy_forward_stays_off(stage: Stage) -> None:
    said(stage, on(BUSY, "2003"), off(BUSY))


@mutant("ST-07", scenarios.round_trips, also="BD-08")
def no_answer_forward_forgets_its_rings(stage: Stage) -> None:
    said(stage, on(NO_ANSWER, "2003", 4), on(NO_ANSWER, "2003", 3))


@mutant("ST-07", scenarios.round_trips, also="ST-03")
def set_of_no_answer_is_refused(stage: Stage) -> None:
    handle = stage.in_dialog

    def in_dialog(phone, request, asked):  # type: ignore[no-untyped-def]
        if b"forwardNoAns" in request.body:
            return stage.answer(phone, request, 500, [], "set")
        return handle(phone, request, asked)

    stage.in_dialog = in_dialog  # type: ignore[method-assign]


@mutant("ST-08", scenarios.round_trips)
def busy_forward_ends_dnd(stage: Stage) -> None:
    def store(at: Stage, user: str, state: FeatureState) -> None:
        Stage.store(at, user, state)
        if state.feature is BUSY:
            at.states[user][DND] = on(DND)

    stage.stores = store


@mutant("ST-09", scenarios.flips)
def flip_of_dnd_is_told_wrong(stage: Stage) -> None:
    edit(stage, swap(b">true<", b">false<"), why="flip", nth=1)


@mutant("ST-10", scenarios.flips)
def flip_of_a_forward_is_told_wrong(stage: Stage) -> None:
    edit(stage, swap(b">2003<", b">2009<"), why="flip")


@mutant("ST-11", scenarios.lifecycle)
def change_while_away_does_not_show(stage: Stage) -> None:
    def full(user: str) -> tuple[str, bytes]:
        return write_full_state({**stage.states[user], DND: off(DND)})

    def later(message: Outgoing) -> None:
        message.draft.body = full("2001")[1]

    edit(stage, later, why="start", nth=2)


@mutant("ST-12", scenarios.lifecycle, also="ST-08")
def refresh_forgets_a_forward(stage: Stage) -> None:
    def forgetful(message: Outgoing) -> None:
        message.draft.body = write_full_state({**stage.states["2001"], BUSY: off(BUSY)})[1]

    edit(stage, forgetful, why="refresh", nth=2)


@mutant("ST-14", scenarios.typed)
def typed_number_is_told_and_another_kept(stage: Stage) -> None:
    edit(stage, swap(b">5550100<", b">(555) 0100<"), why="set")


@mutant("ST-19", scenarios.rapid, also="ST-02")
def last_set_is_lost(stage: Stage) -> None:
    count = 0

    def store(at: Stage, user: str, state: FeatureState) -> None:
        nonlocal count
        count += 1
        if count < 10:
            Stage.store(at, user, state)

    stage.stores = store


@mutant("ST-20", scenarios.rapid)
def stale_value_comes_back(stage: Stage) -> None:
    # The fifth set is on; a NOTIFY with the off before it comes after its own.
    notify = stage.notify
    count = 0

    def stale(dialog, content, why):  # type: ignore[no-untyped-def]
        nonlocal count
        notify(dialog, content, why)
        count += why == "set"
        if why == "set" and count == 5:
            notify(dialog, (MEDIA_TYPE, write_event(off(DND))), why)

    stage.notify = stale  # type: ignore[method-assign]


# -- several phones ---------------------------------------------------------------------------------


@mutant("MS-01", scenarios.devices, also="NO-10 ST-09")
def flip_reaches_one_phone(stage: Stage) -> None:
    stage.reaches = lambda d, account, origin: (
        d.account == account and (origin is not None or d.phone.name == "home")
    )


@mutant("MS-02", scenarios.devices)
def set_reaches_its_own_phone_only(stage: Stage) -> None:
    stage.reaches = lambda d, account, origin: d.account == account and origin in (None, d)


@mutant("MS-03", scenarios.devices, also="NO-10 ST-09")
def end_ends_all(stage: Stage) -> None:
    stage.reaches = lambda d, account, origin: (
        d.account == account and not (d.phone.name == "home" and any(other.over for other in stage.dialogs))
    )


@mutant("MS-04", scenarios.devices)
def change_reaches_a_stranger(stage: Stage) -> None:
    stage.reaches = lambda d, account, origin: True


@mutant("MS-04", scenarios.devices)
def notify_comes_to_a_stranger(stage: Stage) -> None:
    send = stage.send

    def astray(phone, message):  # type: ignore[no-untyped-def]
        send(phone, message)
        if message.kind == "notify" and message.why == "flip" and phone.name == "home":
            stranger = next(p for p in stage.phones if p.name == "stranger")
            stranger.deliver(message.draft.encode(), "notify")

    stage.send = astray  # type: ignore[method-assign]
