"""Reading states out of answers, by the patterns of a recipe. A word that is not understood is no state."""

from __future__ import annotations

import re
from pathlib import Path

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import FeatureRecipe, Recipe
from featuresync.sync.feature import Feature, FeatureState

from .access import printable


class Answers:
    """What the answers to ``recipe.read`` say. All patterns are MULTILINE, ``{account}`` is the account's.

    A feature whose pattern finds nothing was never set: it is off, unless ``recipe.complete``. A word that
    is neither of ``recipe.words``, and two answers that differ, are BenchFaults, never a guess. ``owner`` and
    ``key`` say where the recipe stands, for ConfigFaults.
    """

    def __init__(self, recipe: Recipe, owner: str | Path, key: str) -> None:
        self._recipe, self._owner, self._key = recipe, owner, key
        if recipe.words[0] == recipe.words[1]:
            raise ConfigFault(owner, f"{key}.words", "two different words", repr(recipe.words[0]))
        for name, feature in recipe.features.items():
            for pattern in ("on", "number", "rings"):
                self._compile(name, feature, pattern, "0")

    def state(self, feature: Feature, account: str, text: str) -> FeatureState:
        """The feature's state. Raises BenchFault when it cannot be read."""
        recipe = self._recipe.features[feature.value]
        number = rings = None
        if feature.is_forward:
            number = self._find(feature, recipe, "number", account, text)
        if feature is Feature.CF_NO_ANSWER:
            rings = self._find(feature, recipe, "rings", account, text)
        if number and (len(number) > 128 or not number.isprintable()):
            raise self._unreadable(feature, account, f"number {number[:80]!r}")
        if rings and not re.fullmatch(r"[0-9]{1,4}", rings):
            raise self._unreadable(feature, account, f"rings {rings[:80]!r}")
        on = self._on(feature, recipe, account, text)
        return FeatureState(feature, on, number or "", int(rings) if rings else None)

    def _on(self, feature: Feature, recipe: FeatureRecipe, account: str, text: str) -> bool:
        if recipe.present:
            return bool(self._pattern(feature, recipe.present, "present", account).search(text))
        on_word, off_word = self._recipe.words
        word = self._find(feature, recipe, "on", account, text)
        if word is None and self._recipe.complete:
            raise self._unreadable(feature, account, f"nothing like {recipe.on!r}")
        if word is not None and word not in (on_word, off_word):
            raise self._unreadable(feature, account, f"{word[:80]!r} is neither {on_word!r} nor {off_word!r}")
        return word == on_word

    def _find(
        self, feature: Feature, recipe: FeatureRecipe, group: str, account: str, text: str
    ) -> str | None:
        pattern = self._compile(feature, recipe, group, account)
        if pattern is None:
            return None
        said = found(pattern, group, text)
        if len(said) > 1:
            both = " and ".join(repr(word[:40]) for word in said[:2])
            raise self._unreadable(feature, account, f"{group} is said to be {both}")
        return said[0] if said else None

    def _unreadable(self, feature: Feature, account: str, why: str) -> BenchFault:
        return BenchFault(f"unreadable answer about {feature.label} of {account}: {why} ({self._key})")

    def _compile(
        self, feature: str, recipe: FeatureRecipe, group: str, account: str
    ) -> re.Pattern[str] | None:
        """The pattern for a group; without one of its own, that of ``on`` or ``present`` may have the group.

        None where nothing has it, and for ``on`` where ``present`` stands for it.
        """
        written = getattr(recipe, group)
        name = group if written else "on" if recipe.on else "present"
        pattern = self._pattern(feature, getattr(recipe, name), name, account)
        if group in pattern.groupindex:
            return pattern
        if written:
            expected = f"a pattern with a group (?P<{group}>...)"
            raise ConfigFault(
                self._owner, f"{self._key}.features.{feature}.{name}", expected, repr(pattern.pattern)
            )
        return None

    def _pattern(self, feature: str, source: str, name: str, account: str) -> re.Pattern[str]:
        return compiled(source, account, self._owner, f"{self._key}.features.{feature}.{name}")


def found(pattern: re.Pattern[str], group: str, text: str) -> list[str]:
    """The different things that the group matched, sorted; more than one is an answer to nothing."""
    return sorted({match[group].strip() for match in pattern.finditer(text) if match[group] is not None})


def compiled(source: str, account: str, owner: str | Path, key: str) -> re.Pattern[str]:
    """A recipe's pattern for an account. Raises ConfigFault."""
    source = source.replace("{account}", re.escape(account))
    try:
        return re.compile(source, re.MULTILINE)
    except re.error as error:
        raise ConfigFault(owner, key, "a regular expression", f"{source!r} ({error})") from None


def matching_line(match: re.Match[str]) -> str:
    """The line that a match begins in, short and printable, for a message."""
    text, start = match.string, match.start()
    line = text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0]
    # A long line is shown from the match on: an answer in JSON is one line.
    if len(line) > 200:
        line = text[start : start + 200].partition("\n")[0]
    return printable(" ".join(line.split()))
