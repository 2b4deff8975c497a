"""``report/matrix.html``: vendor × feature × direction on one page that needs nothing but itself.

No script, no font, no request: it can be mailed, printed and opened from a disk. Colour never speaks
alone: every cell says its verdict in words, and bench trouble never looks like a failed device.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from featuresync.judge.verdict import Verdict
from featuresync.sync.feature import Feature

from .record import TOTALS, RunRecord, SystemRecord, TestRecord

_WORDS = {
    Verdict.PASS: "passed",
    Verdict.DEVIATION: "as declared",
    Verdict.WARNING: "with a warning",
    Verdict.FAIL: "failed",
    Verdict.BROKEN: "bench trouble",
    Verdict.SKIPPED: "not claimed",
}
_MEANING = {
    Verdict.PASS: "every requirement kept",
    Verdict.DEVIATION: "a breach its profile declares, with the reason",
    Verdict.WARNING: "a recommendation not followed",
    Verdict.FAIL: "the device broke a requirement",
    Verdict.BROKEN: "the bench or the tester failed; it says nothing of the device",
    Verdict.SKIPPED: "the system does not claim it, or the bench cannot show it",
}
_WORST = (Verdict.FAIL, Verdict.BROKEN, Verdict.DEVIATION, Verdict.WARNING, Verdict.PASS, Verdict.SKIPPED)
_SIDES = {"phone": "phone → server", "server": "server → phone"}
_LINKS = {"ladder": "ladder", "capture": "capture", "admin": "administration"}

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2730;--soft:#5b6b78;--page:#fff;--line:#d5dde3;--head:#f3f6f8;
--pass:#d9f2df;--deviation:#d4ebf2;--warning:#fff3c4;--fail:#f9c9c6;--broken:#e3d3f3;--skipped:#eceff1}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9fb0bd;--page:#12181d;--line:#33414c;--head:#1b242b;
--pass:#1c4a2a;--deviation:#17434f;--warning:#574712;--fail:#74231f;--broken:#47306a;--skipped:#263038}}
*{box-sizing:border-box}body{font:15px/1.45 system-ui,Helvetica,Arial,sans-serif;color:var(--ink);
background:var(--page);margin:0 auto;padding:28px;max-width:1500px}
h1{font-size:26px;margin:0 0 2px}h2{font-size:19px;margin:34px 0 8px}h3{font-size:16px;margin:22px 0 6px}
p{margin:4px 0}.soft,small{color:var(--soft)}a{color:inherit}
.totals{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0}.totals div{padding:8px 16px 10px;
border-radius:8px;min-width:118px}.totals b{display:block;font-size:26px;line-height:1.2}
.pass{background:var(--pass)}.deviation{background:var(--deviation)}.warning{background:var(--warning)}
.fail{background:var(--fail)}.broken{background:var(--broken)}.skipped{background:var(--skipped);color:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:separate;border-spacing:3px;width:100%}
th{background:var(--head);font-weight:600;padding:7px 9px;text-align:left;vertical-align:bottom}
thead th{text-align:center;font-size:14px}thead tr+tr th{font-weight:400;font-size:13px;color:var(--soft)}
td.cell{padding:7px 9px;text-align:center;border-radius:5px;min-width:88px}td.cell b{display:block}
td.cell small{color:inherit;opacity:.82}tbody th{min-width:210px;border-radius:5px}tbody th small{
display:block;font-weight:400}.none{color:var(--soft)}
.test{border-left:6px solid;border-radius:4px;padding:7px 12px;margin:7px 0;
background:var(--head);break-inside:avoid}
.test.fail{border-color:#c62828}.test.broken{border-color:#7b1fa2}.test.deviation{border-color:#00838f}
.test.warning{border-color:#f9a825}.test p{overflow-wrap:anywhere}
.lines{white-space:pre-line}.test.fail,.test.broken,.test.deviation,.test.warning{background:var(--head)}
.tag{border-radius:4px;padding:1px 7px;font-size:13px}
.notice{padding:9px 14px;border-radius:6px;margin:12px 0}summary{cursor:pointer}
.facts th,.facts td{text-align:left;padding:3px 9px;font-size:13px;vertical-align:top;min-width:0}
.key td{padding:3px 9px;border-radius:4px}table.key{width:auto}
@media print{body{padding:0;max-width:none;font-size:11px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
h2{break-after:avoid}}
"""


def matrix(record: RunRecord) -> str:
    """The page, complete."""
    vendors = list(dict.fromkeys([*record.systems, *(test.vendor for test in record.tests)]))
    body = [_heading(record), _totals(record), *_notices(record)]
    if record.tests or vendors:
        body += ["<h2>What was proved</h2>", _table(record, vendors), _key()]
    else:
        body.append('<p class="notice broken"><b>No test ran.</b> This run proves nothing.</p>')
    body += [
        "<h2>Everything that is not simply passed</h2>",
        *(_vendor(record, vendor) for vendor in vendors),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Feature sync: {escape(_outcome(record))}</title><style>{_STYLE}</style></head>\n"
        f"<body>{''.join(body)}</body></html>\n"
    )


