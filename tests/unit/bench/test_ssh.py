"""featuresync.bench.ssh against the library's own server half, every failure as the one line it must be."""

import errno
import socket
from pathlib import Path

import paramiko
import pytest

from featuresync.bench.access import LoginFault
from featuresync.bench.ssh import SshConnection
from featuresync.errors import ConfigFault
from featuresync.profile import SecretRef

from .ssh_server import SshServer, new_key, raw_server, settings, sha1_only_server

OTHER_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfBrSYX6gX62laK6cdK/1PzVhvq0b2/aaaaaaaaaaaa"


@pytest.fixture
def server():
    with SshServer(password="correct horse") as running:
        yield running


def fault(ssh, owner, kind=LoginFault):
    connection = SshConnection(ssh, owner)
    try:
        with pytest.raises(kind) as caught:
            connection.connect()
    finally:
        connection.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lets_in(ssh, owner):
    connection = SshConnection(ssh, owner)
    try:
        connection.connect()
        return connection.alive
    finally:
        connection.close()


def test_changed_host_key(server, owner):
    said = fault(settings(server, host_key=OTHER_HOST_KEY), owner)
    assert "changed host key: expected ssh-ed25519 SHA256:" in said
    assert f"got {server.host_key.get_name()} {server.host_key.fingerprint}" in said


def test_changed_host_key_of_the_same_kind(server, owner):
    with SshServer() as other:
        said = fault(settings(server, host_key=other.host_line), owner)
        expected = f"{other.host_key.get_name()} {other.host_key.fingerprint}"
    assert f"changed host key: expected {expected}, got" in said


def test_of_several_host_keys_the_pinned_one_is_asked_for(server, owner):
    server.second_host_key = paramiko.RSAKey.generate(2048)
    for key in (server.host_key, server.second_host_key):
        line = f"{key.get_name()} {key.get_base64()}"
        assert lets_in(settings(server, host_key=line), owner)


def test_known_hosts_file(server, owner):
    (owner.parent / "known").write_text(f"[127.0.0.1]:{server.port} {server.host_line}\n")
    assert lets_in(settings(server, host_key="", known_hosts="known"), owner)


def test_unknown_host_key(server, owner):
    (owner.parent / "known").write_text(f"elsewhere {server.host_line}\n")
    said = fault(settings(server, host_key="", known_hosts="known"), owner)
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
    assert lets_in(settings(server, host_key=line), owner)


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
    assert lets_in(ssh, owner)


def test_refused_key(server, owner):
    key, data = new_key()
    (owner.parent / "id").write_bytes(data)
    said = fault(settings(server, password=None, key=SecretRef(file="id")), owner)
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
    said = fault(settings(server), owner)
    assert said.endswith("password refused (Authentication failed.)")
    assert "correct horse" not in said


def test_login_that_is_not_offered(server, owner):
    server.auths, server.password = "publickey", None
    said = fault(settings(server), owner)
    assert said.endswith("server does not offer login by password; it offers publickey")


def test_second_step(server, owner, monkeypatch):
    monkeypatch.setattr(server, "_allow", lambda right: paramiko.AUTH_PARTIALLY_SUCCESSFUL)
    said = fault(settings(server), owner)
    assert said.endswith("server wants a second step to log in: publickey, password")


def test_nothing_listens(server, owner):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = fault(settings(server, port=port), owner)
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
    assert line in fault(settings(server), owner)


@pytest.mark.parametrize("hello", [b"", b"220 mail ready\r\n"])
def test_a_port_that_speaks_no_ssh(server, owner, hello):
    with raw_server(hello) as port:
        said = fault(settings(server, port=port, connect=0.4), owner)
    assert "no SSH server answers in 0.4 s" in said


@pytest.mark.parametrize(
    ("kex", "host_key", "why"),
    [
        ("diffie-hellman-group14-sha1", "ssh-rsa", "no acceptable kex algorithm"),
        ("diffie-hellman-group-exchange-sha1", "rsa-sha2-256", "no acceptable kex algorithm"),
        ("ecdh-sha2-nistp256", "ssh-rsa", "no acceptable host key"),
    ],
)
def test_a_server_of_the_sha1_age(server, owner, kex, host_key, why):
    with sha1_only_server(kex, host_key) as port:
        said = fault(settings(server, port=port), owner)
    assert said == (
        f"SSH admin@127.0.0.1:{port}: no algorithm in common (Incompatible ssh peer ({why})): most likely "
        "the server knows only SHA-1, which paramiko 5 does not speak; remedy: update the server's SSH, or "
        "let admin.ssh name a host beside it whose OpenSSH may use SHA-1, and the recipe call ssh there"
    )


def test_missing_secret_is_a_fault_of_the_file(server, owner):
    (Path(owner.parent) / "password").unlink()
    said = fault(settings(server), owner, kind=ConfigFault)
    assert said.startswith(f"{owner}: admin.ssh.password: expected a readable file password")
