"""The lab: real SIP and SSH servers on loopback, fetched once without root, one set per vendor and run."""

from ...errors import ConfigFault
from ...profile import Profile
from .engine import Engine, engines
from .lab import Lab
from .places import repository
from .standing import Standing, down, status, up

__all__ = ["Lab", "Standing", "check", "down", "repository", "status", "up"]


def check(profile: Profile) -> None:
    """Whether the lab has what ``profile.lab`` names, where it names something.

    Raises ConfigFault for an engine, a dialect or a recipe that is not there.
    """
    if profile.lab is None:
        return
    name = profile.lab.engine
    if name not in engines():
        owner = f"vendors/{profile.vendor.name}.toml"
        raise ConfigFault(owner, "lab.engine", f"one of {', '.join(engines())}", name)
    Engine.load(name).check(profile, ())
