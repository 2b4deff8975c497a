"""An interactive shell over SSH: for servers that run no commands by themselves and talk to a person only.

What comes next is known by the prompt at the end of what was printed. One command at a time, each under a
deadline that counts everything; none is ever typed twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Recipe, Request, Shell, Ssh, Step

from .access import NO_VALUES, Access, LoginFault, printable
from .answers import matching_line
from .placeholders import Filled, Quote, Unfit, fill, names, quoted
from .screen import Screen
from .ssh import SshConnection, line_of
from .ssh_terminal import Silence, Terminal

_SAFE = re.compile(r"(?!-)[0-9A-Za-z+*#.@:_-]*")
_PLAIN = re.compile(r"[0-9A-Za-z+.@:_-]+")


class ShellAccess(Access):
    """Steps of kind ``ssh-shell``: commands typed at a prompt. The answer is what was printed in between,
    without the echo and without a terminal's tricks.

    The patterns of ``recipe.shell`` are matched against one line: ``prompt`` at the end of the last one,
    ``pager`` in the last one, ``login`` in the last one that is not blank. At the login each of its steps
    answers its text, in order; one whose text does not come is left out, and the prompt ends the login.
    Whatever is typed ends with LF, except for the answer to the pager.

    Nobody knows how such a shell quotes, so values consist of ``0-9A-Za-z+*#.@:_-`` only and do not begin
    with ``-``. One that has ``*`` or ``#`` in it, or is empty, is put in double quotes unless the recipe has
    quotes there. A word in braces that is no known placeholder is a ConfigFault.

    ``ssh.connect`` limits each step of the login, ``ssh.command`` the whole of each command, in seconds.
    Whatever goes wrong during a command ends the session, as nobody knows what the shell would do next.
    Not for two threads at once.
    """

    def __init__(
        self,
        ssh: Ssh,
        owner: Path,
        recipe: Recipe,
        *,
        values: Mapping[str, str] = NO_VALUES,
        secrets: Mapping[str, str] = NO_VALUES,
        clock: Callable[[], float] = time.time,
        key: str = "recipe",
    ) -> None:
        super().__init__(owner, values, secrets, clock)
        assert recipe.shell is not None, "the model demands it for ssh-shell"
        self._ssh, self._connection, self._shell = ssh, SshConnection(ssh, owner), recipe.shell
        self._prompt = re.compile(f"(?:{recipe.shell.prompt})\\Z")
        self._error = re.compile(recipe.error, re.MULTILINE) if recipe.error else None
        self._terminal: Terminal | None = None
        self._check_shell(recipe.shell, f"{key}.shell")

    def check(self, step: Step, known: frozenset[str], key: str) -> None:
        command = str(step)
        if not command.isprintable():
            raise ConfigFault(self._owner, key, "a command on one line", repr(command[:80]))
        self._demand_known(names([command]), known | self._secrets.keys(), key)

    def shown(self, step: Step, values: Mapping[str, str]) -> str:
        return self._fill(step, values).shown

    def connect(self) -> None:
        """A shell at its prompt; one that is no longer there is opened anew. Raises LoginFault, and
        BenchFault when a command of ``prepare`` is refused.
        """
        if self._terminal is not None and self._still_there(self._terminal):
            return
        self.abandon()
        try:
            self._terminal = self._open()
            self._log_in(self._terminal)
            for command in self._shell.prepare:
                self._prepare(self._terminal, self._own(command))
        except BaseException:
            self.abandon()
            raise

    def run(self, step: Step, values: Mapping[str, str]) -> str:
        """Type one command. Raises BenchFault when no prompt follows in time or within ``OUTPUT_LIMIT``
        bytes, and when the shell is gone: it is not opened anew here, as the command may belong into a
        level that earlier ones entered.
        """
        command = self._fill(step, values)
        if self._terminal is None:
            self.connect()
        elif not self._still_there(self._terminal):
            self.abandon()
            place = self._connection.place
            raise BenchFault(f"{place}: {command.shown!r}: not typed, the server closed the shell")
        assert self._terminal is not None, "connected"
        return self._type(self._terminal, command, time.monotonic() + self._ssh.command)

    def close(self) -> None:
        """Type ``leave``, for ``ssh.command`` seconds at most, and close."""
        if self._terminal is not None and self._still_there(self._terminal):
            end = time.monotonic() + self._ssh.command
            try:
                for command in self._shell.leave:
                    self._type(self._terminal, self._own(command), end)
            except BenchFault:
                pass  # there is no prompt behind the last word
        self.abandon()

    def abandon(self) -> None:
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None
        self._connection.close()

    # -- at the prompt ----------------------------------------------------------------------------

    def _type(self, terminal: Terminal, command: Filled, end: float) -> str:
        """Type a command and return what was printed until the next prompt."""
        started = self._clock()
        try:
            terminal.type(f"{command.sent}\n", end)
            terminal.listen(self._at_prompt, end, self._ssh.command)
        except BaseException as error:
            said = "\n".join(terminal.screen.lines)
            why = self._unanswered(error, terminal) if isinstance(error, Silence) else "given up"
            self._record(started, command.shown, f"{said}\n({why})", "no prompt")
            self.abandon()
            if isinstance(error, Silence):
                raise BenchFault(f"{self._connection.place}: {command.shown!r}: {why}") from None
            raise
        lines, prompt = terminal.screen.lines[:-1], terminal.screen.last_line
        if lines and lines[0].endswith(command.sent.strip()):
            del lines[0]
        text = "\n".join(lines)
        self._record(started, command.shown, text, f"prompt {prompt.strip()}")
        return text

    def _at_prompt(self, screen: Screen) -> bool | None:
        return self._prompt.search(screen.last_line) is not None or None

    def _unanswered(self, silence: Silence, terminal: Terminal) -> str:
        last = self._last_words(terminal)
        return f"no prompt like {self._shell.prompt!r} {silence}; last line: {last!r}"

    def _last_words(self, terminal: Terminal) -> str:
        return printable(self.hide(terminal.screen.last_words.strip())[:80])

    def _still_there(self, terminal: Terminal) -> bool:
        """Whether the shell waits for a command. What it printed unasked goes into the transcript."""
        try:
            said = terminal.unasked()
        except OSError:
            return False
        if said:
            end = "at the prompt" if terminal.there else "closed by the server"
            self._record(self._clock(), "(nothing typed)", said, end, sign="")
        return terminal.there

    # -- the login --------------------------------------------------------------------------------

    def _open(self) -> Terminal:
        self._connection.connect()
        terminal = Terminal(self._connection, self._shell.pager)
        try:
            terminal.open(self._ssh.connect)
        except Exception as error:
            why = f"the server offers no interactive shell ({line_of(error)})"
            if terminal.unasked():
                why += f"; last line: {self._last_words(terminal)!r}"
            raise LoginFault(f"{self._connection.place}: {why}") from None
        return terminal

    def _log_in(self, terminal: Terminal) -> None:
        steps = [(re.compile(reply.expect), self._own(reply.send)) for reply in self._shell.login]
        typed: Filled | None = None
        shown, started = "(login)", self._clock()
        while True:
            end = time.monotonic() + self._ssh.connect
            try:
                if typed is not None:
                    terminal.type(f"{typed.sent}\n", end)
                step = terminal.listen(lambda screen: self._next_step(steps, screen), end, self._ssh.connect)
            except Silence as error:
                why = self._unanswered(error, terminal)
                self._record(started, shown, "\n".join([*terminal.screen.lines, f"({why})"]), "no prompt")
                raise LoginFault(f"{self._connection.place}: login to the shell: {why}") from None
            self._record(started, shown, "\n".join(terminal.screen.lines), "answered")
            if step == len(steps):
                return
            typed = steps[step][1]
            shown, started = typed.shown, self._clock()
            del steps[: step + 1]

    def _next_step(self, steps: list[tuple[re.Pattern[str], Filled]], screen: Screen) -> int | None:
        """Which of the steps is asked for; their number when the prompt is there."""
        for number, (expect, _) in enumerate(steps):
            if expect.search(screen.last_words):
                return number
        return len(steps) if self._at_prompt(screen) else None

    def _prepare(self, terminal: Terminal, command: Filled) -> None:
        text = self._type(terminal, command, time.monotonic() + self._ssh.command)
        if self._error and (match := self._error.search(text)):
            said = self.hide(matching_line(match))
            raise BenchFault(f"{self._connection.place}: {command.shown!r} refused: {said}")

    # -- what may be typed ------------------------------------------------------------------------

    def _fill(self, step: Step, values: Mapping[str, str]) -> Filled:
        if isinstance(step, Request):
            raise ConfigFault(self._owner, "recipe", "a command", f"a request, {step.method} {step.path}")
        return fill(step, values, self._secrets, _typeable(step), self._owner)

    def _own(self, text: str) -> Filled:
        """A text of ``recipe.shell``: only the bench's own values are put in, as they are."""
        return fill(text, self._values, self._secrets, lambda value, place: value, self._owner)

    def _check_shell(self, shell: Shell, key: str) -> None:
        known = frozenset(self._values)
        for number, reply in enumerate(shell.login):
            self.check(reply.send, known, f"{key}.login[{number}].send")
        for name in ("prepare", "leave"):
            for number, command in enumerate(getattr(shell, name)):
                self.check(command, known, f"{key}.{name}[{number}]")


def _typeable(template: str) -> Quote:
    quotes = quoted(template)

    def put_in(value: str, place: int) -> str:
        if not _SAFE.fullmatch(value):
            raise Unfit("only 0-9 A-Z a-z + * # . @ : _ - for a shell that talks to a person")
        return value if place in quotes or _PLAIN.fullmatch(value) else f'"{value}"'

    return put_in
