"""Processes of a lab: the keeper, and the servers it starts."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import BenchFault
from ..process import runs

READY = 15.0
"""Seconds a server may take until it answers; it takes 0.1 on an idle machine."""

_STEP = 10
"""Milliseconds between two looks at a server that is not ready yet; its death is noticed at once."""

_END = 10.0
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Server:
    """A server process and its log."""

    name: str
    pid: int
    log: Path

    def tail(self, characters: int = 600) -> str:
        """The end of the log on one line, for a person."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            wrong = [line for line in lines if "ERROR" in line or "CRITICAL" in line or "rror:" in line]
            return " | ".join(line.strip() for line in (wrong or lines)[-4:])[-characters:]
        return "no log"

    def wait_ready(self, ready: Callable[[], bool], seconds: float = READY) -> None:
        """Return when ``ready()`` is true. Raises BenchFault when the server ends or takes too long."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            raise BenchFault(f"{self.name} ended at once: {self.tail()}") from None
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            until = time.monotonic() + seconds
            while not ready():
                if poll.poll(_STEP):
                    raise BenchFault(f"{self.name} ended at its start: {self.tail()}")
                if time.monotonic() > until:
                    raise BenchFault(f"{self.name} is not ready after {seconds:g} s: {self.tail()}")
        finally:
            os.close(handle)


class Keeper:
    """The process that owns a lab's servers (see ``keeper.py``). ``remove`` is deleted when it ends."""

    def __init__(self, remove: Sequence[Path], holder: socket.socket) -> None:
        script = Path(__file__).with_name("keeper.py")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(script), *map(str, remove)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                pass_fds=[holder.fileno()], start_new_session=True, cwd="/",
            )  # fmt: skip
        except OSError as error:
            raise BenchFault(f"cannot start the lab's keeper: {error.strerror}") from None
        self.pid = self._process.pid

    def run(
        self, name: str, argv: Sequence[str], folder: Path, env: Mapping[str, str] | None = None
    ) -> Server:
        """Start a server in ``folder``; its output goes to NAME.log there. Raises BenchFault."""
        log = folder / f"{name}.log"
        order = {
            "run": list(argv),
            "log": str(log),
            "folder": str(folder),
            "env": {**_ENVIRONMENT, **(env or {})},
        }
        return Server(name, self._order(order), log)

    def detach(self) -> None:
        """Let the lab outlive this process; end it by SIGTERM to ``pid``."""
        self._order({"detach": True})
        self._close()
        self._process.returncode = 0  # not ours to wait for any more

    def stop(self) -> None:
        """End all servers and remove what was theirs. Raises BenchFault when the keeper does not end."""
        self._close()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise BenchFault("the lab's servers did not end in time and were killed") from None

    def _order(self, order: Mapping[str, object]) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
            return int(stdout.readline())
        except (OSError, ValueError):
            raise BenchFault("the lab's keeper has died") from None

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def end(pid: int, identity: str, seconds: float = _END) -> bool:
    """End a detached keeper, named by pid and ``identity``. False when it was not running any more.

    Raises BenchFault when it does not end in time.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # The handle names one process for good; asked after it was made, the identity is that process's.
        if not runs(pid, identity):
            return False
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not select.select([handle], [], [], seconds)[0]:
            raise BenchFault(f"the lab's keeper (pid {pid}) does not end")
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True
