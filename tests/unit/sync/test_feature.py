import pytest

from featuresync.sync.feature import Feature, FeatureState, describe

DND, ALWAYS, BUSY, NO_ANSWER = Feature


def test_features_are_in_the_guides_order():
    assert [feature.value for feature in Feature] == ["dnd", "cf_always", "cf_busy", "cf_no_answer"]
    assert [feature.is_forward for feature in Feature] == [False, True, True, True]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FeatureState(DND, True), "DND on"),
        (FeatureState(DND, False, "ignored"), "DND off"),
        (FeatureState(ALWAYS, True, "1003"), "unconditional forward → 1003"),
        (FeatureState(BUSY, True), "busy forward → (no number)"),
        (FeatureState(BUSY, False), "busy forward off"),
        (FeatureState(BUSY, False, "1003"), "busy forward off (number 1003 kept)"),
        (FeatureState(NO_ANSWER, True, "1003", 4), "no-answer forward → 1003, 4 rings"),
        (FeatureState(NO_ANSWER, False, "1003", 4), "no-answer forward off (number 1003 kept)"),
    ],
)
def test_a_state_in_words(state, words):
    assert str(state) == words


@pytest.mark.parametrize(
    ("report", "wanted", "enough"),
    [
        (FeatureState(DND, True), FeatureState(DND, True), True),
        (FeatureState(DND, True), FeatureState(DND, False), False),
        (FeatureState(DND, True, "x"), FeatureState(DND, True), True),
        (FeatureState(BUSY, True, "1"), FeatureState(ALWAYS, True, "1"), False),
        (FeatureState(BUSY, True, "1"), FeatureState(BUSY, True, "2"), False),
        (FeatureState(BUSY, False, "1"), FeatureState(BUSY, False, "2"), True),
        (FeatureState(NO_ANSWER, True, "1", None), FeatureState(NO_ANSWER, True, "1", 4), True),
        (FeatureState(NO_ANSWER, True, "1", 4), FeatureState(NO_ANSWER, True, "1", None), True),
        (FeatureState(NO_ANSWER, True, "1", 4), FeatureState(NO_ANSWER, True, "1", 5), False),
        (FeatureState(NO_ANSWER, False, "", 4), FeatureState(NO_ANSWER, False, "", 5), True),
    ],
)
def test_when_a_report_is_what_was_asked_for(report, wanted, enough):
    assert report.satisfies(wanted) is enough


def test_all_features_in_one_line():
    states = {BUSY: FeatureState(BUSY, True, "1"), DND: FeatureState(DND, False)}
    assert describe(states) == "DND off; busy forward → 1"
    assert describe({}) == "nothing"
