"""featuresync.bench.ssh_shell and ssh_terminal: a device talked to at its prompt, and all that goes wrong."""

import threading
import time

import pytest

from featuresync.bench.access import LoginFault
from featuresync.bench.admin import Administration
from featuresync.bench.ssh_shell import ShellAccess
from featuresync.bench.ssh_terminal import Terminal
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import FeatureRecipe, Recipe, Reply, Request, Shell, Sure
from featuresync.sync.feature import Feature, FeatureState

from .shell_server import Cli
from .ssh_server import SshServer, settings

PROMPT = r"^box (\(\w+\) )?# $"
PAGER = Reply(expect="--More--", send=" ")


@pytest.fixture
def cli():
    return Cli()


@pytest.fixture
def server(cli):
    with SshServer(password="correct horse", shell=cli, refuse_exec=True) as running:
        yield running


def recipe(error="parse error", **shell):
    return Recipe(
        kind="ssh-shell",
        words=("enable", "disable"),
        read=("show {account}",),
        error=error,
        features={
            "dnd": FeatureRecipe(
                on="{account} dnd=(?P<on>.*)", set=("config {account}", "set dnd {on}", "end")
            )
        },
        shell=Shell(**({"prompt": PROMPT, "pager": PAGER} | shell)),
        source="here",
        sure=Sure.CODE,
    )


def access_to(server, owner, *, values=None, secrets=None, ssh=None, **shell):
    return ShellAccess(
        settings(server, **(ssh or {})), owner, recipe(**shell), values=values or {}, secrets=secrets or {}
    )


def fault(access, command="show 1001", kind=BenchFault):
    with pytest.raises(kind) as caught:
        access.run(command, {})
    access.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- answers ---------------------------------------------------------------------------------------


def test_the_answer_is_what_stands_between_the_echo_and_the_prompt(server, owner, cli):
    with access_to(server, owner) as access:
        assert access.run("show {account}", {"account": "1001"}) == "1001 dnd=no"
        assert access.run("nothing", {}) == ""
    assert cli.commands == ["show 1001", "nothing"]
    assert server.terminal == (511, 1000)
    assert server.connections == 1


def test_everything_is_in_the_transcript(server, owner):
    with access_to(server, owner) as access:
        access.run("show 1001", {})
        login, show = access.transcript.exchanges
    assert (login.command, login.output, login.end) == ("(login)", "Welcome\n\nbox # ", "answered")
    assert (show.sign, show.command, show.output, show.end) == (
        "$ ",
        "show 1001",
        "1001 dnd=no",
        "prompt box #",
    )


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("show é", "café → 1003 中"),
        ("two prompts", "before\nbox #\nbehind"),
        ("colours", "1001 dnd=no"),
        ("backspaces", "right"),
    ],
)
def test_tricks_of_a_terminal_are_no_part_of_the_answer(server, owner, command, answer):
    with access_to(server, owner) as access:
        assert access.run(command, {}) == answer
        assert access.run("show 1001", {}) == "1001 dnd=no"


def test_a_shell_without_an_echo(server, owner, cli):
    cli.echo = False
    with access_to(server, owner) as access:
        assert access.run("show 1001", {}) == "1001 dnd=no"


def test_the_prompt_may_change_with_the_level(server, owner, cli):
    with access_to(server, owner) as access:
        access.run("config system", {})
        assert access.transcript.exchanges[-1].end == "prompt box (system) #"
        assert access.run("set dnd enable", {}) == "(system)"
        access.run("end", {})
        assert access.transcript.exchanges[-1].end == "prompt box #"


@pytest.mark.parametrize(
    "erase", ["\r        \r", "\b" * 8 + " " * 8 + "\b" * 8, "\x1b[2K\r", "\r\x1b[K", "\r\n"]
)
def test_the_pager_is_answered(server, owner, cli, erase):
    cli.erase = erase
    with access_to(server, owner) as access:
        said = access.run("pages", {})
        assert [line for line in said.splitlines() if line] == ["page 0", "page 1", "page 2", "last page"]
        assert access.run("show 1001", {}) == "1001 dnd=no"
    assert cli.keys == "   "


def test_output_in_pieces_is_put_together(server, owner, cli):
    def dribble(person):
        for byte in "1001 caf\u00e9 \x1b[1m#\x1b[0m\r\n".encode():
            person.channel.sendall(bytes([byte]))

    cli.more["dribble"] = dribble
    with access_to(server, owner) as access:
        assert access.run("dribble", {}) == "1001 café #"


