"""featuresync.bench.admin: reading by patterns, setting by quoted commands, no guesses."""

import pytest

from featuresync.bench.admin import Administration
from featuresync.bench.ssh_command import CommandAccess
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import FeatureRecipe, Find, Recipe, SecretRef, Ssh
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import ALL, RECIPE, FakeAccess, FakeServer, administration


def saying(text, recipe=RECIPE):
    return Administration(recipe, FakeAccess(lambda command: text))


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
        return "1001 dnd=yes" if "two" in command else "nothing"

    recipe = recipe_with(read=("one {account}", "two {account}"))
    assert Administration(recipe, FakeAccess(run)).read("1001")[Feature.DND].on is True
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


@pytest.mark.parametrize("number", ["1003", "+4930", "*72", "#21#", "user@host:5060", "a-b_c.d"])
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
        Administration(recipe, FakeAccess(lambda command: ""), owner="v.toml", key="recipe")
    assert str(caught.value).startswith(f"v.toml: {line}")


@pytest.mark.parametrize("command", ['x "put "{on}" "', r"x \"{on}\"", "x 'a'{on}'b'", r"x 'a\'{on}"])
def test_placeholders_beside_quotes_are_fine(command):
    admin = saying("", dnd_only(set=(command,)))
    assert admin.commands("1", FeatureState(Feature.DND, True)) == [command.replace("{on}", "yes")]


def test_a_recipe_is_data():
    Recipe.model_validate(RECIPE.model_dump())


# -- number and off --------------------------------------------------------------------------------


def test_a_forward_that_is_on_needs_the_number_that_the_recipe_sets():
    server = FakeServer()
    with pytest.raises(ConfigFault) as caught:
        administration(server).set("1001", FeatureState(Feature.CF_BUSY, True))
    assert str(caught.value) == "recipe: number of cf_busy: expected a number, as recipe sets it, got nothing"
    assert server.commands == []


def test_a_recipe_without_a_number_needs_none():
    busy = FeatureRecipe(on="(?P<on>x)", set=("busy {account} {on}",))
    admin = saying("", recipe_with(features={"cf_busy": busy}))
    assert admin.commands("1001", FeatureState(Feature.CF_BUSY, True)) == ["busy 1001 yes"]


def test_steps_to_switch_off_are_used_for_that_only():
    always = FeatureRecipe(
        on="(?P<on>x)", set=("put {account} {number} {rings}",), set_off=("del {account}", "sync")
    )
    admin = saying("", recipe_with(features={"cf_always": always}, default_rings=None))
    assert admin.commands("1", FeatureState(Feature.CF_ALWAYS, True, "2", 3)) == ["put 1 2 3"]
    assert admin.commands("1", FeatureState(Feature.CF_ALWAYS, False, "2")) == ["del 1", "sync"]
    with pytest.raises(ConfigFault, match="default_rings"):
        admin.commands("1", FeatureState(Feature.CF_ALWAYS, True, "2"))


def test_forgetting_the_number_may_take_steps_of_its_own():
    busy = FeatureRecipe(
        on="(?P<on>x)", set=("put {on} {number}",), set_off=("off {number}",), clear=("forget {account}",)
    )
    admin = saying("", recipe_with(features={"cf_busy": busy}))
    assert admin.commands("1", FeatureState(Feature.CF_BUSY, True, "2")) == ["put yes 2"]
    assert admin.commands("1", FeatureState(Feature.CF_BUSY, False, "2")) == ["off 2"]
    assert admin.commands("1", FeatureState(Feature.CF_BUSY, False)) == ["forget 1"]
    wrong = busy.model_copy(update={"clear": ("forget {acount}",)})
    with pytest.raises(ConfigFault, match=r"features\.cf_busy\.clear\[0\]: expected placeholders known"):
        saying("", recipe_with(features={"cf_busy": wrong}))


def test_every_set_is_committed():
    access = FakeAccess(lambda command: "")
    recipe = recipe_with(commit=("apply {account} {on}", "save"))
    Administration(recipe, access).set("1001", FeatureState(Feature.DND, True))
    assert access.calls == ["connect", "set 1001 dnd yes", "apply 1001 yes", "save"]


def test_a_commit_may_ask_for_a_number_too():
    admin = saying("", recipe_with(commit=("apply {number}",)))
    with pytest.raises(ConfigFault, match="number of dnd: expected a number"):
        admin.commands("1001", FeatureState(Feature.DND, True))


# -- present ---------------------------------------------------------------------------------------


def stored(**changes):
    always = {"present": r"^/CF/{account} *: (?P<number>\S+)", "set": ("put {number}",), "set_off": ("del",)}
    return recipe_with(features={"cf_always": FeatureRecipe(**(always | changes))})


