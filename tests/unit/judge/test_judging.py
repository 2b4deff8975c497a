"""Verdicts: levels, families, declared deviations, and what a test's verdict follows from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from featuresync.judge.catalogue import CATALOGUE
from featuresync.judge.judging import judge, verdict_of
from featuresync.judge.trace import Awaited, Trace
from featuresync.judge.verdict import Declared, Judgement, Verdict

from .mutants import MUTANTS
from .traces import Stage


def trace_of(name: str, families: str = "R B MS FS OS FV PH") -> Trace:
    """The trace of the mutant of that name."""
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    stage = Stage(families=families)
    mutant.fault(stage)
    mutant.scenario(stage)
    return stage.trace


def judged(
    trace: Trace, *declared: Declared, scenario: str = "a/b", tagged: str = ""
) -> dict[str, Judgement]:
    return {j.requirement.id: j for j in judge(trace, declared, scenario, tagged.split())}


def unmet(what: str = "a NOTIFY with DND on") -> Awaited:
    return Awaited(1.0, "desk", what, "confirmation (5 s)", False, "nothing like it")


@pytest.mark.parametrize(
    ("name", "row", "families", "verdict"),
    [
        ("cseq_jumps", "NO-08", "K", Verdict.FAIL),
        ("flip_of_dnd_is_told_wrong", "ST-09", "R", Verdict.FAIL),
        ("flip_of_dnd_is_told_wrong", "ST-09", "X", Verdict.OBSERVED),
        ("documents_are_glued", "MP-01", "R MS", Verdict.OBSERVED),
        ("documents_are_glued", "MP-01", "R B", Verdict.FAIL),
        ("end_ends_all", "MS-03", "X", Verdict.FAIL),
        ("change_is_not_told", "NO-10", "R", Verdict.WARNING),
        ("inactive_forward_with_a_filler", "BD-07", "R", Verdict.OBSERVED),
    ],
)
def test_level_and_family_make_the_verdict(name, row, families, verdict):
    assert judged(trace_of(name, families))[row].verdict is verdict


def test_a_row_that_holds_passes(good):
    judgements = judged(good["flips"])
    assert {j.verdict for j in judgements.values()} == {Verdict.PASS}
    assert judgements["NO-04"].detail == ""
    assert judgements["NO-04"].worst is None


def test_a_tagged_row_without_an_occasion_is_skipped_and_others_are_left_out(good):
    judgements = judged(good["flips"], tagged="AU-05 ST-09")
    assert judgements["AU-05"].verdict is Verdict.SKIPPED
    assert judgements["AU-05"].detail == "not run: no occasion in this trace"
    assert judgements["ST-09"].verdict is Verdict.PASS
    assert "AU-02" not in judgements


def test_a_tag_that_is_no_requirement_is_an_error(good):
    with pytest.raises(ValueError, match=r"no such requirement in the catalogue: ST-99"):
        judge(good["flips"], [], "a/b", ["ST-99", "ST-09"])


def test_the_detail_of_a_breach_counts_and_quotes():
    assert judged(trace_of("cseq_jumps"))["NO-08"].detail == "6 of 7 broken; CSeq 4 after 2"


# -- declared deviations --------------------------------------------------------------------------


def test_a_declared_breach_is_a_deviation_with_its_reason():
    declared = Declared("NO-08", "counts in twos", seen=r"CSeq \d+ after")
    judgement = judged(trace_of("cseq_jumps"), declared)["NO-08"]
    assert judgement.verdict is Verdict.DEVIATION
    assert judgement.detail == "counts in twos"
    assert judgement.declared is declared
    assert judgement.worst is not None


def test_a_declaration_without_a_pattern_matches_whatever_was_seen():
    assert (
        judged(trace_of("cseq_jumps"), Declared("NO-08", "counts in twos"))["NO-08"].verdict
        is Verdict.DEVIATION
    )


@pytest.mark.parametrize(
    "declared",
    [
        Declared("NO-08", "another value was seen", seen="CSeq 99"),
        Declared("NO-07", "another requirement"),
        Declared("NO-08", "another scenario", scenarios=("x/y",)),
        Declared("NO-08", "only some of the findings", seen="after 2$"),
    ],
    ids=lambda declared: declared.reason,
)
def test_what_nobody_declared_fails(declared):
    assert judged(trace_of("cseq_jumps"), declared)["NO-08"].verdict is Verdict.FAIL


def test_the_undeclared_finding_is_the_one_that_is_shown():
    judgement = judged(trace_of("cseq_jumps"), Declared("NO-08", "at first", seen="after 2$"))["NO-08"]
    assert judgement.worst is not None
    assert judgement.worst.seen == "CSeq 6 after 4"
    assert judgement.detail == "5 of 7 broken and not declared; CSeq 6 after 4"
    assert len(judgement.findings) == 7


def test_several_declarations_may_cover_the_findings_together():
    declared = (
        Declared("NO-08", "at first", seen="after 2$"),
        Declared("NO-08", "later", seen="after [4-9]|1\\d"),
    )
    judgement = judged(trace_of("cseq_jumps"), *declared)["NO-08"]
    assert judgement.verdict is Verdict.DEVIATION
    assert judgement.detail == "at first; later"


def test_a_declaration_holds_in_the_scenarios_it_names():
    declared = Declared("NO-08", "counts in twos", scenarios=("a/b",))
    assert judged(trace_of("cseq_jumps"), declared, scenario="a/b")["NO-08"].verdict is Verdict.DEVIATION
    assert judged(trace_of("cseq_jumps"), declared, scenario="a/bc")["NO-08"].verdict is Verdict.FAIL


def test_a_warning_can_be_declared_and_an_observation_stays_one():
    declared = (Declared("NO-10", "pushes by polling"), Declared("BD-07", "fills in dashes"))
    assert judged(trace_of("change_is_not_told"), *declared)["NO-10"].verdict is Verdict.DEVIATION
    assert judged(trace_of("inactive_forward_with_a_filler"), *declared)["BD-07"].verdict is Verdict.OBSERVED


# -- the test's verdict ---------------------------------------------------------------------------


def verdict(
    trace: Trace, *declared: Declared, tagged: str = "", waits: tuple[Awaited, ...] = ()
) -> tuple[Verdict, str]:
    tags = tagged.split()
    return verdict_of(judge(trace, declared, "a/b", tags), tags, waits)


def test_a_good_trace_passes_without_a_word(good):
    assert verdict(good["flips"], tagged="ST-09 NO-10") == (Verdict.PASS, "")


def test_a_failure_is_told_in_three_lines():
    said = verdict(trace_of("active_without_expires"), tagged="NO-05")
    assert said == (
        Verdict.FAIL,
        "REQUIREMENT NO-05 (M, RFC 6665 4.2.2): The Subscription-State active or pending has expires.\n"
        "EXPECTED: active;expires=\n"
        "SEEN: active",
    )


def test_the_worst_decides_and_is_told_first():
    found, message = verdict(trace_of("change_is_not_told"), tagged="NO-10")
    assert found is Verdict.FAIL
    heads = [line.split()[1] for line in message.splitlines() if line.startswith("REQUIREMENT")]
    assert heads == ["ST-09", "NO-10"]
    assert len(message.splitlines()) == 6


def test_a_deviation_is_worse_than_a_warning_and_says_its_reason():
    found, message = verdict(trace_of("change_is_not_told"), Declared("ST-09", "forgets DND"), tagged="NO-10")
    assert found is Verdict.DEVIATION
    assert message.splitlines()[2].endswith("(declared: forgets DND)")
    assert message.splitlines()[3].startswith("REQUIREMENT NO-10 (S,")


def test_a_row_nobody_tagged_fails_a_test_too():
    assert verdict(trace_of("active_without_expires"), tagged="ST-09")[0] is Verdict.FAIL


def test_an_observation_decides_nothing():
    assert verdict(trace_of("inactive_forward_with_a_filler"), tagged="BD-07") == (Verdict.PASS, "")


def test_a_test_that_judged_none_of_its_rows_is_broken(good):
    found, message = verdict(good["flips"], tagged="AU-05 RF-01")
    assert found is Verdict.BROKEN
    assert message == "judged nothing: no occasion of AU-05, RF-01 in this trace"


def test_one_judged_row_of_several_is_enough(good):
    assert verdict(good["flips"], tagged="AU-05 ST-09")[0] is Verdict.PASS


def test_an_empty_trace_is_broken_with_tags_or_without():
    empty = Stage().trace
    assert verdict(empty, tagged="ST-01")[0] is Verdict.BROKEN
    assert verdict(empty) == (Verdict.BROKEN, "judged nothing: no occasion of any requirement in this trace")


def test_a_failure_says_more_than_that_nothing_was_judged():
    assert verdict(trace_of("active_without_expires"), tagged="AU-05")[0] is Verdict.FAIL


def test_a_wait_in_vain_that_nothing_explains_is_broken(good):
    found, message = verdict(good["flips"], tagged="ST-09", waits=(unmet(),))
    assert found is Verdict.BROKEN
    assert message == (
        "waited in vain for a NOTIFY with DND on (desk, confirmation (5 s); nothing like it), "
        "and no requirement explains it"
    )


def test_a_wait_in_vain_is_explained_by_a_failure_a_deviation_or_a_warning():
    trace = trace_of("change_is_not_told")
    waits = (unmet(),)
    assert verdict(trace, tagged="NO-10", waits=waits)[0] is Verdict.FAIL
    assert (
        verdict(trace, Declared("ST-09", "forgets DND"), tagged="NO-10", waits=waits)[0] is Verdict.DEVIATION
    )


def test_many_waits_are_cut_short(good):
    waits = tuple(unmet(f"thing {number}") for number in range(5))
    message = verdict(good["flips"], tagged="ST-09", waits=waits)[1]
    assert "thing 2" in message
    assert "thing 3" not in message
    assert "and 2 more" in message


def test_judging_runs_every_row(good):
    families = good["typed"].setting.families
    due = [id for id, row in CATALOGUE.items() if row.applies & families]
    assert [j.requirement.id for j in judge(good["typed"], [], "a/b", list(CATALOGUE))] == due


def test_a_tagged_row_of_another_mechanism_is_left_out(good):
    flips = good["flips"]
    trace = Trace(replace(flips.setting, families=frozenset({"R"})), flips.events)
    assert "FC-01" not in judged(trace, tagged="FC-01 ST-09")
    assert verdict_of([], ["FC-01"], [])[0] is Verdict.BROKEN