def write(record: RunRecord, run_dir: Path) -> Path:
    """Write ``report/matrix.html`` of a run folder; its links go to the evidence beside it."""
    file = run_dir / "report" / "matrix.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(matrix(record), encoding="utf-8")
    return file


# -- the top ------------------------------------------------------------------------------------------


def _outcome(record: RunRecord) -> str:
    if record.exit_code == 1:
        return "a device failed"
    return "all as claimed" if record.exit_code == 0 else "bench trouble"


def _heading(record: RunRecord) -> str:
    shade = {0: "pass", 1: "fail"}.get(record.exit_code, "broken")
    ended = f" to {record.finished:%H:%M:%S}" if record.finished else ""
    return (
        f'<h1>Feature sync <span class="tag {shade}">{_outcome(record)}</span></h1>'
        f'<p class="soft">{record.started:%d %B %Y, %H:%M:%S}{ended} UTC · '
        f'bench: <b>{escape(record.bench)}</b> · <a href="index.html">every test in detail (Allure)</a></p>'
    )


def _totals(record: RunRecord) -> str:
    tiles = (
        f'<div class="{verdict}"><b>{record.totals.get(verdict, 0)}</b>{_WORDS[verdict]}</div>'
        for verdict in TOTALS
    )
    return f'<div class="totals">{"".join(tiles)}</div>'


def _notices(record: RunRecord) -> Iterable[str]:
    if record.phone:
        lines = "<br>".join(escape(line) for line in record.phone)
        yield f'<p class="notice skipped"><b>The phone that was played:</b><br>{lines}</p>'
    if record.bench_reason:
        yield f'<p class="notice warning"><b>Why this bench:</b> {escape(record.bench_reason)}</p>'
    for surprise in record.surprises:
        yield (
            f'<p class="notice warning"><b>Surprise:</b> {escape(_title(record, surprise.vendor))} now keeps '
            f"{escape(surprise.requirement)}, although its profile declares a deviation "
            f"({escape(surprise.reason)}). The profile wants updating.</p>"
        )


def _title(record: RunRecord, vendor: str) -> str:
    system = record.systems.get(vendor)
    return system.title if system else vendor


# -- the table ----------------------------------------------------------------------------------------


