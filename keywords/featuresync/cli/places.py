"""Where things stand in the project: suites, profiles, fixtures, results."""

from __future__ import annotations

from pathlib import Path

from featuresync.bench import lab
from featuresync.bench.lab.places import repository
from featuresync.errors import ConfigFault
from featuresync.judge.catalogue import CATALOGUE
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
    return checked(file)


def checked(file: Path) -> Profile:
    """A profile whose deviations name requirements that there are, and whose stand-in the lab can play.

    Raises ConfigFault.
    """
    profile = load_profile(file)
    for index, row in enumerate(profile.deviation):
        if row.requirement not in CATALOGUE:
            key = f"deviation.{index}.requirement"
            raise ConfigFault(file, key, "a known requirement", repr(row.requirement))
    try:
        lab.check(profile)
    except ConfigFault as fault:
        # The lab knows a profile by its name only; a fault of its own files stays theirs.
        owner = file if fault.key.startswith("lab.") else fault.file
        raise ConfigFault(owner, fault.key, fault.expected, fault.got) from None
    return profile
