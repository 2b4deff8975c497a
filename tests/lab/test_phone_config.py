"""A run as one particular phone would do it: settings from its exported configuration."""

from __future__ import annotations

import pytest
from running import run

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
CODES = """
SIP1 DNDOnSvcCode :*78
SIP1 DNDOffSvcCode :*79
SIP1 CFUOnSvcCode :*72
SIP1 CFUOffSvcCode :*73
SIP1 CFBOnSvcCode :{busy_on}
SIP1 CFBOffSvcCode :{busy_off}
SIP1 Ring Melody :3
"""


def exported(folder, sync="1", busy_on="*90", busy_off="*91", extra=""):
    text = f"--SIP Line List-- :\nSIP1 Feature Sync :{sync}"
    file = folder / "phone.cfg"
    file.write_text(text + CODES.format(busy_on=busy_on, busy_off=busy_off) + extra, encoding="utf-8")
    return file


def test_a_phone_with_the_right_codes_passes_and_says_what_was_taken(tree, tmp_path):
    file = exported(tmp_path)
    words = ("asterisk", "--feature", "cf_busy", "--side", "phone", "--phone-config", str(file))
    done = run(tmp_path / "results", *words)
    assert done.code == 0, done.out[-2000:]
    assert done.verdicts["phone_side/busy_forward_on"] == "pass"
    assert "SIP line 1 of the phone: Feature Sync is on" in done.out
    assert "not known, passed over: SIP1 Ring Melody" in done.out
    assert done.record["phone"][0] == "SIP line 1 of the phone: Feature Sync is on"


def test_a_busy_code_that_is_really_the_unconditional_one_is_caught(tree, tmp_path):
    """A real provisioning error: the server does as told, and another forward goes on than was meant."""
    file = exported(tmp_path, busy_on="*72", busy_off="*73")
    words = ("asterisk", "--feature", "cf_busy", "--side", "phone", "--phone-config", str(file))
    done = run(tmp_path / "results", *words)
    assert done.code == 1
    assert done.verdicts["phone_side/busy_forward_on"] == "fail"
    assert {"FC-02", "ST-08"} <= done.red()
    assert "*72{number} is the code of more than one thing" in done.out


def test_a_phone_with_feature_sync_off_synchronises_nothing(tree, tmp_path):
    file = exported(tmp_path, sync="0")
    done = run(tmp_path / "results", "asterisk", "--feature", "dnd", "--phone-config", str(file))
    assert set(done.verdicts.values()) == {"skipped"}
    reason = "Feature Sync is off in the phone's configuration: it executes features by itself"
    assert reason in {test["message"] for test in done.record["tests"]}


def test_a_feature_without_a_code_is_skipped_with_the_reason(tree, tmp_path):
    file = exported(tmp_path)
    words = ("asterisk", "--feature", "cf_no_answer", "--side", "phone", "--phone-config", str(file))
    done = run(tmp_path / "results", *words)
    assert done.verdicts["phone_side/no_answer_forward_on"] == "skipped"
    reason = "the phone's configuration has no feature codes for cf_no_answer"
    assert reason in {test["message"] for test in done.record["tests"]}


def test_a_malformed_line_is_named_by_its_number(tmp_path):
    file = exported(tmp_path, extra="this line has no value\n")
    done = run(tmp_path / "results", "asterisk", "--phone-config", str(file))
    assert done.code == 3
    assert f"{file}: line 10: expected " in done.err
    assert done.folder is None
