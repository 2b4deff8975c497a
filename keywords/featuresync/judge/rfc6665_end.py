"""RFC 6665 and the package: how a subscription is refreshed, fetched and ended."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .change import Change
from .exchange import Exchange, Kind
from .rfc6665_start import coverage, full_state
from .rows import PRACTICE, M, P, R, Rows
from .story import Story
from .subscription import Subscription
from .verdict import Finding

END = Rows()


@END.row("RF-01", M, "RFC 6665 4.2.1.4", "A refresh is accepted, in the dialog that it was sent in.")
def refresh_stays_in_the_dialog(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.subscribes:
        if exchange.kind is not Kind.REFRESH or exchange.final is None or not sub.live(exchange.first.time):
            continue
        # 423 is EX-02's, 401 and 403 are the credentials' (AU-03).
        if exchange.status in (401, 403, 407, 423):
            continue
        message = exchange.final.message
        tags = (message.from_.tag, message.to.tag)
        ok = exchange.accepted and tags == (sub.local_tag, sub.remote_tag)
        expected = f"2xx with the tags {sub.local_tag} and {sub.remote_tag}"
        seen = f"{exchange.outcome} with {tags[0] or 'none'} and {tags[1] or 'none'}"
        yield Finding(ok, expected, seen, exchange.final)


@END.row("RF-02", P, PRACTICE, "A refresh is followed by the state of every feature.")
def refresh_is_followed_by_full_state(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.accepted(Kind.REFRESH):
        if sub.live(exchange.first.time):
            yield from full_state(story, sub, exchange)


@END.row("RF-03", M, "RFC 6665 4.2.1.4", "A refresh restarts the subscription's clock.")
def refresh_restarts_the_clock(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.accepted(Kind.REFRESH):
        yield from _clock(sub, exchange)


@END.row(
    "RF-05",
    M,
    "RFC 6665 4.2.1.4 (inferred)",
    "A set, being a SUBSCRIBE, restarts the subscription's clock with its own Expires.",
)
def set_restarts_the_clock(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.accepted(Kind.SET):
        if exchange.requested:
            yield from _clock(sub, exchange)


def _clock(sub: Subscription, exchange: Exchange) -> Iterator[Finding]:
    """What NOTIFYs say is left, where the old clock and the new one differ enough to be told apart."""
    old = sub.seconds_left(exchange.request.time)
    if not old or abs(old[0] - exchange.granted) <= 4:
        return
    for notify in sub.heard(exchange.answered, sub.after(exchange)):
        header, new = notify.subscription_state, exchange.granted - (notify.time - exchange.answered)
        if header.expires is not None and not notify.terminated:
            ok = abs(header.expires - new) <= 2
            yield Finding(
                ok, f"expires={new:.0f}, 2 s more or less", f"expires={header.expires}", notify.wire
            )
        elif notify.terminated and header.reason == "timeout" and new > 2:
            yield Finding(
                False, f"a subscription with {new:.0f} s left", "terminated;reason=timeout", notify.wire
            )


@END.row(
    "RF-04",
    R,
    "RFC 6665 4.2.1.4 (inferred)",
    "A refresh makes no second subscription: a change is told once.",
)
def refresh_makes_no_second_subscription(story: Story) -> Iterator[Finding]:
    for sub in story.subscriptions:
        refreshed = [e.answered for e in sub.accepted if e.kind is Kind.REFRESH]
        for change in story.changes:
            if not change.flipped or change.account != sub.account or not story.alters(change):
                continue
            if sub.live(change.time) and refreshed and refreshed[0] <= change.time:
                yield from _count(story, sub, change)


def _count(story: Story, sub: Subscription, change: Change) -> Iterator[Finding]:
    """How often the phone was told the same of one change, in this dialog or in one it does not know."""
    following = min(story.next_change(change.account, None, change.time), sub.next_subscribe(change.time))
    until = min(following, change.done + story.deadline("push"))
    strays = [n for n in story.stray_notifies if n.wire.actor == sub.actor and change.time <= n.time < until]
    told = [n.states.get(change.feature) for n in [*sub.heard(change.time, until), *strays]]
    times = sum(state is not None and state.satisfies(change.state) for state in told)
    expected = f"one NOTIFY with {change.state}"
    if times > 1 or (times and story.listened(sub.actor, change.done)):
        yield Finding(times == 1, expected, f"{times}", change.at)


@END.row("UN-01", M, "RFC 6665 4.2.1.4", "An unsubscription is accepted with Expires: 0.")
def end_is_accepted(story: Story) -> Iterator[Finding]:
    for sub, exchange in story.subscribes:
        alive = sub.since <= exchange.first.time and sub.until >= exchange.first.time
        if exchange.kind is Kind.END and exchange.final is not None and alive:
            if exchange.status in (401, 403, 407):
                continue
            expires = exchange.final.message.header("expires")
            ok = exchange.accepted and expires.isdigit() and int(expires) == 0
            seen = f"{exchange.outcome}, {'Expires: ' + expires[:40] if expires else 'no Expires'}"
            yield Finding(ok, "2xx with Expires: 0", seen, exchange.final)


def _ended(story: Story) -> Iterator[tuple[Subscription, Exchange]]:
    """Each first accepted unsubscription of a living subscription."""
    for sub in story.subscriptions:
        end = next((e for e in sub.accepted if e.kind is Kind.END), None)
        if end is not None and sub.since <= end.first.time <= sub.until:
            yield sub, end


@END.row(
    "UN-02",
    M,
    "RFC 6665 4.2.1.4",
    "An unsubscription is followed by exactly one NOTIFY that says terminated.",
)
def end_is_followed_by_one_last_notify(story: Story) -> Iterator[Finding]:
    limit = story.deadline("answer")
    for sub, end in _ended(story):
        last = [n for n in sub.heard(end.request.time, math.inf) if n.terminated]
        if not last and not story.watched(sub.actor, end.answered, limit, sub.abandoned):
            continue
        said = ", ".join(n.message.header("subscription-state")[:60] for n in last)
        seen = f"{len(last)}{': ' if said else ''}{said}"
        at = last[-1].wire if last else end.final
        yield Finding(len(last) == 1, "one NOTIFY with terminated;reason=timeout", seen, at)


@END.row(
    "UN-03", M, "RFC 6665 4.2.1.4", "After the end a change leads to no NOTIFY in the ended subscription."
)
def ended_subscription_is_silent(story: Story) -> Iterator[Finding]:
    for sub, end in _ended(story):
        last = [n.time for n in sub.heard(end.request.time, math.inf) if n.terminated]
        over = max([end.answered, *last[:1]])
        for change in story.changes:
            if change.account != sub.account or change.time < over:
                continue
            following = story.next_change(change.account, None, change.time)
            told = [n for n in sub.heard(change.time, following) if not n.terminated]
            if told or story.listened(sub.actor, change.done):
                yield Finding(not told, f"no NOTIFY after {change.state}", f"{len(told)}",
                              told[0].wire if told else change.at)  # fmt: skip


@END.row("UN-05", M, "RFC 6665 4.4.3", "A fetch is answered by one NOTIFY: full state, terminated.")
def fetch_is_answered_by_one_notify(story: Story) -> Iterator[Finding]:
    expected = "one NOTIFY with the state of every feature, terminated"
    separate = story.fact("expect.full_state") == "separate"
    for sub, exchange in story.subscribes:
        if exchange.kind is not Kind.FETCH:
            continue
        if exchange.status in (400, 423):
            yield Finding(False, "2xx, then " + expected, exchange.outcome, exchange.final)
        elif exchange.accepted:
            found = coverage(story, sub, exchange)
            one = len(found.notifies) == 1 or (separate and bool(found.notifies))
            over = bool(found.notifies) and found.notifies[-1].terminated
            if found.decided:
                seen = f"{found.seen}, {'terminated' if over else 'not terminated'}"
                yield Finding(one and over and found.complete, expected, seen, exchange.final)
