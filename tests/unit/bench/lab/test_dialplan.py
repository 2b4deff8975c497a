"""The generated dialplan, read the way Asterisk reads it."""

import re

import pytest

from featuresync.bench.lab.dialplan import Code, Dialplan, codes
from featuresync.profile import Profile

STAR = {
    "dnd": {"on": "*78", "off": "*79", "toggle": "*76"},
    "cf_always": {"on": "*72{number}", "off": "*73", "toggle": "*96"},
    "cf_busy": {"on": "*90{number}", "off": "*91"},
    "cf_no_answer": {"on": "*52*{number}#", "off": "#52#"},
}


def profile(codes=STAR, **without_number):
    def fact(value):
        return {"value": value, "source": "own", "sure": "measured"}

    rows = {name: dict(row) for name, row in codes.items()}
    for feature, word in without_number.items():
        rows[feature]["without_number"] = word
    call = {
        "answer": "established", "ends": "server", "cap": 5, "user_parameter": "none",
        "hash_sign": "raw", "media": "silence",
    }  # fmt: skip
    return Profile.model_validate(
        {
            "vendor": {"name": "coded", "title": "Coded", "families": []},
            "sources": {"own": "this test"},
            "features": {
                feature: {
                    "phone_side": fact("feature-code"),
                    "server_side": fact("none"),
                    "codes": {name: fact(value) for name, value in row.items()},
                }
                for feature, row in rows.items()
            },
            "call": {name: fact(value) for name, value in call.items()},
        }
    )


def read(text):
    """Context, extension, steps: ``{"phones": {"*78": ["Goto(dnd-on,s,1)"]}}``."""
    contexts: dict[str, dict[str, list[str]]] = {}
    for line in text.splitlines():
        if heading := re.fullmatch(r"\[(\S+)\]", line):
            extensions = contexts.setdefault(heading[1], {})
        elif first := re.fullmatch(r"exten => ([^,]+),1,(.+)", line):
            assert first[1] not in extensions, "an extension stands once"
            steps = extensions[first[1]] = [first[2]]
        elif more := re.fullmatch(r" same => n,(.+)", line):
            steps.append(more[1])
        else:
            assert line == "" or line.startswith((";", "include => "))
    return contexts


def rank(pattern):
    """Asterisk's order: what is written out before patterns, in these the narrower sign before the wider."""
    signs = re.findall(r"\[[^]]*\]|.", pattern[1:])
    return (pattern[0] == "_", [{".": 3, "!": 4}.get(sign, 2 if sign[0] == "[" else 1) for sign in signs])


def meets(pattern, dialled):
    if not pattern.startswith("_"):
        return pattern == dialled
    wild = {".": ".+", "!": ".*"}
    signs = re.findall(r"\[[^]]*\]|.", pattern[1:])
    parts = [sign if sign[0] == "[" else wild.get(sign, re.escape(sign)) for sign in signs]
    return re.fullmatch("".join(parts), dialled) is not None


def dial(plan, dialled):
    """The steps that the call comes to, without those that only lead on; None for 404."""
    extensions = read(plan.text())["phones"]
    met = sorted((pattern for pattern in extensions if meets(pattern, dialled)), key=rank)
    return extensions[met[0]] if met else None


def plan(dialect="established", **options):
    profile_options = options.pop("profile", {})
    return Dialplan(profile(**profile_options), dialect, **options)


def test_codes_of_a_profile():
    found = codes(profile(cf_no_answer="stored"))
    assert found[:4] == (
        Code("dnd", "on", "*78", "", False, "refused"),
        Code("dnd", "off", "*79", "", False, "refused"),
        Code("dnd", "toggle", "*76", "", False, "refused"),
        Code("cf_always", "on", "*72", "", True, "refused"),
    )
    assert found[-2:] == (
        Code("cf_no_answer", "on", "*52*", "#", True, "stored"),
        Code("cf_no_answer", "off", "#52#", "", False, "stored"),
    )


