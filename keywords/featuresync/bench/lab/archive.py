"""The Debian archive over HTTP: pinned packages, or the signed index when a pin has left the pool.

What makes a package authentic is its SHA256: it comes from the committed lock file, or from the index,
whose own SHA256 comes from a Release file that ``gpgv`` has verified. No host name stands here: the
mirror is the one that the host's own apt is configured with, or the one the user names.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...errors import BenchFault, ConfigFault

NO_MIRROR = "no Debian mirror known: set LAB_MIRROR=URL, or run with --bench FILE"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

_INDEX_LIMIT = 64 << 20
_ATTEMPTS = 3
_SECONDS = 30.0
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{1,80}")
_FILENAME = re.compile(r"pool/[A-Za-z0-9+._~/-]{1,300}\.deb")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class GoneFault(BenchFault):
    """The mirror answers, but does not have this file (any more)."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package as the archive has it. ``size`` is in bytes, ``filename`` relative to the mirror."""

    name: str
    version: str
    filename: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        path = self.filename
        if not _FILENAME.fullmatch(path) or ".." in path.split("/") or not _SHA256.fullmatch(self.sha256):
            raise BenchFault(f"package {self.name!r}: not a pool path with a SHA256")


def host_mirror() -> str:
    """``LAB_MIRROR``, else the Debian mirror of the host's own apt. Raises BenchFault when there is none."""
    named = os.environ.get("LAB_MIRROR", "").rstrip("/")
    if named:
        return _http(named)
    apt = shutil.which("apt-get")
    if apt is None:
        raise BenchFault(NO_MIRROR)
    try:
        said = subprocess.run(
            [apt, "indextargets", "--format", "$(REPO_URI)"],
            capture_output=True, text=True, timeout=20, check=False,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    for uri in said.split():
        if uri.startswith(("http://", "https://")) and uri.rstrip("/").endswith("/debian"):
            return uri.rstrip("/")
    raise BenchFault(NO_MIRROR)


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise BenchFault(f"the mirror {url!r} is not an http or https URL")
    return url


class Mirror:
    """One archive mirror. ``fetched`` counts the bytes that came over the network."""

    def __init__(self, url: str) -> None:
        self.url = _http(url.rstrip("/"))
        self.fetched = 0

    def get(self, path: str, limit: int) -> bytes:
        """The file at ``path``, at most ``limit`` bytes. Raises GoneFault, or BenchFault after 3 attempts."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(f"{self.url}/{path}", timeout=_SECONDS) as answer:  # noqa: S310
                    data: bytes = answer.read(limit + 1)
                break
            except urllib.error.HTTPError as error:
                code = error.code
                error.close()
                if code in (404, 410):
                    raise GoneFault(f"the mirror has no {path}") from None
                if attempt == _ATTEMPTS:
                    raise BenchFault(f"the mirror answers {code} to {path}") from None
            except (OSError, ValueError) as error:
                if attempt == _ATTEMPTS:
                    raise BenchFault(f"the mirror cannot be read ({error}): {path}") from None
        if len(data) > limit:
            raise BenchFault(f"the mirror sends more than {limit} bytes for {path}")
        self.fetched += len(data)
        return data

    def package(self, package: Package) -> bytes:
        """The .deb, checked. Raises BenchFault when it is not the one with this SHA256."""
        data = self.get(package.filename, package.size)
        if hashlib.sha256(data).hexdigest() != package.sha256:
            raise BenchFault(f"{package.name} from the mirror has another SHA256 than pinned: refused")
        return data


class Index:
    """The packages of one suite and architecture, by name."""

    def __init__(self, text: str) -> None:
        self._stanzas: dict[str, str] = {}
        for stanza in text.split("\n\n"):
            if stanza.startswith("Package: "):
                self._stanzas[stanza[9:].partition("\n")[0].strip()] = stanza

    @classmethod
    def fetch(cls, mirror: Mirror, suite: str, arch: str) -> Index:
        """Read and verify the suite's index. Raises BenchFault, also when no signature can be checked."""
        release = verified(mirror.get(f"dists/{suite}/InRelease", _INDEX_LIMIT))
        found = re.search(rf"^ ([0-9a-f]{{64}}) +\d+ main/binary-{arch}/Packages\.xz$", release, re.MULTILINE)
        if found is None:
            raise BenchFault(f"the mirror's {suite} has no index for {arch}")
        packed = mirror.get(f"dists/{suite}/main/binary-{arch}/by-hash/SHA256/{found[1]}", _INDEX_LIMIT)
        if hashlib.sha256(packed).hexdigest() != found[1]:
            raise BenchFault(f"the mirror's index of {suite} does not match its signed Release file")
        try:
            return cls(lzma.decompress(packed).decode())
        except (lzma.LZMAError, UnicodeDecodeError) as error:
            raise BenchFault(f"the mirror's index of {suite} cannot be read: {error}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._stanzas

    def package(self, name: str) -> Package:
        """Raises BenchFault when the suite has no such package."""
        stanza = self._stanzas.get(name)
        if stanza is None:
            raise BenchFault(f"the archive has no package {name}")
        values = dict(re.findall(r"^(Version|Filename|SHA256|Size): (\S+)", stanza, re.MULTILINE))
        try:
            return Package(name, values["Version"], values["Filename"], values["SHA256"], int(values["Size"]))
        except (KeyError, ValueError):
            raise BenchFault(f"the archive's entry for {name} is incomplete") from None

    def depends(self, name: str) -> list[str]:
        """Names in the package's Depends field, without versions."""
        found = re.search(r"^Depends: (.*)$", self._stanzas.get(name, ""), re.MULTILINE)
        return re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]*)", found[1]) if found else []


