"""The lab's console, alone: its grammar over a state in memory, and its terminal over pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from featuresync.bench.lab import console as script
from featuresync.bench.lab.console import MORE, PAGE, UNSET, Console, State, Terminal

TABLES = {
    "users": {"1001": "secret", "1002": "hidden"},
    "st": {"1001::dnd": "true", "1001::forwardNoAns": 'true/7/10"03', "9999::dnd": "true", "1002::odd": "1"},
    "push": {},
}


class Tables(State):
    """The server's tables in memory, administered in kamcmd's own words."""

    def __init__(self) -> None:
        super().__init__([])
        self.tables = {name: dict(table) for name, table in TABLES.items()}
        self.written: list[list[str]] = []

    def _run(self, *words: str) -> str:
        verb, table, *rest = words
        if verb == "htable.dump":
            rows = self.tables[table].items()
            return "".join(f"{{\n\tname: {name}\n\tvalue: {value}\n}}\n" for name, value in rows)
        assert verb == "htable.sets"
        self.written.append([table, *rest])
        return ""


@pytest.fixture
def server():
    return Tables()


@pytest.fixture
def console(server):
    return Console(server)


def typed(console: Console, *lines: str) -> list[str]:
    """What the last of the lines prints; those before print nothing."""
    for line in lines[:-1]:
        assert console.obey(line) == [], line
    return console.obey(lines[-1])


class TestState:
    def test_read(self, server):
        assert server.read() == {
            "1001": UNSET
            | {
                "dnd": "enable",
                "forward-no-answer": "enable",
                "forward-no-answer-to": '10"03',
                "forward-no-answer-rings": "7",
            },
            "1002": UNSET,
        }

    def test_a_server_that_fails(self):
        console = Console(State(["/bin/false"]))
        assert console.obey("show voice extension") == ["internal error", "Command fail. Return code -1"]


class TestChanges:
    def test_are_stored_and_told_when_the_extension_is_left(self, console, server):
        assert typed(console, "config voice extension", "edit 1002", "set dnd enable") == []
        assert typed(console, 'set forward-busy-to "*72#1"', "set forward-busy enable") == []
        assert server.written == []
        assert console.obey("next") == []
        assert server.written == [
            ["st", "1002::dnd", "s:true"],
            ["push", "1002::dnd", "now"],
            ["st", "1002::forwardBusy", "s:true/3/*72#1"],
            ["push", "1002::forwardBusy", "now"],
        ]
        assert console.obey("end") == []
        assert len(server.written) == 4

    @pytest.mark.parametrize(
        ("line", "written"),
        [
            ("set dnd disable", "1001::dnd=s:false"),
            ("unset dnd", "1001::dnd=s:false"),
            ("set forward-no-answer disable", '1001::forwardNoAns=s:false/7/10"03'),
            ("unset forward-no-answer", '1001::forwardNoAns=s:false/7/10"03'),
            ("set forward-no-answer-to 1004", "1001::forwardNoAns=s:true/7/1004"),
            ("set forward-no-answer-rings 0", '1001::forwardNoAns=s:true/0/10"03'),
            ("unset forward-no-answer-rings", '1001::forwardNoAns=s:true/3/10"03'),
            ('set forward-always-to ""', "1001::forwardImmediate=s:false/3/"),
        ],
    )
    def test_end_stores_too(self, console, server, line, written):
        assert typed(console, "config voice extension", "edit 1001", line, "end") == []
        assert ["=".join(one[1:]) for one in server.written if one[0] == "st"] == [written]

    def test_what_was_not_touched_is_not_written(self, console, server):
        assert typed(console, "config voice extension", "edit 1001", "next", "edit 1002", "end") == []
        assert server.written == []

    def test_abort_forgets(self, console, server):
        assert typed(console, "config voice extension", "edit 1001", "unset dnd", "abort") == []
        assert server.written == []
        assert console.prompt == "lab # "

    def test_a_forward_needs_its_number(self, console, server):
        said = typed(
            console, "config voice extension", "edit 1002", "set dnd enable", "set forward-busy enable", "end"
        )
        assert said == ["forward-busy-to must be set.", "Command fail. Return code -56"]
        assert server.written == []
        assert console.prompt == "lab (1002) # "
        assert typed(console, "set forward-busy-to 1003", "end") == []
        assert [one[1] for one in server.written if one[0] == "st"] == ["1002::dnd", "1002::forwardBusy"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("where", "line", "before"),
        [
            ("", "set dnd enable", "set"),
            ("", "edit 1001", "edit"),
            ("", "reboot", "reboot"),
            ("", "config voice mail", "mail"),
            ("", "config voice extension 1001", "1001"),
            ("", 'show "voice', "e"),
            ("extension", "set dnd enable", "set"),
            ("extension", "config system console", "config"),
            ("extension", "exit", "exit"),
            ("extension", "end now", "now"),
            ("1001", "edit 1002", "edit"),
            ("1001", "set dnd maybe", "maybe"),
            ("1001", "set dnd enable now", "now"),
            ("1001", "set colour red", "colour"),
            ("1001", "unset colour", "colour"),
            ("1001", "unset dnd now", "now"),
            ("1001", "set forward-busy 1003", "1003"),
            ("1001", "set forward-busy-to $(reboot)", "$(reboot)"),
            ("1001", "set forward-busy-to 1/2", "1/2"),
            ("1001", "set forward-busy-to -1", "-1"),
            ("1001", f"set forward-busy-to {65 * '1'}", 65 * "1"),
            ("1001", "set forward-no-answer-rings 21", "21"),
            ("1001", "set forward-no-answer-rings ''", ""),
            ("1001", "next 1002", "1002"),
            ("console", "set output loud", "loud"),
            ("console", "set pager off", "pager"),
            ("console", "edit 1001", "edit"),
        ],
    )
    def test_before_which_word(self, console, server, where, line, before):
        enter = {"extension": ["config voice extension"], "console": ["config system console"]}
        enter["1001"] = [*enter["extension"], "edit 1001"]
        for one in enter.get(where, []):
            assert console.obey(one) == []
        prompt = console.prompt
        said = [f"command parse error before '{before}'", "Command fail. Return code -61"]
        assert console.obey(line) == said
        assert console.prompt == prompt
        assert server.written == []

    @pytest.mark.parametrize("line", ["config", "set", "set dnd", "unset"])
    def test_a_word_is_missing(self, console, line):
        if line != "config":
            typed(console, "config voice extension", "edit 1001")
        assert console.obey(line) == ["incomplete command in the end", "Command fail. Return code -160"]

    @pytest.mark.parametrize("line", ["edit 1003", "edit", "edit 9999"])
    def test_nobody_of_that_number(self, console, line):
        said = ["entry not found in datasource", "Command fail. Return code -3"]
        assert typed(console, "config voice extension", line) == said


class TestShown:
    def test_show(self, console):
        said = console.obey("show voice extension")
        assert (said[0], said[-1], len(said)) == ("config voice extension", "end", 22)
        assert said[1:11] == [
            '    edit "1001"',
            "        set dnd enable",
            "        set forward-always disable",
            '        set forward-always-to ""',
            "        set forward-busy disable",
            '        set forward-busy-to ""',
            "        set forward-no-answer enable",
            '        set forward-no-answer-to "10\\"03"',
            "        set forward-no-answer-rings 7",
            "    next",
        ]
        assert not any("secret" in line for line in said)

    def test_show_and_get_tell_where_one_is(self, console):
        everything = console.obey("show")
        assert everything[:4] == [
            "config system console",
            "    set output more",
            "end",
            "config voice extension",
        ]
        typed(console, "config voice extension", "edit 1001", "unset dnd")
        assert console.obey("show")[:3] == [
            "config voice extension",
            '    edit "1001"',
            "        set dnd disable",
        ]
        assert console.obey("get")[:2] == ["== [ 1001 ]", "dnd                     : disable"]
        assert len(console.obey("get voice extension")) == 18

    def test_prompts(self, console):
        assert console.prompt == "lab # "
        typed(console, "config voice extension")
        assert console.prompt == "lab (extension) # "
        typed(console, "edit 1001")
        assert console.prompt == "lab (1001) # "
        typed(console, "end", "config system console")
        assert console.prompt == "lab (console) # "

    def test_the_pager_can_be_switched_off_and_on(self, console):
        assert typed(console, "config system console", "set output standard", "end") == []
        assert not console.paged
        assert console.obey("show system console")[1] == "    set output standard"
        assert typed(console, "config system console", "unset output", "end") == []
        assert console.paged

    @pytest.mark.parametrize("word", ["exit", "quit"])
    def test_the_end(self, console, word):
        assert console.obey("") == console.obey("   ") == []
        assert not console.over
        console.obey(word)
        assert console.over


class Screen:
    """A terminal whose keys have all been typed already."""

    def __init__(self, keys: str) -> None:
        typed, typing = os.pipe()
        os.write(typing, keys.encode())
        os.close(typing)
        self._shown, self._screen = os.pipe()
        self._keys = typed
        self.terminal = Terminal(typed, self._screen)

    def text(self) -> str:
        """What was shown, to the end. Nothing more can be shown."""
        os.close(self._keys)
        os.close(self._screen)
        with open(self._shown, "rb") as file:
            return file.read().decode()


class TestTerminal:
    @pytest.mark.parametrize(
        ("keys", "line", "echo"),
        [
            ("show\r", "show", "show\r\n"),
            ("show\n", "show", "show\r\n"),
            ("sho\x7f\x08howx\x7f\r", "show", "sho\b \b\b \bhowx\b \b\r\n"),
            ("\x7f\x1b\x00\tshow\r", "show", "show\r\n"),
            ("show\x03", "", "show^C\r\n"),
            ("a\x04b\r", "ab", "ab\r\n"),
            (600 * "1" + "\r", 512 * "1", 512 * "1" + "\r\n"),
        ],
    )
    def test_a_line(self, keys, line, echo):
        screen = Screen(keys)
        assert (screen.terminal.line(), screen.text()) == (line, echo)

    @pytest.mark.parametrize("keys", ["", "show", "\x04"])
    def test_the_end_of_the_keys(self, keys):
        screen = Screen(keys)
        with pytest.raises(EOFError):
            screen.terminal.line()
        screen.text()

    @pytest.mark.parametrize(
        ("keys", "left"), [("a\nshow\n", "show"), ("a\r\r", ""), ("xyA\nashow\n", "show")]
    )
    def test_the_banner(self, keys, left):
        screen = Screen(keys)
        screen.terminal.accept()
        assert screen.terminal.line() == left
        assert "(Press 'a' to accept):a\r\n" in screen.text()

    @pytest.mark.parametrize("keys", ["", "no\n", "\x03a", "\x04a"])
    def test_who_does_not_accept_goes(self, keys):
        screen = Screen(keys)
        with pytest.raises(EOFError):
            screen.terminal.accept()
        screen.text()

    @pytest.mark.parametrize(
        ("keys", "shown", "asked"),
        [("  ", 50, 2), ("x \r\nq", 42, 4), ("q", 20, 1), (" \x03", 40, 2)],
    )
    def test_pages(self, keys, shown, asked):
        screen = Screen(keys)
        lines = [f"line {number}" for number in range(50)]
        screen.terminal.page(lines, paged=True)
        text = screen.text()
        assert text.count(MORE) == text.count("\r\x1b[K") == asked
        assert [one.strip() for one in text.replace(f"{MORE}\r\x1b[K", "").splitlines()] == lines[:shown]

    @pytest.mark.parametrize(("count", "paged"), [(PAGE, True), (500, False)])
    def test_no_pages(self, count, paged):
        screen = Screen("")
        screen.terminal.page(["x"] * count, paged)
        assert screen.text() == "x\r\n" * count


def run(keys: str, env: dict[str, str], programs: Path) -> subprocess.CompletedProcess:
    """As sshd runs it, but for the terminal."""
    return subprocess.run(
        [sys.executable, "-I", "-S", script.__file__, str(programs)],
        input=keys.encode(), env=env, capture_output=True, check=False, timeout=20,
    )  # fmt: skip


def test_a_single_command_is_refused(tmp_path):
    done = run("a\n", {"SSH_ORIGINAL_COMMAND": "show"}, tmp_path / "none.json")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"no single commands here: open a shell\n"


@pytest.mark.parametrize("end", ["exit\n", "", "\x04", "sho"])
def test_from_the_banner_to_the_end(tmp_path, end):
    programs = tmp_path / "programs.json"
    programs.write_text(json.dumps({"kamcmd": ["/bin/false"]}), encoding="utf-8")
    done = run("a\nshow system console\n" + end, {}, programs)
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode().split("\r\n")
    assert said[3:] == [
        "(Press 'a' to accept):a",
        "lab # show system console",
        "config system console",
        "    set output more",
        "end",
        "lab # " + end.strip("\n\x04"),
        *([""] if end == "exit\n" else []),
    ]
