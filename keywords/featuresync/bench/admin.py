"""Administration: a recipe put to work. How one account's features are read and set, as data says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import FeatureRecipe, Recipe
from featuresync.sync.feature import Feature, FeatureState

_NUMBER = re.compile(r"(?!-)[0-9A-Za-z+*#.@:_-]{0,128}")
"""What may be put into a command as a number; a leading ``-`` would be an option of the command."""
_PLACEHOLDER = re.compile(r"\{(account|on|number|rings)\}")


class Said(Protocol):
    """What a command answered; its exit code was checked by whoever ran it."""

    @property
    def stdout(self) -> str: ...


class Administration:
    """Reads and sets features the way ``recipe`` says, with commands that ``run`` executes.

    A feature whose pattern finds nothing in the answer was never set: it is off. A word that is neither of
    ``recipe.words`` is a BenchFault, never a guess. ``owner`` and ``key`` say where the recipe stands.
    """

    def __init__(
        self,
        recipe: Recipe,
        run: Callable[[str], Said],
        *,
        owner: str | Path = "recipe",
        key: str = "recipe",
    ) -> None:
        self._recipe, self._run, self._owner, self._key = recipe, run, owner, key
        if recipe.words[0] == recipe.words[1]:
            raise ConfigFault(owner, f"{key}.words", "two different words", repr(recipe.words[0]))
        for number, command in enumerate(recipe.read):
            self._check_quotes(str(command), f"read[{number}]")
        for name, feature in recipe.features.items():
            for pattern in ("on", "number", "rings"):
                self._compile(name, feature, pattern, "0")
            for number, command in enumerate(feature.set):
                self._check_quotes(str(command), f"features.{name}.set[{number}]")

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the recipe can read and set, in the guide's order."""
        return tuple(feature for feature in Feature if feature.value in self._recipe.features)

    def read(self, account: str) -> dict[Feature, FeatureState]:
        """The state of every feature of the recipe. Raises BenchFault when the answer cannot be read."""
        text = "\n".join(self._run(command).stdout for command in self._read_commands(account))
        return {feature: self._state(feature, account, text) for feature in self.features}

    def set(self, account: str, state: FeatureState) -> None:
        """Set one feature. Nothing is read back here. Raises BenchFault, or ConfigFault as ``commands``."""
        for command in self.commands(account, state):
            self._run(command)

    def commands(self, account: str, state: FeatureState) -> list[str]:
        """The commands that ``set`` would run.

        Raises ConfigFault for a feature that the recipe does not name, for a number with characters other
        than ``0-9A-Za-z+*#.@:_-``, and where rings are asked for and neither state nor recipe says how many.
        """
        recipe = self._feature(state.feature)
        if not _NUMBER.fullmatch(state.number):
            raise ConfigFault(
                self._owner,
                f"number of {state.feature}",
                "0-9 A-Z a-z + * # . @ : _ -",
                repr(state.number[:80]),
            )
        values = {
            "account": account,
            "on": self._recipe.words[0] if state.on else self._recipe.words[1],
            "number": state.number,
        }
        rings = self._recipe.default_rings if state.rings is None else state.rings
        if rings is not None:
            values["rings"] = str(rings)
        elif any("{rings}" in command for command in recipe.set):
            raise ConfigFault(self._owner, f"{self._key}.default_rings", "a number of rings", "nothing")
        return [_fill(str(command), values) for command in recipe.set]

    def _read_commands(self, account: str) -> list[str]:
        return [_fill(str(command), {"account": account}) for command in self._recipe.read]

    def _feature(self, feature: Feature) -> FeatureRecipe:
        found = self._recipe.features.get(feature.value)
        if found is None:
            known = ", ".join(self.features)
            raise ConfigFault(self._owner, f"{self._key}.features", f"one of {known}", feature.value)
        return found

    def _state(self, feature: Feature, account: str, text: str) -> FeatureState:
        recipe = self._feature(feature)
        on_word, off_word = self._recipe.words
        word = self._find(feature, recipe, "on", account, text)
        if word is not None and word not in (on_word, off_word):
            raise self._unreadable(feature, account, f"{word[:80]!r} is neither {on_word!r} nor {off_word!r}")
        number = rings = None
        if feature.is_forward:
            number = self._find(feature, recipe, "number", account, text)
        if feature is Feature.CF_NO_ANSWER:
            rings = self._find(feature, recipe, "rings", account, text)
        if number and (len(number) > 128 or not number.isprintable()):
            raise self._unreadable(feature, account, f"number {number[:80]!r}")
        if rings and not re.fullmatch(r"[0-9]{1,4}", rings):
            raise self._unreadable(feature, account, f"rings {rings[:80]!r}")
        return FeatureState(feature, word == on_word, number or "", int(rings) if rings else None)

    def _find(
        self, feature: Feature, recipe: FeatureRecipe, group: str, account: str, text: str
    ) -> str | None:
        """What the group says in the answer, None when the pattern finds nothing; two answers are none."""
        pattern = self._compile(feature, recipe, group, account)
        if pattern is None:
            return None
        said = {match[group].strip() for match in pattern.finditer(text) if match[group] is not None}
        if len(said) > 1:
            both = " and ".join(repr(word[:40]) for word in sorted(said)[:2])
            raise self._unreadable(feature, account, f"{group} is said to be {both}")
        return said.pop() if said else None

    def _unreadable(self, feature: Feature, account: str, why: str) -> BenchFault:
        return BenchFault(f"unreadable answer about {feature.label} of {account}: {why} ({self._key})")

    def _compile(
        self, feature: str, recipe: FeatureRecipe, group: str, account: str
    ) -> re.Pattern[str] | None:
        """The pattern for a group; ``number`` and ``rings`` without their own are looked for in ``on``."""
        written = getattr(recipe, group)
        source = (written or recipe.on).replace("{account}", re.escape(account))
        key = f"{self._key}.features.{feature}.{group if written else 'on'}"
        try:
            pattern = re.compile(source, re.MULTILINE)
        except re.error as error:
            raise ConfigFault(self._owner, key, "a regular expression", f"{source!r} ({error})") from None
        if group in pattern.groupindex:
            return pattern
        if written or group == "on":
            raise ConfigFault(self._owner, key, f"a pattern with a group (?P<{group}>...)", repr(source))
        return None

    def _check_quotes(self, command: str, key: str) -> None:
        """Values are quoted when put in, so a placeholder inside quotes would be quoted twice."""
        for name in _quoted_placeholders(command):
            raise ConfigFault(
                self._owner,
                f"{self._key}.{key}",
                f'{{{name}}} outside of quotes, as in "..."{{{name}}}',
                command,
            )


def _fill(command: str, values: dict[str, str]) -> str:
    """``command`` with each value put in, quoted for the shell; braces of other words stay."""
    return _PLACEHOLDER.sub(
        lambda match: shlex.quote(values[match[1]]) if match[1] in values else match[0], command
    )


def _quoted_placeholders(command: str) -> Iterator[str]:
    quote, place = "", 0
    while place < len(command):
        char = command[place]
        if quote and (match := _PLACEHOLDER.match(command, place)):
            yield match[1]
        if char == "\\" and quote != "'":
            place += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        place += 1
