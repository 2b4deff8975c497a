import json
import os
import secrets

import pytest

from featuresync.bench.lab import addresses, parts
from featuresync.bench.lab import archive as archive_module

from .archive_server import LIB, elf_file, serving

PARTS = """
suite = "forky"
[parts.alpha]
packages = ["alpha"]
files = ["usr/sbin/alpha", "{lib}/alpha/{modules}.so"]
modules = ["one"]
[parts.beta]
packages = ["beta"]
files = ["usr/sbin/beta"]
modules = []
"""


@pytest.fixture
def own_blocks(monkeypatch):
    """Blocks under a name of this test: labs that run on this machine meanwhile hold others."""
    monkeypatch.setattr(addresses, "_NAME", f"\0featuresync-test-{os.getpid()}-{secrets.token_hex(4)}-")


@pytest.fixture
def archive(monkeypatch):
    """Two programs: alpha needs libssl, which needs libz; beta needs libz alone."""
    # Whatever this machine is, the archive is for amd64.
    monkeypatch.setattr(parts.os, "uname", lambda: os.uname_result(("Linux", "h", "6", "1", "x86_64")))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as served:
        served.add(
            "libc6",
            (f"./{LIB}/libc.so.6", elf_file("ld-linux-x86-64.so.2")),
            ("./lib64/ld-linux-x86-64.so.2", elf_file()),
        )
        served.add(
            "alpha",
            ("./usr/sbin/alpha", elf_file("libc.so.6", "libssl.so.3")),
            (f"./{LIB}/alpha/one.so", elf_file("libc.so.6")),
            ("./usr/share/doc/alpha/changelog", b"long"),
        )
        served.add("beta", ("./usr/sbin/beta", elf_file("libc.so.6", "libz.so.1")))
        served.add(
            "libssl3t64",
            (f"./{LIB}/libssl.so.3", "libssl.so.3.0.1"),
            (f"./{LIB}/libssl.so.3.0.1", elf_file("libz.so.1")),
        )
        served.add("zlib1g", (f"./{LIB}/libz.so.1", elf_file("libc.so.6")))
        served.publish()
        yield served


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A repository and a cache in a temporary folder; the signature check passes its text through."""
    home = tmp_path / "house"
    (home / "fixtures" / "lab").mkdir(parents=True)
    (home / "fixtures" / "lab" / "parts.toml").write_text(PARTS)
    monkeypatch.setenv("FEATURESYNC_HOME", str(home))
    monkeypatch.setenv("FEATURESYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(archive_module, "verified", lambda signed: signed.decode())
    return home


@pytest.fixture
def locked(house, archive):
    """The lock file for both parts, as ``pin`` writes it."""
    users = {
        "libc6": ["alpha", "beta"], "alpha": ["alpha"], "beta": ["beta"],
        "libssl3t64": ["alpha"], "zlib1g": ["alpha", "beta"],
    }  # fmt: skip
    rows = {
        name: {key: row[key] for key in ("version", "filename", "sha256", "size")} | {"parts": users[name]}
        for name, row in archive.rows.items()
    }
    file = house / "fixtures" / "lab" / "lab.lock.json"
    file.write_text(json.dumps({"amd64": rows}))
    return file