def test_what_is_present_is_on():
    admin = saying("/CF/1001 : 1003\n/CF/1002 : 1004\n", stored())
    assert admin.read("1001") == {Feature.CF_ALWAYS: FeatureState(Feature.CF_ALWAYS, True, "1003")}
    assert admin.read("1003") == {Feature.CF_ALWAYS: FeatureState(Feature.CF_ALWAYS, False)}


def test_present_twice_with_two_numbers_is_no_answer():
    with pytest.raises(BenchFault, match="number is said to be '1003' and '1004'"):
        saying("/CF/1001 : 1003\n/CF/1001 : 1004\n", stored()).read("1001")


def test_a_number_of_its_own_beside_present():
    admin = saying(
        "forward 1001 set\n1001 to 1003\n", stored(present="{account} set", number="to (?P<number>.*)")
    )
    assert admin.read("1001") == {Feature.CF_ALWAYS: FeatureState(Feature.CF_ALWAYS, True, "1003")}


# -- refusals --------------------------------------------------------------------------------------


def refusing(text, access=None, **changes):
    access = access or FakeAccess(lambda command: text)
    admin = Administration(recipe_with(**changes), access, key="recipes.box")
    with pytest.raises(BenchFault) as caught:
        admin.set("1001", FeatureState(Feature.DND, True))
    assert access.calls[-1] == "abandon"
    return str(caught.value)


def test_an_answer_with_the_error_is_a_refusal_with_that_line():
    said = refusing("fine so far\n  ERROR  -61: no such\x1b entry \nmore", error="^ *ERROR")
    assert said == "'set 1001 dnd yes' refused: ERROR -61: no such? entry (recipes.box)"


def test_a_long_line_is_told_from_the_error_on():
    said = refusing("x" * 5000 + '{"status":"Failed"}' + "y" * 5000, error='"status":"Failed"')
    assert '"status":"Failed"' in said
    assert len(said) < 300


def test_an_answer_without_ok_is_a_refusal():
    said = refusing('{"errcode":10001}', ok='"errcode":0,')
    assert said == (
        "'set 1001 dnd yes' refused: nothing like '\"errcode\":0,' in the answer: "
        '{"errcode":10001} (recipes.box)'
    )


def test_the_error_counts_more_than_ok():
    assert "refused: bad" in refusing("ok\nbad", ok="ok", error="bad")


def test_a_refusal_stops_the_set():
    access = FakeAccess(lambda command: "no" if command == "one" else "ok")
    refusing("", access, features={"dnd": FeatureRecipe(on="(?P<on>x)", set=("one", "two"))}, error="no")
    assert access.calls == ["connect", "one", "abandon"]


def test_a_refusal_shows_no_secret():
    access = FakeAccess(lambda command: "error: word open sesame is old", {"word": "open sesame"})
    dnd = FeatureRecipe(on="(?P<on>x)", set=("login {word}",))
    said = refusing("", access, features={"dnd": dnd}, error="error")
    assert said == "'login xxxx' refused: error: word xxxx is old (recipes.box)"


@pytest.mark.parametrize("step", ["show 1001", "find 1001", "set 1001 dnd yes", "save"])
def test_every_step_is_held_against_ok_and_error(step):
    access = FakeAccess(lambda command: "refused" if command == step else "ok id=7 1001 dnd=no")
    find = Find(step="find {account}", pattern="id=(?P<id>.)")
    recipe = recipe_with(find=(find,), commit=("save",), ok="^ok", features={"dnd": RECIPE.features["dnd"]})
    admin = Administration(recipe, access)
    with pytest.raises(BenchFault, match=f"'{step}' refused: nothing like '\\^ok' in the answer: refused"):
        (admin.read("1001"), admin.set("1001", FeatureState(Feature.DND, True)))


# -- what is found ---------------------------------------------------------------------------------


def finding(answers, *finds, read=("show {id}",), **given):
    access = FakeAccess(lambda command: answers.get(command, ""))
    recipe = dnd_only(set=("set {id} {on}",)).model_copy(update={"find": finds, "read": read})
    return Administration(recipe, access, **given), access


BY_NUMBER = Find(step="list", pattern=r"^number={account} id=(?P<id>\S+)$")
LIST = {"list": "number=1001 id=77\nnumber=1002 id=78\n", "show 77": "dnd=yes", "show 78": "dnd=no"}


