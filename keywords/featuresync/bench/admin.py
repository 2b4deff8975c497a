"""Administration: a recipe put to work. How one account's features are read and set, as data says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import FeatureRecipe, Find, Recipe, Step
from featuresync.sync.feature import Feature, FeatureState

from .access import NO_VALUES, Access, first_words, step_names
from .answers import Answers, compiled, found, matching_line
from .placeholders import NAME, RESERVED

_NUMBER = re.compile(r"(?!-)[0-9A-Za-z+*#.@:_-]{0,128}")
"""What may be set as a number; a leading ``-`` would be an option of the command."""
_FOUND_LIMIT = 1024


class Administration:
    """Reads and sets features the way ``recipe`` says, over ``access``, of whatever kind that is.

    Placeholders of steps: ``{account}`` (the user part); in those that set and in ``commit`` also ``{on}``,
    ``{number}``, ``{rings}``; everywhere ``values`` (those of the bench's ``[admin]``), what ``accounts``
    says of the account (by user part; wins over ``values``), the access's secrets and its ``{token}``;
    behind the ``find`` steps their named groups. Those are looked up once per account, by its first read or
    set. Each kind of access says how values are quoted.

    Every answer to a step is held against ``recipe.error`` (found: refused) and ``recipe.ok`` (not found:
    refused). A refusal is a BenchFault with the line that says it; what was half done is given up.

    ``owner`` and ``key`` say where the recipe stands, for ConfigFaults. Mistakes of the recipe that can be
    known before it is used are raised here.
    """

    def __init__(
        self,
        recipe: Recipe,
        access: Access,
        *,
        values: Mapping[str, str] = NO_VALUES,
        accounts: Mapping[str, Mapping[str, str]] | None = None,
        owner: str | Path = "recipe",
        key: str = "recipe",
    ) -> None:
        self._recipe, self._access, self._owner, self._key = recipe, access, owner, key
        self._values, self._accounts = values, accounts or {}
        self._found: dict[str, dict[str, str]] = {}
        self._answers = Answers(recipe, owner, key)
        self._check()

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the recipe can read and set, in the guide's order."""
        return tuple(feature for feature in Feature if feature.value in self._recipe.features)

    def read(self, account: str) -> dict[Feature, FeatureState]:
        """The state of every feature of the recipe. Raises BenchFault when the answer cannot be read."""
        self._access.connect()
        values = self._known(account)
        text = "\n".join([self._run(step, values) for step in self._recipe.read])
        return {feature: self._answers.state(feature, account, text) for feature in self.features}

    def set(self, account: str, state: FeatureState) -> None:
        """Set one feature and commit. Nothing is read back here. Raises BenchFault, or as ``commands``."""
        wanted = self._wanted(state)
        self._access.connect()
        values = self._known(account) | wanted
        for step in (*self._steps(state), *self._recipe.commit):
            self._run(step, values)

    def commands(self, account: str, state: FeatureState) -> list[str]:
        """The steps that ``set`` would carry out, as shown in transcripts.

        Raises ConfigFault for a feature that the recipe does not name; for a number with characters other
        than ``0-9A-Za-z+*#.@:_-``; for a forward that is on without a number, where the steps name one (what
        an empty number would do is the server's guess; switched off it is left empty); and where rings are
        asked for and neither state nor recipe says how many. Runs the ``find`` steps if they were not yet.
        """
        wanted = self._wanted(state)
        values = self._known(account) | wanted
        return [self._access.shown(step, values) for step in (*self._steps(state), *self._recipe.commit)]

    # -- steps ------------------------------------------------------------------------------------

    def _run(self, step: Step, values: Mapping[str, str]) -> str:
        text = self._access.run(step, values)
        why = ""
        if self._recipe.error and (match := re.search(self._recipe.error, text, re.MULTILINE)):
            why = matching_line(match) or "an empty line"
        elif self._recipe.ok and not re.search(self._recipe.ok, text, re.MULTILINE):
            why = f"nothing like {self._recipe.ok!r} in the answer: {first_words(text) or 'empty'}"
        if why:
            self._access.abandon()
            shown = self._access.shown(step, values).partition("\n")[0]
            raise BenchFault(f"{shown!r} refused: {self._access.hide(why)} ({self._key})")
        return text

    def _steps(self, state: FeatureState) -> tuple[Step, ...]:
        recipe = self._feature(state.feature)
        if state.on:
            return recipe.set
        return (not state.number and recipe.clear) or recipe.set_off or recipe.set

    def _wanted(self, state: FeatureState) -> dict[str, str]:
        """The placeholders of a set. Raises ConfigFault for what cannot be asked for."""
        named = step_names(*self._steps(state), *self._recipe.commit)
        where = f"number of {state.feature}"
        if not _NUMBER.fullmatch(state.number):
            raise ConfigFault(self._owner, where, "0-9 A-Z a-z + * # . @ : _ -", repr(state.number[:80]))
        if state.on and not state.number and "number" in named:
            raise ConfigFault(self._owner, where, f"a number, as {self._key} sets it", "nothing")
        wanted = {"on": self._recipe.words[0 if state.on else 1], "number": state.number}
        rings = self._recipe.default_rings if state.rings is None else state.rings
        if rings is not None:
            wanted["rings"] = str(rings)
        elif "rings" in named:
            raise ConfigFault(self._owner, f"{self._key}.default_rings", "a number of rings", "nothing")
        return wanted

    def _feature(self, feature: Feature) -> FeatureRecipe:
        recipe = self._recipe.features.get(feature.value)
        if recipe is None:
            known = ", ".join(self.features)
            raise ConfigFault(self._owner, f"{self._key}.features", f"one of {known}", feature.value)
        return recipe

    # -- what is known of an account --------------------------------------------------------------

    def _known(self, account: str) -> dict[str, str]:
        """The account's placeholders, those of the find steps included."""
        values = {**self._values, **self._accounts.get(account, {}), "account": account}
        if account not in self._found:
            finds: dict[str, str] = {}
            for number, find in enumerate(self._recipe.find):
                finds |= self._look_up(find, account, values | finds, f"{self._key}.find[{number}]")
            self._found[account] = finds
        return values | self._found[account]

    def _look_up(self, find: Find, account: str, values: Mapping[str, str], key: str) -> dict[str, str]:
        text = self._run(find.step, values)
        pattern = compiled(find.pattern, account, self._owner, f"{key}.pattern")
        finds = {}
        for group in pattern.groupindex:
            said = [word for word in found(pattern, group, text) if word]
            if not said:
                raise BenchFault(
                    f"no {group} of account {account} found: nothing like {find.pattern!r} ({key})"
                )
            if len(said) > 1:
                both = " and ".join(repr(self._access.hide(word[:40])) for word in said[:2])
                raise BenchFault(f"{group} of account {account} is said to be {both} ({key})")
            if len(said[0]) > _FOUND_LIMIT or not said[0].isprintable():
                got = repr(self._access.hide(said[0][:80]))
                raise BenchFault(f"{group} of account {account} is no value: {got} ({key})")
            finds[group] = said[0]
        return finds

    # -- mistakes of the recipe -------------------------------------------------------------------

    def _check(self) -> None:
        known = self._given()
        for number, find in enumerate(self._recipe.find):
            key = f"{self._key}.find[{number}]"
            self._access.check(find.step, known, f"{key}.step")
            groups = compiled(find.pattern, "0", self._owner, f"{key}.pattern").groupindex
            for group in groups or ("",):
                if not NAME.fullmatch(group) or group in RESERVED:
                    expected = "a pattern with groups (?P<name>...), names of their own in lower case"
                    raise ConfigFault(self._owner, f"{key}.pattern", expected, repr(find.pattern))
            known |= groups.keys()
        self._check_steps("read", self._recipe.read, known)
        known |= {"on", "number", "rings"}
        for feature, recipe in self._recipe.features.items():
            self._check_steps(f"features.{feature}.set", recipe.set, known)
            self._check_steps(f"features.{feature}.set_off", recipe.set_off, known)
            self._check_steps(f"features.{feature}.clear", recipe.clear, known)
        self._check_steps("commit", self._recipe.commit, known)

    def _check_steps(self, name: str, steps: tuple[Step, ...], known: frozenset[str]) -> None:
        for number, step in enumerate(steps):
            self._access.check(step, known, f"{self._key}.{name}[{number}]")

    def _given(self) -> frozenset[str]:
        """Placeholders that every account has a value for."""
        own = [frozenset(values) for values in self._accounts.values()]
        for name in frozenset(self._values).union(*own):
            if name in RESERVED:
                expected = "a name that is not among a recipe's own placeholders"
                raise ConfigFault(self._owner, f"values.{name}", expected, name)
        common = own[0].intersection(*own) if own else frozenset()
        return common | {"account", *self._values}
