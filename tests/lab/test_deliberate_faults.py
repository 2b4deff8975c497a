"""One fault in each vendor's stand-in for each mechanism: exactly the tests that must see it turn red."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from running import run

from conftest import profile
from featuresync.bench.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

BOTH_WAYS = ("broadsoft", "metaswitch", "fortinet")
"""Kept in step by SUBSCRIBE and NOTIFY."""
BY_CODE = ("yeastar", "huawei_ims", "zte_ims", "asterisk")
PHONE_BUSY = frozenset(
    f"phone_side/busy_forward_{what}"
    for what in ("on", "number_changed", "off", "on_twice", "leaves_the_others_alone")
)
PHONE_DND = frozenset(
    f"phone_side/dnd_{what}"
    for what in ("on", "off", "on_twice", "leaves_the_forwards_alone", "from_each_make_of_phone")
)


@dataclass(frozen=True)
class Planted:
    """A fault, the part of the suite that is run, and the tests that must be red in it."""

    vendor: str
    fault: str
    words: tuple[str, ...]
    red: frozenset[str]
    requirements: set[str]
    """What must be among the failed requirements."""

    def __str__(self) -> str:
        return f"{self.vendor}-{self.fault}"


BY_CODE_ALONE = frozenset({"phone_side/code_dnd_on_and_off", "phone_side/code_dnd_on_twice"})
# Switching off what is off already looks the same whether the server heeds it or not.
PRESSED = PHONE_DND - {"phone_side/dnd_from_each_make_of_phone"}
PUSHED = frozenset(
    f"server_side/dnd_{what}"
    for what in ("on", "off", "on_twice", "leaves_the_forwards_alone", "back_and_forth")
)
EVENTS = frozenset(
    f"uacsta/dnd_event_{what}"
    for what in ("leaves_the_display_alone", "is_followed_by_a_phone_that_is_told_to", "reaches_both_phones")
)
DND_PHONE = ("--feature", "dnd", "--side", "phone")
DND_SERVER = ("--feature", "dnd", "--side", "server")
BUSY_PHONE = ("--feature", "cf_busy", "--side", "phone")


def planted() -> Iterator[Planted]:
    """For each vendor: sets and codes ignored, the wrong feature stored, a push missing or unexpected."""
    for vendor in BOTH_WAYS:
        yield Planted(vendor, "SET_IGNORED", DND_PHONE, PHONE_DND, {"ST-01", "ST-02"})
        codes = frozenset({"phone_side/code_busy_forward"} if vendor != "fortinet" else ())
        yield Planted(vendor, "WRONG_FEATURE", BUSY_PHONE, PHONE_BUSY | codes, {"ST-06", "ST-08"})
        yield Planted(vendor, "NO_PUSH", DND_SERVER, PUSHED, {"ST-09"})
    subscribed = {"phone_side/code_on_a_subscribed_account"}
    yield Planted("broadsoft", "CODE_IGNORED", DND_PHONE, BY_CODE_ALONE | subscribed, {"FC-01", "ST-23"})
    yield Planted("metaswitch", "CODE_IGNORED", DND_PHONE, BY_CODE_ALONE, {"FC-01"})
    for vendor in (*BY_CODE, "threecx"):
        yield Planted(vendor, "CODE_IGNORED", DND_PHONE, PRESSED | BY_CODE_ALONE, {"FC-01"})
    for vendor in BY_CODE:
        codes = frozenset({"phone_side/code_busy_forward"})
        if vendor == "yeastar":
            codes |= {"phone_side/code_busy_forward_without_a_number"}
        yield Planted(vendor, "WRONG_FEATURE", BUSY_PHONE, PHONE_BUSY | codes, {"FC-02", "ST-08"})
        silent = frozenset({"server_side/no_push_of_dnd"})
        yield Planted(vendor, "UNEXPECTED_PUSH", DND_SERVER, silent, {"FC-04"})
    yield Planted("threecx", "NO_PUSH", DND_SERVER, PUSHED | EVENTS, {"CS-04"})


@pytest.mark.parametrize("planted", planted(), ids=str)
def test_a_fault_turns_exactly_its_tests_red(planted, tree, tmp_path):
    with Lab.start(profile(planted.vendor), tmp_path / "bench", faults=[planted.fault], tree=tree) as lab:
        done = run(tmp_path / "results", "--bench", str(lab.file), *planted.words)
    red = {name for name, verdict in done.verdicts.items() if verdict == "fail"}
    assert (red, done.code) == (planted.red, 1), done.out[-3000:]
    assert planted.requirements <= done.red()
    assert "broken" not in done.verdicts.values(), done.out[-3000:]
