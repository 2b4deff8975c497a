"""Recipes of the example bench files that are to be completed by hand."""

import shlex
import tomllib
from pathlib import Path

import pytest

from featuresync.bench.admin import Administration
from featuresync.errors import BenchFault
from featuresync.profile import Recipe
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import FakeAccess

EXAMPLES = Path(__file__).parents[3] / "vendors" / "bench"
TARGETS = {Feature.CF_ALWAYS: "2003", Feature.CF_BUSY: "2004", Feature.CF_NO_ANSWER: "2005"}


class CommandLine:
    """The grammar of such a unit: ``config``, ``edit``, ``set``, ``end``, and a listing of everything."""

    def __init__(self):
        # The full configuration names every setting, used or not.
        settings = dict.fromkeys(("x-DND", "x-ALWAYS", "x-BUSY", "x-NO_ANSWER"), "disable")
        self.extensions = {name: dict(settings) for name in ("2001", "2002", "20011")}
        self.extensions["20011"]["x-DND"] = "enable"
        self.edited = ""

    def obey(self, line):
        verb, *words = shlex.split(line)
        if verb == "show":
            assert words == ["full-configuration", "extension", "user"]
            return self.shown()
        if verb == "edit":
            self.edited = words[0]
            return "" if self.edited in self.extensions else "command parse error before 'edit'"
        if verb == "set":
            self.extensions[self.edited][words[0]] = words[1]
        return ""

    def shown(self):
        lines = ["config extension user"]
        for name, attributes in self.extensions.items():
            lines += [f'    edit "{name}"', "        set language english"]
            for key, value in attributes.items():
                lines.append(
                    f'        set {key} "{value}"' if "NUMBER" in key else f"        set {key} {value}"
                )
            lines.append("    next")
        return "\n".join([*lines, "end"])


def test_the_command_line_recipe_works_once_its_names_are_found():
    file = EXAMPLES / "fortinet.example.toml"
    text = file.read_text(encoding="utf-8").replace("FIND_OBJECT", "extension user").replace("FIND_", "x-")
    recipe = Recipe.model_validate(tomllib.loads(text)["recipes"]["cli"])
    unit = CommandLine()
    admin = Administration(recipe, FakeAccess(unit.obey), owner=file)
    assert admin.features == tuple(Feature)
    assert not [state for state in admin.read("2001").values() if state.on]
    for feature in Feature:
        wanted = FeatureState(feature, True, TARGETS.get(feature, ""))
        admin.set("2001", wanted)
        assert admin.read("2001")[feature].satisfies(wanted)
    states = admin.read("2001")
    assert {feature: state.number for feature, state in states.items() if state.number} == TARGETS
    assert not [state for state in admin.read("2002").values() if state.on]
    for feature in Feature:
        admin.set("2001", FeatureState(feature, False))
    assert not [state for state in admin.read("2001").values() if state.on]
    with pytest.raises(BenchFault, match="command parse error"):
        admin.set("2999", FeatureState(Feature.DND, False))


def test_a_name_that_was_not_found_is_refused():
    file = EXAMPLES / "fortinet.example.toml"
    recipe = Recipe.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))["recipes"]["cli"])
    admin = Administration(recipe, FakeAccess(lambda line: "command parse error before 'FIND_OBJECT'"))
    with pytest.raises(BenchFault, match="FIND_OBJECT"):
        admin.read("2001")
