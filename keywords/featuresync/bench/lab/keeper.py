"""The keeper of one lab: parent of its servers, so that they end when the lab does, whatever happens.

Run as a script by ``process.py``; it imports nothing of the package, since it must start in no time.
Orders come as JSON lines on standard input, answers go to standard output:

    {"run": [argv], "log": PATH, "folder": PATH, "env": {...}}   answers the pid
    {"detach": true}                                             answers 0: outlive who started us

At the end of its input, when its starter dies (unless detached), or at SIGTERM it ends the servers and
everything they left running, removes the folders and files given as arguments, and exits. It is the
subreaper of its descendants, so none escapes by a double fork; were the keeper itself killed, the kernel
would end the servers (PR_SET_PDEATHSIG; the keeper has one thread, on which that signal depends).
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import sys
import time
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE = 3.0
"""Seconds that servers get to end by themselves."""


class _Ended(Exception):
    pass


class Keeper:
    def __init__(self, remove: list[str]) -> None:
        self.remove = remove
        self.servers: set[int] = set()
        self.detached = False
        self.libc = ctypes.CDLL(None, use_errno=True)

    def work(self) -> None:
        """Take orders until the end."""
        self.libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        starter = os.pidfd_open(os.getppid())
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:
                try:
                    os.set_inheritable(int(name), False)
                except OSError:
                    continue  # the descriptor of the listing itself
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(starter, select.POLLIN)
        pending = b""
        while True:
            ready = [number for number, _ in poll.poll(1000)]
            self.reap()
            if starter in ready and not self.detached:
                return
            if 0 in ready:
                data = os.read(0, 65536)
                if not data and not self.detached:
                    return
                if not data:
                    poll.unregister(0)
                    poll.unregister(starter)
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    os.write(1, b"%d\n" % self.obey(json.loads(line)))

    def obey(self, order: dict[str, Any]) -> int:
        if order.get("detach"):
            self.detached = True
            return 0
        # Blocked across the fork: a signal noted by the child for our handler would be lost by its exec.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        keeper = os.getpid()
        child = os.fork()
        if child:
            self.servers.add(child)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            return child
        try:
            self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != keeper:
                os._exit(127)  # the keeper died before that
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            os.setsid()
            os.chdir(order["folder"])
            log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.execve(order["run"][0], order["run"], order["env"])  # noqa: S606
        except OSError as error:
            os.write(2, f"cannot start {order['run'][0]}: {error}\n".encode())
        finally:
            os._exit(127)

    def reap(self) -> None:
        try:
            while ended := os.waitpid(-1, os.WNOHANG)[0]:
                self.servers.discard(ended)
        except ChildProcessError:
            self.servers.clear()

    def end(self) -> None:
        """End the servers, then whatever they left, then remove what was theirs."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        self.reap()
        for server in self.servers:
            os.kill(server, signal.SIGTERM)
        until = time.monotonic() + GRACE
        while self.servers and (left := until - time.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, left)
            self.reap()
        while orphans := children(os.getpid()):
            for orphan in orphans:
                os.kill(orphan, signal.SIGKILL)
            for orphan in orphans:
                os.waitpid(orphan, 0)
        for path in self.remove:
            shutil.rmtree(path, ignore_errors=True)
            if os.path.lexists(path):
                os.unlink(path)


def children(parent: int) -> list[int]:
    """Direct children, zombies among them; orphaned descendants have become direct ones."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            # The second field is the program's name in brackets and may hold anything.
            if int(text.rpartition(")")[2].split()[1]) == parent:
                found.append(int(name))
    return found


def _end(number: int, frame: object) -> None:
    raise _Ended


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    keeper = Keeper(sys.argv[1:])
    try:
        keeper.work()
    except (_Ended, OSError):
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        keeper.end()


if __name__ == "__main__":
    main()
