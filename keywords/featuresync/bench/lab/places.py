"""Where things are: the repository, the cache of unpacked trees, the runtime folder."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ...errors import BenchFault


def repository() -> Path:
    """The root of the repository (``FEATURESYNC_HOME``). Raises BenchFault when it has no fixtures."""
    named = os.environ.get("FEATURESYNC_HOME")
    root = Path(named).expanduser().resolve() if named else Path(__file__).resolve().parents[4]
    if not (root / "fixtures" / "lab").is_dir():
        raise BenchFault(f"no folder fixtures/lab in {root}: set FEATURESYNC_HOME to the repository's root")
    return root


def fixtures() -> Path:
    """The lab's data: package pins, configuration templates, recipes."""
    return repository() / "fixtures" / "lab"


def cache(env: Mapping[str, str] = os.environ) -> Path:
    """Where what was fetched is kept: ``FEATURESYNC_CACHE``, else below the user's cache folder."""
    named = env.get("FEATURESYNC_CACHE")
    if named:
        return Path(named).expanduser().resolve()
    base = env.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "featuresync"
    except RuntimeError:
        raise BenchFault("this user has no home folder: set FEATURESYNC_CACHE=FOLDER") from None


def runtime() -> Path:
    """A private, short folder for what lives as long as a server: sockets have 107 bytes for their path.

    Raises BenchFault when somebody else owns it, since whoever does could swap a server's files.
    """
    folder = Path(tempfile.gettempdir()) / f"featuresync-{os.getuid()}"
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and len(base) < 40 and os.access(base, os.W_OK) and not _noexec(base):
        folder = Path(base) / "featuresync"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise BenchFault(f"cannot use {folder}: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise BenchFault(f"{folder} is not a private folder of this user: remove it")
    if _noexec(folder):
        raise BenchFault(f"{folder} is mounted noexec: set TMPDIR to a folder where programs may run")
    return folder


def _noexec(folder: str | Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_NOEXEC)
