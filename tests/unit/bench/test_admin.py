"""featuresync.bench.admin: reading by patterns, setting by quoted commands, no guesses."""

import pytest

from featuresync.bench.admin import Administration
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import FeatureRecipe, Recipe
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import ALL, RECIPE, FakeServer, Printed, administration


def saying(text, recipe=RECIPE):
    return Administration(recipe, lambda command: Printed(text))


def recipe_with(**changes):
    return RECIPE.model_copy(update=changes)


def dnd_only(**changes):
    return recipe_with(
        features={"dnd": FeatureRecipe(**({"on": "dnd=(?P<on>\\w+)", "set": ("set {on}",)} | changes))}
    )


def test_nothing_said_is_off():
    assert saying("").read("1001") == {feature: FeatureState(feature, False) for feature in ALL}


def test_everything_said_is_read():
    text = (
        "1001 dnd=yes\n1001 cf_always=yes to=1003\n1001 cf_busy=no to=+49(30)7\n"
        "1001 cf_no_answer=yes to=1004\n1001 rings=4\n"
    )
    assert saying(text).read("1001") == {
        Feature.DND: FeatureState(Feature.DND, True),
        Feature.CF_ALWAYS: FeatureState(Feature.CF_ALWAYS, True, "1003"),
        Feature.CF_BUSY: FeatureState(Feature.CF_BUSY, False, "+49(30)7"),
        Feature.CF_NO_ANSWER: FeatureState(Feature.CF_NO_ANSWER, True, "1004", 4),
    }


def test_another_account_is_not_ours():
    assert saying("11001 dnd=yes\n10010 dnd=yes\n").read("1001")[Feature.DND].on is False


def test_the_account_is_no_pattern():
    assert saying("10X1 dnd=yes\n").read("10.1")[Feature.DND].on is False
    assert saying("10.1 dnd=yes\n").read("10.1")[Feature.DND].on is True


def test_a_word_that_is_neither_is_never_guessed():
    with pytest.raises(BenchFault) as caught:
        saying("1001 dnd=YES\n").read("1001")
    said = "unreadable answer about DND of 1001: 'YES' is neither 'yes' nor 'no' (recipe)"
    assert str(caught.value) == said


def test_two_words_are_never_chosen_from():
    with pytest.raises(BenchFault, match="on is said to be 'no' and 'yes'"):
        saying("1001 dnd=yes\n1001 dnd=no\n").read("1001")


def test_the_same_word_twice_is_one_word():
    assert saying("1001 dnd=yes\n1001 dnd=yes\n").read("1001")[Feature.DND].on is True


@pytest.mark.parametrize("rings", ["many", "-1", "99999", "٣"])
def test_rings_that_are_none(rings):
    with pytest.raises(BenchFault, match=r"unreadable answer about no-answer forward of 1001: rings"):
        saying(f"1001 rings={rings}\n").read("1001")


@pytest.mark.parametrize("number", ["1" * 129, "1\x1b[2J"])
def test_numbers_that_are_none(number):
    with pytest.raises(BenchFault, match=r"unreadable answer about busy forward of 1001: number"):
        saying(f"1001 cf_busy=yes to={number}\n").read("1001")


def test_the_answers_of_all_read_commands_count():
    seen = []

    def run(command):
        seen.append(command)
        return Printed("1001 dnd=yes" if "two" in command else "nothing")

    recipe = recipe_with(read=("one {account}", "two {account}"))
    assert Administration(recipe, run).read("1001")[Feature.DND].on is True
    assert seen == ["one 1001", "two 1001"]


def test_set_fills_in_words_number_and_rings():
    server = FakeServer()
    admin = administration(server)
    admin.set("1001", FeatureState(Feature.DND, True))
    admin.set("1001", FeatureState(Feature.CF_BUSY, False))
    admin.set("1001", FeatureState(Feature.CF_NO_ANSWER, True, "*99", 5))
    assert server.commands == [
        "set 1001 dnd yes",
        "set 1001 cf_busy no ''",
        "set 1001 cf_no_answer yes '*99'",
        "rings 1001 5",
    ]


