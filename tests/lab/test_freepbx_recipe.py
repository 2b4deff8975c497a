"""The recipe that Asterisk's profile has for real systems, against a real Asterisk's database."""

from __future__ import annotations

import pytest
from running import ROOT

from featuresync.bench.state import ServerState
from featuresync.profile import load_profile
from featuresync.sync.feature import Feature, FeatureState

pytestmark = pytest.mark.lab
ON = [
    FeatureState(Feature.DND, True),
    FeatureState(Feature.CF_ALWAYS, True, "1003"),
    FeatureState(Feature.CF_BUSY, True, "+15551004"),
    FeatureState(Feature.CF_NO_ANSWER, True, "1004"),
]


def test_it_sets_reads_and_takes_off_each_feature(start_lab):
    lab = start_lab("asterisk")
    admin = lab.bench.admin.model_copy(update={"recipe": "freepbx"})
    profile = load_profile(ROOT / "vendors" / "asterisk.toml")
    with ServerState.connect(lab.bench.model_copy(update={"admin": admin}), profile) as server:
        for wanted in ON:
            server.set("1001", wanted)
        assert server.get("1001") == {state.feature: state for state in ON}
        assert not [state for state in server.get("1002").values() if state.on]
        for state in ON:
            # What is off already is no error.
            server.set("1001", FeatureState(state.feature, False))
            server.set("1001", FeatureState(state.feature, False))
        assert not [state for state in server.get("1001").values() if state.on or state.number]
