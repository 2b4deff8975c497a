from pathlib import Path

import pytest

from featuresync.bench.lab.addresses import lease
from featuresync.bench.lab.asterisk import Asterisk
from featuresync.bench.lab.certificates import issue
from featuresync.bench.lab.composition import Front, compose
from featuresync.bench.lab.engine import Ports
from featuresync.bench.lab.kamailio import Kamailio
from featuresync.bench.lab.parts import PLATFORMS
from featuresync.bench.lab.tree import Tree

from .test_dialplan import profile as coded

TREE = Tree(Path("/tree"), PLATFORMS["x86_64"])
PASSWORDS = {"1001": "one", "1002": "two"}


@pytest.fixture
def block(own_blocks):
    block = lease(range(220, 230))
    yield block
    block.release()


@pytest.fixture
def composed(block, tmp_path):
    def make(engine, dialect, *, codes=True, ipv6=False, secure=False, faults=()):
        values = coded().model_dump()
        values["lab"] = {"engine": engine, "dialect": dialect, "recipe": "any"}
        if not codes:
            for feature in values["features"].values():
                feature["phone_side"]["value"], feature["codes"] = "as-feature-event", None
        profile = type(coded()).model_validate(values)
        certificates = issue([block.server]) if secure else None
        front = Front(block, Ports(5060, 5061), "a.invalid", certificates, ipv6)
        return compose(profile, front, TREE, tmp_path, PASSWORDS, faults)

    return make


def test_asterisk_alone(composed, block):
    (one,) = composed("asterisk", "early", faults=("CODE_IGNORED",), ipv6=True, secure=True)
    assert isinstance(one, Asterisk)
    assert (one.address, one.ports, one.dialect) == (block.server, Ports(5060, 5061), "early")
    assert (one.proxy, one.announcements_only, one.faults) == ("", False, ("CODE_IGNORED",))
    assert (one.ipv6, one.certificates is not None) == (block.v6_ports, True)
    assert set(one.programs) == {"asterisk"}


def test_asterisk_behind_a_proxy(composed, block):
    first, second = composed("asterisk", "behind_proxy", faults=("NO_PUSH",), secure=True)
    assert isinstance(first, Kamailio)
    assert isinstance(second, Asterisk)
    assert (first.dialect, first.inner) == ("in_front", f"{block.inner}:{second.ports.sip}")
    assert (first.ports, first.faults, first.certificates is not None) == (
        Ports(5060, 5061), ("NO_PUSH",), True,
    )  # fmt: skip
    assert (second.address, second.proxy, second.dialect) == (
        block.inner, f"{block.server}:5060", "behind_proxy",
    )  # fmt: skip
    assert (second.announcements_only, second.certificates, second.passwords) == (False, None, PASSWORDS)


def test_kamailio_with_codes_has_somebody_to_play_announcements(composed, block):
    first, second = composed("kamailio", "full_state")
    assert isinstance(first, Kamailio)
    assert isinstance(second, Asterisk)
    assert (first.dialect, first.inner) == ("full_state", f"{block.inner}:{second.ports.sip}")
    assert (second.address, second.proxy, second.announcements_only) == (
        block.inner, f"{block.server}:5060", True,
    )  # fmt: skip


def test_kamailio_without_codes_is_alone(composed):
    (one,) = composed("kamailio", "stock", codes=False, ipv6=True)
    assert isinstance(one, Kamailio)
    assert (one.dialect, one.inner, one.ipv6) == ("stock", "", True)
