"""The house: arrows point down only, and each outside package has its one place."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "keywords" / "featuresync"
LAYERS = ["errors", "profile", "sip", "net", "sync", "judge", "agent", "bench", "evidence", "library", "cli"]
ALLOWED = {  # what may import what beyond its own layer, lowest first
    "errors": set(),
    "profile": {"errors"},
    "sip": set(),
    "sync": {"sip"},
    "net": {"errors", "sip"},
    "judge": {"sip", "sync"},
    "agent": {"errors", "sip", "net", "sync", "judge"},
}
ONLY_IN = {
    "paramiko": r"bench/ssh\w*\.py",
    "httpx": r"bench/http_client\.py",
    "robot": r"library/.*",
    "robotlibcore": r"library/.*",
    "allure_commons": r"evidence/allure\.py",
    "socket": r"(net|bench)/.*",
    "ssl": r"(net/.*|library/session\.py|bench/http_client\.py)",
    "asyncio": r"net/.*",
}
VENDORS = re.compile(
    r"broadsoft|broadworks|metaswitch|forti(net|voice)|3cx|yeastar|huawei|\bzte\b", re.IGNORECASE
)
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(file: Path) -> set[str]:
    """Absolute names of all that a file imports."""
    here = ["featuresync", *file.relative_to(PACKAGE).with_suffix("").parts]
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: -node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def layer_of(name: str) -> str:
    return name.split(".")[1] if name.startswith("featuresync.") else ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_arrows_point_down(file):
    here = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if here not in LAYERS:
        return
    below = ALLOWED.get(here, set(LAYERS[: LAYERS.index(here)]))
    if here in ("library", "cli"):
        below = set(LAYERS)
    used = {layer_of(name) for name in imports(file)} & set(LAYERS)
    assert used - {here} <= below, f"{file.name} reaches up to {used - below - {here}}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_outside_packages_have_their_place(file):
    place = str(file.relative_to(PACKAGE))
    for name in {name.split(".")[0] for name in imports(file)} & set(ONLY_IN):
        assert re.fullmatch(ONLY_IN[name], place), f"{name} is imported in {place}"


def test_sip_sync_and_judge_have_no_clock():
    for layer in ("sip", "sync", "judge"):
        for file in (PACKAGE / layer).rglob("*.py"):
            assert not imports(file) & {"time", "threading", "datetime", "random"}, file.name


def test_no_vendor_in_code():
    for file in FILES:
        found = VENDORS.search(file.read_text(encoding="utf-8"))
        assert not found, f"{file.name} names {found[0] if found else ''}"
