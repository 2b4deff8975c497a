"""The unpacked programs: fetched once into a cache without root, run with their own loader.

The tree is complete or absent: it is built in a temporary folder beside its place and renamed into it,
under a file lock, so that two runs may start at once and a killed one leaves nothing half-made.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import BenchFault
from .archive import GoneFault, Index, Lock, Mirror, Package, host_mirror
from .parts import Part, Parts, Platform, closure, install, platform, resolve
from .places import cache, fixtures

DEFAULT_PARTS = ("asterisk", "kamailio", "sshd")

_log = logging.getLogger("featuresync.lab")


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder with programs and all their libraries. May be read-only; must not be mounted noexec."""

    root: Path
    on: Platform

    @property
    def lib(self) -> Path:
        return self.root / self.on.lib

    def command(self, program: str, *arguments: str, preload: str = "") -> list[str]:
        """The command line that starts ``program`` (a path in the tree) with the tree's own loader.

        ``LD_LIBRARY_PATH`` would break every host program a server starts; the loader's own option does
        not reach them. ``preload`` are libraries of the tree's library folder, separated by colons.
        """
        loader = [str(self.root / self.on.loader), "--library-path", str(self.lib)]
        if preload:
            loader += ["--preload", ":".join(str(self.lib / name) for name in preload.split(":"))]
        return [*loader, str(self.root / program), *arguments]

    def output(self, program: str, *arguments: str, seconds: float = 10) -> str:
        """What a program of the tree prints. Raises BenchFault when it fails."""
        try:
            done = subprocess.run(
                self.command(program, *arguments),
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BenchFault(f"{program} of the lab cannot be run: {error}") from None
        if done.returncode != 0:
            raise BenchFault(f"{program} of the lab failed: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout

    def versions(self) -> dict[str, str]:
        """Version of every package in the tree, by name."""
        read: dict[str, str] = json.loads((self.root / "packages.json").read_text(encoding="utf-8"))
        return read


def ensure(parts: Iterable[str] = DEFAULT_PARTS, *, mirror: str = "") -> Tree:
    """The tree with these parts, fetched when it is not in the cache yet. Raises BenchFault."""
    on = platform()
    table = Parts.load(fixtures() / "parts.toml")
    chosen = table.chosen(parts)
    lock_file = fixtures() / "lab.lock.json"
    names = [part.name for part in chosen]
    pinned = Lock.load(lock_file).packages(on.arch, names)
    key = json.dumps([table.suite, on.arch, [[p.name, p.sha256] for p in pinned], [str(p) for p in chosen]])
    place = cache() / f"lab-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if place.is_dir():
        return Tree(place, on)
    with _alone(place):
        if not place.is_dir():
            source = Mirror(mirror or host_mirror())
            with _building(place) as folder:
                _fill(folder, source, table.suite, chosen, pinned, on)
    return Tree(place, on)


def pin(file: Path, *, mirror: str = "") -> Lock:
    """Write a fresh lock for this machine's architecture from the signed index; others' pins are kept."""
    on = platform()
    table = Parts.load(fixtures() / "parts.toml")
    source = Mirror(mirror or host_mirror())
    index = Index.fetch(source, table.suite, on.arch)
    with tempfile.TemporaryDirectory(prefix="featuresync-pin-") as folder:
        pins = resolve(source, index, table.chosen(table.parts), Path(folder), on)
    lock = Lock({**Lock.load(file).pins, on.arch: {one.package.name: one for one in pins}})
    lock.write(file)
    return lock


def _fill(
    folder: Path, source: Mirror, suite: str, parts: list[Part], pinned: list[Package], on: Platform
) -> None:
    packages = pinned
    try:
        if not pinned:
            raise GoneFault(f"the lock file pins nothing for {on.arch}")
        install(source, pinned, folder)
    except GoneFault as reason:
        _log.warning("lab: %s; taking what the signed index of %s has now", reason, suite)
        shutil.rmtree(folder)
        folder.mkdir()
        index = Index.fetch(source, suite, on.arch)
        packages = [one.package for one in resolve(source, index, parts, folder, on)]
    lacking = closure(folder, [path for part in parts for path in part.roots(on)], on).lacking
    if lacking:
        raise BenchFault(f"the lock file lacks the packages of {', '.join(sorted(lacking))}: pin again")
    versions = {package.name: package.version for package in packages}
    (folder / "packages.json").write_text(json.dumps(versions, indent=1) + "\n", encoding="utf-8")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Hold the file lock beside ``place``; waits for another run that is fetching."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BenchFault(f"cannot write the cache {place.parent}: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _building(place: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``place`` when nothing went wrong. Call it under the lock."""
    for left in place.parent.glob(f".{place.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        work = folder / "tree"
        work.mkdir(mode=0o755)
        yield work
        work.rename(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