def test_what_looks_like_a_prompt_is_none_while_more_comes(server, owner, cli):
    def pause(person):
        person.say("box # ")
        person.say("and more\r\n" * 3)

    cli.more["pause"] = pause
    with access_to(server, owner) as access:
        assert access.run("pause", {}).endswith("and more")


class Scripted:
    """A connection and its channel that give one chunk after the other, and silence where it says None."""

    alive = eof_received = True

    def __init__(self, *chunks):
        self.chunks, self.patience = list(chunks), []

    def open_channel(self):
        return self

    def settimeout(self, seconds):
        self.patience.append(seconds)

    def recv(self, size):
        chunk = self.chunks.pop(0)
        if chunk is None:
            raise TimeoutError
        return chunk


def test_a_prompt_is_believed_after_a_silence():
    scripted = Scripted(b"box # ", b"and more\r\n", b"box # ", None, b"never read")
    terminal = Terminal(scripted, None)
    assert terminal.listen(lambda screen: screen.last_line == "box # " or None, time.monotonic() + 100, 100)
    assert terminal.screen.lines == ["box # and more", "box # "]
    assert [seconds > 1 or seconds for seconds in scripted.patience] == [True, 0.05, True, 0.05]


def test_what_is_printed_unasked_is_no_answer(server, owner, cli):
    heard = threading.Event()

    def late(person):
        person.say("done\r\nbox # ")
        heard.wait(5)
        person.say("\r\nBroadcast: box goes down at noon\r\n")
        told.set()

    told = threading.Event()
    cli.more["late"] = late
    with access_to(server, owner) as access:
        assert access.run("late", {}) == "done"
        heard.set()
        assert told.wait(5)
        wait_for(lambda: access._terminal._channel.recv_ready())
        assert access.run("show 1001", {}) == "1001 dnd=no"
        unasked = access.transcript.exchanges[2]
    assert (unasked.command, unasked.end) == ("(nothing typed)", "at the prompt")
    assert unasked.output.startswith("Broadcast: box goes down at noon")


