"""The forced command of the lab's SSH where it plays an appliance: a command line for people, on a terminal.

Run as a script by sshd; the argument is a JSON file with the command lines of the programs that this lab
has, by name. It has what makes such consoles hard to drive: a banner that wants an answer, levels with a
prompt each, several lines for one change, an echo, a pager, and no way to run a single command. Changes of
an extension wait until ``next`` or ``end``; who goes before that has changed nothing.

    config voice extension      edit 1001        set dnd enable           next    end
    config system console       set output standard|more                          end
    show|get [voice extension|system console]    unset NAME      abort    exit
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator

NAME = "lab"
BANNER = ("", "Authorized use only. All changes are told to the phones.", "")
ACCEPT = "(Press 'a' to accept):"
MORE = "--More-- "
PAGE = 20
"""Lines on a page, whatever the terminal says of its height."""
LINE = 512
"""Characters of a command; what is typed beyond them is lost."""
LOOKS = 200
"""How often to look whether a push has been taken, at about 7 ms each; the server takes it within 50 ms."""

EXTENSIONS, CONSOLE = "voice extension", "system console"
FEATURES = {
    "dnd": "dnd",
    "forward-always": "forwardImmediate",
    "forward-busy": "forwardBusy",
    "forward-no-answer": "forwardNoAns",
}
"""What the server calls our features, in its table of state."""
UNSET = {
    "dnd": "disable",
    "forward-always": "disable",
    "forward-always-to": "",
    "forward-busy": "disable",
    "forward-busy-to": "",
    "forward-no-answer": "disable",
    "forward-no-answer-to": "",
    "forward-no-answer-rings": "3",
}
"""The settings of an extension as they are at first; also the order in which they are shown."""
_NUMBER = re.compile(r"(?:(?!-)[0-9A-Za-z+*#.@:_-]{1,64})?")
_RINGS = re.compile(r"1?[0-9]|20")


class Refused(Exception):
    """What the console says instead of doing it; a server that fails is also one."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.lines = [said, f"Command fail. Return code {code}"]


class State:
    """The server's state of the features, by its own administration."""

    def __init__(self, kamcmd: list[str]) -> None:
        self._kamcmd = kamcmd

    def extensions(self) -> list[str]:
        return sorted(name for name, _ in self._table("users"))

    def read(self) -> dict[str, dict[str, str]]:
        """The settings of every extension, by name."""
        found = {extension: dict(UNSET) for extension in self.extensions()}
        names = {entry: feature for feature, entry in FEATURES.items()}
        for name, value in self._table("st"):
            extension, _, entry = name.partition("::")
            if extension in found and entry in names:
                found[extension].update(_settings(names[entry], value))
        return found

    def write(self, extension: str, feature: str, settings: dict[str, str]) -> None:
        """Store one feature and have it told; returns when the server has done so. Raises Refused."""
        key = f"{extension}::{FEATURES[feature]}"
        value = "true" if settings[feature] == "enable" else "false"
        if feature != "dnd":
            rings = settings.get(f"{feature}-rings", UNSET["forward-no-answer-rings"])
            value = f"{value}/{rings}/{settings[f'{feature}-to']}"
        self._run("htable.sets", "st", key, f"s:{value}")
        self._run("htable.sets", "push", key, "now")
        for _ in range(LOOKS):
            if not self._run("htable.dump", "push").strip():
                return

    def _table(self, name: str) -> list[tuple[str, str]]:
        return re.findall(
            r"^\s*name: (\S+)\n\s*value: ([^\n]*)$", self._run("htable.dump", name), re.MULTILINE
        )

    def _run(self, *words: str) -> str:
        done = subprocess.run([*self._kamcmd, *words], capture_output=True, check=False)
        if done.returncode != 0:
            raise Refused("internal error", -1)
        return done.stdout.decode("utf-8", "replace")


def _settings(feature: str, value: str) -> dict[str, str]:
    """What an entry of the server's says in our words: ``true`` or ``true/3/1003``."""
    on, _, rest = value.partition("/")
    rings, _, number = rest.partition("/")
    found = {feature: "enable" if on == "true" else "disable"}
    if feature != "dnd":
        found[f"{feature}-to"] = number
    if f"{feature}-rings" in UNSET:
        found[f"{feature}-rings"] = rings
    return found


