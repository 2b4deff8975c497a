"""The four features of the guide and what can be said about each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Feature(StrEnum):
    """What is kept in step. The values are the names used in files, tags and commands."""

    DND = "dnd"
    CF_ALWAYS = "cf_always"
    CF_BUSY = "cf_busy"
    CF_NO_ANSWER = "cf_no_answer"

    @property
    def label(self) -> str:
        """The feature as a person calls it."""
        return _LABELS[self]

    @property
    def is_forward(self) -> bool:
        return self is not Feature.DND


_LABELS = {
    Feature.DND: "DND",
    Feature.CF_ALWAYS: "unconditional forward",
    Feature.CF_BUSY: "busy forward",
    Feature.CF_NO_ANSWER: "no-answer forward",
}


@dataclass(frozen=True, slots=True)
class FeatureState:
    """One feature as somebody reports it.

    ``number`` is the forward target as written, "" where there is none. ``rings`` counts rings
    (not seconds) and is None where it was not said; only the no-answer forward has one.
    """

    feature: Feature
    on: bool
    number: str = ""
    rings: int | None = None

    def __str__(self) -> str:
        if not self.feature.is_forward:
            return f"{self.feature.label} {'on' if self.on else 'off'}"
        said = f"{self.feature.label} {'→ ' + (self.number or '(no number)') if self.on else 'off'}"
        if not self.on and self.number:
            said += f" (number {self.number} kept)"
        if self.on and self.rings is not None:
            said += f", {self.rings} rings"
        return said

    def satisfies(self, wanted: FeatureState) -> bool:
        """True when this report is what ``wanted`` asked for.

        A forward that is off may or may not keep its number (vendors differ, BD-07), so the number
        counts only while it is on; rings count only when both sides state them.
        """
        if (self.feature, self.on) != (wanted.feature, wanted.on):
            return False
        if not self.on or not self.feature.is_forward:
            return True
        return self.number == wanted.number and (
            self.rings is None or wanted.rings is None or self.rings == wanted.rings
        )


States = Mapping[Feature, FeatureState]


def describe(states: States) -> str:
    """All features in one line, in the guide's order."""
    return "; ".join(str(states[feature]) for feature in Feature if feature in states) or "nothing"