def wait_for(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_server_without_a_shell(server, owner):
    server.shell = None
    said = fault(access_to(server, owner), kind=LoginFault)
    assert "the server offers no interactive shell (" in said


def test_a_server_that_never_opens_the_shell(server, owner):
    server.hang_exec = True
    begun = time.monotonic()
    said = fault(access_to(server, owner, ssh={"connect": 0.5}), kind=LoginFault)
    assert "the server offers no interactive shell (" in said
    assert time.monotonic() - begun < 3


def test_a_prompt_that_never_comes(server, owner, cli):
    said = fault(access_to(server, owner, prompt="^other> $", ssh={"connect": 0.4}), kind=LoginFault)
    assert said == (
        f"SSH admin@127.0.0.1:{server.port}: login to the shell: no prompt like '^other> $' in 0.4 s; "
        "last line: 'box #'"
    )


def test_a_command_without_an_end(server, owner, cli):
    cli.more["stuck"] = lambda person: (person.say("half an answer\r\n"), person.hear())
    access = access_to(server, owner, ssh={"command": 0.4})
    begun = time.monotonic()
    said = fault(access, "stuck")
    assert said == (
        f"SSH admin@127.0.0.1:{server.port}: 'stuck': no prompt like {PROMPT!r} in 0.4 s; "
        "last line: 'half an answer'"
    )
    assert time.monotonic() - begun < 3
    assert access.transcript.exchanges[-1].end == "no prompt"
    assert access.transcript.exchanges[-1].output.startswith("stuck\nhalf an answer\n\n(no prompt like")


def test_after_a_deadline_a_new_shell_is_opened(server, owner, cli):
    cli.more["stuck"] = lambda person: person.hear()
    with access_to(server, owner, ssh={"command": 0.4}) as access:
        with pytest.raises(BenchFault, match="no prompt like"):
            access.run("stuck", {})
        assert access.run("show 1001", {}) == "1001 dnd=no"
    assert server.connections == 2


def test_a_pager_without_an_end_stops_at_the_deadline(server, owner, cli):
    cli.pages = 10**9
    said = fault(access_to(server, owner, ssh={"command": 0.4}), "pages")
    assert "no prompt like" in said
    assert "in 0.4 s; last line: 'page " in said


def test_output_without_an_end_is_cut_off(server, owner, cli):
    def flood(person):
        for _ in range(200):
            person.say("x" * 2000 + "\r\n")

    cli.more["flood"] = flood
    assert "in the first 256 kB; last line: 'xxxx" in fault(access_to(server, owner), "flood")


def test_a_shell_that_closes_during_a_command(server, owner, cli):
    def drop(person):
        person.say("Timeout\r\n")
        person.channel.close()

    cli.more["drop"] = drop
    said = fault(access_to(server, owner), "drop")
    assert said.endswith("before the server closed the shell; last line: 'Timeout'")
    assert cli.commands == ["drop"]


def test_a_shell_that_closes_while_we_log_in(server, owner, cli):
    def gone(channel):
        channel.sendall(b"Only one session is allowed\r\n")

    server.shell = gone
    said = fault(access_to(server, owner), kind=LoginFault)
    # Depending on which the library sees first, the shell's yes or its end.
    assert said.endswith("; last line: 'Only one session is allowed'")
    assert "before the server closed the shell" in said or "offers no interactive shell" in said


def test_a_shell_that_was_closed_meanwhile_is_opened_anew(server, owner, cli):
    with access_to(server, owner) as access:
        access.run("show 1001", {})
        server.drop()
        wait_for(lambda: not access._terminal.there)
        access.connect()
        assert access.run("show 1001", {}) == "1001 dnd=no"
    assert server.connections == 2
    assert cli.commands == ["show 1001", "show 1001"]


def test_within_a_sequence_nothing_is_opened_anew(server, owner, cli):
    access = access_to(server, owner)
    access.run("config system", {})
    server.drop()
    wait_for(lambda: not access._terminal.there)
    said = fault(access, "set dnd enable")
    assert said.endswith("'set dnd enable': not typed, the server closed the shell")
    assert cli.commands == ["config system"]


def test_an_interrupted_command_ends_the_session(server, owner, cli, monkeypatch):
    with access_to(server, owner) as access:

        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(access._terminal, "listen", interrupted)
        with pytest.raises(KeyboardInterrupt):
            access.run("show 1001", {})
        assert access.transcript.exchanges[-1].output.endswith("(given up)")
        assert access.run("nothing", {}) == ""
    assert server.connections == 2


# -- the login -------------------------------------------------------------------------------------


LOGIN = (
    Reply(expect=r"to accept", send="a"),
    Reply(expect=r"^box\$ $", send="enable"),
    Reply(expect=r"^Password:", send="{word}"),
)
QUESTIONS = (
    ("*** Property of Acme. Press 'a' to accept\r\n", "a", True),
    ("box$ ", "enable", True),
    ("Password: ", "open sesame", False),
)


@pytest.mark.parametrize("asked", [QUESTIONS, QUESTIONS[1:], QUESTIONS[2:], (), QUESTIONS[:1]])
def test_questions_of_the_login_are_answered_when_they_come(server, owner, cli, asked):
    cli.questions = asked
    with access_to(server, owner, login=LOGIN, secrets={"word": "open sesame"}) as access:
        assert access.run("show 1001", {}) == "1001 dnd=no"
        shown = access.transcript.text()
    assert cli.answers == [right for _, right, _ in asked]
    assert "open sesame" not in shown
    assert ("$ xxxx\n" in shown) == (QUESTIONS[2] in asked)


def test_a_secret_that_is_echoed_is_not_shown(server, owner, cli):
    cli.questions = (("Password: ", "open sesame", True),)
    with access_to(server, owner, login=LOGIN, secrets={"word": "open sesame"}) as access:
        assert access.run("tell the word", {}) == "it is open sesame"
        assert "open sesame" not in access.transcript.text()


def test_a_wrong_word_is_told_as_what_stands_there(server, owner, cli):
    cli.questions = QUESTIONS[2:]
    access = access_to(server, owner, login=LOGIN, secrets={"word": "wrong"}, ssh={"connect": 0.4})
    assert fault(access, kind=LoginFault).endswith("in 0.4 s; last line: 'Password:'")
    assert cli.answers == ["wrong"]


def test_an_answer_may_be_empty(server, owner, cli):
    cli.questions = (("Press Enter\r\n", "", True),)
    with access_to(server, owner, login=(Reply(expect="Press Enter", send=""),)) as access:
        assert access.run("nothing", {}) == ""
    assert cli.answers == [""]


def test_preparing_and_leaving(server, owner, cli):
    shell = {"prepare": ("set pager {pager}",), "leave": ("end", "exit", "never typed")}
    with access_to(server, owner, values={"pager": "off"}, **shell) as access:
        access.run("show 1001", {})
    assert cli.commands == ["set pager off", "show 1001", "end", "exit"]


def test_a_refused_preparation(server, owner, cli):
    access = access_to(server, owner, prepare=("no such thing",))
    assert fault(access).endswith("'no such thing' refused: command parse error")


def test_leaving_after_a_fault_types_nothing(server, owner, cli):
    cli.more["stuck"] = lambda person: person.hear()
    access = access_to(server, owner, leave=("exit",), ssh={"command": 0.4})
    fault(access, "stuck")
    assert cli.commands == ["stuck"]


# -- what may be typed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "value", "typed"),
    [
        ("set number {number}", "1003", "set number 1003"),
        ("set number {number}", "+49-30", "set number +49-30"),
        ("set number {number}", "*72", 'set number "*72"'),
        ("set number {number}", "#21#", 'set number "#21#"'),
        ("set number {number}", "", 'set number ""'),
        ('set number "{number}"', "", 'set number ""'),
        ("set number '{number}'", "*72", "set number '*72'"),
    ],
)
def test_values_are_quoted_where_they_must(server, owner, command, value, typed):
    assert access_to(server, owner).shown(command, {"number": value}) == typed


