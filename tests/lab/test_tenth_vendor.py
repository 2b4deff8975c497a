"""A vendor that nobody has heard of: one profile copied, its codes changed, and no code touched."""

from __future__ import annotations

import pytest
from running import ROOT, home_with, run

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
CHANGED = {"*74": "*33", "*074": "*34", "*71{number}": "**71*{number}#", "*071": "##71#"}


@pytest.fixture(scope="module")
def tenth(tmp_path_factory):
    """A run of the new vendor's DND and unconditional forward, from both sides."""
    folder = tmp_path_factory.mktemp("tenth")
    text = (ROOT / "vendors" / "yeastar.toml").read_text(encoding="utf-8")
    for old, new in {'name = "yeastar"': 'name = "tenth"', 'title = "Yeastar"': 'title = "Tenth"'}.items():
        assert old in text
        text = text.replace(old, new)
    for old, new in CHANGED.items():
        assert f'"{old}"' in text
        text = text.replace(f'"{old}"', f'"{new}"')
    env = home_with(folder / "home", "tenth", text)
    return run(folder / "results", "tenth", "--feature", "cf_always", env=env)


def test_it_runs_as_claimed(tenth):
    assert tenth.code == 0, tenth.out[-3000:]
    verdicts = tenth.verdicts
    assert verdicts["phone_side/unconditional_forward_on"] == "pass"
    assert verdicts["server_side/no_push_of_the_unconditional_forward"] == "pass"
    assert tenth.record["systems"]["tenth"]["title"] == "Tenth"


def test_it_dials_its_own_codes(tenth):
    ladder = tenth.folder / "evidence/tenth/phone_side/unconditional_forward_on/ladder.svg"
    assert "**71*1003%23" in ladder.read_text(encoding="utf-8")
