"""Standing labs: servers that outlive the command that started them, one per vendor."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import BenchFault
from ...profile import Profile
from ..process import identity, runs
from .lab import Lab, Transport
from .places import runtime
from .process import end


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing lab. ``pid`` and ``identity`` (when it started) name its keeper."""

    vendor: str
    bench: str
    transport: str
    fingerprint: str
    pid: int
    identity: str


def up(profile: Profile, transport: Transport = "udp") -> Path:
    """Start a standing lab and return its bench file; the one that is up already, if there is one.

    Raises BenchFault, also when it is up with another transport.
    """
    vendor = profile.vendor.name
    with _alone() as places:
        for lab in _standing(places):
            if lab.vendor == vendor and lab.transport == transport:
                return Path(lab.bench)
            if lab.vendor == vendor:
                raise BenchFault(
                    f"the lab of {vendor} is up over {lab.transport}: ./featuresync lab down {vendor}"
                )
        folder = places / vendor
        fresh = Lab.start(profile, folder, transport=transport)
        try:
            pid = fresh.keeper.pid
            found = Standing(vendor, str(fresh.file), transport, fresh.bench.fingerprint, pid, identity(pid))
            (folder / "state.json").write_text(json.dumps(asdict(found)), encoding="utf-8")
            fresh.detach()
        except BaseException:
            fresh.stop()
            raise
        return fresh.file


def down(vendor: str | None = None) -> list[str]:
    """End the standing lab of a vendor, or all of them; the vendors whose labs were ended."""
    with _alone() as places:
        ended = []
        for lab in _standing(places):
            if vendor in (None, lab.vendor) and end(lab.pid, lab.identity):
                ended.append(lab.vendor)
        _standing(places)
        return ended


def status() -> list[Standing]:
    """The standing labs of this user, by vendor."""
    with _alone() as places:
        return _standing(places)


def _standing(places: Path) -> list[Standing]:
    """Those whose keeper is alive; what is left of the others is removed."""
    found = []
    for folder in sorted(places.iterdir()):
        with contextlib.suppress(OSError, ValueError, TypeError):
            lab = Standing(**json.loads((folder / "state.json").read_text(encoding="utf-8")))
            if runs(lab.pid, lab.identity):
                found.append(lab)
                continue
        shutil.rmtree(folder, ignore_errors=True)
    return found


@contextmanager
def _alone() -> Iterator[Path]:
    """The folder of standing labs, while no other command works on it."""
    places = runtime() / "standing"
    places.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(runtime() / "standing.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield places
    finally:
        os.close(handle)
