"""The one page for managers: says everything in words, needs nothing but itself."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import T0, THREE_LINES, one, run

from featuresync.evidence.matrix import matrix, write
from featuresync.evidence.record import FactRecord, RunRecord, SystemRecord, utc
from featuresync.judge.verdict import Verdict


class Page(HTMLParser):
    """Rows of the table as lists of cell texts, all links, all tags, all text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.classes: list[list[str]] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        given = dict(attrs)
        if tag == "a":
            self.links.append(given["href"])
        if tag == "tr":
            self.rows.append([])
            self.classes.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.classes[-1].append(given.get("class", ""))

    def handle_data(self, data):
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def row(page: Page, start: str) -> int:
    return next(i for i, cells in enumerate(page.rows) if cells and cells[0].startswith(start))


def test_every_cell_says_its_verdict_in_colour_and_in_words():
    page = Page(matrix(run()))
    alpha = row(page, "Alpha")
    assert page.rows[alpha][1:] == [
        "failed1 of 3; 2 passed", "passed2 tests", "passed2 tests", "passed2 tests", "passed2 tests",
        "passed2 tests", "passed2 tests", "as declared1 of 3; 2 passed", "–no test", "passed1 test",
        "with a warning1 test",
    ]  # fmt: skip
    assert page.classes[alpha][1] == "cell fail"
    assert page.classes[alpha][8] == "cell deviation"
    gamma = row(page, "Gamma")
    assert set(page.rows[gamma][1:9]) == {"bench trouble2 tests"}
    assert set(page.classes[gamma][1:9]) == {"cell broken"}
    beta = row(page, "Beta")
    assert page.rows[beta][1:3] == ["passed2 tests", "not claimed2 tests"]


def test_the_columns_are_the_features_in_both_directions_then_the_rest():
    page = Page(matrix(run()))
    assert page.rows[0] == [
        "System", "DND", "unconditional forward", "busy forward", "no-answer forward", "effect", "hostile",
        "lifecycle",
    ]  # fmt: skip
    assert page.rows[1] == ["phone → server", "server → phone"] * 4


def test_it_says_what_stood_in_and_what_was_real():
    page = Page(matrix(run()))
    assert page.rows[row(page, "Alpha")][0] == "Alphastand-in on Engine 6.1.5"
    assert page.rows[row(page, "Beta")][0] == "Beta PBXreal · Beta 18.0.1 build 7"


def test_a_failure_is_told_with_requirement_expected_seen_and_evidence():
    page = Page(matrix(run()))
    assert THREE_LINES in page.text
    assert '<p class="lines">REQUIREMENT NO-04' in matrix(run())
    for file in ("ladder.svg", "wire.pcapng", "admin.txt"):
        assert f"../evidence/a/{file}" in page.links


def test_one_dead_bench_is_told_once():
    page = Page(matrix(run()))
    assert page.text.count("ssh 127.0.0.1:2222: connection refused") == 1
    assert "16 tests" in page.text


@pytest.mark.parametrize(
    ("code", "words"), [(0, "all as claimed"), (1, "a device failed"), (2, "bench trouble")]
)  # fmt: skip
def test_the_outcome_stands_at_the_top(code, words):
    head = matrix(run().model_copy(update={"exit_code": code})).partition("</h1>")[0]
    assert f">{words}</span>" in head


def test_bench_reason_totals_and_surprises_are_there():
    page = Page(matrix(run().model_copy(update={"bench_reason": "no mirror was reached"})))
    assert "Why this bench: no mirror was reached" in page.text
    assert "Surprise: Alpha now keeps SU-02" in page.text
    assert "26passed1as declared1with a warning1failed16bench trouble8not claimed" in page.text


def test_a_run_without_tests_says_that_it_proves_nothing():
    page = Page(matrix(RunRecord(bench="lab", started=utc(T0))))
    assert "No test ran. This run proves nothing." in page.text


def test_a_system_of_which_nothing_ran_or_everything_was_skipped_says_so():
    record = run()
    skipped = one("beta", "a/b", Verdict.SKIPPED, "no code is set")
    page = Page(matrix(record.model_copy(update={"tests": (skipped,)})))
    assert "No test of this system ran." in page.text
    assert "No test ran: all were skipped." in page.text
    assert "no code is set" in page.text


def test_a_proof_of_silence_is_not_called_a_push_that_works():
    silent = one("beta", "server_side/no_push_of_dnd", Verdict.PASS, feature="dnd", side="server",
                 tags=("by:none", "FC-04"))  # fmt: skip
    skipped = one("beta", "server_side/dnd_on", Verdict.SKIPPED, "no push", feature="dnd", side="server")
    page = Page(matrix(run().model_copy(update={"tests": (silent, skipped)})))
    assert page.rows[row(page, "Beta")][2] == "stays silent1 of 2; 1 not claimed"
    told = silent.model_copy(update={"verdict": Verdict.FAIL})
    page = Page(matrix(run().model_copy(update={"tests": (told, skipped)})))
    assert page.rows[row(page, "Beta")][2].startswith("failed")


def test_the_profiles_facts_are_there_with_how_sure_they_are_and_quirks_beside_a_failure():
    facts = (
        FactRecord(name="features.dnd.codes.on", value="*56#", sure="inferred", source="practice"),
        FactRecord(name="call.cap", value="unknown", sure="document", source="a manual", note="not said"),
    )
    system = SystemRecord(title="Beta PBX", facts=facts, quirks=("Codes are the operator's.",))
    passed, failed = (one("beta", "a/b", verdict, "no") for verdict in (Verdict.PASS, Verdict.FAIL))
    record = run().model_copy(update={"systems": {"beta": system}, "tests": (passed,)})
    page = Page(matrix(record))
    assert "What the profile says: 2 facts, 1 inferred, 1 unknown" in page.text
    assert ["features.dnd.codes.on", "*56#", "inferred", "practice"] in page.rows
    assert "Codes are the operator's." not in page.text
    page = Page(matrix(record.model_copy(update={"tests": (failed,)})))
    assert "Codes are the operator's." in page.text


def test_the_phone_that_was_played_is_told():
    page = Page(matrix(run().model_copy(update={"phone": ("SIP line 1: Feature Sync is on", "  line 3: x")})))
    assert "The phone that was played:" in page.text
    assert "SIP line 1: Feature Sync is on" in page.text


def test_nothing_is_asked_from_outside_and_dark_and_print_are_cared_for(tmp_path):
    file = write(run(), tmp_path)
    assert file == tmp_path / "report" / "matrix.html"
    page = file.read_text(encoding="utf-8")
    assert "http" not in page
    assert "url(" not in page
    assert Page(page).tags.isdisjoint({"script", "img", "link", "iframe"})
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_nothing_a_device_said_becomes_markup(text):
    plain = Page(matrix(RunRecord(bench="x", started=utc(T0), tests=(one("a", "f/s", Verdict.FAIL, "m"),))))
    said = f"{text}</p><script>alert(1)</script><img src=x onerror='y'>\""
    test = one(
        "a", "f/s", Verdict.FAIL, said, requirement=said, expected=said, seen=said, evidence={said: said}
    )
    page = Page(matrix(RunRecord(bench=said, bench_reason=said, started=utc(T0), tests=(test,))))
    assert page.tags <= plain.tags | {"dl", "dt", "dd", "a"}
    assert all(link == "index.html" or link.startswith("../") for link in page.links)
