"""The trace as the judge reads it: exchanges, subscriptions, changes, reports. Made once per trace."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property

from featuresync.sync.as_feature_event import MEDIA_TYPE, PACKAGE
from featuresync.sync.feature import Feature, FeatureState

from .calls import Call, CallReading
from .change import Change, Report
from .exchange import Exchange, Kind, Notify, Pairing, package_of
from .phones import Phones
from .subscription import Subscription
from .topics import ODD, OFF_WITH_DIGITS, UNPLUGGED, WITHOUT_NUMBER, WRONG_PASSWORD
from .trace import Awaited, Flip, Note, Quiet, Reading, Setting, Trace, Wire

SLACK = 0.05
"""Seconds by which a scenario's own wait may fall short of the same deadline counted by the judge."""

# Where a trace has no deadlines of its own; the defaults of a bench file.
_DEADLINES = {
    "answer": 4.0, "full_state": 5.0, "confirmation": 5.0, "push": 5.0, "quiet": 1.5, "ring": 5.0,
    "no_answer": 60.0,
}  # fmt: skip


class Story:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.setting: Setting = trace.setting
        pairing = Pairing()
        self.calls = self._read(pairing)
        """Every call that our phones made, in order."""
        self.exchanges, self.strays = pairing.exchanges, pairing.strays
        self.received = pairing.received
        """Requests of the server's, but for NOTIFY and ACK."""
        self.phones = Phones(self.exchanges, trace.of(Note))
        self.subscriptions: list[Subscription] = []
        self.misdirected: list[tuple[Notify, Subscription]] = []
        """NOTIFYs of a subscription that came to a phone of another account."""
        self.stray_notifies: list[Notify] = []
        """NOTIFYs of our package that are of no dialog of ours."""
        self.notifies: list[tuple[Notify, Subscription]] = []
        """Every NOTIFY with the subscription it is of, in order of arrival."""
        self._subscribe()
        for notify in pairing.notifies:
            self._place(notify)
        self.attempts = list(pairing.requests())
        times = [getattr(event, "until", getattr(event, "done", event.time)) for event in trace.events]
        self.end = max(times, default=0.0)
        """When the trace ends."""

    # -- what the rows ask -------------------------------------------------------------------------

    def deadline(self, name: str) -> float:
        """A named time limit, in seconds."""
        return float(self.setting.deadlines.get(name, _DEADLINES[name]))

    def fact(self, name: str) -> object:
        return self.setting.facts.get(name)

    def claims(self, mechanism: str) -> bool:
        """Whether the system uses that mechanism anywhere; true when nothing is known of it."""
        used = [value for name, value in self.setting.facts.items() if name.endswith("_side")]
        return not used or mechanism in used

    @cached_property
    def assigned(self) -> set[Feature]:
        return {Feature(name) for name in self.setting.assigned}

    def assigned_to(self, account: str) -> set[Feature]:
        """The features that the account has on the server."""
        own = self.setting.assigned_to.get(account)
        return self.assigned if own is None else {Feature(name) for name in own}

    @property
    def subscribes(self) -> Iterator[tuple[Subscription, Exchange]]:
        """Every SUBSCRIBE of our package with its subscription."""
        return ((sub, exchange) for sub in self.subscriptions for exchange in sub.exchanges)

    def accepted(self, *kinds: Kind) -> Iterator[tuple[Subscription, Exchange]]:
        """The accepted SUBSCRIBEs of those kinds, of any kind when none is named."""
        for sub, exchange in self.subscribes:
            if exchange.accepted and (not kinds or exchange.kind in kinds):
                yield sub, exchange

    def watched(self, actor: str, since: float, seconds: float, until: float = math.inf) -> bool:
        """Whether it means something that ``actor`` heard nothing from ``since`` to ``until``.

        It does when that time was long enough, or when the scenario waited for something in it in vain.
        """
        until = min(until, self.end)
        return until - since >= seconds - SLACK or any(
            not event.met and event.actor == actor and since < event.time <= until + SLACK
            for event in self.trace.of(Awaited)
        )

    def listened(self, actor: str, since: float, until: float = math.inf) -> bool:
        """Whether ``actor`` was made to listen for the absence of messages after ``since``."""
        quiet = min(self.deadline("quiet"), 1.0)
        return any(q.actor == actor and q.until - max(q.time, since) >= quiet - SLACK and q.until < until
                   for q in self.trace.of(Quiet))  # fmt: skip

    # -- changes and reports -----------------------------------------------------------------------

    @cached_property
    def changes(self) -> list[Change]:
        """Sets and calls to codes by phones that meant them, and flips, in order."""
        found = [Change(f.time, f.done, f.account, f.state, f) for f in self.trace.of(Flip)]
        for sub, exchange in self.subscribes:
            if exchange.asked is None or exchange.kind is not Kind.SET:
                continue
            # A set in a subscription that is over is UN-04's, a length that is too short EX-02's.
            if self.is_meant(exchange) and sub.live(exchange.first.time) and exchange.status != 423:
                found.append(
                    Change(
                        exchange.request.time,
                        exchange.answered,
                        sub.account,
                        exchange.asked,
                        exchange.request,
                        sub,
                        exchange,
                    )
                )
        for call in self.calls:
            if call.meant is not None:
                at = call.exchange.request
                found.append(Change(call.start, call.end, call.account, call.meant, at, call=call))
        return sorted(found, key=lambda change: change.time)

    def is_meant(self, exchange: Exchange) -> bool:
        """False for a set that is odd on purpose, has a wrong password, or lacks credentials that are due."""
        if exchange.wrong_password or exchange.odd:
            return False
        return exchange.credentialed or (
            exchange.status not in (401, 407) and self.fact("expect.challenge") is not True
        )

    @cached_property
    def readings(self) -> list[Report]:
        return [Report(r.time, r.account, r.states, r) for r in self.trace.of(Reading)]

    @cached_property
    def reports(self) -> list[Report]:
        """Readings and NOTIFYs that say something of a feature, in order."""
        told = [Report(n.time, sub.account, n.states, n.wire) for n, sub in self.notifies if n.states]
        return sorted([*self.readings, *told], key=lambda report: report.time)

    def reported(self, account: str, feature: Feature, before: float) -> FeatureState | None:
        """What the server last said of the feature before that time."""
        for report in reversed(self.reports):
            if report.time < before and report.account == account and feature in report.states:
                return report.states[feature]
        return None

    def next_change(self, account: str, feature: Feature | None, after: float) -> float:
        """When the next change of the feature (None: of any) was asked for; infinite when none was."""
        return next(
            (
                change.time
                for change in self.changes
                if change.time > after and change.account == account and feature in (None, change.feature)
            ),
            math.inf,
        )

    def next_wrong_call(self, after: float) -> float:
        """When the next call to a code went out that is wrong on purpose; infinite when none did."""
        return min((call.start for call in self.calls if call.topic and call.start > after), default=math.inf)

    @cached_property
    def _settled(self) -> dict[int, float]:
        """When the server first reported what each change asked for, by the change's identity."""
        found: dict[int, float] = {}
        for change in self.changes:
            for report in self.reports[bisect_left(self.reports, change.time, key=lambda r: r.time) :]:
                said = report.states.get(change.feature) if report.account == change.account else None
                if said is not None and said.satisfies(change.state):
                    found[id(change)] = report.time
                    break
        return found

    def touched(self, account: str, since: float, until: float) -> set[Feature]:
        """Features whose change was asked for before ``until`` and not yet seen done at ``since``."""
        found = {
            change.feature
            for change in self.changes
            if change.account == account
            and change.time < until
            and self._settled.get(id(change), math.inf) > since
        }
        # A code that was dialled wrongly on purpose may well do to its own feature what it says.
        return found | {
            call.touches
            for call in self.calls
            if call.topic in (OFF_WITH_DIGITS, WITHOUT_NUMBER) and call.touches is not None
            and call.account == account and since < call.end and call.start < until
        }  # fmt: skip

    def read_after(self, change: Change) -> Report | None:
        """The last reading that shows what came of a change: before the next one, or the next of its kind."""
        for feature in (None, change.feature):
            following = self.next_change(change.account, feature, change.time)
            for report in reversed(self.readings):
                there = report.account == change.account and change.feature in report.states
                if there and change.done <= report.time < following:
                    return report
        return None

    def took(self, change: Change) -> bool:
        """False for a flip that the administration took and the server did not keep: bench trouble."""
        if not change.flipped:
            return True
        read = self.read_after(change)
        return read is None or read.states[change.feature].satisfies(change.state)

    def alters(self, change: Change) -> bool:
        """False when the server is known to hold already what the change asks for.

        What was read back counts before what a NOTIFY said: a NOTIFY may be stale.
        """
        known = self.reported(change.account, change.feature, change.time)
        read = [r for r in self.readings if r.account == change.account and r.time < change.time]
        if read and self.next_change(change.account, change.feature, read[-1].time) >= change.time:
            known = read[-1].states.get(change.feature)
        return known is None or not known.satisfies(change.state)

    def held(self, account: str, feature: Feature, at: float) -> FeatureState | None:
        """What the account held at that time: as last set, or read back since; None where nobody knows.

        What a NOTIFY said counts only where there is nothing better: it may be stale.
        """
        known = [(r.time, r.states[feature]) for r in self.readings
                 if r.account == account and r.time <= at and feature in r.states]  # fmt: skip
        own = [c for c in self.changes if (c.account, c.feature) == (account, feature) and not c.refused]
        known += [(change.done, change.state) for change in own if change.done <= at]
        return max(known, key=lambda one: one[0])[1] if known else self.reported(account, feature, at)

    def is_so(self, change: Change) -> bool:
        """Whether the server held already what the change asks for: nothing need be told then."""
        held = self.held(change.account, change.feature, change.time)
        return held is not None and held.satisfies(change.state)

    # -- making it ---------------------------------------------------------------------------------

    def _read(self, pairing: Pairing) -> list[Call]:
        reading = CallReading(self.setting)
        wrong: set[str] = set()
        odd: dict[str, str] = {}
        for event in self.trace.events:
            before = len(pairing.exchanges)
            if isinstance(event, Note) and event.topic == WRONG_PASSWORD:
                wrong.add(event.actor)
            elif isinstance(event, Note) and event.topic == ODD:
                odd[event.actor] = event.text
            elif isinstance(event, Wire):
                pairing.read(event)
            started = pairing.exchanges[-1] if len(pairing.exchanges) > before else None
            if started is not None and started.actor in wrong:
                started.wrong_password = True
                wrong.discard(started.actor)
            if started is not None:
                started.odd = odd.pop(started.actor, "")
            reading.read(event, started)
        reading.share(pairing.received)
        return reading.calls

    def _subscribe(self) -> None:
        known: dict[tuple[str, str, str], Subscription] = {}
        for exchange in self.exchanges:
            message = exchange.first.message
            if exchange.method != "SUBSCRIBE" or package_of(message) != PACKAGE:
                continue
            key = (exchange.actor, message.call_id, message.from_.tag)
            if message.to.tag and key in known:
                known[key].exchanges.append(exchange)
            else:
                known[key] = Subscription([exchange])
                self.subscriptions.append(known[key])
        for note in self.trace.of(Note):
            for sub in self.subscriptions:
                there = sub.actor == note.actor and sub.exchanges[0].first.time < note.time
                if there and note.topic == UNPLUGGED:
                    sub.abandoned = min(sub.abandoned, note.time)

    def _place(self, notify: Notify) -> None:
        message, actor = notify.message, notify.wire.actor
        started = [s for s in self.subscriptions if s.exchanges[0].first.time <= notify.time]
        ours = [s for s in started if s.call_id == message.call_id]
        tagged = [s for s in started if s.actor == actor and s.local_tag and s.local_tag == message.to.tag]
        exact = [s for s in ours if s in tagged]
        # One wrong field must not hide whose NOTIFY it is: NO-02 says what is wrong with it.
        found = exact or [s for s in ours if s.actor == actor] or tagged
        if found:
            found[-1].notifies.append(notify)
            self.notifies.append((notify, found[-1]))
            return
        accounts = {s.account for s in started if s.actor == actor}
        if ours and accounts and ours[-1].account not in accounts:
            self.misdirected.append((notify, ours[-1]))
        elif package_of(message) == PACKAGE or MEDIA_TYPE.encode() in message.raw.lower():
            self.stray_notifies.append(notify)


def story_of(trace: Trace) -> Story:
    """The trace's story; kept with the trace until the trace grows."""
    kept = vars(trace).get("_story")
    if isinstance(kept, tuple) and kept[0] == len(trace.events):
        story: Story = kept[1]
        return story
    story = Story(trace)
    vars(trace)["_story"] = (len(trace.events), story)
    return story
