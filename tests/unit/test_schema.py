"""The JSON schemas in the repository are those of the models: editors complete what we check."""

import json
import re
from pathlib import Path

import pytest

from featuresync.bench.admin import Administration
from featuresync.bench.state import open_access
from featuresync.profile import Bench, Profile, load_bench, load_profile

ROOT = Path(__file__).parents[2]
PROFILES = sorted((ROOT / "vendors").glob("*.toml"))
EXAMPLES = sorted((ROOT / "vendors" / "bench").glob("*.example.toml"))


@pytest.mark.parametrize(("name", "model"), [("profile", Profile), ("bench", Bench)])
def test_published_schema_is_current(name, model):
    file = ROOT / "vendors" / "schema" / f"{name}.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == model.model_json_schema()


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.stem)
def test_every_profile_loads(file):
    assert load_profile(file).vendor.name == file.stem


def test_the_example_bench_loads():
    bench = load_bench(ROOT / "bench.example.toml")
    assert bench.recipe(load_profile(ROOT / "vendors" / f"{bench.vendor}.toml")).words == (
        "enable",
        "disable",
    )


def test_every_vendor_has_an_example_of_a_bench():
    assert [file.name.partition(".")[0] for file in EXAMPLES] == [file.stem for file in PROFILES]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name.partition(".")[0])
def test_every_example_gives_its_recipe_what_it_needs(file, monkeypatch):
    for name in re.findall(r'env = "(\w+)"', file.read_text(encoding="utf-8")):
        monkeypatch.setenv(name, "a secret")
    bench = load_bench(file)
    profile = load_profile(ROOT / "vendors" / f"{bench.vendor}.toml")
    assert file.name == f"{bench.vendor}.example.toml"
    assert set(bench.accounts) == {"primary", "other", "target"}
    assert bench.accounts["target"].user == bench.targets[0]
    recipe = bench.recipe(profile)
    known = {account.user: account.values for account in bench.accounts.values()}
    # Nobody is connected to: what a recipe lacks is seen when it is put to work.
    administration = Administration(
        recipe, open_access(bench, recipe), values=bench.admin.values, accounts=known, owner=bench.file
    )
    assert administration.features


@pytest.mark.parametrize("file", [*EXAMPLES, ROOT / "bench.example.toml"], ids=lambda file: file.name)
def test_examples_name_documentation_addresses_only(file):
    text = file.read_text(encoding="utf-8")
    key = r"^#? ?(?:address|local|host|server|base_url|domain)"
    hosts = re.findall(rf'{key} = "(?:https?://)?([^"/:]*)', text, re.MULTILINE)
    assert hosts
    for host in hosts:
        assert re.fullmatch(r"|192\.0\.2\.\d+|([a-z0-9-]+\.)*example\.net", host), host
