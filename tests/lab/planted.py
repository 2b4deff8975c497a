"""A fault put into a vendor's stand-in, and the tests that must see it: those and no others turn red."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from running import run

from conftest import profile
from featuresync.bench.lab import Lab
from featuresync.bench.lab.tree import Tree

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


def check(planted: Planted, tree: Tree, folder: Path) -> None:
    """Run that part of the suite against a stand-in with the fault in it."""
    with Lab.start(profile(planted.vendor), folder / "bench", faults=[planted.fault], tree=tree) as lab:
        done = run(folder / "results", "--bench", str(lab.file), *planted.words)
    red = {name for name, verdict in done.verdicts.items() if verdict == "fail"}
    assert (red, done.code) == (planted.red, 1), done.out[-3000:]
    assert planted.requirements <= done.red()
    assert "broken" not in done.verdicts.values(), done.out[-3000:]
