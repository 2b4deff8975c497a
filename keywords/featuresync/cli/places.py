"""Where things stand in the project: suites, profiles, fixtures, results."""

from __future__ import annotations

import os
from pathlib import Path

from featuresync.errors import ConfigFault
from featuresync.profile import Profile, load_profile


def home() -> Path:
    """The project's folder; ``FEATURESYNC_HOME`` says otherwise."""
    said = os.environ.get("FEATURESYNC_HOME")
    return Path(said).resolve() if said else Path(__file__).resolve().parents[3]


def vendors() -> Path:
    return home() / "vendors"


def vendor_names() -> list[str]:
    return sorted(file.stem for file in vendors().glob("*.toml"))


def profile(name: str) -> Profile:
    """The profile of a vendor. Raises ConfigFault, naming those there are, when there is none."""
    file = vendors() / f"{name}.toml"
    if name not in vendor_names():
        raise ConfigFault(vendors(), "vendor", f"one of {', '.join(vendor_names())}", repr(name))
    return load_profile(file)
