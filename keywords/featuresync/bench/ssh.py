"""The SSH session to the bench: a pinned host key, one way to log in, a deadline on everything.

Only exec channels are used: a command, its exit code, its output. Nothing is read from a prompt, no agent
and no key of the user's home is tried, and a command is never sent twice. Every failure is one line. Broad
``except Exception`` clauses stand around calls of the library, which lets a broken server's bytes come out
as any kind of error.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import itertools
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import paramiko
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import BadAuthenticationType, IncompatiblePeer

from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import SecretRef, Ssh

from .transcript import Exchange, Transcript

OUTPUT_LIMIT = 256 * 1024
"""Bytes of standard output and standard error together; the state of an account is a few lines."""

_OLD_SERVER = (
    "most likely the server knows only SHA-1, which paramiko 5 no longer speaks; remedy: update the server's "
    "SSH, or install 'paramiko<5' for this bench"
)

# The library logs every failed login with its traceback; ours are told in one line by BenchFault.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class LoginFault(BenchFault):
    """Nobody we know answers at the address, or it does not let us in: no command was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gave back. ``started`` is seconds since the epoch, ``seconds`` how long it took."""

    command: str
    rc: int
    stdout: str
    stderr: str
    started: float
    seconds: float


class SshSession:
    """One connection to the server's administration, made at the first command and then kept.

    ``owner`` is the bench file: secrets and paths are relative to it. ``ssh.connect`` limits each step of
    logging in (connection, banner, key exchange, authentication), ``ssh.command`` the opening of a channel
    and the whole of each command, in seconds. Not for two threads at once.
    """

    def __init__(self, ssh: Ssh, owner: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.transcript = Transcript()
        self._ssh, self._owner, self._clock = ssh, owner, clock
        self._place = f"SSH {ssh.user}@{ssh.host}:{ssh.port}"
        self._transport: paramiko.Transport | None = None

    def __enter__(self) -> SshSession:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connect(self) -> None:
        """Log in, unless that is done. Raises LoginFault, or ConfigFault for the bench file's mistakes."""
        if self._transport is not None and self._transport.is_active():
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

    def run(self, command: str, *, check: bool = True) -> Answer:
        """Run one command and wait for its end.

        A connection that dropped since the last command is made anew once. Raises BenchFault when the
        command cannot be sent, does not end in time, prints more than ``OUTPUT_LIMIT``, ends without an
        exit code or, unless ``check`` is False, with one that is not 0. Output is UTF-8, repaired if need be.
        """
        channel = self._open_channel()
        started, begun = self._clock(), time.monotonic()
        out, err, rc, fault = bytearray(), bytearray(), None, ""
        try:
            self._execute(channel, command)
            fault = self._collect(channel, begun + self._ssh.command, out, err)
            rc = None if fault or channel.exit_status < 0 else channel.exit_status
            if rc is None and not fault:
                fault = "ended without an exit code (killed, or the connection dropped)"
        except Exception as error:
            fault = f"not run: the server refuses commands or dropped the connection ({_line(error)})"
            if time.monotonic() - begun >= self._ssh.command:
                fault = f"no answer in {self._ssh.command:g} s"
        finally:
            _close(channel)
        if rc is None:
            self.close()
        stdout, stderr = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
        if rc and check:
            first = next((line.strip() for line in stderr.splitlines() if line.strip()), "nothing on stderr")
            fault = f"exit code {rc}: {first[:200]}"
        parts = [text.rstrip("\n") for text in (stdout, stderr, fault and f"({fault})") if text]
        self.transcript.add(Exchange(started, command, rc, "\n".join(parts)))
        if fault or rc is None:
            raise BenchFault(f"{self._place}: {command!r}: {fault}")
        return Answer(command, rc, stdout, stderr, started, time.monotonic() - begun)

    def _open_channel(self) -> paramiko.Channel:
        fresh = self._transport is None
        self.connect()
        try:
            return self._session()
        except Exception as error:
            if fresh:
                self.close()
                raise BenchFault(f"{self._place}: no channel for commands ({_line(error)})") from None
        # Nothing was sent on the old connection, so a second try cannot run a command twice.
        self.close()
        return self._open_channel()

    def _session(self) -> paramiko.Channel:
        if self._transport is None:
            raise EOFError("not connected")
        return self._transport.open_session(timeout=self._ssh.command)

    def _execute(self, channel: paramiko.Channel, command: str) -> None:
        # The library waits for the server's word without end; closing the channel is what wakes it.
        watchdog = threading.Timer(self._ssh.command, _close, [channel])
        watchdog.start()
        try:
            channel.exec_command(command)
            channel.shutdown_write()
        finally:
            watchdog.cancel()

    def _collect(self, channel: paramiko.Channel, end: float, out: bytearray, err: bytearray) -> str:
        """Read both streams to their end. Returns what went wrong, or ""."""
        with selectors.DefaultSelector() as selector:
            selector.register(channel.fileno(), selectors.EVENT_READ)
            while True:
                ended = channel.eof_received or channel.closed  # asked first: nothing comes after it
                before = len(out) + len(err)
                if channel.recv_ready():
                    out += channel.recv(65536)
                if channel.recv_stderr_ready():
                    err += channel.recv_stderr(65536)
                if len(out) + len(err) > OUTPUT_LIMIT:
                    return f"printed more than {OUTPUT_LIMIT // 1024} kB"
                left = end - time.monotonic()
                if left <= 0:
                    return f"no end in {self._ssh.command:g} s"
                if len(out) + len(err) == before:
                    if ended:
                        break
                    selector.select(left)
        ended = channel.status_event.wait(max(0.0, end - time.monotonic()))
        return "" if ended else f"no exit code in {self._ssh.command:g} s"

    def _open_transport(self) -> paramiko.Transport:
        host, port, seconds = self._ssh.host, self._ssh.port, self._ssh.connect
        try:
            sock = socket.create_connection((host, port), timeout=seconds)
        except socket.gaierror as error:
            raise LoginFault(f"{self._place}: host name cannot be resolved ({_line(error)})") from None
        except TimeoutError:
            raise LoginFault(f"{self._place}: host does not answer in {seconds:g} s") from None
        except ConnectionRefusedError:
            raise LoginFault(f"{self._place}: connection refused, nothing listens there") from None
        except OSError as error:
            raise LoginFault(f"{self._place}: host unreachable ({_line(error)})") from None
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
                f"{self._place}: no algorithm in common ({_line(error)}): {_OLD_SERVER}"
            ) from None
        except Exception as error:
            raise LoginFault(
                f"{self._place}: no SSH server answers in {self._ssh.connect:g} s ({_line(error)})"
            ) from None
        if not known:
            where = self._ssh.known_hosts
            raise LoginFault(f"{self._place}: unknown host key: not in {where}, got {_fingerprint(got)}")
        expected = known.get(got.get_name())
        if expected is None or expected.asbytes() != got.asbytes():
            wanted = " or ".join(_fingerprint(key) for key in ([expected] if expected else known.values()))
            raise LoginFault(
                f"{self._place}: changed host key: expected {wanted}, got {_fingerprint(got)}; "
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
                f"{self._place}: server does not offer login by {what}; it offers {offered}"
            ) from None
        except paramiko.AuthenticationException as error:
            said = _line(error)
            if "pubkey algorithm" in said:
                raise LoginFault(f"{self._place}: {said}: {_OLD_SERVER}") from None
            if "timeout" in said:
                raise LoginFault(f"{self._place}: no login in {self._ssh.connect:g} s") from None
            named = f" {_fingerprint(key)}" if key is not None else ""
            raise LoginFault(f"{self._place}: {what}{named} refused ({said})") from None
        except Exception as error:
            raise LoginFault(f"{self._place}: connection lost while logging in ({_line(error)})") from None
        if left:
            raise LoginFault(f"{self._place}: server wants a second step to log in: {', '.join(left)}")

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
                self._owner, "admin.ssh.known_hosts", f"a readable known_hosts file {file}", _line(error)
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
            got = error.strerror or _line(error)
        except (paramiko.SSHException, UnknownKeyType, TypeError, ValueError) as error:
            got = _line(error)
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


def _close(channel: paramiko.Channel) -> None:
    # Closing says goodbye over a connection that may have gone in this moment.
    with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
        channel.close()


def _fingerprint(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.fingerprint}"


def _line(error: BaseException) -> str:
    """An error of the library or the system in one short line."""
    said = " ".join(str(error).split())[:200]
    if isinstance(error, (paramiko.SSHException, OSError)) and said:
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
