"""Where things stand in the project: suites, profiles, fixtures, results."""

from __future__ import annotations

from pathlib import Path

from featuresync.bench.lab.places import repository
from featuresync.errors import ConfigFault
from featuresync.profile import Profile, load_profile


def vendors() -> Path:
    return repository() / "vendors"


def vendor_names() -> list[str]:
    return sorted(file.stem for file in vendors().glob("*.toml"))


def profile(name: str) -> Profile:
    """The profile of a vendor. Raises ConfigFault, naming those there are, when there is none."""
    file = vendors() / f"{name}.toml"
    if name not in vendor_names():
        raise ConfigFault(vendors(), "vendor", f"one of {', '.join(vendor_names())}", repr(name))
    return load_profile(file)
