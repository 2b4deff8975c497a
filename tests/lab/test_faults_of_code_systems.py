"""One fault for each mechanism in the systems with feature codes: just the tests that see it turn red."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from planted import (
    BUSY_PHONE,
    BY_CODE_ALONE,
    DND_PHONE,
    DND_SERVER,
    EVENTS,
    PHONE_BUSY,
    PRESSED,
    PUSHED,
    Planted,
    check,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
WITHOUT_NUMBER = ("yeastar",)
"""Where an on code without a number forwards to voicemail, and so to the wrong feature too."""
VENDORS = ("yeastar", "huawei_ims", "zte_ims", "asterisk")


def faults() -> Iterator[Planted]:
    """Codes ignored, the wrong feature stored, a push missing or unexpected."""
    for vendor in (*VENDORS, "threecx"):
        yield Planted(vendor, "CODE_IGNORED", DND_PHONE, PRESSED | BY_CODE_ALONE, {"FC-01"})
    for vendor in VENDORS:
        codes = frozenset({"phone_side/code_busy_forward"})
        if vendor in WITHOUT_NUMBER:
            codes |= {"phone_side/code_busy_forward_without_a_number"}
        yield Planted(vendor, "WRONG_FEATURE", BUSY_PHONE, PHONE_BUSY | codes, {"FC-02", "ST-08"})
        silent = frozenset({"server_side/no_push_of_dnd"})
        yield Planted(vendor, "UNEXPECTED_PUSH", DND_SERVER, silent, {"FC-04"})
    yield Planted("threecx", "NO_PUSH", DND_SERVER, PUSHED | EVENTS, {"CS-04"})


@pytest.mark.parametrize("planted", list(faults()), ids=str)
def test_a_fault_turns_exactly_its_tests_red(planted, tree, tmp_path):
    check(planted, tree, tmp_path)
