"""The SSH connection to the bench: a pinned host key, one way to log in, a deadline on everything.

No agent and no key of the user's home is tried. Every failure is one line. Broad ``except Exception``
clauses stand around calls of the library, which lets a broken server's bytes come out as any kind of error.
What goes over it is elsewhere: commands in ``ssh_command``, an interactive shell in ``ssh_shell``.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import itertools
import logging
import os
import socket
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import BadAuthenticationType, IncompatiblePeer

from featuresync.errors import ConfigFault
from featuresync.profile import SecretRef, Ssh

from .access import LoginFault

_OLD_SERVER = (
    "most likely the server knows only SHA-1, which paramiko 5 does not speak; remedy: update the server's "
    "SSH, or let admin.ssh name a host beside it whose OpenSSH may use SHA-1, and the recipe call ssh there"
)

# The library logs every failed login with its traceback; ours are told in one line by LoginFault.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class SshConnection:
    """One connection, made when it is first needed and then kept.

    ``owner`` is the bench file: secrets and paths are relative to it. ``ssh.connect`` limits each step of
    logging in (connection, banner, key exchange, authentication), ``ssh.command`` the opening of a channel,
    in seconds. Not for two threads at once.
    """

    def __init__(self, ssh: Ssh, owner: Path) -> None:
        self.place = f"SSH {ssh.user}@{ssh.host}:{ssh.port}"
        self._ssh, self._owner = ssh, owner
        self._transport: paramiko.Transport | None = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connect(self) -> None:
        """Log in, unless that is done. Raises LoginFault, or ConfigFault for the bench file's mistakes."""
        if self.alive:
            return
        self.close()
        known, key, password = self._known_keys(), self._private_key(), self._password()
        transport = self._open_transport()
        try:
            self._check_host(transport, known)
            self._authenticate(transport, key, password)
        except BaseException:
            transport.close()
            raise
        transport.set_keepalive(15)
        self._transport = transport

    @property
    def alive(self) -> bool:
        return self._transport is not None and self._transport.is_active()

    def open_channel(self) -> paramiko.Channel:
        """A channel of its own for whoever asks. A connection that dropped meanwhile is made anew, once.

        Raises LoginFault.
        """
        fresh = self._transport is None
        self.connect()
        try:
            if self._transport is None:
                raise EOFError("not connected")
            return self._transport.open_session(timeout=self._ssh.command)
        except Exception as error:
            self.close()
            if fresh:
                raise LoginFault(f"{self.place}: no channel ({line_of(error)})") from None
        # Nothing was sent on the old connection, so a second try cannot do anything twice.
        return self.open_channel()

    def _open_transport(self) -> paramiko.Transport:
        host, port, seconds = self._ssh.host, self._ssh.port, self._ssh.connect
        try:
            sock = socket.create_connection((host, port), timeout=seconds)
        except socket.gaierror as error:
            raise LoginFault(f"{self.place}: host name cannot be resolved ({line_of(error)})") from None
        except TimeoutError:
            raise LoginFault(f"{self.place}: host does not answer in {seconds:g} s") from None
        except ConnectionRefusedError:
            raise LoginFault(f"{self.place}: connection refused, nothing listens there") from None
        except OSError as error:
            raise LoginFault(f"{self.place}: host unreachable ({line_of(error)})") from None
        # Small packets one after the other: Nagle's algorithm would cost 40 ms a command.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(sock)
        transport.banner_timeout = transport.auth_timeout = seconds
        transport.handshake_timeout = seconds
        transport.channel_timeout = self._ssh.command
        return transport

    def _check_host(self, transport: paramiko.Transport, known: dict[str, paramiko.PKey]) -> None:
        # Ask for the pinned kind of key first: a server has several, and only one is known to us.
        names = [name for key in known for name in _signatures(key)]
        options = transport.get_security_options()
        options.key_types = sorted(options.key_types, key=lambda name: name not in names)
        try:
            transport.start_client(timeout=self._ssh.connect)
            got = transport.get_remote_server_key()
        except IncompatiblePeer as error:
            raise LoginFault(
                f"{self.place}: no algorithm in common ({line_of(error)}): {_OLD_SERVER}"
            ) from None
        except Exception as error:
            raise LoginFault(
                f"{self.place}: no SSH server answers in {self._ssh.connect:g} s ({line_of(error)})"
            ) from None
        if not known:
            where = self._ssh.known_hosts
            raise LoginFault(f"{self.place}: unknown host key: not in {where}, got {_fingerprint(got)}")
        expected = known.get(got.get_name())
        if expected is None or expected.asbytes() != got.asbytes():
            wanted = " or ".join(_fingerprint(key) for key in ([expected] if expected else known.values()))
            raise LoginFault(
                f"{self.place}: changed host key: expected {wanted}, got {_fingerprint(got)}; "
                "another server, or somebody in between"
            )

    def _authenticate(
        self, transport: paramiko.Transport, key: paramiko.PKey | None, password: str | None
    ) -> None:
        what = "key" if key is not None else "password"
        try:
            if key is not None:
                left = transport.auth_publickey(self._ssh.user, key)
            else:
                left = transport.auth_password(self._ssh.user, password or "")
        except BadAuthenticationType as error:
            offered = ", ".join(error.allowed_types) or "nothing"
            raise LoginFault(
                f"{self.place}: server does not offer login by {what}; it offers {offered}"
            ) from None
        except paramiko.AuthenticationException as error:
            said = line_of(error)
            if "pubkey algorithm" in said:
                raise LoginFault(f"{self.place}: {said}: {_OLD_SERVER}") from None
            if "timeout" in said:
                raise LoginFault(f"{self.place}: no login in {self._ssh.connect:g} s") from None
            named = f" {_fingerprint(key)}" if key is not None else ""
            raise LoginFault(f"{self.place}: {what}{named} refused ({said})") from None
        except Exception as error:
            raise LoginFault(f"{self.place}: connection lost while logging in ({line_of(error)})") from None
        if left:
            raise LoginFault(f"{self.place}: server wants a second step to log in: {', '.join(left)}")

    def _known_keys(self) -> dict[str, paramiko.PKey]:
        """The pinned host keys by type; empty when the known_hosts file does not name the host."""
        if self._ssh.host_key:
            key = self._parse_host_key(self._ssh.host_key)
            return {key.get_name(): key}
        hosts = paramiko.HostKeys()
        file = self._owner.parent / Path(self._ssh.known_hosts).expanduser()
        try:
            hosts.load(str(file))
        except (OSError, ValueError) as error:
            raise ConfigFault(
                self._owner, "admin.ssh.known_hosts", f"a readable known_hosts file {file}", line_of(error)
            ) from None
        name = self._ssh.host if self._ssh.port == 22 else f"[{self._ssh.host}]:{self._ssh.port}"
        found = hosts.lookup(name)
        return dict(found.items()) if found is not None else {}

    def _parse_host_key(self, line: str) -> paramiko.PKey:
        words = line.split()
        for kind, data in itertools.pairwise(words):
            try:
                return paramiko.PKey.from_type_string(kind, base64.b64decode(data, validate=True))
            except (paramiko.SSHException, UnknownKeyType, binascii.Error, ValueError):
                continue
        expected = "a public key as in known_hosts, 'ssh-ed25519 AAAA...'"
        raise ConfigFault(self._owner, "admin.ssh.host_key", expected, repr(line[:80]))

    def _private_key(self) -> paramiko.PKey | None:
        if self._ssh.key is None:
            return None
        file, passphrase = self._key_file(self._ssh.key), None
        if self._ssh.passphrase is not None:
            passphrase = self._ssh.passphrase.resolve(self._owner, "admin.ssh.passphrase").encode()
        try:
            return paramiko.PKey.from_path(file, passphrase)  # type: ignore[arg-type]  # takes bytes, typed str
        except OSError as error:
            got = error.strerror or line_of(error)
        except (paramiko.SSHException, UnknownKeyType, TypeError, ValueError) as error:
            got = line_of(error)
        expected = f"a readable private key {file}" + (" that its passphrase opens" if passphrase else "")
        raise ConfigFault(self._owner, "admin.ssh.key", expected, got)

    def _key_file(self, key: SecretRef) -> Path:
        """The key's path: ``file`` is that path, ``env`` names the variable that holds it."""
        path = key.file or os.environ.get(key.env, "")
        if not path:
            raise ConfigFault(
                self._owner, "admin.ssh.key", f"environment variable {key.env} to be set", "unset"
            )
        return self._owner.parent / Path(path).expanduser()

    def _password(self) -> str | None:
        if self._ssh.password is None:
            return None
        return self._ssh.password.resolve(self._owner, "admin.ssh.password")


def _signatures(key_type: str) -> tuple[str, ...]:
    """Names under which a host key of this type is negotiated (RFC 8332 3 for RSA)."""
    return ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa") if key_type == "ssh-rsa" else (key_type,)


def close_channel(channel: paramiko.Channel) -> None:
    """Close, whatever state the connection is in."""
    # Closing says goodbye over a connection that may have gone in this moment.
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        channel.close()


def _fingerprint(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.fingerprint}"


def line_of(error: BaseException) -> str:
    """An error of the library or the system in one short line."""
    said = " ".join(str(error).split())[:200]
    if isinstance(error, (paramiko.SSHException, OSError)) and said:
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
