"""RFC 6665: that a NOTIFY comes, and what its head must say."""

from __future__ import annotations

from collections.abc import Iterator

from featuresync.sync.as_feature_event import PACKAGE

from .exchange import Exchange, package_of
from .rows import M, Rows, S
from .story import Story
from .subscription import Subscription
from .trace import Quiet
from .verdict import Finding

NOTIFY = Rows()
_LIMIT = 32.0


@NOTIFY.row("NO-01", M, "RFC 6665 4.2.1.2", "Every accepted SUBSCRIBE is followed by a NOTIFY at once.")
def accepted_subscribe_is_followed_by_notify(story: Story) -> Iterator[Finding]:
    limit = story.deadline("confirmation")
    for sub, exchange in story.accepted():
        following = sub.after(exchange)
        # Nothing is due to a SUBSCRIBE in a dialog that the server has ended: UN-04 speaks of that.
        if _was_over(sub, exchange):
            continue
        sent = exchange.request.time
        told = sub.heard(sent, min(following, sent + _LIMIT))
        expected = f"a NOTIFY within {limit:g} s of the {exchange.kind} (32 s at most)"
        if told:
            yield Finding(True, expected, f"after {told[0].time - sent:.3f} s", told[0].wire)
        elif story.watched(sub.actor, exchange.answered, limit, min(following, sub.abandoned)):
            waited = min(following, story.end) - sent
            yield Finding(False, expected, f"none in {waited:.1f} s", exchange.final)


def _was_over(sub: Subscription, exchange: Exchange) -> bool:
    ended = any(notify.terminated and notify.time < exchange.first.time for notify in sub.notifies)
    earlier = sub.exchanges[: sub.exchanges.index(exchange)]
    return ended or any(e.requested == 0 and e.accepted for e in earlier)


@NOTIFY.row(
    "NO-02",
    M,
    "RFC 6665 4.4.1",
    "A NOTIFY's Call-ID and tags are those of the SUBSCRIBE and its 2xx.",
)
def notify_is_of_the_dialog(story: Story) -> Iterator[Finding]:
    for notify, sub in story.notifies:
        if not sub.remote_tag:
            continue
        message = notify.message
        due = (("Call-ID", sub.call_id, message.call_id), ("From tag", sub.remote_tag, message.from_.tag),
               ("To tag", sub.local_tag, message.to.tag))  # fmt: skip
        wrong = [f"{name} {said[:80]}" for name, want, said in due if want != said]
        expected = ", ".join(f"{name} {want}" for name, want, _ in due)
        yield Finding(not wrong, expected, ", ".join(wrong) or "the same", notify.wire)


@NOTIFY.row("NO-03", M, "RFC 6665 3.2.1, 8.2.1", "A NOTIFY has exactly one Event, and it names the package.")
def notify_names_the_package(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        values = notify.message.headers("event")
        ok = len(values) == 1 and package_of(notify.message) == PACKAGE
        seen = ", ".join(f"Event: {value[:80]}" for value in values) or "no Event"
        yield Finding(ok, f"one Event: {PACKAGE}", seen, notify.wire)


@NOTIFY.row("NO-04", M, "RFC 6665 4.2.2, 8.4", "A NOTIFY has one Subscription-State, written by the grammar.")
def subscription_state_is_well_written(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        values = notify.message.headers("subscription-state")
        wrong = [] if len(values) == 1 else [f"{len(values)} Subscription-State headers"]
        wrong += [*notify.subscription_state.problems] if values else []
        seen = "; ".join(wrong) or f"Subscription-State: {values[0][:80]}"
        yield Finding(not wrong, "one Subscription-State, as in active;expires=3600", seen, notify.wire)


@NOTIFY.row("NO-05", M, "RFC 6665 4.2.2", "The Subscription-State active or pending has expires.")
def active_state_has_expires(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        header = notify.subscription_state
        if header.state in ("active", "pending"):
            seen = notify.message.header("subscription-state")[:80]
            yield Finding(header.expires is not None, f"{header.state};expires=", seen, notify.wire)


@NOTIFY.row("NO-06", M, "RFC 6665 8.1.1", "A NOTIFY has Contact.")
def notify_has_contact(story: Story) -> Iterator[Finding]:
    for notify, _ in story.notifies:
        contact = notify.message.header("contact")
        yield Finding(bool(contact), "Contact", contact[:120] or "no Contact", notify.wire)


@NOTIFY.row("NO-10", S, "RFC 6665 4.2.2", "A change at the server leads to a NOTIFY.")
def change_leads_to_notify(story: Story) -> Iterator[Finding]:
    limit = story.deadline("push")
    for change in story.changes:
        if not change.flipped or not story.alters(change) or not story.took(change):
            continue
        following = story.next_change(change.account, change.feature, change.time)
        for sub in story.subscriptions:
            if sub.account != change.account or not sub.live(change.time):
                continue
            until = min(following, sub.until, sub.next_subscribe(change.time))
            told = sub.heard(change.time, until)
            expected = f"a NOTIFY to {sub.actor} within {limit:g} s of {change.state}"
            if told:
                took = max(told[0].time - change.done, 0)
                yield Finding(took <= limit, expected, f"after {took:.3f} s", told[0].wire)
            elif story.watched(sub.actor, change.done, limit, until):
                yield Finding(False, expected, "none", change.at)


@NOTIFY.row("NO-11", M, "RFC 6665 4.2.2", "No NOTIFY comes outside a subscription that the phone made.")
def no_notify_without_subscription(story: Story) -> Iterator[Finding]:
    expected = "no NOTIFY to a phone without a subscription"
    for notify in story.stray_notifies:
        yield Finding(False, expected, f"NOTIFY of Call-ID {notify.message.call_id[:80]}", notify.wire)
    subscribed = {sub.actor for sub in story.subscriptions}
    flips = [change.done for change in story.changes if change.flipped]
    for quiet in story.trace.of(Quiet):
        if quiet.actor not in subscribed and any(story.listened(quiet.actor, done) for done in flips):
            yield Finding(True, expected, "none", quiet)
