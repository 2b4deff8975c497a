"""What a part of the lab is made of: named packages, and the libraries their files ask for."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ...errors import BenchFault, ConfigFault
from . import deb, elf
from .archive import Index, Mirror, Package, Pin

# Library packages whose name does not follow from the SONAME (Debian policy 8.1).
_IRREGULAR = {"libz.so.1": "zlib1g", "libpam.so.0": "libpam0g", "libcrypto.so.3": "libssl3t64"}
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Platform:
    """A machine type: Debian's name for it, its library folder and its loader, relative to the tree."""

    arch: str
    lib: str
    loader: str


PLATFORMS = {
    "x86_64": Platform("amd64", "usr/lib/x86_64-linux-gnu", "usr/lib64/ld-linux-x86-64.so.2"),
    "aarch64": Platform("arm64", "usr/lib/aarch64-linux-gnu", "usr/lib/ld-linux-aarch64.so.1"),
}


def platform() -> Platform:
    """This machine. Raises BenchFault where the lab cannot run."""
    system, machine = os.uname().sysname, os.uname().machine
    if system != "Linux" or machine not in PLATFORMS:
        raise BenchFault(
            f"the lab of real servers runs on Linux x86_64 and aarch64, not on {system} {machine}: "
            "run with --bench FILE"
        )
    return PLATFORMS[machine]


@dataclass(frozen=True, slots=True)
class Part:
    """One server of the lab: the packages to name and the files whose libraries are needed."""

    name: str
    packages: tuple[str, ...]
    files: tuple[str, ...]

    def roots(self, on: Platform) -> list[str]:
        return [file.replace("{lib}", on.lib) for file in self.files]


@dataclass(frozen=True, slots=True)
class Parts:
    """The file of parts: the archive's suite and every part by name."""

    suite: str
    parts: dict[str, Part]

    @classmethod
    def load(cls, file: Path) -> Parts:
        """Raises ConfigFault when the file is not as it should be."""
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8"))
            found = {}
            for name, row in data["parts"].items():
                files = [
                    path.replace("{modules}", module)
                    for path in row["files"]
                    for module in (row["modules"] if "{modules}" in path else [""])
                ]
                found[name] = Part(name, tuple(row["packages"]), tuple(files))
            return cls(str(data["suite"]), found)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigFault(file, "parts", "a table of parts", f"{type(error).__name__} {error}") from None

    def chosen(self, names: Iterable[str]) -> list[Part]:
        """Raises BenchFault for a name that is not in the file."""
        try:
            return [self.parts[name] for name in sorted(set(names))]
        except KeyError as error:
            known = ", ".join(sorted(self.parts))
            raise BenchFault(f"the lab has no part {error}: one of {known}") from None


@dataclass(frozen=True, slots=True)
class Closure:
    """What the loader would touch: the files reached, and each SONAME the tree lacks with who asks for it."""

    files: frozenset[Path]
    lacking: dict[str, str]


def closure(root: Path, roots: Iterable[str], on: Platform) -> Closure:
    """Follow DT_NEEDED from the files ``roots`` of the tree.

    Raises BenchFault when a root itself is not in the tree or a file is damaged.
    """
    places = [root / on.lib, root / "usr/lib"]
    lacking: dict[str, str] = {}
    seen: set[Path] = set()
    todo = [root / name for name in roots]
    while todo:
        file = todo.pop()
        if not file.is_file():
            raise BenchFault(f"not in the packages: {file.relative_to(root)}")
        file = file.resolve()
        if file in seen:
            continue
        seen.add(file)
        try:
            sonames = elf.needed(file)
        except ValueError as error:
            raise BenchFault(str(error)) from None
        for soname in sonames:
            here = next((place / soname for place in places if (place / soname).exists()), None)
            if here is not None:
                todo.append(here)
            elif soname != Path(on.loader).name:
                lacking[soname] = file.name
    return Closure(frozenset(seen), lacking)


def install(mirror: Mirror, packages: Sequence[Package], root: Path) -> dict[Path, str]:
    """Fetch, check and unpack, eight at a time. Returns the package of each file. Raises BenchFault."""
    owners: dict[Path, str] = {}
    pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="fetch")
    try:
        for package, content in zip(packages, pool.map(mirror.package, packages), strict=True):
            owners.update(dict.fromkeys(deb.unpack(content, root), package.name))
    finally:
        pool.shutdown(cancel_futures=True)
    return owners


def resolve(mirror: Mirror, index: Index, parts: Sequence[Part], root: Path, on: Platform) -> list[Pin]:
    """Install the parts into ``root`` from the index, with the libraries that their files ask for.

    Returns the packages, each with the parts that need it. Raises BenchFault.
    """
    names = list(dict.fromkeys(["libc6", *(name for part in parts for name in part.packages)]))
    owners = install(mirror, [index.package(name) for name in names], root)
    for _ in range(_ROUNDS):
        lacking = closure(root, [path for part in parts for path in part.roots(on)], on).lacking
        if not lacking:
            break
        fresh = sorted({_provider(soname, asker, names, index) for soname, asker in lacking.items()})
        if set(fresh) & set(names):
            raise BenchFault(f"{', '.join(fresh)} should bring {', '.join(lacking)} and does not")
        owners |= install(mirror, [index.package(name) for name in fresh], root)
        names += fresh
    else:
        raise BenchFault(f"libraries still missing after {_ROUNDS} rounds: {', '.join(lacking)}")
    users: dict[str, set[str]] = {name: set() for name in names}
    for part in parts:
        users["libc6"].add(part.name)
        for name in part.packages:
            users[name].add(part.name)
        for file in closure(root, part.roots(on), on).files:
            users[owners[file]].add(part.name)
    return [Pin(index.package(name), frozenset(users[name])) for name in sorted(names)]


def _provider(soname: str, asker: str, installed: Iterable[str], index: Index) -> str:
    """The package that should hold a library. Debian policy 8.1 names it after the SONAME."""
    if soname in _IRREGULAR:
        return _IRREGULAR[soname]
    found = re.fullmatch(r"(.+)\.so\.(.+)", soname)
    if found:
        name, version = found[1].lower().replace("_", "-"), found[2]
        joined = name + ("-" if name[-1].isdigit() else "") + version
        guesses = [joined, f"{joined}t64", f"{name}-{version}", f"{name}-{version}t64"]
        guesses += [other for one in installed for other in index.depends(one) if other.startswith(name)]
        for guess in guesses:
            if guess in index:
                return guess
    raise BenchFault(f"no package found for {soname}, which {asker} needs")
