import pytest

from featuresync.bench.lab.engine import Engine
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Profile

RECIPE = {
    "read": ["show"],
    "source": "own",
    "sure": "measured",
    "features": {"dnd": {"present": "x", "set": ["y"]}},
}


def profile(engine, dialect, recipe, recipes=None):
    return Profile.model_validate(
        {
            "vendor": {"name": "one", "title": "One", "families": []},
            "sources": {"own": "its own"},
            "features": {},
            "lab": {"engine": engine, "dialect": dialect, "recipe": recipe},
            "recipes": recipes or {},
        }
    )


@pytest.fixture
def engine(house):
    """Loads the engine of a house of its own, with this text."""

    def load(text):
        folder = house / "fixtures" / "lab" / "toy"
        folder.mkdir()
        (folder / "engine.toml").write_text(text)
        return Engine.load("toy")

    return load


TOY = """
dialects = ["stock", "loud"]
faults = ["SLOW"]
[faults_of]
loud = ["DEAF"]
[recipes.plain]
read = ["show"]
source = "lab"
sure = "measured"
[recipes.plain.features.dnd]
present = "on"
set = ["on"]
"""


@pytest.mark.parametrize("name", ["asterisk", "kamailio"])
def test_the_engines_of_the_house(name):
    found = Engine.load(name)
    assert found.recipes
    assert {"CODE_IGNORED", "WRONG_FEATURE"} <= set(found.faults)


def test_an_engine_that_nobody_has():
    with pytest.raises(BenchFault, match="the lab has no engine yate: one of asterisk, kamailio"):
        Engine.load("yate")


def test_the_recipe_of_the_engine_or_of_the_profile(engine):
    toy = engine(TOY)
    assert toy.check(profile("toy", "loud", "plain"), []) == toy.recipes["plain"]
    own = profile("toy", "loud", "own", {"own": RECIPE})
    assert toy.check(own, []) == own.recipes["own"]
    both = profile("toy", "loud", "plain", {"plain": RECIPE})
    assert toy.check(both, []) == both.recipes["plain"] != toy.recipes["plain"]
    with pytest.raises(
        ConfigFault, match=r"vendors/one\.toml: lab\.recipe: expected one of own, plain, got no"
    ):
        toy.check(profile("toy", "loud", "no", {"own": RECIPE}), [])


def test_a_dialect_that_it_does_not_speak(engine):
    with pytest.raises(
        ConfigFault, match=r"vendors/one\.toml: lab\.dialect: expected one of stock, loud, got low"
    ):
        engine(TOY).check(profile("toy", "low", "plain"), [])


def test_faults_by_dialect(engine):
    toy = engine(TOY)
    toy.check(profile("toy", "loud", "plain"), ["SLOW", "DEAF"])
    for dialect, fault in (("stock", "SLOW"), ("stock", "DEAF"), ("loud", "BLIND")):
        with pytest.raises(BenchFault, match=f"the lab has no fault {fault} in the dialect {dialect}"):
            toy.check(profile("toy", dialect, "plain"), [fault])


@pytest.mark.parametrize("text", ["dialects = [", "dialects = []\nfaults = []", TOY.replace('"lab"', "1")])
def test_a_file_that_is_none(engine, text):
    with pytest.raises(ConfigFault, match=r"engine\.toml: engine: expected an engine of the lab"):
        engine(text)