def _table(record: RunRecord, vendors: Sequence[str]) -> str:
    columns = [(feature, side) for feature in Feature for side in _SIDES]
    others = sorted({_folder(test) for test in record.tests if _column(test) not in columns})
    rows = []
    for vendor in vendors:
        tests = [test for test in record.tests if test.vendor == vendor]
        cells = [[t for t in tests if _column(t) == column] for column in columns]
        cells += [[t for t in tests if _column(t) not in columns and _folder(t) == other] for other in others]
        rows.append(f"<tr>{_system(record.systems.get(vendor), vendor)}{''.join(map(_cell, cells))}</tr>")
    features = "".join(
        f'<th colspan="2" scope="colgroup">{escape(feature.label)}</th>' for feature in Feature
    )
    rest = "".join(f'<th rowspan="2" scope="col">{escape(other.replace("_", " "))}</th>' for other in others)
    sides = "".join(f'<th scope="col">{words}</th>' for _ in Feature for words in _SIDES.values())
    return (
        f'<div class="scroll"><table><thead><tr><th rowspan="2" scope="col">System</th>{features}{rest}</tr>'
        f"<tr>{sides}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _column(test: TestRecord) -> tuple[str, str]:
    return (test.feature, test.side)


def _folder(test: TestRecord) -> str:
    return test.scenario.rpartition("/")[0] or "other"


def _system(system: SystemRecord | None, vendor: str) -> str:
    if system is None:
        return f'<th scope="row">{escape(vendor)}</th>'
    kind = "stand-in on" if system.standin else "real ·"
    about = f"{kind} {system.fingerprint or 'an unnamed version'}"
    return f'<th scope="row">{escape(system.title)}<small>{escape(about)}</small></th>'


def _cell(tests: Sequence[TestRecord]) -> str:
    if not tests:
        return '<td class="cell none">–<small><br>no test</small></td>'
    worst = min((test.verdict for test in tests), key=_rank)
    counts = {v: sum(test.verdict is v for test in tests) for v in _WORST}
    detail = ", ".join(f"{count} {_WORDS[v]}" for v, count in counts.items() if count and v is not worst)
    share = (
        f"{counts[worst]} of {len(tests)}" if detail else f"{len(tests)} test{'s' if len(tests) > 1 else ''}"
    )
    said = f"{share}; {detail}" if detail else share
    word = "stays silent" if worst is Verdict.PASS and _silent(tests) else _WORDS[worst]
    return f'<td class="cell {worst}"><b>{word}</b><small>{said}</small></td>'


def _silent(tests: Sequence[TestRecord]) -> bool:
    """Whether all that ran was the proof that the server tells phones nothing; it is no push that works."""
    return all("by:none" in test.tags for test in tests if test.verdict is not Verdict.SKIPPED)


def _rank(verdict: Verdict) -> int:
    return _WORST.index(verdict) if verdict in _WORST else len(_WORST)


def _key() -> str:
    rows = (f'<tr><td class="{v}">{_WORDS[v]}</td><td>{_MEANING[v]}</td></tr>' for v in TOTALS)
    table = f'<table class="key">{"".join(rows)}</table>'
    return f'<details><summary class="soft">What the words mean</summary>{table}</details>'


# -- what is not simply passed ------------------------------------------------------------------------


def _vendor(record: RunRecord, vendor: str) -> str:
    tests = [test for test in record.tests if test.vendor == vendor]
    system = record.systems.get(vendor)
    head = f"<h3>{escape(system.said if system else vendor)}</h3>"
    if not tests:
        return f'{head}<p class="notice broken">No test of this system ran.</p>'
    skipped = [test for test in tests if test.verdict is Verdict.SKIPPED]
    told = [test for test in tests if test.verdict not in (Verdict.PASS, Verdict.SKIPPED)]
    # One dead bench breaks many tests with one and the same message: that is said once.
    alike: dict[tuple[str, ...], list[TestRecord]] = {}
    for test in sorted(told, key=lambda test: _rank(test.verdict)):
        key = (
            (test.message,)
            if test.verdict is Verdict.BROKEN and not test.requirement
            else (test.message, test.id)
        )
        alike.setdefault(key, []).append(test)
    said = (
        "".join(_test(same[0]) if len(same) == 1 else _same(same) for same in alike.values())
        or f"<p>All {len(tests) - len(skipped)} tests that ran passed.</p>"
    )
    if len(skipped) == len(tests):
        said = "<p>No test ran: all were skipped.</p>"
    about = _quirks(system) if told and system else ""
    return head + said + about + _skipped(skipped) + (_facts(system) if system else "")


def _test(test: TestRecord) -> str:
    links = " · ".join(
        f'<a href="../{escape(quote(path))}">{escape(_LINKS.get(kind, kind))}</a>'
        for kind, path in test.evidence.items()
    )
    # Requirement, expected and seen stand in the message, each on a line of its own.
    message = f'<p class="lines">{escape(test.message)}</p>' if test.message else ""
    evidence = f'<p class="soft">evidence: {links}</p>' if links else ""
    return (
        f'<div class="test {test.verdict}"><p><span class="tag {test.verdict}">{_WORDS[test.verdict]}</span> '
        f"<b>{escape(test.title or test.scenario)}</b> <small>{escape(test.id)}</small></p>"
        f"{message}{evidence}</div>"
    )


def _same(tests: Sequence[TestRecord]) -> str:
    names = escape(", ".join(test.title or test.scenario for test in tests))
    verdict = tests[0].verdict
    return (
        f'<div class="test {verdict}"><p><span class="tag {verdict}">{_WORDS[verdict]}</span> '
        f"<b>{len(tests)} tests</b></p><p>{escape(tests[0].message)}</p><p><small>{names}</small></p></div>"
    )


def _quirks(system: SystemRecord) -> str:
    if not system.quirks:
        return ""
    rows = "".join(f"<li>{escape(quirk)}</li>" for quirk in system.quirks)
    return f'<p class="soft">To know of this system:</p><ul class="soft">{rows}</ul>'


def _facts(system: SystemRecord) -> str:
    """What the profile says of the system, and how sure each statement is."""
    if not system.facts:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(fact.name)}</th><td>{escape(fact.value)}</td>'
        f"<td>{escape(fact.sure)}</td><td>{escape(fact.source)}"
        f"{f'<br><small>{escape(fact.note)}</small>' if fact.note else ''}</td></tr>"
        for fact in system.facts
    )
    unsure = sum(fact.sure in ("inferred", "memory") for fact in system.facts)
    unknown = sum(fact.value == "unknown" for fact in system.facts)
    summary = f"What the profile says: {len(system.facts)} facts, {unsure} inferred, {unknown} unknown"
    head = "<tr><th>fact</th><th>value</th><th>how sure</th><th>source</th></tr>"
    return (
        f'<details><summary class="soft">{summary}</summary><div class="scroll"><table class="facts">'
        f"<thead>{head}</thead><tbody>{rows}</tbody></table></div></details>"
    )


def _skipped(tests: Sequence[TestRecord]) -> str:
    """The skipped tests, those with the same reason together."""
    if not tests:
        return ""
    reasons: dict[str, list[str]] = {}
    for test in tests:
        reasons.setdefault(test.message or "no reason given", []).append(test.title or test.scenario)
    rows = "".join(
        f"<p><b>{escape(reason)}</b><br><small>{escape(', '.join(names))}</small></p>"
        for reason, names in reasons.items()
    )
    count = f"{len(tests)} not claimed"
    return f'<details><summary class="soft">{count}, and why</summary>{rows}</details>'
