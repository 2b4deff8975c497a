"""One fault for each mechanism in the systems with subscriptions: just the tests that see it turn red."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from planted import (
    BUSY_PHONE,
    BY_CODE_ALONE,
    DND_PHONE,
    DND_SERVER,
    PHONE_BUSY,
    PHONE_DND,
    PUSHED,
    Planted,
    check,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
VENDORS = ("broadsoft", "metaswitch", "fortinet")


def faults() -> Iterator[Planted]:
    """Sets and codes ignored, the wrong feature stored, a push missing."""
    for vendor in VENDORS:
        yield Planted(vendor, "SET_IGNORED", DND_PHONE, PHONE_DND, {"ST-01", "ST-02"})
        codes = frozenset({"phone_side/code_busy_forward"} if vendor != "fortinet" else ())
        yield Planted(vendor, "WRONG_FEATURE", BUSY_PHONE, PHONE_BUSY | codes, {"ST-06", "ST-08"})
        yield Planted(vendor, "NO_PUSH", DND_SERVER, PUSHED, {"ST-09"})
    subscribed = {"phone_side/code_on_a_subscribed_account"}
    yield Planted("broadsoft", "CODE_IGNORED", DND_PHONE, BY_CODE_ALONE | subscribed, {"FC-01", "ST-23"})
    yield Planted("metaswitch", "CODE_IGNORED", DND_PHONE, BY_CODE_ALONE, {"FC-01"})


@pytest.mark.parametrize("planted", list(faults()), ids=str)
def test_a_fault_turns_exactly_its_tests_red(planted, tree, tmp_path):
    check(planted, tree, tmp_path)
