"""The ladder: the trace of one test as a picture a person can read. Plain SVG, nothing to load or run.

Columns are the phones, the server(s) they talked to and the administration over SSH; each event is one
row, with milliseconds since the first event. The message that broke a requirement is red and says so.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from featuresync.judge.trace import Address, Awaited, Event, Flip, Note, Press, Quiet, Reading, Trace, Wire
from featuresync.judge.verdict import Finding, Judgement, Verdict
from featuresync.sip import sdp
from featuresync.sync.as_feature_event import summarise
from featuresync.sync.feature import describe

from .redaction import Redactor
from .text import one_line, printable

MOST_ROWS = 400
MOST_SERVERS = 3
_ADMIN = "administration"
_GAP = 1.0
"""Seconds without an event from which on the ladder says so."""

_RED, _AMBER, _PURPLE = "#c62828", "#b26a00", "#6a1b9a"
_MARKS = {Verdict.FAIL: _RED, Verdict.BROKEN: _PURPLE, Verdict.DEVIATION: _AMBER, Verdict.WARNING: _AMBER}
_LEFT, _LINE = 96, 15


@dataclass
class _Row:
    """One event as it will be drawn."""

    event: Event
    repeats: list[float] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    """Colour and text of what the judge says of it."""


def draw(trace: Trace, judgements: Sequence[Judgement], title: str, redactor: Redactor | None = None) -> str:
    """The whole ladder as one SVG document, 1100 to 1400 pixels wide."""
    return _Ladder(trace, judgements, title, redactor or Redactor(())).svg()


class _Ladder:
    def __init__(self, trace: Trace, judgements: Sequence[Judgement], title: str, redactor: Redactor) -> None:
        self.clean = redactor.text
        self.judgements, self.title = judgements, title
        self.start = min((event.time for event in trace.events), default=0.0)
        shown = [event for event in trace.events if not (isinstance(event, Awaited) and event.met)]
        rows = _folded(shown, _marks(judgements))
        self.rows, self.hidden = rows[:MOST_ROWS], len(rows) - MOST_ROWS
        self.phones = list(
            dict.fromkeys(e.actor for e in shown if not isinstance(e, Flip | Reading) and e.actor)
        )
        self.servers = _servers(trace)
        admin = [_ADMIN] if any(isinstance(e, Flip | Reading) for e in shown) else []
        self.columns = [*self.phones, *self.servers.values(), *admin]
        self.columns = list(dict.fromkeys(self.columns)) or ["phone"]
        self.width = min(1400, max(1100, 260 + 240 * len(self.columns)))
        room = self.width - _LEFT - 60
        step = room / len(self.columns)
        self.x = {name: round(_LEFT + 20 + step * (i + 0.5)) for i, name in enumerate(self.columns)}
        self.y = 0
        self.out: list[str] = []

    # -- the document -----------------------------------------------------------------------------

    def svg(self) -> str:
        self.y = 34
        self.text(24, self.y, self.title, size=17, weight="bold", limit=130)
        self.y += 24
        top = self.y + 34
        self.heads()
        self.y = top + 16
        last = self.start
        for row in self.rows:
            if row.event.time - last > _GAP:
                self.pause(row.event.time - last)
            last = max(last, row.event.time, *row.repeats)
            self.row(row)
        if self.hidden > 0:
            self.box(_LEFT + 20, self.width - 40, f"… {self.hidden} more", "#eceff1", "#37474f")
        bottom = self.y
        lifelines = "".join(
            f'<line x1="{x}" y1="{top}" x2="{x}" y2="{bottom}" stroke="#b0bec5" stroke-dasharray="4 4"/>'
            for x in self.x.values()
        )
        self.y += 14
        self.verdicts()
        height = self.y + 20
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{height}" '
            f'viewBox="0 0 {self.width} {height}" font-family="Helvetica, Arial, sans-serif">'
            f"<title>{_xml(self.clean(self.title))}</title>"
            f'<rect width="{self.width}" height="{height}" fill="#ffffff"/>'
            f"{lifelines}{''.join(self.out)}</svg>\n"
        )

    def heads(self) -> None:
        half = min(105, round((self.width - _LEFT - 60) / len(self.columns) / 2) - 6)
        self.text(24, self.y + 17, "ms", size=11, fill="#607d8b")
        for name, x in self.x.items():
            colour = "#e3f2fd" if name in self.phones else "#ede7f6" if name == _ADMIN else "#e8f5e9"
            self.out.append(
                f'<rect x="{x - half}" y="{self.y - 6}" width="{2 * half}" height="34" rx="5" '
                f'fill="{colour}" stroke="#90a4ae"/>'
            )
            self.text(x, self.y + 16, name, size=13, weight="bold", anchor="middle", limit=half * 2 // 7)

    def verdicts(self) -> None:
        """What was judged, in words: every breach, also those that have no message of their own."""
        breaches = [j for j in self.judgements if j.verdict in _MARKS]
        counts = sum(j.verdict is Verdict.PASS for j in self.judgements)
        if self.judgements:
            self.text(
                24,
                self.y + 12,
                f"Requirements kept: {counts} · not kept: {len(breaches)}",
                size=13,
                weight="bold",
            )
            self.y += 24
        for judgement in breaches:
            finding = judgement.worst
            at = f" (at {self.ms(finding.at.time)} ms)" if finding and finding.at else ""
            row = judgement.requirement
            lines = [f"{row.id} {judgement.verdict}{at} · {row.clause} · {row.text}"]
            if finding:
                lines += [f"expected: {finding.expected}", f"seen: {finding.seen}"]
            if judgement.declared:
                lines += [f"declared: {judgement.declared.reason}"]
            self.box(24, self.width - 24, lines, "#fafafa", _MARKS[judgement.verdict])

    # -- rows -------------------------------------------------------------------------------------

    def row(self, row: _Row) -> None:
        event = row.event
        above = self.y
        match event:
            case Wire():
                self.wire(event, row)
            case Press():
                self.note(
                    event.actor, f"user sets {event.state} (account {event.account})", "#fff8e1", "#f9a825"
                )
            case Flip():
                took = round((event.done - event.time) * 1000)
                server = next(iter(self.servers.values()), _ADMIN)
                said = [f"sets {event.state}", f"account {event.account}, answered after {took} ms"]
                self.arrow(_ADMIN, server, said, "#4527a0")
            case Reading():
                server = next(iter(self.servers.values()), _ADMIN)
                self.arrow(
                    server, _ADMIN, [f"reads {describe(event.states)}", f"account {event.account}"], "#4527a0"
                )
            case Quiet():
                said_quiet = f"listened {event.until - event.time:.3g} s: {event.purpose}"
                self.note(event.actor, said_quiet, "#f5f5f5", "#9e9e9e")
            case Awaited():
                text = f"waited for {event.what}: not within {event.deadline}"
                self.note(event.actor, f"{text}; seen: {event.seen}" if event.seen else text, "#ffebee", _RED)
            case Note():
                self.note(event.actor, event.text or event.topic, "#f5f5f5", "#9e9e9e")
        self.text(_LEFT - 12, above + 14, self.ms(event.time), size=11, fill="#607d8b", anchor="end")
        for colour, text in row.marks:
            if not isinstance(event, Wire):
                self.box(_LEFT + 20, self.width - 40, text, "#ffffff", colour)
        self.y += 8

    def wire(self, event: Wire, row: _Row) -> None:
        message = event.message
        if message.is_request:
            colour, said = "#1565c0", f"{message.method or '(no method)'}  CSeq {message.cseq}"
        else:
            colour = "#78909c" if message.status < 200 else "#2e7d32" if message.status < 300 else "#ef6c00"
            said = f"{message.status} {message.reason}  ({message.cseq_method} {message.cseq})"
        if event.transport != "udp":
            said += f"  {event.transport.upper()}"
        if row.repeats:
            said += f"  ×{len(row.repeats) + 1}"
        lines = [said, *self.meaning(event)]
        if row.repeats:
            again = ", ".join(self.ms(time) for time in row.repeats[:8])
            lines.append(f"same bytes again at {again}{', …' if len(row.repeats) > 8 else ''} ms")
        server = self.servers[event.remote]
        ends = (event.actor, server) if event.sent else (server, event.actor)
        self.arrow(*ends, lines, row.marks[0][0] if row.marks else colour, row.marks)

    def meaning(self, event: Wire) -> Iterator[str]:
        message = event.message
        state = message.header("subscription-state")
        parts = [f"state {state}"] if state and message.method == "NOTIFY" else []
        if message.is_request and message.method in ("SUBSCRIBE", "REGISTER") and message.has("expires"):
            parts.append(f"expires {message.header('expires')}")
        if message.is_request and message.method == "INVITE":
            parts.append(f"to {message.request_uri}")
        kind = message.header("content-type")
        if kind.partition(";")[0].strip().lower() == sdp.MEDIA_TYPE:
            audio = sdp.read_audio(message.body)
            parts.append(f"sound at {audio.address}:{audio.port}" if audio else "no sound")
        elif message.body:
            parts.append(one_line(summarise(kind, message.body), 160))
        if parts:
            yield " · ".join(parts)

    def arrow(
        self,
        source: str,
        target: str,
        lines: Sequence[str],
        colour: str,
        marks: Sequence[tuple[str, str]] = (),
    ) -> None:
        """One arrow: the first line above it, the others below, then what the judge says of it."""
        a, b = self.x.get(source, _LEFT + 20), self.x.get(target, _LEFT + 20)
        if a == b:
            a -= 60
        span = abs(b - a)
        middle, limit = (a + b) / 2, max(40, int((span + 120) / 6.2))
        self.text(middle, self.y + 13, lines[0], fill=colour, weight="bold", anchor="middle", limit=limit)
        y = self.y + 21
        tip = 9 if b > a else -9
        self.out.append(
            f'<line x1="{a}" y1="{y}" x2="{b - tip}" y2="{y}" stroke="{colour}" '
            f'stroke-width="{3 if marks else 1.6}"/>'
            f'<polygon points="{b},{y} {b - tip},{y - 5} {b - tip},{y + 5}" fill="{colour}"/>'
        )
        self.y = y + 3
        for line in lines[1:]:
            self.y += _LINE
            self.text(middle, self.y - 2, line, size=11, fill="#455a64", anchor="middle", limit=limit)
        for mark, text in marks:
            self.y += 3
            self.box(max(_LEFT + 20, min(a, b) - 40), self.width - 40, text, "#ffffff", mark)
        self.y += 4

    def note(self, actor: str, text: str, fill: str, stroke: str) -> None:
        x = self.x.get(actor, _LEFT + 120)
        width = min(460, 24 + round(6.4 * len(text)))
        left = min(max(_LEFT + 20, x - width // 2), self.width - 40 - width)
        self.box(left, left + width, text, fill, stroke)

    def pause(self, seconds: float) -> None:
        self.text(_LEFT - 12, self.y + 12, f"⋮ {seconds:.1f} s", size=11, fill="#90a4ae", anchor="end")
        self.y += 22

    # -- marks on the paper -------------------------------------------------------------------------

    def box(self, left: float, right: float, text: str | Sequence[str], fill: str, stroke: str) -> None:
        """A box with text wrapped to its width; it moves the pen below it."""
        given = [text] if isinstance(text, str) else text
        wide = max(20, int((right - left - 20) / 6.1))
        lines = [line for part in given for line in _wrapped(one_line(self.clean(part), 900), wide)]
        height = _LINE * len(lines) + 8
        self.out.append(
            f'<rect x="{left}" y="{self.y}" width="{right - left}" height="{height}" rx="3" '
            f'fill="{fill}" stroke="{stroke}"/>'
            f'<rect x="{left}" y="{self.y}" width="4" height="{height}" fill="{stroke}"/>'
        )
        for number, line in enumerate(lines):
            self.text(left + 12, self.y + 15 + _LINE * number, line, halo=False)
        self.y += height + 4

    def text(
        self, x: float, y: float, text: str, *, size: int = 12, fill: str = "#263238", weight: str = "normal",
        anchor: str = "start", limit: int = 220, halo: bool = True,
    ) -> None:  # fmt: skip
        # The white outline keeps words readable where a lifeline crosses them.
        outline = 'stroke="#ffffff" stroke-width="3" paint-order="stroke" ' if halo else ""
        self.out.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" font-weight="{weight}" '
            f'text-anchor="{anchor}" {outline}>'
            f"{_xml(one_line(self.clean(text), limit))}</text>"
        )

    def ms(self, time: float) -> str:
        return f"{(time - self.start) * 1000:,.1f}".replace(",", " ")


def _xml(text: str) -> str:
    return escape(printable(text))


def _wrapped(text: str, wide: int) -> list[str]:
    return textwrap.wrap(text, wide, break_on_hyphens=False) or [""]


def _servers(trace: Trace) -> dict[Address, str]:
    """A column name for each address our phones talked to; the first is *the* server."""
    names: dict[Address, str] = {}
    for wire in trace.of(Wire):
        if wire.remote not in names:
            host, port = wire.remote
            count = len(set(names.values()))
            names[wire.remote] = (
                "server" if not names else f"{host}:{port}" if count < MOST_SERVERS else "other peers"
            )
    return names


def _marks(judgements: Sequence[Judgement]) -> dict[int, list[tuple[str, str]]]:
    """Breaches by the identity of the event they are about, worst first."""
    found: dict[int, list[tuple[str, str]]] = {}
    ranked = [j for verdict in _MARKS for j in judgements if j.verdict is verdict]
    for judgement in ranked:
        for finding in judgement.findings:
            if not finding.ok and finding.at is not None:
                found.setdefault(id(finding.at), []).append(
                    (_MARKS[judgement.verdict], _said(judgement, finding))
                )
    return found


def _said(judgement: Judgement, finding: Finding) -> str:
    line = f"{judgement.requirement.id} {judgement.verdict}: expected {finding.expected}; seen {finding.seen}"
    return f"{line} (declared: {judgement.declared.reason})" if judgement.declared else line


def _folded(events: Sequence[Event], marks: dict[int, list[tuple[str, str]]]) -> list[_Row]:
    """Rows, with retransmissions (the same bytes the same way again) folded into their first."""
    rows: list[_Row] = []
    first: dict[object, _Row] = {}
    for event in events:
        mine = marks.get(id(event), [])
        if isinstance(event, Wire):
            key = (event.actor, event.sent, event.transport, event.local, event.remote, event.data)
            if key in first:
                first[key].repeats.append(event.time)
                first[key].marks.extend(mark for mark in mine if mark not in first[key].marks)
                continue
        row = _Row(event, marks=list(mine))
        rows.append(row)
        if isinstance(event, Wire):
            first[key] = row
    return rows
