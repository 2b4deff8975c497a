"""An SSH server inside the test: the library's server half on a loopback port, with faults on request."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from featuresync.profile import SecretRef, Ssh

Shell = Callable[[paramiko.Channel], None]
"""Talks to the person at the shell until that is over."""
Handler = Callable[[paramiko.Channel, str], int | None]
"""Writes the command's output; returns its exit code, or None to end without one."""


def new_key(passphrase: bytes = b"") -> tuple[paramiko.PKey, bytes]:
    """A fresh key, and its private half as an OpenSSH file."""
    made = ed25519.Ed25519PrivateKey.generate()
    sealed = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    data = made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, sealed)
    public = made.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    message = paramiko.Message()
    message.add_string("ssh-ed25519")
    message.add_string(public)
    return paramiko.Ed25519Key(data=message.asbytes()), data


def _host_key() -> paramiko.PKey:
    key = paramiko.ECDSAKey.generate()
    assert isinstance(key, paramiko.PKey)
    return key


@dataclass
class SshServer(paramiko.ServerInterface):
    """Lets in ``key`` and ``password``, whichever is set; answers commands with ``handler``."""

    key: paramiko.PKey | None = None
    password: str | None = None
    handler: Handler = lambda channel, command: 0
    auths: str = "publickey,password"
    channels_per_connection: int = 10
    shell: Shell | None = None
    second_host_key: paramiko.PKey | None = None
    refuse_exec: bool = False
    hang_exec: bool = False
    host_key: paramiko.PKey = field(default_factory=_host_key)
    commands: list[str] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> SshServer:
        self.over = threading.Event()
        self._transports: list[paramiko.Transport] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(5)
        self.drop()
        for thread in self._threads:
            thread.join(5)

    @property
    def host_line(self) -> str:
        return f"{self.host_key.get_name()} {self.host_key.get_base64()}"

    def drop(self) -> None:
        """Cut every connection, as a restarted server does."""
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._opened = 0
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.host_key)
            if self.second_host_key is not None:
                transport.add_server_key(self.second_host_key)
            self._transports.append(transport)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=self)

    def get_allowed_auths(self, username: str) -> str:
        return self.auths

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._allow(self.key is not None and key.asbytes() == self.key.asbytes())

    def check_auth_password(self, username: str, password: str) -> int:
        return self._allow(self.password is not None and password == self.password)

    def _allow(self, right: bool) -> int:
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self._opened += 1
        if self._opened > self.channels_per_connection:
            return paramiko.OPEN_FAILED_RESOURCE_SHORTAGE
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.commands.append(command.decode())
        if self.hang_exec:
            self.over.wait(20)
        if self.refuse_exec or self.hang_exec:
            return False
        thread = threading.Thread(target=self._serve, args=(channel, command.decode()), daemon=True)
        self._threads.append(thread)
        thread.start()
        return True

    def check_channel_pty_request(self, channel, term, width, height, *_: object) -> bool:
        self.terminal = (width, height)
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        if self.hang_exec:
            self.over.wait(20)
        if self.hang_exec or self.shell is None:
            return False
        thread = threading.Thread(target=self._talk, args=(channel, self.shell), daemon=True)
        self._threads.append(thread)
        thread.start()
        return True

    def _talk(self, channel: paramiko.Channel, shell: Shell) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.settimeout(10)
            shell(channel)
            channel.close()

    def _serve(self, channel: paramiko.Channel, command: str) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            # The client closes its input once the command was accepted; answering sooner would overtake that.
            channel.settimeout(5)
            channel.recv(1)
            rc = self.handler(channel, command)
            if rc is not None:
                channel.send_exit_status(rc)
            channel.close()


@contextlib.contextmanager
def sha1_only_server(kex: str, host_key: str) -> Iterator[int]:
    """A port that says the SSH hello of an old appliance: one key exchange, one kind of host key."""
    names = [kex, host_key, *["aes128-ctr"] * 2, *["hmac-sha1"] * 2]
    lists = b"".join(
        struct.pack(">I", len(name)) + name.encode() for name in [*names, "none", "none", "", ""]
    )
    payload = b"\x14" + bytes(16) + lists + b"\0" + bytes(4)
    padding = 8 + -(len(payload) + 13) % 8
    hello = struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)
    with raw_server(b"SSH-2.0-Old_1.0\r\n" + hello) as port:
        yield port


@contextlib.contextmanager
def raw_server(hello: bytes) -> Iterator[int]:
    """A port that sends ``hello`` and then listens in silence."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                connection.sendall(hello)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def settings(server: SshServer, **changes: object) -> Ssh:
    """How a bench file would name the server."""
    known = {"host": "127.0.0.1", "port": server.port, "user": "admin", "host_key": server.host_line}
    known |= {"password": SecretRef(file="password"), "connect": 5, "command": 5} | changes
    return Ssh(**known)
