"""Tags of scenarios against the claims of profiles."""

from pathlib import Path

import pytest

from featuresync.library.claims import feature_of, requirements, side_of, skip_reason, wanted
from featuresync.profile import load_profile

ROOT = Path(__file__).parents[3]


@pytest.fixture
def profile():
    return load_profile(ROOT / "vendors" / "broadsoft.toml")


def changed(profile, feature, side, mechanism):
    claim = profile.features[feature]
    fact = getattr(claim, f"{side}_side").model_copy(update={"value": mechanism})
    claim = claim.model_copy(update={f"{side}_side": fact})
    return profile.model_copy(update={"features": {**profile.features, feature: claim}})


def test_requirements_are_told_from_other_tags():
    assert requirements(["feature:dnd", "ST-01", "NO-12", "st-02", "robot:skip"]) == ["ST-01", "NO-12"]


def test_feature_and_side_have_defaults():
    assert (feature_of([]), side_of([])) == ("all", "lifecycle")
    assert (feature_of(["feature:dnd"]), side_of(["side:server"])) == ("dnd", "server")


@pytest.mark.parametrize(
    ("feature", "side", "expected"),
    [
        ("-", "-", True),
        ("dnd", "-", True),
        ("dnd", "phone", True),
        ("cf_busy", "-", False),
        ("-", "server", False),
    ],
)
def test_wanted(feature, side, expected):
    assert wanted(["feature:dnd", "side:phone"], feature, side) is expected


def test_a_claimed_scenario_is_not_skipped(profile):
    assert skip_reason(profile, ["feature:dnd", "side:phone", "needs:challenge"]) == ""


@pytest.mark.parametrize(
    ("mechanism", "reason"),
    [
        ("feature-code", "BroadSoft changes dnd from the phone side by feature-code"),
        (None, "unknown for BroadSoft: phone side of dnd"),
    ],
)
def test_what_is_not_claimed_is_skipped_with_the_reason(profile, mechanism, reason):
    assert skip_reason(changed(profile, "dnd", "phone", mechanism), ["feature:dnd", "side:phone"]) == reason


def test_a_server_that_claims_one_side_keeps_the_other_scenarios(profile):
    assert skip_reason(changed(profile, "dnd", "phone", "none"), ["feature:dnd", "side:server"]) == ""


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "unknown for BroadSoft: challenge (no source says)"),
        (False, "not claimed by BroadSoft: challenge"),
    ],
)
def test_needs(profile, value, reason):
    fact = profile.expect.challenge.model_copy(update={"value": value})
    profile = profile.model_copy(update={"expect": profile.expect.model_copy(update={"challenge": fact})})
    assert skip_reason(profile, ["feature:all", "needs:challenge"]) == reason


def test_a_need_nobody_knows_is_said(profile):
    assert "no profile knows" in skip_reason(profile, ["feature:all", "needs:magic"])


def test_a_feature_the_profile_does_not_list_is_skipped(profile):
    without = {name: claim for name, claim in profile.features.items() if name != "cf_busy"}
    profile = profile.model_copy(update={"features": without})
    assert skip_reason(profile, ["feature:cf_busy", "side:phone"]) == "BroadSoft does not synchronise cf_busy"
