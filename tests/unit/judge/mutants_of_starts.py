"""Faults in messages, credentials and the start of subscriptions."""

from __future__ import annotations

from featuresync.sync.as_feature_event import MEDIA_TYPE, write_event

from . import scenarios
from .faults import drop, edit, empty, lose, mutant, pause, put, status, tag_of
from .traces import DND, Dialog, Outgoing, Stage, off, on

# -- transport and transactions ---------------------------------------------------------------------


@mutant("TR-02", scenarios.round_trips)
def from_is_rewritten(stage: Stage) -> None:
    edit(stage, lambda m: m.draft.put("From", "<sip:somebody@lab>;tag=x"), kind="response", why="set")


@mutant("TR-02", scenarios.starts)
def refusal_without_to_tag(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "To", ""), kind="response", why="unknown")


@mutant("TR-02", scenarios.rapid)
def response_with_another_branch(stage: Stage) -> None:
    def change(message: Outgoing) -> None:
        message.draft.put("Via", "SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bKother;rport")

    edit(stage, change, kind="response", why="set", nth=3)


@mutant("TR-06", scenarios.flips)
def branch_is_used_again(stage: Stage) -> None:
    edit(stage, put("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKsame"))


@mutant("TR-06", scenarios.flips)
def branch_without_cookie(stage: Stage) -> None:
    edit(stage, put("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=1"), nth=2)


@mutant("TR-06", scenarios.flips)
def notify_without_max_forwards(stage: Stage) -> None:
    edit(stage, drop("Max-Forwards"), nth=2)


@mutant("TR-07", scenarios.flips)
def content_length_too_small(stage: Stage) -> None:
    edit(stage, lambda m: m.draft.add("Content-Length", str(len(m.draft.body) - 2)), nth=2)


@mutant("TR-07", scenarios.flips)
def no_content_length_over_tcp(stage: Stage) -> None:
    stage.transport = "tcp"
    edit(stage, lambda m: setattr(m, "raw", lambda data: data.replace(b"Content-Length: 0\r\n", b"")),
         kind="response", why="start")  # fmt: skip


# -- credentials ------------------------------------------------------------------------------------


@mutant("AU-01", scenarios.starts)
def bare_subscribe_is_accepted(stage: Stage) -> None:
    stage.demands_credentials = lambda request: request.method != "SUBSCRIBE"


@mutant("AU-01", scenarios.starts)
def challenge_without_realm(stage: Stage) -> None:
    def change(message: Outgoing) -> None:
        value = dict(message.draft.headers)["WWW-Authenticate"]
        message.draft.put("WWW-Authenticate", value.replace('realm="lab", ', ""))

    edit(stage, change, kind="response", why="challenge")


@mutant("AU-01", scenarios.credentials)
def state_is_given_to_anybody(stage: Stage) -> None:
    challenged = stage.challenged
    told: list[Dialog] = []

    def talkative(phone, request):  # type: ignore[no-untyped-def]
        said = challenged(phone, request)
        if said and request.method == "SUBSCRIBE" and not request.to.tag:
            contact, event = f"sip:{phone.account}@127.0.0.1:{phone.port}", "as-feature-event"
            stranger = Dialog(phone, phone.account, request.call_id, request.from_.tag, "s0", event, contact)
            stranger.expiry = stage.now + 3600
            if not told:
                told.append(stranger)
                stage.notify(stranger, stage.full(phone.account), "start")
        return said

    stage.challenged = talkative  # type: ignore[method-assign]


@mutant("AU-02", scenarios.credentials)
def bare_set_is_stored(stage: Stage) -> None:
    stage.demands_credentials = lambda request: not request.body


@mutant("AU-02", scenarios.credentials)
def refused_set_is_stored_all_the_same(stage: Stage) -> None:
    challenged = stage.challenged

    def early(phone, request):  # type: ignore[no-untyped-def]
        if request.body and not request.has("authorization"):
            stage.states[phone.account][DND] = on(DND)
        return challenged(phone, request)

    stage.challenged = early  # type: ignore[method-assign]
    # The set with a wrong password that follows would find nothing to change.


@mutant("AU-03", scenarios.round_trips)
def right_password_is_refused(stage: Stage) -> None:
    stage.accepts_password = lambda said: False


@mutant("AU-05", scenarios.credentials)
def wrong_password_is_accepted(stage: Stage) -> None:
    stage.accepts_password = lambda said: True


# -- starting ---------------------------------------------------------------------------------------


@mutant("SU-01", scenarios.round_trips)
def subscribe_is_not_answered(stage: Stage) -> None:
    edit(stage, lose, kind="response", why="start")
    edit(stage, lose, why="start")


@mutant("SU-02", scenarios.round_trips)
def success_is_202(stage: Stage) -> None:
    edit(stage, status(202), kind="response", why="start")


@mutant("SU-03", scenarios.round_trips)
def success_without_expires(stage: Stage) -> None:
    edit(stage, drop("Expires"), kind="response", why="start set")


@mutant("SU-04", scenarios.round_trips)
def more_is_granted_than_asked(stage: Stage) -> None:
    stage.grants = lambda asked: asked * 2


@mutant("SU-05", scenarios.round_trips)
def success_without_contact(stage: Stage) -> None:
    edit(stage, drop("Contact"), kind="response", why="start")


@mutant("SU-05", scenarios.starts, also="TR-02")
def success_without_to_tag(stage: Stage) -> None:
    edit(stage, lambda m: tag_of(m.draft, "To", ""), kind="response", why="fetch")


@mutant("SU-07", scenarios.starts)
def bad_event_without_allow_events(stage: Stage) -> None:
    edit(stage, drop("Allow-Events"), kind="response", why="unknown")


@mutant("SU-07", scenarios.starts)
def unknown_package_is_accepted(stage: Stage) -> None:
    edit(stage, status(200), kind="response", why="unknown")


@mutant("SU-08", scenarios.starts)
def package_is_not_listed(stage: Stage) -> None:
    edit(stage, put("Allow-Events", "presence, dialog"), kind="response", why="options")


@mutant("SU-11", scenarios.starts)
def event_id_is_forgotten(stage: Stage) -> None:
    edit(stage, put("Event", "as-feature-event"))


@mutant("SU-11", scenarios.round_trips)
def event_id_is_made_up(stage: Stage) -> None:
    edit(stage, put("Event", "as-feature-event;id=1"), why="set")


@mutant("SU-12", scenarios.starts, also="BD-13")
def another_type_where_none_is_named(stage: Stage) -> None:
    """The first subscription has no Accept."""
    edit(stage, put("Content-Type", "text/xml"), why="start", nth=1)
    edit(stage, lambda m: setattr(m.draft, "body", write_event(off(DND))), why="start", nth=1)


@mutant("SU-13", scenarios.starts, also="SU-20")
def one_feature_where_no_multipart_is_accepted(stage: Stage) -> None:
    def change(message: Outgoing) -> None:
        message.draft.body = write_event(off(DND))
        message.draft.put("Content-Type", MEDIA_TYPE)
        pause(message)

    edit(stage, change, why="start", nth=2)


@mutant("SU-20", scenarios.round_trips)
def start_without_state(stage: Stage) -> None:
    edit(stage, empty, why="start")
    edit(stage, pause, why="start")
