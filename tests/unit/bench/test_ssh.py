"""featuresync.bench.ssh against the library's own server half, every failure as the one line it must be."""

import errno
import socket
import time
from pathlib import Path

import paramiko
import pytest

from featuresync.bench.ssh import LoginFault, SshSession
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import SecretRef, Ssh

from .ssh_server import SshServer, new_key, raw_server, sha1_only_server

OTHER_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfBrSYX6gX62laK6cdK/1PzVhvq0b2/aaaaaaaaaaaa"


@pytest.fixture
def owner(tmp_path):
    (tmp_path / "password").write_text("correct horse\n")
    return tmp_path / "bench.toml"


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


def settings(server, **changes):
    known = {"host": "127.0.0.1", "port": server.port, "user": "admin", "host_key": server.host_line}
    known |= {"password": SecretRef(file="password"), "connect": 5, "command": 5} | changes
    return Ssh(**known)


def fault(ssh, owner, command="greet", kind=BenchFault):
    session = SshSession(ssh, owner)
    try:
        with pytest.raises(kind) as caught:
            session.run(command)
    finally:
        session.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_command_gives_code_and_both_outputs(server, owner):
    clock = iter([1000.0, 1001.0])
    with SshSession(settings(server), owner, clock=lambda: next(clock)) as session:
        said = session.run("greet")
    assert (said.command, said.rc, said.stdout, said.stderr) == (
        "greet",
        0,
        "good � morning\n",
        "a warning\n",
    )
    assert said.started == 1000.0
    assert 0 <= said.seconds < 5


def test_the_connection_is_reused(server, owner):
    with SshSession(settings(server), owner) as session:
        for _ in range(3):
            session.run("greet")
    assert server.connections == 1


def test_a_dropped_connection_is_made_anew_once(server, owner):
    with SshSession(settings(server), owner) as session:
        session.run("greet")
        server.drop()
        assert session.run("greet").rc == 0
    assert server.connections == 2
    assert server.commands == ["greet", "greet"]


def test_a_server_with_one_channel_per_connection_is_served(server, owner):
    server.channels_per_connection = 1
    with SshSession(settings(server), owner) as session:
        assert [session.run("greet").rc for _ in range(3)] == [0, 0, 0]
    assert server.connections == 3


def test_a_server_that_opens_no_channel(server, owner):
    server.channels_per_connection = 0
    assert "no channel for commands" in fault(settings(server), owner)
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


def test_exit_code_unchecked(server, owner):
    with SshSession(settings(server), owner) as session:
        assert session.run("fail", check=False).rc == 3


def test_a_slow_command_ends_at_its_deadline(server, owner):
    begun = time.monotonic()
    said = fault(settings(server, command=0.3), owner, "stuck")
    assert said.endswith("'stuck': no end in 0.3 s")
    assert time.monotonic() - begun < 2.5


def test_after_a_deadline_the_session_still_works(server, owner):
    with SshSession(settings(server, command=0.5), owner) as session:
        with pytest.raises(BenchFault, match="no end in"):
            session.run("stuck")
        assert session.run("greet").rc == 0
        assert [exchange.rc for exchange in session.transcript.exchanges] == [None, 0]
        assert session.transcript.exchanges[0].output == "half an answer\n(no end in 0.5 s)"


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
    with SshSession(settings(server), owner) as session:
        said = session.run("flood both")
    assert (len(said.stdout), len(said.stderr)) == (120000, 120000)


def test_changed_host_key(server, owner):
    said = fault(settings(server, host_key=OTHER_HOST_KEY), owner, kind=LoginFault)
    assert "changed host key: expected ssh-ed25519 SHA256:" in said
    assert f"got {server.host_key.get_name()} {server.host_key.fingerprint}" in said


def test_changed_host_key_of_the_same_kind(server, owner):
    with SshServer() as other:
        said = fault(settings(server, host_key=other.host_line), owner, kind=LoginFault)
        expected = f"{other.host_key.get_name()} {other.host_key.fingerprint}"
    assert f"changed host key: expected {expected}, got" in said


def test_of_several_host_keys_the_pinned_one_is_asked_for(server, owner):
    server.second_host_key = paramiko.RSAKey.generate(2048)
    for key in (server.host_key, server.second_host_key):
        line = f"{key.get_name()} {key.get_base64()}"
        with SshSession(settings(server, host_key=line), owner) as session:
            assert session.run("greet").rc == 0


def test_known_hosts_file(server, owner):
    (owner.parent / "known").write_text(f"[127.0.0.1]:{server.port} {server.host_line}\n")
    with SshSession(settings(server, host_key="", known_hosts="known"), owner) as session:
        assert session.run("greet").rc == 0


def test_unknown_host_key(server, owner):
    (owner.parent / "known").write_text(f"elsewhere {server.host_line}\n")
    said = fault(settings(server, host_key="", known_hosts="known"), owner, kind=LoginFault)
    kind, print_ = server.host_key.get_name(), server.host_key.fingerprint
    assert said.endswith(f"unknown host key: not in known, got {kind} {print_}")


def test_known_hosts_missing(server, owner):
    said = fault(settings(server, host_key="", known_hosts="absent"), owner, kind=ConfigFault)
    assert said.startswith(f"{owner}: admin.ssh.known_hosts: expected a readable known_hosts file")


