"""The JSON schemas in the repository are those of the models: editors complete what we check."""

import json
from pathlib import Path

import pytest

from featuresync.profile import Bench, Profile, load_bench, load_profile

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "model"), [("profile", Profile), ("bench", Bench)])
def test_published_schema_is_current(name, model):
    file = ROOT / "vendors" / "schema" / f"{name}.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == model.model_json_schema()


@pytest.mark.parametrize("file", sorted((ROOT / "vendors").glob("*.toml")), ids=lambda file: file.stem)
def test_every_profile_loads(file):
    assert load_profile(file).vendor.name == file.stem


def test_the_example_bench_loads():
    bench = load_bench(ROOT / "bench.example.toml")
    assert bench.recipe(load_profile(ROOT / "vendors" / f"{bench.vendor}.toml")).words == (
        "enable",
        "disable",
    )
