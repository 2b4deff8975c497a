"""featuresync.bench.ssh_command: one command, its output, or the one line that says why not."""

import time

import pytest

from featuresync.bench.access import LoginFault
from featuresync.bench.ssh_command import CommandAccess, check_command
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import Request

from .ssh_server import SshServer, settings


@pytest.fixture
def server():
    with SshServer(password="correct horse", handler=answer) as running:
        yield running


def answer(channel, command):
    if command == "greet":
        channel.sendall(b"good \xff morning\n")
        channel.sendall_stderr(b"a warning\n")
        return 0
    if command == "fail":
        channel.sendall_stderr("\n  no such account é\nmore\n".encode())
        return 3
    if command == "flood":
        block = b"x" * 32768
        for _ in range(200):
            channel.sendall(block)
        return 0
    if command == "flood both":
        for _ in range(3):
            channel.sendall(b"o" * 40000)
            channel.sendall_stderr(b"e" * 40000)
        return 0
    if command == "stuck":
        channel.sendall(b"half an answer\n")
        channel.get_transport().server_object.over.wait(20)
        return 0
    if command == "drop":
        channel.get_transport().close()
        return None
    if command == "killed":
        return None
    return 0


def fault(ssh, owner, command="greet", kind=BenchFault):
    access = CommandAccess(ssh, owner)
    try:
        with pytest.raises(kind) as caught:
            access.run(command, {})
    finally:
        access.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_command_gives_its_standard_output(server, owner):
    clock = iter([1000.0])
    with CommandAccess(settings(server), owner, clock=lambda: next(clock)) as access:
        assert access.run("greet", {}) == "good \ufffd morning\n"
        (exchange,) = access.transcript.exchanges
    assert (exchange.time, exchange.command, exchange.end) == (1000.0, "greet", "exit code 0")
    assert exchange.output == "good \ufffd morning\na warning"


def test_values_are_quoted_and_secrets_shown_to_nobody(server, owner):
    server.handler = lambda channel, command: channel.sendall(b"as told: open sesame\n") or 0
    with CommandAccess(settings(server), owner, secrets={"word": "open sesame"}) as access:
        assert access.run("set {account} {on} {word} ${on}", {"account": "a;b", "on": "yes"}) == (
            "as told: open sesame\n"
        )
        (exchange,) = access.transcript.exchanges
    assert server.commands == ["set 'a;b' yes 'open sesame' ${on}"]
    assert exchange.command == "set 'a;b' yes xxxx ${on}"
    assert exchange.output == "as told: xxxx"


def test_a_fault_shows_no_secret(server, owner):
    server.handler = lambda channel, command: channel.sendall_stderr(b"no: open sesame\n") or 1
    access = CommandAccess(settings(server), owner, secrets={"word": "open sesame"})
    with access, pytest.raises(BenchFault) as caught:
        access.run("log in {word}", {})
    assert str(caught.value).endswith("'log in xxxx': exit code 1: no: xxxx")


def test_the_connection_is_reused(server, owner):
    with CommandAccess(settings(server), owner) as access:
        for _ in range(3):
            access.run("greet", {})
    assert server.connections == 1


def test_a_dropped_connection_is_made_anew_once(server, owner):
    with CommandAccess(settings(server), owner) as access:
        access.run("greet", {})
        server.drop()
        assert access.run("greet", {}).startswith("good")
    assert server.connections == 2
    assert server.commands == ["greet", "greet"]


def test_a_server_with_one_channel_per_connection_is_served(server, owner):
    server.channels_per_connection = 1
    with CommandAccess(settings(server), owner) as access:
        for _ in range(3):
            assert access.run("greet", {}).startswith("good")
    assert server.connections == 3


def test_a_server_that_opens_no_channel(server, owner):
    server.channels_per_connection = 0
    assert ": no channel (" in fault(settings(server), owner, kind=LoginFault)
    assert server.connections == 1


def test_a_drop_during_a_command_is_told_and_not_repeated(server, owner):
    assert "ended without an exit code" in fault(settings(server), owner, "drop")
    assert server.commands == ["drop"]


def test_no_exit_code_is_no_answer(server, owner):
    said = fault(settings(server), owner, "killed")
    assert "'killed': ended without an exit code (killed, or the connection dropped)" in said


def test_exit_code_with_the_first_line_of_stderr(server, owner):
    said = fault(settings(server), owner, "fail")
    assert said == f"SSH admin@127.0.0.1:{server.port}: 'fail': exit code 3: no such account é"


def test_a_slow_command_ends_at_its_deadline(server, owner):
    begun = time.monotonic()
    said = fault(settings(server, command=0.3), owner, "stuck")
    assert said.endswith("'stuck': no end in 0.3 s")
    assert time.monotonic() - begun < 2.5


def test_after_a_deadline_the_session_still_works(server, owner):
    with CommandAccess(settings(server, command=0.5), owner) as access:
        with pytest.raises(BenchFault, match="no end in"):
            access.run("stuck", {})
        assert access.run("greet", {}).startswith("good")
        assert [exchange.end for exchange in access.transcript.exchanges] == ["no exit code", "exit code 0"]
        assert access.transcript.exchanges[0].output == "half an answer\n(no end in 0.5 s)"


def test_a_server_that_never_takes_the_command(server, owner):
    server.hang_exec = True
    begun = time.monotonic()
    said = fault(settings(server, command=0.3), owner)
    assert said.endswith("'greet': no answer in 0.3 s")
    assert time.monotonic() - begun < 2.5


def test_a_server_without_commands(server, owner):
    server.refuse_exec = True
    assert "the server refuses commands" in fault(settings(server), owner)


def test_huge_output_is_cut_off(server, owner):
    assert fault(settings(server), owner, "flood").endswith("'flood': printed more than 256 kB")


def test_both_streams_are_drained_together(server, owner):
    with CommandAccess(settings(server), owner) as access:
        assert len(access.run("flood both", {})) == 120000
        assert len(access.transcript.exchanges[0].output) == 240001


def test_a_request_is_no_command(server, owner):
    access = CommandAccess(settings(server), owner)
    with access, pytest.raises(ConfigFault, match="expected a command, got a request, GET /users"):
        access.run(Request(path="/users"), {})
    assert server.commands == []


KNOWN = frozenset({"account", "on"})


@pytest.mark.parametrize(
    "command",
    ["awk '{print}' {account}", "echo ${name} {on}", 'x "{unknown} ${on}"', "find -exec rm {} +", "{1,2}"],
)
def test_braces_that_are_no_placeholders(command):
    check_command("v.toml", command, KNOWN, "read[0]")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("show {acount}", "placeholders known there: account, on, got {acount}"),
        ("show '{account}'", "{account} outside of quotes, as in \"...\"{account}, got show '{account}'"),
    ],
)
def test_placeholders_in_the_wrong_place(command, line):
    with pytest.raises(ConfigFault) as caught:
        check_command("v.toml", command, KNOWN, "read[0]")
    assert str(caught.value) == f"v.toml: read[0]: expected {line}"
