"""A device behind an interactive SSH shell: a prompt, an echo, levels, questions, faults on request."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import paramiko

ANSWERS = {
    "show 1001": "1001 dnd=no",
    "show é": "café → 1003 \u4e2d",
    "nothing": "",
    "two prompts": "before\r\nbox # \r\nbehind",
    "colours": "\x1b[1;32m1001\x1b[0m dnd=\x1b[Kno\x1b[?2004h",
    "backspaces": "wrong\b\b\b\b\bright",
    "bad": "command parse error before 'bad'\r\nCommand fail. Return code -61",
    "tell the word": "it is open sesame",
}


class Gone(Exception):
    """The client, or the shell on its own wish, went away."""


@dataclass
class Person:
    """One side of the talk: ``expect`` lines from, ``say`` text to the client."""

    channel: paramiko.Channel
    echo: bool = True
    _typed: str = ""

    def say(self, text: str) -> None:
        self.channel.sendall(text.encode())

    def hear(self) -> str:
        """One line, echoed as a terminal does."""
        while "\n" not in self._typed:
            self._typed += self._receive().decode()
        line, _, self._typed = self._typed.partition("\n")
        if self.echo:
            self.say(f"{line}\r\n")
        return line

    def key(self) -> str:
        """One key, without an echo."""
        while not self._typed:
            self._typed += self._receive().decode()
        key, self._typed = self._typed[0], self._typed[1:]
        return key

    def _receive(self) -> bytes:
        data = self.channel.recv(4096)
        if not data:
            raise Gone
        return data


@dataclass
class Cli:
    """A device's shell. ``questions`` come before the first prompt: text, right answer, whether it is echoed.

    ``commands`` is everything that was typed at a prompt. ``config NAME`` enters a level, ``end`` leaves it.
    """

    name: str = "box"
    banner: str = "Welcome\r\n\r\n"
    questions: tuple[tuple[str, str, bool], ...] = ()
    echo: bool = True
    pages: int = 3
    erase: str = "\r        \r"
    more: dict[str, Callable[[Person], None]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    keys: str = ""

    def __call__(self, channel: paramiko.Channel) -> None:
        with contextlib.suppress(Gone):
            person = Person(channel, self.echo)
            person.say(self.banner)
            self.ask(person)
            self.talk(person)

    def ask(self, person: Person) -> None:
        for question, right, shown in self.questions:
            answer = None
            while answer != right:
                person.say(question)
                person.echo = self.echo and shown
                answer = person.hear()
                self.answers.append(answer)
                person.echo = self.echo
                if not shown:
                    person.say("\r\n")

    def talk(self, person: Person) -> None:
        level = ""
        while True:
            person.say(f"{self.name} {level}# ")
            command = person.hear()
            self.commands.append(command)
            if command in ("exit", "quit"):
                person.say("Goodbye\r\n")
                return
            if found := re.fullmatch("config (.*)", command):
                level = f"({found[1]}) "
            elif command == "end":
                level = ""
            elif command == "pages":
                self.page(person)
            elif command in self.more:
                self.more[command](person)
            elif command.startswith(("set", "show", "login")) or command in ANSWERS:
                said = ANSWERS.get(command, level)
                person.say(f"{said}\r\n" if said else "")
            else:
                person.say("command parse error\r\n")

    def page(self, person: Person) -> None:
        for number in range(self.pages):
            person.say(f"page {number}\r\n--More--")
            self.keys += person.key()
            person.say(self.erase)
        person.say("last page\r\n")
