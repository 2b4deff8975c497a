"""Tags of scenarios against the claims of profiles."""

from pathlib import Path

import pytest

from featuresync.agent.phone_config import PhoneConfig
from featuresync.library.claims import feature_of, requirements, side_of, skip_reason, wanted
from featuresync.profile import Mechanism, load_bench, load_profile
from featuresync.sync.feature_code import FeatureCodes

ROOT = Path(__file__).parents[3]


@pytest.fixture
def profile():
    return load_profile(ROOT / "vendors" / "broadsoft.toml")


def changed(profile, feature, side, mechanism):
    claim = profile.features[feature]
    fact = getattr(claim, f"{side}_side").model_copy(update={"value": mechanism and Mechanism(mechanism)})
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
        ("none", "BroadSoft changes dnd from the phone side by none"),
        (None, "unknown for BroadSoft: the phone side of dnd"),
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


def test_a_scenario_about_a_mechanism_wants_that_one(profile):
    tags = ["feature:dnd", "side:phone", "by:as-feature-event"]
    assert skip_reason(profile, tags) == ""
    reason = skip_reason(changed(profile, "dnd", "phone", "feature-code"), tags)
    assert reason == "BroadSoft changes dnd from the phone side by feature-code"


def test_silence_of_a_server_that_pushes_is_not_tried(profile):
    reason = skip_reason(profile, ["feature:dnd", "side:server", "by:none"])
    assert reason == "BroadSoft changes dnd from the server side by as-feature-event"


def test_a_subscription_scenario_needs_the_package_on_one_side(profile):
    tags = ["feature:all", "side:lifecycle", "by:as-feature-event"]
    for feature in list(profile.features):
        profile = changed(changed(profile, feature, "phone", "feature-code"), feature, "server", "none")
    reason = "BroadSoft changes all from the phone side and the server side by feature-code, none"
    assert skip_reason(profile, tags) == reason
    assert skip_reason(changed(profile, "dnd", "server", "as-feature-event"), tags) == ""


def test_code_scenarios_need_codes_that_are_known(profile):
    tags = ["feature:dnd", "side:phone", "by:feature-code"]
    assert skip_reason(profile, tags) == ""
    claim = profile.features["dnd"]
    without = profile.model_copy(update={"features": {"dnd": claim.model_copy(update={"codes": None})}})
    assert skip_reason(without, tags) == "BroadSoft has no feature code for dnd"
    unknown = claim.codes.on.model_copy(update={"value": None, "note": "read it from the unit"})
    codes = claim.codes.model_copy(update={"on": unknown})
    asked = profile.model_copy(update={"features": {"dnd": claim.model_copy(update={"codes": codes})}})
    reason = "unknown for BroadSoft: feature codes of dnd (read it from the unit)"
    assert skip_reason(asked, tags) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [(True, "claimed by BroadSoft: challenge"), (False, ""), (None, "unknown for BroadSoft: challenge")],
)
def test_what_must_be_known_not_to_hold(profile, value, reason):
    fact = profile.expect.challenge.model_copy(update={"value": value})
    profile = profile.model_copy(update={"expect": profile.expect.model_copy(update={"challenge": fact})})
    said = skip_reason(profile, ["feature:all", "without:challenge"])
    assert said.partition(" (")[0] == reason


def test_an_account_that_the_bench_lacks(profile):
    tags = ["feature:dnd", "side:phone", "role:target"]
    bench = load_bench(ROOT / "bench.example.toml")
    assert skip_reason(profile, tags, bench) == ""
    accounts = {role: account for role, account in bench.accounts.items() if role != "target"}
    bench = bench.model_copy(update={"accounts": accounts})
    assert skip_reason(profile, tags, bench) == "the bench has no account 'target'"
    assert skip_reason(profile, tags) == ""


def test_a_feature_that_the_recipe_cannot_read(profile):
    bench = load_bench(ROOT / "bench.example.toml")
    recipe = bench.recipe(profile)
    features = {name: one for name, one in recipe.features.items() if name != "dnd"}
    recipes = {bench.admin.recipe: recipe.model_copy(update={"features": features})}
    bench = bench.model_copy(update={"recipes": recipes})
    reason = f"the bench's recipe {bench.admin.recipe} cannot read dnd"
    assert skip_reason(profile, ["feature:dnd", "side:phone"], bench) == reason
    assert skip_reason(profile, ["feature:cf_busy", "side:phone"], bench) == ""


def phone(feature_sync=True, codes_used=None, codes=()):
    return PhoneConfig(
        line=1,
        feature_sync=feature_sync,
        codes_used=codes_used,
        codes=dict(codes),
        uri_escaped=None,
        dnd_return_code=None,
        taken=(),
        unknown=(),
    )


def test_a_phone_with_feature_sync_off_synchronises_nothing(profile):
    off = phone(feature_sync=False)
    reason = "Feature Sync is off in the phone's configuration: it executes features by itself"
    assert skip_reason(profile, ["feature:dnd", "side:phone"], None, off) == reason
    assert skip_reason(profile, ["feature:all", "sync:off"], None, off) == ""
    assert skip_reason(profile, ["feature:dnd", "side:phone"], None, phone()) == ""


def test_a_phone_without_a_code_cannot_dial_it(profile):
    tags = ["feature:dnd", "side:phone", "by:feature-code"]
    reason = "the phone's configuration has no feature codes for dnd"
    assert skip_reason(profile, tags, None, phone()) == reason
    able = phone(codes={"dnd": FeatureCodes("*78", "*79")})
    assert skip_reason(profile, tags, None, able) == ""
    unused = phone(codes_used=False, codes={"dnd": FeatureCodes("*78", "*79")})
    assert skip_reason(profile, tags, None, unused) == "the phone's configuration does not use feature codes"
    by_code = changed(profile, "dnd", "phone", "feature-code")
    assert skip_reason(by_code, ["feature:dnd", "side:phone"], None, phone()) == reason
    assert skip_reason(by_code, ["feature:dnd", "side:server"], None, phone()) == ""