def test_codes_that_are_not_known_are_none():
    one = profile({"dnd": {"on": "*78", "off": "*79"}}).model_dump()
    one["features"]["dnd"]["codes"]["off"]["value"] = None
    assert [code.action for code in codes(Profile.model_validate(one))] == ["on"]
    one["features"]["dnd"]["codes"] = None
    one["features"]["dnd"]["phone_side"]["value"] = "as-feature-event"
    assert codes(Profile.model_validate(one)) == ()


@pytest.mark.parametrize(
    ("dialled", "steps"),
    [
        ("*78", ["Goto(dnd-on,s,1)"]),
        ("*79", ["Goto(dnd-off,s,1)"]),
        ("*72" + "1", ["Goto(cf_always-on,${EXTEN:3},1)"]),
        ("*72" + "+" + "1" * 19, ["Goto(cf_always-on,${EXTEN:3},1)"]),
        ("*73", ["Goto(cf_always-off,s,1)"]),
        ("*901003", ["Goto(cf_busy-on,${EXTEN:3},1)"]),
        ("*52*1003#", ["Goto(cf_no_answer-on,${EXTEN:4:-1},1)"]),
        ("#52#", ["Goto(cf_no_answer-off,s,1)"]),
    ],
)
def test_where_a_code_leads(dialled, steps):
    assert dial(plan(), dialled) == steps


@pytest.mark.parametrize(
    "dialled",
    [
        "*72" + "1" * 21, "*721003a", "*72-1", "*72 1", '*721"', "*721003#", "*52*1003", "*52*1003##", "*72",
        "*52*#", "*52*x#", "*731002", "*7810", "*791001", "*7610", "#52#1003", "*9610",
    ],
)  # fmt: skip
def test_what_is_refused(dialled):
    assert dial(plan(), dialled) == ["Hangup(28)"]


@pytest.mark.parametrize("dialled", ["*99", "*7", "*71", "78", "", "#52", "*52", "1001", "i", "s"])
def test_what_is_unknown(dialled):
    assert dial(plan(), dialled) is None


def test_a_code_that_begins_as_another():
    table = {
        "dnd": {"on": "*7", "off": "*72"},
        "cf_always": {"on": "*7*{number}", "off": "*7*5"},
        "cf_busy": {"on": "*72*{number}", "off": "##"},
    }
    one = plan(profile={"codes": table})
    assert dial(one, "*7") == ["Goto(dnd-on,s,1)"]
    assert dial(one, "*72") == ["Goto(dnd-off,s,1)"]
    assert dial(one, "*73") == ["Hangup(28)"]
    assert dial(one, "*7*5") == ["Goto(cf_always-off,s,1)"]
    assert dial(one, "*7*6") == ["Goto(cf_always-on,${EXTEN:3},1)"]
    assert dial(one, "*72*6") == ["Goto(cf_busy-on,${EXTEN:4},1)"]


def test_an_off_code_that_is_the_on_code_without_its_number():
    table = {"cf_always": {"on": "*72{number}", "off": "*72"}}
    one = plan(profile={"codes": table, "cf_always": "voicemail"})
    assert dial(one, "*72") == ["Goto(cf_always-off,s,1)"]
    assert dial(one, "*721") == ["Goto(cf_always-on,${EXTEN:3},1)"]
    assert dial(one, "*72a") == ["Hangup(28)"]


@pytest.mark.parametrize(
    ("word", "steps"),
    [
        ("refused", ["Hangup(28)"]),
        ("voicemail", ["Set(TARGET=voicemail)", "Goto(cf_always-on,s,1)"]),
        ("prompt", ["Answer(,i)", "Wait(1.0)", "Hangup(16)"]),
        (
            "stored",
            [
                "Set(TARGET=${DB(LAST_CF/${CHANNEL(endpoint)})})",
                "GotoIf(${LEN(${TARGET})}?cf_always-on,s,1)",
                "Hangup(28)",
            ],
        ),
    ],
)
def test_without_a_number(word, steps):
    one = plan(profile={"cf_always": word})
    assert dial(one, "*72") == steps
    assert dial(one, "*96") == ["GotoIf(${DB_EXISTS(CF/${CHANNEL(endpoint)})}?cf_always-off,s,1)", *steps]
    assert dial(one, "*90") == ["Hangup(28)"]


