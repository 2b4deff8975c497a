"""The terminal of an interactive shell: what is typed, and listening until what is waited for shows."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from featuresync.profile import Reply

from .access import OUTPUT_LIMIT
from .screen import Screen
from .ssh import SshConnection, close_channel

T = TypeVar("T")
_SETTLE = 0.05
"""Seconds of silence behind what looks like a prompt, before it is taken for one."""
_WIDTH, _HEIGHT = 511, 1000
"""So wide and so high that nothing is wrapped and little is paged."""


class Silence(Exception):
    """What is waited for did not show; says until when, as in "no prompt ..."."""


class Terminal:
    """A shell's channel, and the screen of what it printed since the last typing. Raises LoginFault."""

    def __init__(self, connection: SshConnection, pager: Reply | None) -> None:
        self.screen = Screen()
        self._connection, self._size = connection, 0
        self._pager = (re.compile(pager.expect), pager.send) if pager else None
        self._channel = connection.open_channel()

    def open(self, seconds: float) -> None:
        """Ask for the shell. Raises whatever the library raises when the server offers none in time."""
        # The library waits for the server's word without end; closing the channel is what wakes it.
        watchdog = threading.Timer(seconds, self.close)
        watchdog.start()
        try:
            self._channel.get_pty("vt100", _WIDTH, _HEIGHT)
            self._channel.set_combine_stderr(True)
            self._channel.invoke_shell()
        finally:
            watchdog.cancel()

    def close(self) -> None:
        close_channel(self._channel)

    @property
    def there(self) -> bool:
        """Whether the server still holds the shell open."""
        return self._connection.alive and not (self._channel.closed or self._channel.eof_received)

    def type(self, text: str, end: float) -> None:
        """Start a new screen, then type. Raises Silence when the server takes nothing until ``end``."""
        self.screen, self._size = Screen(), 0
        self._send(text, end)

    def unasked(self) -> str:
        """What was printed since the last prompt, if anything; the screen is new then."""
        self.screen, self._size = Screen(), 0
        while self._size <= OUTPUT_LIMIT and self._channel.recv_ready():
            self._take(self._channel.recv(65536))
        if self._size > OUTPUT_LIMIT:
            self.close()
        return "\n".join(self.screen.lines).strip()

    def listen(self, found: Callable[[Screen], T | None], end: float, seconds: float) -> T:
        """Read until ``found`` finds something on the screen and nothing more comes; a pager is answered.

        ``end`` is on the monotonic clock. Raises Silence at that time, at the end of the shell, and at
        ``OUTPUT_LIMIT`` bytes.
        """
        while True:
            something = found(self.screen)
            left = end - time.monotonic()
            if something is not None and left <= 0:
                return something
            if left <= 0:
                raise Silence(f"in {seconds:g} s")
            self._channel.settimeout(left if something is None else min(left, _SETTLE))
            try:
                data = self._channel.recv(65536)
            except TimeoutError:
                if something is None:
                    continue
                return something
            if not data:
                if something is None:
                    raise Silence("before the server closed the shell")
                return something
            self._take(data)
            if self._size > OUTPUT_LIMIT:
                raise Silence(f"in the first {OUTPUT_LIMIT // 1024} kB")
            if self._pager and self._pager[0].search(self.screen.last_line):
                self.screen.wipe_line()
                self._send(self._pager[1], end)

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        self.screen.feed(data)

    def _send(self, text: str, end: float) -> None:
        self._channel.settimeout(max(0.01, end - time.monotonic()))
        try:
            self._channel.sendall(text.encode())
        except TimeoutError:
            raise Silence("as the server takes no typing") from None
        except OSError:
            raise Silence("before the server closed the shell") from None