def verified(signed: bytes) -> str:
    """The text inside a clear-signed file, checked by ``gpgv`` against Debian's keys. Raises BenchFault.

    What stands outside the signature is dropped: only gpgv's own output is used.
    """
    ring = Path(os.environ.get("LAB_KEYRING") or KEYRING)
    gpgv = shutil.which("gpgv")
    if gpgv is None or not ring.is_file():
        raise BenchFault(
            "the archive's signature cannot be checked: install gpgv and debian-archive-keyring "
            "(or name the key file with LAB_KEYRING)"
        )
    with tempfile.NamedTemporaryFile(prefix="featuresync-") as file:
        file.write(signed)
        file.flush()
        try:
            done = subprocess.run(
                [gpgv, "--quiet", "--keyring", str(ring.resolve()), "--output", "-", file.name],
                capture_output=True, timeout=30, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BenchFault(f"gpgv cannot be run: {error}") from None
    if done.returncode != 0:
        raise BenchFault("bad signature on the archive's Release file: refused")
    return done.stdout.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Pin:
    """A package of the lock file and the parts of the lab that need it."""

    package: Package
    parts: frozenset[str]


def _pin(name: str, row: Mapping[str, Any]) -> Pin:
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    version, filename, sha256 = str(row["version"]), str(row["filename"]), str(row["sha256"])
    return Pin(Package(name, version, filename, sha256, int(row["size"])), frozenset(row["parts"]))


class Lock:
    """The committed pins: per architecture the exact packages each part of the lab is made of."""

    def __init__(self, pins: Mapping[str, Mapping[str, Pin]]) -> None:
        self.pins = pins

    @classmethod
    def load(cls, file: Path) -> Lock:
        """Raises ConfigFault when the file cannot be read as a lock."""
        try:
            data: dict[str, dict[str, dict[str, Any]]] = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                {arch: {name: _pin(name, row) for name, row in rows.items()} for arch, rows in data.items()}
            )
        except FileNotFoundError:
            return cls({})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, BenchFault) as error:
            raise ConfigFault(file, "lock", "pins of packages", f"{type(error).__name__} {error}") from None

    def packages(self, arch: str, parts: Iterable[str]) -> list[Package]:
        """Everything these parts need; [] when a part is not pinned for this architecture."""
        wanted = set(parts)
        pins = self.pins.get(arch, {}).values()
        if not wanted <= {part for pin in pins for part in pin.parts}:
            return []
        return [pin.package for pin in pins if pin.parts & wanted]

    def write(self, file: Path) -> None:
        rows = {
            arch: {
                name: {k: v for k, v in asdict(pin.package).items() if k != "name"}
                | {"parts": sorted(pin.parts)}
                for name, pin in sorted(pins.items())
            }
            for arch, pins in sorted(self.pins.items())
        }
        file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
