"""Commands over SSH, each in an exec channel of its own: a command, its exit code, its output.

Nothing is read from a prompt, and a command is never sent twice.
"""

from __future__ import annotations

import selectors
import shlex
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import paramiko

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Request, Ssh, Step

from .access import NO_VALUES, OUTPUT_LIMIT, Access, printable
from .placeholders import Filled, fill, placeholders, quoted
from .ssh import SshConnection, close_channel, line_of


class CommandAccess(Access):
    """Steps of kind ``ssh-exec``. The answer is the standard output; an exit code that is not 0 is a fault.

    Values are quoted for a POSIX shell, so a placeholder must stand outside of quotes. Inside quotes a word
    in braces that is no known placeholder stays as it is (``awk '{print}'``), as does ``${name}`` anywhere.
    ``ssh.command`` is the deadline of a whole command, in seconds. Not for two threads at once.
    """

    def __init__(
        self,
        ssh: Ssh,
        owner: Path,
        *,
        values: Mapping[str, str] = NO_VALUES,
        secrets: Mapping[str, str] = NO_VALUES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(owner, values, secrets, clock)
        self._ssh, self._connection = ssh, SshConnection(ssh, owner)

    def connect(self) -> None:
        self._connection.connect()

    def close(self) -> None:
        self._connection.close()

    def abandon(self) -> None:
        """Nothing is half done between two commands."""

    def check(self, step: Step, known: frozenset[str], key: str) -> None:
        check_command(self._owner, str(step), known | self._secrets.keys(), key)

    def shown(self, step: Step, values: Mapping[str, str]) -> str:
        return self._fill(step, values).shown

    def _fill(self, step: Step, values: Mapping[str, str]) -> Filled:
        return fill_command(self._owner, step, values, self._secrets)

    def run(self, step: Step, values: Mapping[str, str]) -> str:
        """Run one command and wait for its end.

        A connection that dropped since the last command is made anew once. Raises BenchFault when the
        command cannot be sent, does not end in time, prints more than ``OUTPUT_LIMIT`` on both streams
        together, ends without an exit code or with one that is not 0. Output is UTF-8, repaired if need be.
        """
        command = self._fill(step, values)
        channel = self._connection.open_channel()
        started, begun = self._clock(), time.monotonic()
        out, err, rc, fault = bytearray(), bytearray(), None, ""
        try:
            self._execute(channel, command.sent)
            fault = self._collect(channel, begun + self._ssh.command, out, err)
            rc = None if fault or channel.exit_status < 0 else channel.exit_status
            if rc is None and not fault:
                fault = "ended without an exit code (killed, or the connection dropped)"
        except Exception as error:
            fault = f"not run: the server refuses commands or dropped the connection ({line_of(error)})"
            if time.monotonic() - begun >= self._ssh.command:
                fault = f"no answer in {self._ssh.command:g} s"
        finally:
            close_channel(channel)
        if rc is None:
            self._connection.close()
        stdout, stderr = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
        if rc:
            first = next((line.strip() for line in stderr.splitlines() if line.strip()), "nothing on stderr")
            fault = f"exit code {rc}: {printable(self.hide(first))[:200]}"
        parts = [text.rstrip("\n") for text in (stdout, stderr, fault and f"({fault})") if text]
        end = "no exit code" if rc is None else f"exit code {rc}"
        self._record(started, command.shown, "\n".join(parts), end)
        if fault:
            raise BenchFault(f"{self._connection.place}: {command.shown!r}: {fault}")
        return stdout

    def _execute(self, channel: paramiko.Channel, command: str) -> None:
        # The library waits for the server's word without end; closing the channel is what wakes it.
        watchdog = threading.Timer(self._ssh.command, close_channel, [channel])
        watchdog.start()
        try:
            channel.exec_command(command)
            channel.shutdown_write()
        finally:
            watchdog.cancel()

    def _collect(self, channel: paramiko.Channel, end: float, out: bytearray, err: bytearray) -> str:
        """Read both streams to their end. Returns what went wrong, or ""."""
        with selectors.DefaultSelector() as selector:
            selector.register(channel.fileno(), selectors.EVENT_READ)
            while True:
                ended = channel.eof_received or channel.closed  # asked first: nothing comes after it
                before = len(out) + len(err)
                if channel.recv_ready():
                    out += channel.recv(65536)
                if channel.recv_stderr_ready():
                    err += channel.recv_stderr(65536)
                if len(out) + len(err) > OUTPUT_LIMIT:
                    return f"printed more than {OUTPUT_LIMIT // 1024} kB"
                left = end - time.monotonic()
                if left <= 0:
                    return f"no end in {self._ssh.command:g} s"
                if len(out) + len(err) == before:
                    if ended:
                        break
                    selector.select(left)
        ended = channel.status_event.wait(max(0.0, end - time.monotonic()))
        return "" if ended else f"no exit code in {self._ssh.command:g} s"


def fill_command(
    owner: str | Path, step: Step, values: Mapping[str, str], secrets: Mapping[str, str] = NO_VALUES
) -> Filled:
    """A command with its values quoted for a POSIX shell. Raises ConfigFault."""
    if isinstance(step, Request):
        raise ConfigFault(owner, "recipe", "a command", f"a request, {step.method} {step.path}")
    return fill(step, values, secrets, lambda value, place: shlex.quote(value), owner, skip="$")


def check_command(owner: str | Path, command: str, known: frozenset[str], key: str) -> None:
    """Raise ConfigFault for a placeholder that nobody knows, or that stands inside quotes."""
    quotes = quoted(command)
    for name, place in placeholders(command):
        if command[place - 1 : place] == "$":
            continue
        if name in known and place in quotes:
            # Values are quoted when put in: inside quotes they would be quoted twice.
            expected = f'{{{name}}} outside of quotes, as in "..."{{{name}}}'
            raise ConfigFault(owner, key, expected, command)
        if name not in known and place not in quotes:
            expected = f"placeholders known there: {', '.join(sorted(known))}"
            raise ConfigFault(owner, key, expected, f"{{{name}}}")