def test_what_is_found_is_put_in_and_looked_up_once():
    admin, access = finding(LIST, BY_NUMBER)
    assert admin.read("1001")[Feature.DND].on is True
    assert admin.read("1002")[Feature.DND].on is False
    admin.set("1001", FeatureState(Feature.DND, False))
    assert access.calls == [
        *("connect", "list", "show 77"),
        *("connect", "list", "show 78"),
        *("connect", "set 77 no"),
    ]


def test_what_was_found_helps_to_find_more():
    more = Find(step="profiles {id}", pattern="(?P<profile>p.) (?P<kind>k.)")
    answers = {"list": "number=1001 id=77", "profiles 77": "p1 k2"}
    admin, access = finding(answers, BY_NUMBER, more, read=("show {id} {profile} {kind}",))
    admin.read("1001")
    assert access.calls[-1] == "show 77 p1 k2"


def test_an_account_that_is_not_found():
    admin, access = finding(LIST, BY_NUMBER)
    with pytest.raises(BenchFault) as caught:
        admin.read("1003")
    pattern = "'^number={account} id=(?P<id>\\\\S+)$'"
    assert str(caught.value) == f"no id of account 1003 found: nothing like {pattern} (recipe.find[0])"
    assert access.calls == ["connect", "list"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("number=1001 id=77\nnumber=1001 id=78\n", "id of account 1001 is said to be '77' and '78'"),
        (f"number=1001 id={'7' * 1025}", "id of account 1001 is no value: '777"),
        ("number=1001 id=7\x1b[2J", "id of account 1001 is no value: '7\\x1b[2J'"),
    ],
)
def test_what_is_found_is_never_guessed(text, why):
    admin, _ = finding({"list": text}, BY_NUMBER)
    with pytest.raises(BenchFault) as caught:
        admin.read("1001")
    assert str(caught.value).startswith(why)


def test_a_find_that_failed_is_tried_again():
    answers = {}
    admin, _ = finding(answers, BY_NUMBER)
    with pytest.raises(BenchFault):
        admin.read("1001")
    answers |= LIST
    assert admin.read("1001")[Feature.DND].on is True


# -- values ----------------------------------------------------------------------------------------


def test_values_of_the_bench_and_of_the_account():
    admin, access = finding(
        {},
        read=("show {domain} {id} {account}",),
        values={"domain": "example.net", "id": "0"},
        accounts={"1001": {"id": "7"}, "1002": {"id": "8"}},
    )
    admin.read("1001")
    admin.read("1002")
    assert access.calls[1::2] == ["show example.net 7 1001", "show example.net 8 1002"]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "recipe.read[0]: expected placeholders known there: account, got {id}"),
        (
            {"accounts": {"1001": {"id": "7"}, "1002": {}}},
            "recipe.read[0]: expected placeholders known there: account, got {id}",
        ),
        ({"values": {"on": "1"}}, "values.on: expected a name that is not among a recipe's own placeholders"),
        (
            {"accounts": {"1": {"token": "1"}}},
            "values.token: expected a name that is not among a recipe's own placeholders",
        ),
    ],
)
def test_values_that_are_missing_or_taken(given, line):
    with pytest.raises(ConfigFault) as caught:
        finding({}, **given)
    assert str(caught.value).startswith(f"recipe: {line}" if "values." in line else f"v.toml: {line}")


@pytest.mark.parametrize(
    ("pattern", "got"),
    [("id=(.*)", "'id=(.*)'"), ("(?P<Id>.)", "'(?P<Id>.)'"), ("(?P<number>.)", "'(?P<number>.)'")],
)
def test_a_find_without_a_name_of_its_own(pattern, got):
    with pytest.raises(ConfigFault) as caught:
        finding({}, Find(step="list", pattern=pattern))
    assert str(caught.value) == (
        "recipe: recipe.find[0].pattern: expected a pattern with groups (?P<name>...), "
        f"names of their own in lower case, got {got}"
    )


@pytest.mark.parametrize("changes", [{"read": ("show {on}",)}, {"commit": ("save {profile}",)}])
def test_placeholders_that_are_not_known_at_that_step(changes):
    with pytest.raises(ConfigFault, match="expected placeholders known there: account"):
        Administration(recipe_with(**changes), FakeAccess(lambda command: ""))


@pytest.mark.parametrize("name", ["account", "token", "domain"])
def test_a_secret_has_a_name_of_its_own(name, tmp_path):
    with pytest.raises(ConfigFault) as caught:
        CommandAccess(
            Ssh(host="h", user="u", password=SecretRef(env="P"), host_key="k"),
            tmp_path / "bench.toml",
            values={"domain": "x"},
            secrets={name: "y"},
        )
    assert f"admin.secrets.{name}: expected a name that is not among " in str(caught.value)
