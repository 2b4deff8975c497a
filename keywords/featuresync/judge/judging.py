"""From findings to verdicts: every row over every trace, and what a test's verdict follows from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from .catalogue import CATALOGUE
from .trace import Awaited, Trace
from .verdict import Declared, Finding, Judgement, Level, Requirement, Verdict

_BREACHES = (Verdict.FAIL, Verdict.DEVIATION, Verdict.WARNING)
"""What is told of a test, most severe first."""


def judge(
    trace: Trace, declared: Sequence[Declared], scenario: str, tagged: Collection[str]
) -> list[Judgement]:
    """Judge every row of the catalogue over the trace.

    Rows without an occasion in the trace are left out, unless the scenario's tags name them and they are
    for this system: then they are ``SKIPPED``. (A scenario names the rows of every mechanism.) Raises
    ValueError for a tag that is no requirement of the catalogue.
    """
    unknown = sorted(set(tagged) - set(CATALOGUE))
    if unknown:
        raise ValueError(f"no such requirement in the catalogue: {', '.join(unknown)}")
    covering = [d for d in declared if not d.scenarios or scenario in d.scenarios]
    judged = []
    for row in CATALOGUE.values():
        findings = tuple(row.judge(trace))
        if findings or (row.id in tagged and row.applies & trace.setting.families):
            judged.append(_judgement(row, findings, trace.setting.families, covering))
    return judged


def _judgement(
    row: Requirement, findings: tuple[Finding, ...], families: frozenset[str], declared: list[Declared]
) -> Judgement:
    if not findings:
        return Judgement(row, Verdict.SKIPPED, (), "not run: no occasion in this trace")
    broken = [finding for finding in findings if not finding.ok]
    if not broken:
        return Judgement(row, Verdict.PASS, findings)
    verdict = _verdict_of_a_breach(row, families)
    detail = f"{len(broken)} of {len(findings)} broken; {broken[0].seen}"
    if verdict is Verdict.OBSERVED:
        return Judgement(row, verdict, findings, detail)
    matches = [_declaration(row, finding, declared) for finding in broken]
    known = [match for match in matches if match is not None]
    if len(known) == len(broken):
        reasons = "; ".join(dict.fromkeys(match.reason for match in known))
        return Judgement(row, Verdict.DEVIATION, findings, reasons, known[0])
    if known:
        # What nobody declared decides, so it stands first among the findings that people read.
        new = [f for f, match in zip(broken, matches, strict=True) if match is None]
        findings = (*new, *(f for f in findings if all(f is not other for other in new)))
        detail = f"{len(new)} of {len(findings)} broken and not declared; {new[0].seen}"
    return Judgement(row, verdict, findings, detail)


def _verdict_of_a_breach(row: Requirement, families: frozenset[str]) -> Verdict:
    if row.level is Level.OBSERVE:
        return Verdict.OBSERVED
    if row.level is Level.SHOULD:
        return Verdict.WARNING
    if row.level is Level.PRACTICE and not row.applies & families:
        return Verdict.OBSERVED
    return Verdict.FAIL


def _declaration(row: Requirement, finding: Finding, declared: Iterable[Declared]) -> Declared | None:
    return next(
        (d for d in declared if d.requirement == row.id and re.search(d.seen, finding.seen)),
        None,
    )


def verdict_of(
    judgements: Sequence[Judgement], tagged: Collection[str], unmet: Sequence[Awaited]
) -> tuple[Verdict, str]:
    """The verdict of a test, and its message: what failed, or why nothing was proved.

    The worst judgement decides. A test that judged none of the rows it is there for is ``BROKEN``, and so
    is one that waited in vain for something that no requirement explains.
    """
    verdicts = {judgement.verdict for judgement in judgements}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL, _message(judgements)
    due = [judgement for judgement in judgements if not tagged or judgement.requirement.id in tagged]
    if all(judgement.verdict is Verdict.SKIPPED for judgement in due):  # or there are none
        rows = ", ".join(sorted(tagged)) or "any requirement"
        return Verdict.BROKEN, f"judged nothing: no occasion of {rows} in this trace{_waited(unmet, '; ')}"
    worst = next((verdict for verdict in _BREACHES if verdict in verdicts), Verdict.PASS)
    if unmet and worst is Verdict.PASS:
        return Verdict.BROKEN, f"{_waited(unmet)}, and no requirement explains it"
    return worst, _message(judgements)


def _waited(unmet: Sequence[Awaited], before: str = "") -> str:
    if not unmet:
        return ""
    words = [f"{a.what} ({a.actor}, {a.deadline}{'; ' + a.seen if a.seen else ''})" for a in unmet[:3]]
    more = f" and {len(unmet) - 3} more" if len(unmet) > 3 else ""
    return f"{before}waited in vain for {'; '.join(words)}{more}"


def _message(judgements: Sequence[Judgement]) -> str:
    """Three lines for each broken requirement: requirement, expected, seen. Most severe first."""
    lines: list[str] = []
    for verdict in _BREACHES:
        for judgement in judgements:
            finding = judgement.worst
            if judgement.verdict is not verdict or finding is None:
                continue
            row, known = judgement.requirement, judgement.declared
            seen = finding.seen + (f" (declared: {known.reason})" if known else "")
            lines.append(f"REQUIREMENT {row.id} ({row.level}, {row.clause}): {row.text}")
            lines += [f"EXPECTED: {finding.expected}", f"SEEN: {seen}"]
    return "\n".join(lines)
