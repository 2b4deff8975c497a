"""Unpacking a Debian package: an ``ar`` archive with a tar archive inside. Written with the stdlib alone."""

from __future__ import annotations

import io
import lzma
import os
import re
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from ...errors import BenchFault

# Merged /usr: old packages still ship these names at the top.
_MERGED = frozenset({"bin", "sbin", "lib", "lib64"})
_UNWANTED = re.compile(
    r"(usr/share/(doc|man|locale|info|lintian|bug|apport)|usr/lib/[^/]+/gconv"
    r"|etc/(init|default|pam)[^/]*|usr/lib/systemd)(/.*)?"
)


def unpack(deb: bytes, folder: Path) -> list[Path]:
    """Put the package's files below ``folder`` and return them; documentation and boot scripts are left out.

    Nothing is run, no owner is set, devices are skipped. Raises BenchFault when the file is damaged or
    wants to write outside the folder.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_data(deb)), mode="r:*") as archive:
            return [path for member in archive if (path := _place(archive, member, folder))]
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError, KeyError) as error:
        raise BenchFault(f"damaged package: {error}") from None
    except OSError as error:
        raise BenchFault(f"cannot unpack into {folder}: {error.strerror or error}") from None


def _data(deb: bytes) -> bytes:
    """The member ``data.tar.*`` of the ar archive."""
    if deb[:8] != b"!<arch>\n":
        raise ValueError("not an ar archive")
    at = 8
    while at + 60 <= len(deb):
        name = deb[at : at + 16].decode("ascii", "replace").strip().rstrip("/")
        size = int(deb[at + 48 : at + 58])
        if name.startswith("data.tar"):
            return deb[at + 60 : at + 60 + size]
        at += 60 + size + (size & 1)
    raise ValueError("no data.tar inside")


def _inside(name: str) -> str:
    """The member's path below the folder, merged /usr applied. Raises ValueError for one outside it."""
    path = PurePosixPath(os.path.normpath(name))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} points outside")
    return f"usr/{path}" if path.parts and path.parts[0] in _MERGED else str(path)


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> Path | None:
    """Write one member; the path when it is a file."""
    name = _inside(member.name)
    if name == "." or _UNWANTED.fullmatch(name):
        return None
    target = folder / name
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{member.name!r} leads outside through a link")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        target.unlink()
    if member.issym():
        target.symlink_to(member.linkname)
    elif member.islnk():
        target.hardlink_to(folder / _inside(member.linkname))
    elif member.isfile():
        content = archive.extractfile(member)
        assert content is not None
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(0o755 if member.mode & 0o111 else 0o644)
    else:
        return None
    return target
