"""The lab: real SIP and SSH servers on loopback, fetched once without root, one set per vendor and run."""

from .lab import Lab
from .places import repository
from .standing import Standing, down, status, up

__all__ = ["Lab", "Standing", "down", "repository", "status", "up"]