def test_what_is_set_is_what_is_read():
    admin = administration(FakeServer())
    wanted = FeatureState(Feature.CF_NO_ANSWER, True, "+49#30*7", 5)
    admin.set("1001", wanted)
    assert admin.read("1001")[Feature.CF_NO_ANSWER] == wanted


def test_accounts_are_quoted_for_the_shell():
    server = FakeServer()
    administration(server).set("a; rm -rf $HOME", FeatureState(Feature.DND, False))
    assert server.commands == ["set 'a; rm -rf $HOME' dnd no"]


def test_a_value_is_not_filled_in_twice():
    commands = saying("").commands("{on}", FeatureState(Feature.DND, True))
    assert commands == ["set '{on}' dnd yes"]


def test_rings_default_to_the_recipe():
    commands = saying("").commands("1001", FeatureState(Feature.CF_NO_ANSWER, False))
    assert commands[1] == "rings 1001 3"


def test_rings_that_nobody_says():
    admin = saying("", recipe_with(default_rings=None))
    with pytest.raises(ConfigFault, match=r"recipe\.default_rings: expected a number of rings, got nothing"):
        admin.commands("1001", FeatureState(Feature.CF_NO_ANSWER, True, "1003"))
    assert admin.commands("1001", FeatureState(Feature.DND, True)) == ["set 1001 dnd yes"]


@pytest.mark.parametrize(
    "number", ["1 2", "1;reboot", "$(id)", "`id`", "1\n2", "'", '"', "-rf", "١", "1" * 129]
)
def test_numbers_that_do_not_fit_are_refused(number):
    server = FakeServer()
    with pytest.raises(ConfigFault, match=r"number of cf_busy: expected 0-9 A-Z a-z"):
        administration(server).set("1001", FeatureState(Feature.CF_BUSY, True, number))
    assert server.commands == []


@pytest.mark.parametrize("number", ["", "1003", "+4930", "*72", "#21#", "user@host:5060", "a-b_c.d"])
def test_numbers_that_fit(number):
    assert saying("").commands("1001", FeatureState(Feature.CF_BUSY, True, number))


def test_a_feature_that_the_recipe_does_not_name():
    admin = saying("dnd=no", dnd_only())
    assert admin.features == (Feature.DND,)
    assert set(admin.read("1001")) == {Feature.DND}
    with pytest.raises(ConfigFault, match=r"recipe\.features: expected one of dnd, got cf_busy"):
        admin.set("1001", FeatureState(Feature.CF_BUSY, True, "1003"))


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        (dnd_only(on="dnd=(?P<on>"), "recipe.features.dnd.on: expected a regular expression"),
        (dnd_only(on="dnd=yes"), "recipe.features.dnd.on: expected a pattern with a group (?P<on>...)"),
        (
            dnd_only(number="n=(.*)"),
            "recipe.features.dnd.number: expected a pattern with a group (?P<number>",
        ),
        (recipe_with(words=("on", "on")), "recipe.words: expected two different words, got 'on'"),
        (dnd_only(set=("x '{account}'",)), "recipe.features.dnd.set[0]: expected {account} outside of"),
        (recipe_with(read=('x "a {account}"',)), "recipe.read[0]: expected {account} outside of quotes"),
    ],
)
def test_mistakes_of_a_recipe_are_told_before_it_is_used(recipe, line):
    with pytest.raises(ConfigFault) as caught:
        Administration(recipe, lambda command: Printed(""), owner="v.toml", key="recipe")
    assert str(caught.value).startswith(f"v.toml: {line}")


@pytest.mark.parametrize("command", ['x "put "{on}" "', r"x \"{on}\"", "x 'a'{on}'b'", r"x 'a\'{on}"])
def test_placeholders_beside_quotes_are_fine(command):
    admin = saying("", dnd_only(set=(command,)))
    assert admin.commands("1", FeatureState(Feature.DND, True)) == [command.replace("{on}", "yes")]


def test_a_recipe_is_data():
    Recipe.model_validate(RECIPE.model_dump())