class Console:
    """The commands, one line at a time. ``paged`` says whether long output stops page by page."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._path, self._extension = "", ""
        self._edited: dict[str, str] = {}
        self._touched: set[str] = set()
        self.paged = True
        self.over = False

    @property
    def prompt(self) -> str:
        level = self._extension or self._path.rpartition(" ")[2]
        return f"{NAME} ({level}) # " if level else f"{NAME} # "

    def obey(self, line: str) -> list[str]:
        """Carry out a command; what it prints."""
        try:
            words = shlex.split(line)
            return list(self._obey(words)) if words else []
        except ValueError:
            return _parse_error(line.strip()[-1]).lines
        except Refused as refused:
            return refused.lines

    def _obey(self, words: list[str]) -> Iterator[str]:
        verb, *rest = words
        if self._extension and verb in ("set", "unset", "next"):
            self._edit(verb, rest)
        elif self._path == CONSOLE and verb in ("set", "unset"):
            self._output(verb, rest)
        elif self._path == EXTENSIONS and not self._extension and verb == "edit":
            self._open(rest)
        elif self._path and verb in ("end", "abort"):
            _nothing_more(rest)
            if verb == "end":
                self._commit()
            self._path = self._extension = ""
        elif not self._path and verb == "config":
            self._path = _path(rest)
        elif not self._path and verb in ("exit", "quit"):
            self.over = True
        elif verb in ("show", "get"):
            yield from self._show(verb, rest)
        else:
            raise _parse_error(verb)

    # -- changes ----------------------------------------------------------------------------------

    def _open(self, words: list[str]) -> None:
        _nothing_more(words[1:])
        known = self._state.read()
        if not words or words[0] not in known:
            raise Refused("entry not found in datasource", -3)
        self._extension, self._edited, self._touched = words[0], known[words[0]], set()

    def _edit(self, verb: str, words: list[str]) -> None:
        if verb == "next":
            _nothing_more(words)
            self._commit()
            self._extension = ""
            return
        name, value = _one_value(words) if verb == "set" else (_word(words), "")
        if name not in UNSET:
            raise _parse_error(name)
        if verb == "unset":
            _nothing_more(words[1:])
            value = UNSET[name]
        elif not _fits(name, value):
            raise _parse_error(value)
        self._edited[name] = value
        self._touched.add(name.removesuffix("-to").removesuffix("-rings"))

    def _output(self, verb: str, words: list[str]) -> None:
        name, value = _one_value(words) if verb == "set" else (_word(words), "more")
        if name != "output":
            raise _parse_error(name)
        if value not in ("standard", "more"):
            raise _parse_error(value)
        self.paged = value == "more"

    def _commit(self) -> None:
        """Nothing is stored when anything is missing."""
        if not self._extension:
            return
        touched = [feature for feature in FEATURES if feature in self._touched]
        for feature in touched:
            if self._edited[feature] == "enable" and self._edited.get(f"{feature}-to") == "":
                raise Refused(f"{feature}-to must be set.", -56)
        for feature in touched:
            self._state.write(self._extension, feature, self._edited)
        self._touched = set()

    # -- what there is ----------------------------------------------------------------------------

    def _show(self, verb: str, words: list[str]) -> Iterator[str]:
        paths = [_path(words)] if words else [self._path] if self._path else [CONSOLE, EXTENSIONS]
        output = {"output": "more" if self.paged else "standard"}
        for path in paths:
            tables = {"": output}
            if path == EXTENSIONS:
                tables = (
                    {self._extension: self._edited} if self._extension and not words else self._state.read()
                )
            if verb == "get":
                yield from _listed(tables)
            else:
                yield from (f"config {path}", *_configured(tables), "end")


def _listed(tables: dict[str, dict[str, str]]) -> Iterator[str]:
    for name, settings in tables.items():
        if name:
            yield f"== [ {name} ]"
        for setting, value in settings.items():
            yield f"{setting:<24}: {value}"


def _configured(tables: dict[str, dict[str, str]]) -> Iterator[str]:
    for name, settings in tables.items():
        indent = 4 * " "
        if name:
            yield f'{indent}edit "{name}"'
        for setting, value in settings.items():
            if setting.endswith("-to"):
                value = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
            yield f"{2 * indent if name else indent}set {setting} {value}"
        if name:
            yield f"{indent}next"


def _fits(name: str, value: str) -> bool:
    if name.endswith("-to"):
        return bool(_NUMBER.fullmatch(value))
    if name.endswith("-rings"):
        return bool(_RINGS.fullmatch(value))
    return value in ("enable", "disable")


def _parse_error(word: str) -> Refused:
    return Refused(f"command parse error before '{word}'", -61)


def _incomplete() -> Refused:
    return Refused("incomplete command in the end", -160)


def _nothing_more(words: list[str]) -> None:
    if words:
        raise _parse_error(words[0])


def _word(words: list[str]) -> str:
    if not words:
        raise _incomplete()
    return words[0]


def _one_value(words: list[str]) -> tuple[str, str]:
    if len(words) < 2:
        raise _incomplete()
    _nothing_more(words[2:])
    return words[0], words[1]


def _path(words: list[str]) -> str:
    path = " ".join(words)
    if path not in (EXTENSIONS, CONSOLE):
        raise _parse_error(words[-1]) if words else _incomplete()
    return path


class Terminal:
    """Keys in, text out: the terminal does nothing by itself, so the echo and the line ends are ours."""

    def __init__(self, keys: int, screen: int) -> None:
        self._keys, self._screen = keys, screen
        self._waiting = b""
        if os.isatty(keys):
            tty.setraw(keys, termios.TCSANOW)

    def write(self, text: str) -> None:
        data = text.replace("\n", "\r\n").encode()
        while data:
            data = data[os.write(self._screen, data) :]

    def key(self) -> str:
        """The next key. Raises EOFError when the terminal is gone."""
        if not self._waiting:
            try:
                self._waiting = os.read(self._keys, 4096)
            except OSError:
                raise EOFError from None
            if not self._waiting:
                raise EOFError
        key, self._waiting = self._waiting[:1], self._waiting[1:]
        return key.decode("latin-1")

    def accept(self) -> None:
        """Show the banner and wait for the answer. A line end that came with it is not a command."""
        self.write("\n".join(BANNER) + "\n" + ACCEPT)
        while (key := self.key()) != "a":
            if key in "\x03\x04":
                raise EOFError
        self.write("a\n")
        if self._waiting[:1] in (b"\r", b"\n"):
            self._waiting = self._waiting[1:]

    def line(self) -> str:
        """A command, echoed as it is typed. Raises EOFError."""
        typed = ""
        while True:
            key = self.key()
            if key in "\r\n":
                self.write("\n")
                return typed
            if key == "\x03":
                self.write("^C\n")
                return ""
            if key == "\x04" and not typed:
                raise EOFError
            if key in "\x08\x7f" and typed:
                typed = typed[:-1]
                self.write("\b \b")
            elif " " <= key <= "~" and len(typed) < LINE:
                typed += key
                self.write(key)

    def page(self, lines: list[str], paged: bool) -> None:
        """Print lines; when paged, wait for a key after each page: space, Enter for one line, q."""
        room = PAGE
        for line in lines:
            if paged and room == 0:
                room = self._more()
                if room == 0:
                    return
            self.write(line + "\n")
            room -= 1

    def _more(self) -> int:
        """How many lines are wanted."""
        self.write(MORE)
        wanted = {" ": PAGE, "\r": 1, "\n": 1, "q": 0, "Q": 0, "\x03": 0}
        while (key := self.key()) not in wanted:
            pass
        self.write("\r\x1b[K")
        return wanted[key]


def main() -> None:
    if "SSH_ORIGINAL_COMMAND" in os.environ:
        print("no single commands here: open a shell", file=sys.stderr)
        sys.exit(1)
    with open(sys.argv[1], encoding="utf-8") as file:
        console = Console(State(json.load(file)["kamcmd"]))
    terminal = Terminal(0, 1)
    try:
        terminal.accept()
        while not console.over:
            terminal.write(console.prompt)
            terminal.page(console.obey(terminal.line()), console.paged)
    except EOFError:
        pass


if __name__ == "__main__":
    main()
