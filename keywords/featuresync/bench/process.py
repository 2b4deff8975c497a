"""Whether the process that wrote something is still there: its number and when it started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path


def own_identity() -> str:
    """When this process started, in words that only ``runs`` compares."""
    return identity(os.getpid())


def runs(pid: int, identity_then: str) -> bool:
    """True when process ``pid`` runs and is the one that had this identity."""
    return bool(identity_then) and identity(pid) == identity_then


def identity(pid: int) -> str:
    """Boot and start time of a process, "" when there is none or when it is dead but not yet reaped."""
    if not Path("/proc/self/stat").exists():
        return _identity_by_ps(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    # proc(5): the second field is the program's name in parentheses and may contain anything.
    fields = stat.rpartition(")")[2].split()
    state, started = fields[0], fields[19]
    return "" if state in "ZX" else f"{boot}/{started}"


def _identity_by_ps(pid: int) -> str:
    try:
        answer = subprocess.run(  # fixed words and a number
            ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
            env={"LC_ALL": "C", "TZ": "UTC"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else " ".join(started.split())


def stop_with_parent(parent: int) -> None:
    """Have this process get one SIGINT when process ``parent`` dies, or now when it has died already.

    Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return

    def stop(*_: object) -> None:
        # The kernel may tell of each of the parent's threads; a second SIGINT would cut the teardown short.
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGUSR1, stop)
    ctypes.CDLL(None).prctl(1, signal.SIGUSR1, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGUSR1)