WRITTEN = ["Set(DB(CF/${CHANNEL(endpoint)})=${TARGET})"]
DELETED = ["Set(GONE=${DB_DELETE(CF/${CHANNEL(endpoint)})})"]


def established(change):
    return ["Answer(,i)", "Wait(0.3)", *change, "Playtones(425)", "Wait(0.1)", "Hangup(16)"]


def early(change, final=480):
    return ["Progress()", "Playtones(425)", "Wait(0.3)", *change, f"PJSIPHangup({final})"]


@pytest.mark.parametrize(
    ("dialect", "on", "off"),
    [
        ("established", established, established),
        ("behind_proxy", established, established),
        ("early", early, early),
        ("mixed", established, early),
    ],
)
def test_the_change_is_made_within_the_announcement(dialect, on, off):
    contexts = read(plan(dialect).text())
    assert contexts["cf_always-on"]["s"] == on(WRITTEN)
    assert contexts["cf_always-on"]["_[0-9+]!"] == ["Set(TARGET=${EXTEN})", "Goto(s,1)"]
    assert contexts["cf_always-off"] == {"s": off(DELETED)}
    assert contexts["dnd-on"] == {"s": on(["Set(DB(DND/${CHANNEL(endpoint)})=YES)"])}
    assert contexts["dnd-off"] == {"s": off(["Set(GONE=${DB_DELETE(DND/${CHANNEL(endpoint)})})"])}


def test_each_feature_has_its_family():
    text = plan().text()
    families = {"dnd": "DND", "cf_always": "CF", "cf_busy": "CFB", "cf_no_answer": "CFU"}
    for feature, family in families.items():
        assert f"DB({family}/" in read(text)[f"{feature}-on"]["s"][2]
        assert f"DB_DELETE({family}/" in read(text)[f"{feature}-off"]["s"][2]


def test_the_final_status_of_an_early_announcement():
    assert read(plan("early", final=603).text())["dnd-on"]["s"][-1] == "PJSIPHangup(603)"


def test_a_number_is_remembered_where_it_may_be_asked_for():
    contexts = read(plan(profile={"cf_always": "stored"}).text())
    assert contexts["cf_always-on"]["s"] == established(
        [*WRITTEN, "Set(DB(LAST_CF/${CHANNEL(endpoint)})=${TARGET})"]
    )
    assert contexts["cf_always-off"]["s"] == established(DELETED)
    assert "LAST" not in "".join(contexts["cf_busy-on"]["s"])


def test_faults():
    ignored = read(plan(faults=["CODE_IGNORED"]).text())
    assert ignored["cf_always-on"]["s"] == ignored["cf_always-off"]["s"] == established([])
    wrong = read(plan(faults=["WRONG_FEATURE"]).text())
    assert wrong["cf_busy-on"]["s"] == established(WRITTEN)
    assert wrong["cf_busy-off"]["s"] == established(DELETED)
    assert wrong["cf_always-on"]["s"] == established(WRITTEN)


@pytest.mark.parametrize("word", ["refused", "voicemail", "stored"])
def test_announcements_alone_keep_no_state(word):
    one = plan(profile={"cf_always": word}, stores=False)
    assert "DB" not in one.text()
    assert dial(one, "*76") == ["Goto(dnd-on,s,1)"]
    assert dial(one, "*721003") == ["Goto(cf_always-on,${EXTEN:3},1)"]
    assert dial(one, "*72")[-1] == ("Hangup(28)" if word == "refused" else "Goto(cf_always-on,s,1)")