@pytest.mark.parametrize("value", ["1 2", "1;reboot", "$(id)", '"', "'", "-rf", "é", "a\\b", "1|2", "?"])
def test_values_that_a_shell_might_read_otherwise_are_refused(server, owner, value):
    with pytest.raises(ConfigFault, match="expected only 0-9 A-Z a-z"):
        access_to(server, owner).run("set {number}", {"number": value})
    assert server.connections == 0


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\x03", "\x1b[A"])
def test_values_that_are_keys_are_refused(server, owner, value):
    with pytest.raises(ConfigFault, match="expected printable text on one line"):
        access_to(server, owner).run("set {number}", {"number": value})


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("one\ntwo", "read[0]: expected a command on one line, got 'one\\ntwo'"),
        ("stop\x03", "read[0]: expected a command on one line, got 'stop\\x03'"),
        ("set {acount}", "read[0]: expected placeholders known there: account, word, got {acount}"),
    ],
)
def test_commands_that_cannot_be_typed(server, owner, step, line):
    access = access_to(server, owner, secrets={"word": "x"})
    with pytest.raises(ConfigFault) as caught:
        access.check(step, frozenset({"account"}), "read[0]")
    assert str(caught.value) == f"{owner}: {line}"


def test_a_request_is_no_command(server, owner):
    with pytest.raises(ConfigFault, match="expected a command, got a request, GET /users"):
        access_to(server, owner).run(Request(path="/users"), {})


@pytest.mark.parametrize(
    ("shell", "key"),
    [
        ({"prepare": ("set {pager}",)}, "recipe.shell.prepare[0]"),
        ({"leave": ("exit\n",)}, "recipe.shell.leave[0]"),
        ({"login": (Reply(expect="x", send="{number}"),)}, "recipe.shell.login[0].send"),
    ],
)
def test_mistakes_of_the_shell_are_told_before_anybody_is_asked(server, owner, shell, key):
    with pytest.raises(ConfigFault) as caught:
        access_to(server, owner, **shell)
    assert str(caught.value).startswith(f"{owner}: {key}: expected ")


# -- put to work -----------------------------------------------------------------------------------


def test_a_set_through_levels(server, owner, cli):
    with access_to(server, owner) as access:
        admin = Administration(recipe(), access)
        cli.more["show 1001"] = lambda person: person.say("1001 dnd=disable\r\n")
        assert admin.read("1001")[Feature.DND] == FeatureState(Feature.DND, False)
        admin.set("1001", FeatureState(Feature.DND, True))
    assert cli.commands == ["show 1001", "config 1001", "set dnd enable", "end"]


def test_a_refusal_leaves_the_level_it_was_in(server, owner, cli):
    access = access_to(server, owner, leave=("end",))
    admin = Administration(recipe(), access)
    cli.more["set dnd enable"] = lambda person: person.say("command parse error before 'dnd'\r\n")
    with pytest.raises(BenchFault, match="'set dnd enable' refused: command parse error before 'dnd'"):
        admin.set("1001", FeatureState(Feature.DND, True))
    cli.more["show 1001"] = lambda person: person.say("1001 dnd=disable\r\n")
    assert admin.read("1001")[Feature.DND].on is False
    access.close()
    assert cli.commands == ["config 1001", "set dnd enable", "show 1001", "end"]
    assert server.connections == 2
