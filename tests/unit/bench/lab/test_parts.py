import os
import re

import pytest

from featuresync.bench.lab import parts as module
from featuresync.bench.lab.archive import Index, Lock, Mirror
from featuresync.bench.lab.parts import PLATFORMS, Parts, closure, platform, resolve
from featuresync.bench.lab.places import fixtures
from featuresync.bench.lab.tree import DEFAULT_PARTS
from featuresync.errors import BenchFault, ConfigFault

from .archive_server import elf_file

ON = PLATFORMS["x86_64"]


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "riscv64")])
def test_other_platforms_are_told_what_to_do(monkeypatch, system, machine):
    monkeypatch.setattr(module.os, "uname", lambda: os.uname_result((system, "h", "1", "1", machine)))
    with pytest.raises(BenchFault, match=f"not on {system} {machine}: run with --bench FILE"):
        platform()


def test_parts_of_the_house():
    table = Parts.load(fixtures() / "parts.toml")
    assert set(table.parts) == set(DEFAULT_PARTS) == {"asterisk", "kamailio", "sshd"}
    roots = table.parts["kamailio"].roots(ON)
    assert "usr/lib/x86_64-linux-gnu/kamailio/modules/presence_dfks.so" in roots
    with pytest.raises(BenchFault, match="the lab has no part 'gamma': one of asterisk, kamailio, sshd"):
        table.chosen(["gamma"])


@pytest.mark.parametrize(
    ("part", "line"), [("kamailio", r'^loadmodule "(\S+)"'), ("asterisk", r"^load = (\S+)")]
)
def test_every_module_that_the_configuration_loads_is_in_the_table(part, line):
    table = Parts.load(fixtures() / "parts.toml")
    roots = table.parts[part].roots(ON)
    texts = [file.read_text() for file in (fixtures() / part).glob("*.in")]
    loaded = {found for text in texts for found in re.findall(line, text, re.MULTILINE)}
    assert len(loaded) > 20
    assert loaded <= {root.rpartition("/")[2] for root in roots}


def test_the_lock_of_the_house_pins_every_part():
    table, lock = Parts.load(fixtures() / "parts.toml"), Lock.load(fixtures() / "lab.lock.json")
    for part in table.chosen(DEFAULT_PARTS):
        assert {"libc6", *part.packages} <= {package.name for package in lock.packages("amd64", [part.name])}


def test_unreadable_table(tmp_path):
    (tmp_path / "parts.toml").write_text("suite = 1\n")
    with pytest.raises(ConfigFault, match=r"parts\.toml: parts: expected a table of parts"):
        Parts.load(tmp_path / "parts.toml")


def test_closure_names_what_is_lacking_and_who_asks(tmp_path):
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/alpha").write_bytes(elf_file("libnone.so.1", "ld-linux-x86-64.so.2"))
    found = closure(tmp_path, ["usr/sbin/alpha"], ON)
    assert found.lacking == {"libnone.so.1": "alpha"}
    with pytest.raises(BenchFault, match="not in the packages: usr/sbin/beta"):
        closure(tmp_path, ["usr/sbin/beta"], ON)


def test_libraries_follow_from_the_files(archive, house, tmp_path):
    mirror = Mirror(archive.url)
    index = Index.fetch(mirror, "forky", "amd64")
    table = Parts.load(fixtures() / "parts.toml")
    (tmp_path / "tree").mkdir()
    pins = resolve(mirror, index, table.chosen(table.parts), tmp_path / "tree", ON)
    assert {pin.package.name: set(pin.parts) for pin in pins} == {
        "alpha": {"alpha"},
        "beta": {"beta"},
        "libc6": {"alpha", "beta"},
        "libssl3t64": {"alpha"},
        "zlib1g": {"alpha", "beta"},
    }


def test_a_library_nobody_has_is_named(archive, house, tmp_path):
    archive.add("beta", ("./usr/sbin/beta", elf_file("libodd.so.4")))
    archive.publish()
    mirror = Mirror(archive.url)
    table = Parts.load(fixtures() / "parts.toml")
    with pytest.raises(BenchFault, match=r"no package found for libodd\.so\.4, which beta needs"):
        resolve(mirror, Index.fetch(mirror, "forky", "amd64"), table.chosen(["beta"]), tmp_path, ON)


def test_a_library_is_found_among_the_dependencies(archive, house, tmp_path):
    archive.add("beta", ("./usr/sbin/beta", elf_file("libodd.so.4")), depends="libodd4-ng (>= 4)")
    archive.add("libodd4-ng", ("./usr/lib/libodd.so.4", elf_file()))
    archive.publish()
    mirror = Mirror(archive.url)
    table = Parts.load(fixtures() / "parts.toml")
    pins = resolve(mirror, Index.fetch(mirror, "forky", "amd64"), table.chosen(["beta"]), tmp_path, ON)
    assert [pin.package.name for pin in pins] == ["beta", "libc6", "libodd4-ng"]
