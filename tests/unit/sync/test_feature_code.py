"""What is dialled, how it is written as a URI, and what a code means when it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sip.uri import Uri
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.feature_code import FeatureCodes, dial, read_code, request_uri

DND, ALWAYS, BUSY, NO_ANSWER = Feature
CODES = {
    DND: FeatureCodes("*78", "*79", "*76"),
    ALWAYS: FeatureCodes("*72{number}", "*73"),
    BUSY: FeatureCodes("*57*{number}#", "#57#"),
    NO_ANSWER: FeatureCodes("*92{number}", ""),
}


@pytest.mark.parametrize(
    ("state", "dialled"),
    [
        (FeatureState(DND, True), "*78"),
        (FeatureState(DND, False), "*79"),
        (FeatureState(ALWAYS, True, "1003"), "*721003"),
        (FeatureState(ALWAYS, False, "1003"), "*73"),
        (FeatureState(BUSY, True, "+491"), "*57*+491#"),
        (FeatureState(BUSY, False), "#57#"),
        (FeatureState(NO_ANSWER, True, "1003", 4), "*921003"),
        (FeatureState(ALWAYS, True, "9" * 40), "*72" + "9" * 40),
    ],
)
def test_what_is_dialled(state, dialled):
    """An on code takes the number, an off code is dialled bare, rings are not told by codes."""
    assert dial(CODES[state.feature], state) == dialled


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (FeatureState(ALWAYS, True), "unconditional forward: code '*72{number}' needs a number"),
        (FeatureState(NO_ANSWER, False), "no-answer forward: no code is known to switch it off"),
        (FeatureState(DND, True, "1003"), "DND: code '*78' has no place for number '1003'"),
        (FeatureState(ALWAYS, True, "bob"), "of 0-9A-D*#+, not 'bob'"),
        (FeatureState(ALWAYS, True, "1\n2"), r"not '1\n2'"),
        (FeatureState(ALWAYS, True, "1٣"), "of 0-9A-D*#+"),
        (FeatureState(ALWAYS, True, "1" * 41), "of at most 40 characters"),
    ],
)
def test_what_cannot_be_dialled_is_said_in_one_line(state, said):
    with pytest.raises(ValueError, match=r"\A[^\n]{1,200}\Z") as raised:
        dial(CODES[state.feature], state)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("dialled", "how", "uri"),
    [
        ("*721003", {}, "sip:*721003@home1.net"),
        ("#57#", {}, "sip:%2357%23@home1.net"),
        ("#57#", {"hash_sign": "raw"}, "sip:#57#@home1.net"),
        ("*78", {"user_parameter": "phone"}, "sip:*78@home1.net;user=phone"),
        ("+491", {}, "sip:+491@home1.net"),
        (
            "*57*1003#",
            {"user_parameter": "dialstring"},
            "sip:*57*1003%23;phone-context=home1.net@home1.net;user=dialstring",
        ),
        (
            "*78",
            {"user_parameter": "dialstring", "phone_context": "+49"},
            "sip:*78;phone-context=+49@home1.net;user=dialstring",
        ),
        ("1;2@x y", {}, "sip:1%3B2%40x%20y@home1.net"),
    ],
)
def test_the_uri_of_a_code(dialled, how, uri):
    """RFC 3261 19.1.1 and 25.1, RFC 4967 3."""
    assert request_uri(dialled, "home1.net", **how) == uri
    assert str(Uri.parse(uri)) == uri


@pytest.mark.parametrize(
    ("user", "state"),
    [
        ("*78", FeatureState(DND, True)),
        ("*76", None),
        ("*73", FeatureState(ALWAYS, False)),
        ("*731002", None),
        ("*72", FeatureState(ALWAYS, True, "")),
        ("*57*#", FeatureState(BUSY, True, "")),
        ("%2A57%2a1003%23", FeatureState(BUSY, True, "1003")),
        ("*57*1003%23;phone-context=home1.net", FeatureState(BUSY, True, "1003")),
        ("#57#", FeatureState(BUSY, False)),
        ("1003", None),
        ("", None),
        ("*72bob", None),
        ("*72%", None),
    ],
)
def test_reading_a_code(user, state):
    assert read_code(user, CODES) == state


def test_the_most_particular_code_wins():
    """*7 with a number must not swallow *73, and a toggle is no number."""
    codes = {ALWAYS: FeatureCodes("*7{number}", "*73", "*74"), BUSY: FeatureCodes("*7*{number}", "*75")}
    assert read_code("*73", codes) == FeatureState(ALWAYS, False)
    assert read_code("*74", codes) is None
    assert read_code("*7*1", codes) == FeatureState(BUSY, True, "1")
    assert read_code("*76", codes) == FeatureState(ALWAYS, True, "6")
    for order in ([ALWAYS, BUSY], [BUSY, ALWAYS]):
        codes = {ALWAYS: FeatureCodes("*71{number}", "*071"), BUSY: FeatureCodes("*2", "*71")}
        assert read_code("*71", {one: codes[one] for one in order}) == FeatureState(BUSY, False)


@given(
    st.sampled_from([ALWAYS, BUSY]),
    st.text("0123456789ABCD*#+", min_size=1, max_size=40),
    st.sampled_from(["none", "phone", "dialstring"]),
    st.sampled_from(["escaped", "raw"]),
)
def test_what_was_dialled_reads_back(feature, number, user_parameter, hash_sign):
    state = FeatureState(feature, True, number)
    uri = request_uri(dial(CODES[feature], state), "home1.net", user_parameter, "", hash_sign)
    assert read_code(uri.removeprefix("sip:").partition("@")[0], CODES) == state


@given(st.text(max_size=300))
def test_no_user_part_raises(user):
    state = read_code(user, CODES)
    assert state is None or len(state.number) <= 200
