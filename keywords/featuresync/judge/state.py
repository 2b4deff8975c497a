"""State: what phone and server hold after a change from either side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from featuresync.sync.feature import Feature, FeatureState

from .change import Change, Report
from .exchange import Kind
from .outcome import outcome
from .rows import PRACTICE, P, Rows
from .story import Story
from .subscription import Subscription
from .trace import Event
from .verdict import Finding

STATE = Rows()
_RAPID = 1.0
"""Seconds between two sets that make a quick succession, of at least ``_MANY`` sets."""
_MANY = 5

_TYPED = re.compile(r"[\s()/]|(?<=\d)[-.](?=\d)")


def _as_typed(state: FeatureState) -> bool:
    """True for a number as a person writes it, with blanks or brackets: the server may normalise it."""
    return state.on and "@" not in state.number and bool(_TYPED.search(state.number))


# -- round trips from the phone -------------------------------------------------------------------


def _round_trip(feature: Feature, on: bool | None) -> Callable[[Story], Iterator[Finding]]:
    """A judge of the sets of one feature, to on or off, or to either when ``on`` is None."""

    def judge(story: Story) -> Iterator[Finding]:
        for change in story.changes:
            if change.origin is None or change.feature is not feature or _as_typed(change.state):
                continue
            if on not in (None, change.state.on):
                continue
            found = outcome(story, change, change.origin, story.deadline("confirmation"))
            if found.decided:
                yield found.finding()
            read = story.read_after(change)
            if read is None or change.refused:
                continue
            # A reading made before the confirmation came says nothing against the server.
            ok = read.states[change.feature].satisfies(change.state)
            if ok or found.last is None or read.time >= found.last.time:
                yield _read_finding(change, read, ok)

    return judge


def _read_finding(change: Change, read: Report, ok: bool) -> Finding:
    return Finding(ok, f"{change.state} at the server", f"read back: {read.states[change.feature]}", read.at)


for _id, _text, _feature, _on in (
    ("ST-01", "DND switched on at the phone is confirmed as on.", Feature.DND, True),
    ("ST-02", "DND switched off at the phone is confirmed as off.", Feature.DND, False),
    ("ST-04", "An unconditional forward set at the phone is confirmed as on, with its number.",
     Feature.CF_ALWAYS, True),
    ("ST-05", "An unconditional forward taken off at the phone is confirmed as off.",
     Feature.CF_ALWAYS, False),
    ("ST-06", "A busy forward set or taken off at the phone is confirmed, with its number.",
     Feature.CF_BUSY, None),
    ("ST-07", "A no-answer forward set or taken off at the phone is confirmed, with number and rings.",
     Feature.CF_NO_ANSWER, None),
):  # fmt: skip
    STATE.put(
        _id,
        P,
        f"{PRACTICE} (guide)",
        _text,
        _round_trip(_feature, _on),
        "R MS FV",
    )


@STATE.row(
    "ST-03", P, "RFC 6665 4.2.1.2", "Setting the present value again still gives a NOTIFY with that value."
)
def repeated_set_is_confirmed(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        if change.origin is None or _as_typed(change.state) or story.alters(change):
            continue
        if story.reported(change.account, change.feature, change.time) is not None:
            found = outcome(story, change, change.origin, story.deadline("confirmation"))
            if found.decided:
                yield found.finding()


@STATE.row("ST-08", P, "inferred", "A change of one feature changes no other.", "R FV FC")
def features_are_independent(story: Story) -> Iterator[Finding]:
    told = [report for report in story.reports if story.assigned and story.assigned <= set(report.states)]
    sources = (story.readings, [report for report in told if report not in story.readings])
    for source in sources:
        for account in dict.fromkeys(report.account for report in source):
            own = [report for report in source if report.account == account]
            yield from _side_effects(story, account, own)


def _side_effects(story: Story, account: str, reports: list[Report]) -> Iterator[Finding]:
    """Compares the last report before some changes with the last one before the next change."""
    for before, after in pairwise(reports):
        following = story.next_change(account, None, before.time)
        if following >= after.time:
            continue
        # Of several reports after the change the last one before the next change counts. What comes of a
        # code that is dialled wrongly on purpose is no change's doing.
        until = min(story.next_change(account, None, after.time), story.next_wrong_call(after.time))
        later = [report for report in reports if after.time <= report.time < until]
        last = later[-1] if later else after
        changed = story.touched(account, before.time, last.time)
        harmed = [
            f"{last.states[feature]} (was: {state})"
            for feature, state in before.states.items()
            if feature in last.states and feature not in changed and last.states[feature] != state
        ]
        names = " and ".join(feature.label for feature in Feature if feature in changed)
        seen = "; ".join(harmed) or f"only {names}" if changed else "no change"
        yield Finding(not harmed, f"no change but of {names or 'nothing'}", seen, last.at)


# -- changes at the server ------------------------------------------------------------------------


def _pushed(forward: bool) -> Callable[[Story], Iterator[Finding]]:
    """A judge of what living subscriptions are told of flips, of a forward or of DND."""

    def judge(story: Story) -> Iterator[Finding]:
        for change in story.changes:
            if not change.flipped or change.feature.is_forward != forward or not story.took(change):
                continue
            for sub in story.subscriptions:
                if sub.account == change.account and sub.live(change.time):
                    found = outcome(story, change, sub, story.deadline("push"))
                    # Nothing need come when nothing changed.
                    if found.decided and (found.last is not None or story.alters(change)):
                        yield found.finding()

    return judge


STATE.put(
    "ST-09",
    P,
    f"{PRACTICE} (guide)",
    "DND switched at the server is told to the phone.",
    _pushed(forward=False),
    "R MS FV",
)
STATE.put(
    "ST-10",
    P,
    f"{PRACTICE} (guide)",
    "A forward changed at the server is told to the phone, with its number.",
    _pushed(forward=True),
    "R MS FV",
)


@STATE.row(
    "ST-11", P, PRACTICE, "What was changed while no phone was subscribed shows when one subscribes again."
)
def change_shows_at_the_next_start(story: Story) -> Iterator[Finding]:
    limit = story.deadline("full_state")
    for change in story.changes:
        if not change.flipped or not story.took(change):
            continue
        own = [sub for sub in story.subscriptions if sub.account == change.account]
        if any(sub.since <= change.done and sub.until > change.time for sub in own):
            continue
        following = story.next_change(change.account, change.feature, change.time)
        start = next(
            (s for s in own if s.initial is not None and s.initial.request.time >= change.done), None
        )
        if start is None or start.initial is None or start.initial.request.time >= following:
            continue
        first = start.initial
        until = min(following, start.after(first), first.answered + limit)
        told = [n for n in start.heard(first.request.time, until) if change.feature in n.states]
        expected = f"a NOTIFY with {change.state} within {limit:g} s of the SUBSCRIBE"
        if told:
            said = told[-1].states[change.feature]
            yield Finding(said.satisfies(change.state), expected, f"last NOTIFY: {said}", told[-1].wire)
        elif story.watched(start.actor, first.answered, limit, min(following, start.after(first))):
            yield Finding(False, expected, f"nothing about the {change.feature.label}", first.final)


# -- state over time ------------------------------------------------------------------------------


@STATE.row("ST-12", P, "inferred", "State survives a refresh, an end and a new registration.")
def state_survives(story: Story) -> Iterator[Finding]:
    events = sorted(_lifecycle(story), key=lambda event: event[0])
    for place, (time, name, account, sub) in enumerate(events):
        until = next((t for t, _, other, _ in events[place + 1 :] if other == account), float("inf"))
        lost: list[str] = []
        kept: list[str] = []
        at: Event = sub.exchanges[0].first
        for feature in Feature:
            before = story.reported(account, feature, time)
            report = _last_report(story, account, feature, time, until)
            if before is None or report is None or feature in story.touched(account, time, time):
                continue
            after = report.states[feature]
            same = before.satisfies(after) and after.satisfies(before)
            (kept if same else lost).append(str(after) if same else f"{after} (was: {before})")
            at = at if same else report.at
        if lost or kept:
            yield Finding(not lost, f"the same state after the {name}", "; ".join(lost or kept), at)


def _lifecycle(story: Story) -> Iterator[tuple[float, str, str, Subscription]]:
    for sub, exchange in story.accepted(Kind.REFRESH, Kind.END):
        yield exchange.first.time, str(exchange.kind), sub.account, sub
    for exchange in story.exchanges:
        if exchange.method == "REGISTER" and exchange.accepted:
            began = [s for s in story.subscriptions if s.since < exchange.first.time]
            own = [s for s in began if s.actor == exchange.actor]
            if own:
                yield exchange.first.time, "registration", own[0].account, own[0]


def _last_report(story: Story, account: str, feature: Feature, since: float, until: float) -> Report | None:
    until = min(until, story.next_change(account, feature, since))
    found = [
        report
        for report in story.reports
        if report.account == account and since <= report.time < until and feature in report.states
    ]
    return found[-1] if found else None


@STATE.row(
    "ST-14",
    P,
    PRACTICE,
    "The NOTIFY says the number that the server holds, however the user typed it.",
    "PH R",
)
def notified_number_is_the_stored_one(story: Story) -> Iterator[Finding]:
    for change in story.changes:
        if change.origin is None or not _as_typed(change.state) or change.refused:
            continue
        found = outcome(story, change, change.origin, story.deadline("confirmation"))
        read = story.read_after(change)
        if found.said is None:
            if found.watched:
                yield Finding(False, f"a NOTIFY about the {change.feature.label}", "none", change.at)
        elif read is not None:
            held = read.states[change.feature]
            ok = found.said.satisfies(held) and held.satisfies(found.said)
            yield Finding(
                ok, f"the number that the server holds: {held}", f"last NOTIFY: {found.said}", change.at
            )


@STATE.row(
    "ST-19",
    P,
    "inferred",
    "After quick successive sets the last NOTIFY and the stored state are the last set.",
)
def last_of_many_sets_stands(story: Story) -> Iterator[Finding]:
    for chain in _successions(story):
        last = chain[-1]
        assert last.origin is not None
        found = outcome(story, last, last.origin, story.deadline("confirmation"))
        after = f"after {len(chain)} sets"
        if found.decided:
            said = found.finding()
            yield Finding(said.ok, f"{said.expected}, {after}", said.seen, said.at)
        read = story.read_after(last)
        if read is not None and not last.refused:
            ok = read.states[last.feature].satisfies(last.state)
            said = _read_finding(last, read, ok)
            yield Finding(ok, f"{said.expected}, {after}", said.seen, said.at)


def _successions(story: Story) -> Iterator[list[Change]]:
    """Runs of many sets of one feature in one dialog, each soon after the one before."""
    for sub in story.subscriptions:
        run: list[Change] = []
        for change in [c for c in story.changes if c.origin is sub]:
            if run and (change.feature is not run[-1].feature or change.time - run[-1].time > _RAPID):
                if len(run) >= _MANY:
                    yield run
                run = []
            run.append(change)
        if len(run) >= _MANY:
            yield run


@STATE.row("ST-20", P, "inferred", "NOTIFYs arrive in the order of the changes.")
def notifies_keep_the_order_of_changes(story: Story) -> Iterator[Finding]:
    for sub in story.subscriptions:
        for feature in Feature:
            changes = [
                c
                for c in story.changes
                if (c.account, c.feature) == (sub.account, feature) and sub.live(c.time) and not c.refused
            ]
            if len({change.state for change in changes}) > 1:
                yield from _order(story, sub, changes)


def _order(story: Story, sub: Subscription, changes: list[Change]) -> Iterator[Finding]:
    feature = changes[0].feature
    told = [n for n in sub.heard(changes[0].time, sub.until) if feature in n.states and not n.terminated]
    if len(told) < 2:
        return
    first = story.reported(sub.account, feature, changes[0].time)
    wanted = [first, *(change.state for change in changes)]
    place = 0
    for notify in told:
        said = notify.states[feature]
        asked = [i for i, state in enumerate(wanted) if state is not None and said.satisfies(state)]
        if not asked:
            continue  # a value that nobody asked for: other rows speak of it
        reached = [i for i in asked if i >= place and (i == 0 or changes[i - 1].time <= notify.time)]
        if not reached and place == 0 and first is None:
            continue  # what the feature was before anybody changed it is not known
        if not reached:
            expected = f"no value older than change {place} of {len(changes)}: {wanted[place]}"
            yield Finding(False, expected, f"then {said}", notify.wire)
            return
        place = reached[0]
    yield Finding(
        True, f"the order of {len(changes)} changes", f"{len(told)} NOTIFYs in order", told[-1].wire
    )
