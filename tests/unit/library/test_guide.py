"""The guide: every statement has scenarios that its vendors get, and the page says how they ended."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from featuresync.errors import ConfigFault
from featuresync.evidence.record import RunRecord, SystemRecord, TestRecord
from featuresync.judge.verdict import Verdict
from featuresync.library.guide import Guide, coverage, markdown, write_coverage
from featuresync.profile import load_profile
from featuresync.profile.loading import load

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "guide-coverage.md"
PROFILES = {file.stem: load_profile(file) for file in sorted((ROOT / "vendors").glob("*.toml"))}
ROWS = coverage(ROOT / "suites", PROFILES, None)
WHEN = datetime(2026, 11, 23, 16, 17, tzinfo=UTC)

SCENARIOS = """\
*** Settings ***
Test Tags    feature:dnd    side:phone

*** Test Cases ***
DND On
    [Documentation]    It goes on.
    No Operation

DND Off
    [Documentation]    It goes off.
    No Operation

DND By Magic
    [Documentation]    It goes on by itself.
    [Tags]    needs:magic
    No Operation
"""

STATEMENT = """\
[[statement]]
id = "G-01"
chapter = "Made up"
says = "DND pressed on the phone | reaches the server."
vendors = ["broadsoft"]
proofs = {proofs}
"""

PROSE = """\
[[statement]]
id = "G-02"
chapter = "Made up"
says = "This guide has pictures."
scope = "A picture."
"""


@pytest.fixture
def suites(tmp_path):
    """A folder of suites with three scenarios, the last of which nobody gets."""
    folder = tmp_path / "suites"
    (folder / "scenarios" / "phone_side").mkdir(parents=True)
    (folder / "scenarios" / "phone_side" / "dnd.robot").write_text(SCENARIOS)
    return folder


def rows_of(suites, data, run=None):
    (suites / "guide.toml").write_text(data)
    return coverage(suites, PROFILES, run)


def proved_by(*proofs):
    return STATEMENT.format(proofs=str(list(proofs)).replace("'", '"'))


def run_of(**verdicts):
    tests = tuple(
        TestRecord(
            id=f"broadsoft/phone_side/{name}",
            vendor="broadsoft",
            scenario=f"phone_side/{name}",
            verdict=verdict,
            started=WHEN,
        )
        for name, verdict in verdicts.items()
    )
    system = SystemRecord(title="BroadSoft", fingerprint="Kamailio 6.1.5", standin=True)
    return RunRecord(bench="lab", started=WHEN, tests=tests, systems={"broadsoft": system})


# ---------------------------------------------------------------- the guide as it is


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.statement.id)
def test_every_statement_is_proved_or_out_of_scope(row):
    assert row.gaps == ()
    assert row.tests or row.statement.scope


def test_statements_are_numbered_in_the_guides_order():
    ids = [row.statement.id for row in ROWS]
    assert ids == [f"G-{number:02}" for number in range(1, len(ids) + 1)]
    chapters = [row.statement.chapter for row in ROWS]
    assert [c for c, before in zip(chapters, ["", *chapters], strict=False) if c != before] == [
        "Introduction",
        "Configuration",
        "BroadSoft: DND",
        "BroadSoft: unconditional forwarding",
        "BroadSoft: busy forwarding",
        "BroadSoft: no-answer forwarding",
        "Metaswitch",
        "Fortinet",
        "3CX and Yeastar",
    ]


def test_every_system_of_the_guide_is_spoken_of():
    spoken_of = {vendor for row in ROWS for vendor in row.statement.vendors}
    systems = {"broadsoft", "metaswitch", "fortinet", "threecx", "yeastar", "huawei_ims", "zte_ims"}
    assert spoken_of == systems
    assert spoken_of <= set(PROFILES)


def test_the_page_has_the_statements_of_the_data():
    def tables(page):
        lines = [line for line in page.splitlines() if line.startswith(("## ", "| "))]
        return [re.sub(r"[^|]*\|$", "", line) for line in lines]

    assert tables(PAGE.read_text(encoding="utf-8")) == tables(markdown(ROWS, None))


# ---------------------------------------------------------------- made-up guides


def test_a_statement_with_scenarios_has_no_gap(suites):
    (row,) = rows_of(suites, proved_by("broadsoft/phone_side/dnd_o*"))
    assert row.tests == ("broadsoft/phone_side/dnd_on", "broadsoft/phone_side/dnd_off")
    assert (row.gaps, row.verdict) == ((), "not run")


@pytest.mark.parametrize(
    ("proofs", "gaps"),
    [
        (
            ["broadsoft/phone_side/dnd_by_magic"],
            (
                "G-01: no scenario proves it for broadsoft",
                "G-01: no scenario fits 'broadsoft/phone_side/dnd_by_magic'",
            ),
        ),
        (
            ["broadsoft/phone_side/dnd_on", "broadsoft/phone_side/dnd_onn"],
            ("G-01: no scenario fits 'broadsoft/phone_side/dnd_onn'",),
        ),
        (
            ["kamailio/phone_side/dnd_on"],
            (
                "G-01: no scenario proves it for broadsoft",
                "G-01: no scenario fits 'kamailio/phone_side/dnd_on'",
            ),
        ),
    ],
)
def test_a_statement_that_nothing_proves(suites, proofs, gaps):
    (row,) = rows_of(suites, proved_by(*proofs))
    assert row.gaps == gaps


def test_each_vendor_of_a_statement_needs_a_scenario(suites):
    data = proved_by("*/phone_side/dnd_on").replace('["broadsoft"]', '["broadsoft", "kamailio", "nobody"]')
    (row,) = rows_of(suites, data)
    assert row.tests == ("broadsoft/phone_side/dnd_on", "kamailio/phone_side/dnd_on")
    assert row.gaps == ("G-01: no scenario proves it for nobody",)


def test_a_vendors_own_scenario_is_not_another_vendors(suites):
    (suites / "kamailio").mkdir()
    (suites / "kamailio" / "own.robot").write_text(SCENARIOS)
    data = proved_by("*/own/dnd_on").replace('["broadsoft"]', '["broadsoft", "kamailio"]')
    (row,) = rows_of(suites, data)
    assert row.tests == ("kamailio/own/dnd_on",)
    assert row.gaps == ("G-01: no scenario proves it for broadsoft",)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PROSE, "statement.0.id: expected 'G-01', as there are no gaps, got 'G-02'"),
        (
            proved_by(),
            "statement.0.proofs: expected vendors and proofs, or else a scope, got neither or both",
        ),
        (
            proved_by("broadsoft/*") + 'scope = "No."\n',
            "statement.0.proofs: expected vendors and proofs, or else a scope, got neither or both",
        ),
        (
            proved_by("broadsoft/*").replace('vendors = ["broadsoft"]\n', ""),
            "statement.0.proofs: expected vendors and proofs, or else a scope, got neither or both",
        ),
        (
            proved_by("broadsoft/*") + "proof = 1\n",
            "statement.0.proof: expected a known key, got an unknown one (spelling?)",
        ),
    ],
)
def test_wrong_data_is_told(suites, data, said):
    (suites / "guide.toml").write_text(data)
    with pytest.raises(ConfigFault) as caught:
        load(Guide, suites / "guide.toml")
    assert str(caught.value) == f"{suites / 'guide.toml'}: {said}"


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({}, "not run"),
        ({"dnd_on": Verdict.PASS, "dnd_off": Verdict.PASS}, "pass (2)"),
        ({"dnd_on": Verdict.PASS}, "pass (1 of 2), 1 not run"),
        ({"dnd_on": Verdict.FAIL, "dnd_off": Verdict.PASS}, "fail (1 of 2)"),
        ({"dnd_on": Verdict.DEVIATION, "dnd_off": Verdict.WARNING}, "deviation (1 of 2)"),
        ({"dnd_on": Verdict.FAIL, "dnd_off": Verdict.BROKEN}, "broken (1 of 2)"),
        ({"dnd_on": Verdict.SKIPPED, "dnd_off": Verdict.PASS}, "pass (1 of 2), 1 not run"),
        ({"dnd_on": Verdict.SKIPPED, "dnd_off": Verdict.SKIPPED}, "not run"),
        ({"dnd_by_magic": Verdict.FAIL}, "not run"),
    ],
)
def test_the_verdict_is_the_worst_of_the_tests(suites, verdicts, said):
    (row,) = rows_of(suites, proved_by("broadsoft/phone_side/dnd_*"), run_of(**verdicts))
    assert row.verdict == said


def test_the_page(suites):
    run = run_of(dnd_on=Verdict.PASS, dnd_off=Verdict.PASS)
    data = (
        proved_by("broadsoft/phone_side/dnd_on", "broadsoft/phone_side/dnd_off") + 'note = "It is pressed."\n'
    )
    rows = rows_of(suites, data + PROSE, run)
    page = markdown(rows, run)
    assert page == markdown(rows, run)
    assert page.splitlines() == [
        "# The guide, and what proves it",
        "",
        "Generated by `./featuresync guide RUN_DIR` from `suites/guide.toml`; do not edit. "
        "Verdicts are those of the run of 2026-11-23 16:17 UTC on the bench `lab`.",
        "",
        "A statement is proved, for each system it speaks of, by the scenarios beside it; `*` stands for",
        "anything. The verdict is the worst of their tests, with how many of them ended so. Where an engine",
        "of the lab stands in for a system, it is the suite that is shown to tell right from wrong: nothing",
        "is proved of the vendor's own product.",
        "",
        "- BroadSoft · stand-in on Kamailio 6.1.5",
        "",
        "## Made up",
        "",
        "| | the guide says | of | proved by | verdict |",
        "|---|---|---|---|---|",
        "| G-01 | DND pressed on the phone \\| reaches the server. | broadsoft | "
        "`broadsoft/phone_side/dnd_on`<br>`broadsoft/phone_side/dnd_off`<br>*It is pressed.* | pass (2) |",
        "| G-02 | This guide has pictures. |  | A picture. | not for a server |",
    ]
    partial = run.model_copy(update={"partial": True})
    assert "on the bench `lab`, of some of the scenarios only." in markdown(rows, partial)
    assert "do not edit. No run was given, so it has no verdicts.\n" in markdown(rows, None)


def test_the_page_is_written_from_a_run_folder(tmp_path):
    run_of(dnd_on=Verdict.FAIL).save(tmp_path)
    rows = write_coverage(tmp_path, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert page == markdown(rows, run_of(dnd_on=Verdict.FAIL))
    (row,) = [row for row in rows if row.statement.id == "G-20"]
    assert row.verdict == f"fail (1 of {len(row.tests)}), {len(row.tests) - 1} not run"
    assert write_coverage(None, tmp_path / "page.md") == ROWS
    with pytest.raises(ConfigFault, match="expected the run"):
        write_coverage(tmp_path / "none", tmp_path / "page.md")
