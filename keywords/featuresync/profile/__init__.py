"""Vendor profiles and bench files: how a system behaves, and where one stands. Typed and validated.

Both are TOML. Every statement about a vendor is a ``Fact``: a value, where it comes from, and how sure
that is. What is unknown is ``value`` left out, never a guess. Errors are ``ConfigFault``: file, key,
expected, got.
"""

from .bench import Account, Admin, Bench, Deadlines, Http, Role, SecretRef, Sip, Ssh, Tls
from .facts import Fact, FeatureName, Model, Name, Sure
from .loading import load, load_bench, load_profile
from .recipe import FeatureRecipe, Find, Login, Recipe, Reply, Request, Shell, Step
from .vendor import NUMBER, Call, Claim, Codes, Deviation, Expectations, Mechanism, Profile, StandIn, Vendor

__all__ = [
    "NUMBER",
    "Account",
    "Admin",
    "Bench",
    "Call",
    "Claim",
    "Codes",
    "Deadlines",
    "Deviation",
    "Expectations",
    "Fact",
    "FeatureName",
    "FeatureRecipe",
    "Find",
    "Http",
    "Login",
    "Mechanism",
    "Model",
    "Name",
    "Profile",
    "Recipe",
    "Reply",
    "Request",
    "Role",
    "SecretRef",
    "Shell",
    "Sip",
    "Ssh",
    "StandIn",
    "Step",
    "Sure",
    "Tls",
    "Vendor",
    "load",
    "load_bench",
    "load_profile",
]