@pytest.mark.parametrize("line", ["nonsense", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "ssh-unheard AAAA"])
def test_host_key_that_is_none(server, owner, line):
    said = fault(settings(server, host_key=line), owner, kind=ConfigFault)
    assert said.startswith(f"{owner}: admin.ssh.host_key: expected a public key")


def test_host_key_with_host_in_front(server, owner):
    line = f"127.0.0.1 {server.host_line} comment"
    with SshSession(settings(server, host_key=line), owner) as session:
        assert session.run("greet").rc == 0


@pytest.mark.parametrize("passphrase", ["", "open sesame"])
@pytest.mark.parametrize("by_env", [False, True])
def test_login_by_key(server, owner, monkeypatch, passphrase, by_env):
    server.key, data = new_key(passphrase.encode())
    (owner.parent / "id").write_bytes(data)
    monkeypatch.setenv("FS_TEST_KEY", str(owner.parent / "id"))
    monkeypatch.setenv("FS_TEST_PHRASE", passphrase)
    ssh = settings(
        server,
        password=None,
        key=SecretRef(env="FS_TEST_KEY") if by_env else SecretRef(file="id"),
        passphrase=SecretRef(env="FS_TEST_PHRASE") if passphrase else None,
    )
    with SshSession(ssh, owner) as session:
        assert session.run("greet").rc == 0


def test_refused_key(server, owner):
    key, data = new_key()
    (owner.parent / "id").write_bytes(data)
    said = fault(settings(server, password=None, key=SecretRef(file="id")), owner, kind=LoginFault)
    assert f"key ssh-ed25519 {key.fingerprint} refused" in said


@pytest.mark.parametrize(
    ("content", "passphrase", "got"),
    [
        (None, None, "No such file or directory"),
        (b"hello", None, "ValueError: Unable to load PEM file"),
        (new_key(b"right")[1], None, "password was not provided"),
        (new_key(b"right")[1], "wrong", "got "),
        (new_key()[1], "needless", "private key is not encrypted"),
    ],
)
def test_key_that_cannot_be_used(server, owner, content, passphrase, got):
    if content:
        (owner.parent / "id").write_bytes(content)
    (owner.parent / "phrase").write_text(passphrase or "")
    phrase = SecretRef(file="phrase") if passphrase else None
    ssh = settings(server, password=None, key=SecretRef(file="id"), passphrase=phrase)
    said = fault(ssh, owner, kind=ConfigFault)
    assert said.startswith(f"{owner}: admin.ssh.key: expected a readable private key {owner.parent / 'id'}")
    assert got in said
    assert server.connections == 0


def test_key_by_a_variable_that_is_unset(server, owner, monkeypatch):
    monkeypatch.delenv("FS_TEST_KEY", raising=False)
    ssh = settings(server, password=None, key=SecretRef(env="FS_TEST_KEY"))
    assert "environment variable FS_TEST_KEY to be set, got unset" in fault(ssh, owner, kind=ConfigFault)


def test_refused_password(server, owner):
    server.password = "another"
    said = fault(settings(server), owner, kind=LoginFault)
    assert said.endswith("password refused (Authentication failed.)")
    assert "correct horse" not in said


def test_login_that_is_not_offered(server, owner):
    server.auths, server.password = "publickey", None
    said = fault(settings(server), owner, kind=LoginFault)
    assert said.endswith("server does not offer login by password; it offers publickey")


def test_second_step(server, owner, monkeypatch):
    monkeypatch.setattr(server, "_allow", lambda right: paramiko.AUTH_PARTIALLY_SUCCESSFUL)
    said = fault(settings(server), owner, kind=LoginFault)
    assert said.endswith("server wants a second step to log in: publickey, password")


def test_nothing_listens(server, owner):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = fault(settings(server, port=port), owner, kind=LoginFault)
    assert said == f"SSH admin@127.0.0.1:{port}: connection refused, nothing listens there"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.EHOSTUNREACH, "No route to host"), "host unreachable ([Errno 113] No route to host)"),
        (socket.gaierror(-2, "Name or service not known"), "host name cannot be resolved"),
        (TimeoutError(), "host does not answer in 5 s"),
    ],
)
def test_no_way_to_the_host(server, owner, monkeypatch, error, line):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert line in fault(settings(server), owner, kind=LoginFault)


@pytest.mark.parametrize("hello", [b"", b"220 mail ready\r\n"])
def test_a_port_that_speaks_no_ssh(server, owner, hello):
    with raw_server(hello) as port:
        said = fault(settings(server, port=port, connect=0.4), owner, kind=LoginFault)
    assert "no SSH server answers in 0.4 s" in said


def test_a_server_of_the_sha1_age(server, owner):
    with sha1_only_server() as port:
        said = fault(settings(server, port=port), owner, kind=LoginFault)
    assert "no algorithm in common (Incompatible ssh peer (no acceptable kex algorithm))" in said
    assert "remedy: update the server's SSH, or install 'paramiko<5'" in said


def test_missing_secret_is_a_fault_of_the_file(server, owner):
    (Path(owner.parent) / "password").unlink()
    said = fault(settings(server), owner, kind=ConfigFault)
    assert said.startswith(f"{owner}: admin.ssh.password: expected a readable file password")
