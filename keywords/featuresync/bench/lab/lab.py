"""A lab: the SIP servers that stand in for a vendor and one sshd, on loopback, with a bench file."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import tomli_w

from ...errors import BenchFault
from ...profile import Bench, Profile, load_bench
from . import addresses, certificates
from .composition import Front, compose
from .engine import SIP_PORT, TLS_PORT, Engine, Ports, SipServer
from .places import runtime
from .process import Keeper, Server
from .sshd import SSH_PORT, USER, Sshd
from .tree import Tree, ensure

Transport = Literal["udp", "tcp", "tls"]
ACCOUNTS = {"primary": "1001", "other": "1002", "target": "1003"}
TARGETS = ("1003", "1004")
USERS = ("1001", "1002", "1003", "1004")
SECRETS = "lab-secrets"


@dataclass
class Lab:
    """Servers that run, and the bench file that tells where. Stop it, or use it as a context manager.

    ``file`` is the bench file, ``bench`` what it says; ``run`` holds the servers' files; phones talk to the
    first of ``sip``. Whatever ends this process ends the servers too and removes their files, unless the
    lab was detached.
    """

    profile: Profile
    file: Path
    bench: Bench
    tree: Tree
    run: Path
    sip: tuple[SipServer, ...]
    servers: tuple[Server, ...]
    keeper: Keeper
    block: addresses.Block

    @classmethod
    def start(
        cls,
        profile: Profile,
        folder: Path,
        *,
        transport: Transport = "udp",
        ipv6: bool = False,
        faults: Iterable[str] = (),
        tree: Tree | None = None,
    ) -> Lab:
        """Start the servers of ``profile.lab`` and write ``bench.toml`` into ``folder``.

        ``faults`` are deliberate breakages of the engine (``engine.toml`` names them). Fetches the
        programs when they are not there yet. Raises BenchFault; nothing is left running then.
        """
        faults = tuple(faults)
        if profile.lab is None:
            raise BenchFault(f"{profile.vendor.name}: no engine of the lab stands in for it")
        engine = profile.lab.engine
        recipe = Engine.load(engine).check(profile, faults)
        tree = tree or ensure()
        block = addresses.lease()
        try:
            run = _run_folder(block)
            folder = folder.absolute()
            mine = [folder / "bench.toml", folder / SECRETS] if folder.exists() else [folder]
            keeper = Keeper([run, *mine], block.holder)
        except BaseException:
            block.release()
            raise
        try:
            passwords = {user: secrets.token_urlsafe(12) for user in USERS}
            issued = certificates.issue([block.server, block.without, "::1"]) if transport == "tls" else None
            front = Front(
                block, Ports(addresses.port(block.server, SIP_PORT), addresses.port(block.server, TLS_PORT)),
                f"lab{block.number}.invalid" if ipv6 else block.server, issued, ipv6,
            )  # fmt: skip
            sip = compose(profile, front, tree, run, passwords, faults)
            host_key, client_key = certificates.key_pair(), certificates.key_pair()
            ssh_port = addresses.port(block.admin, SSH_PORT)
            programs = {name: words for one in sip for name, words in one.programs.items()}
            sshd = Sshd(
                tree, run, block, ssh_port, host_key, client_key.public, programs, recipe.kind == "ssh-shell"
            )
            for one in sip:
                one.write()
            sshd.write()
            servers = (
                *(keeper.run(one.name, one.command(), run) for one in sip),
                keeper.run("sshd", sshd.command(), run, sshd.env),
            )
            for one, server in zip(sip, servers, strict=False):
                server.wait_ready(one.ready)
            servers[-1].wait_ready(lambda: bool(sshd.banner()))
            # What stands in comes first, then what helps it.
            titles = [one.title() for one in sorted(sip, key=lambda one: one.name != engine)]

            hidden = folder / SECRETS
            hidden.mkdir(mode=0o700, parents=True, exist_ok=True)
            for user, secret in passwords.items():
                _secret(hidden / user, secret)
            _secret(hidden / "admin.key", client_key.private.decode())
            if issued:
                (hidden / "ca.pem").write_bytes(issued.ca)
            values = _bench(profile, front, transport)
            values["admin"]["ssh"] |= {"port": ssh_port, "host_key": host_key.public}
            values["fingerprint"] = " · ".join([*titles, f"OpenSSH {sshd.version()}"])
            values["recipes"] = {profile.lab.recipe: recipe.model_dump(mode="json", exclude_none=True)}
            file = folder / "bench.toml"
            file.write_text(tomli_w.dumps(values), encoding="utf-8")
            return cls(profile, file, load_bench(file), tree, run, sip, servers, keeper, block)
        except BaseException:
            keeper.stop()
            block.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the servers and remove their files and ours. May be called again. Raises BenchFault."""
        try:
            self.keeper.stop()
        finally:
            self.block.release()

    def detach(self) -> None:
        """Let the lab outlive this process. Its keeper goes on holding the addresses."""
        self.keeper.detach()
        self.block.release()

    def password(self, user: str) -> str:
        """Of one of 1001 to 1004. The targets' passwords stand in files beside the accounts'."""
        return (self.file.parent / SECRETS / user).read_text(encoding="utf-8")

    def logs(self) -> dict[str, str]:
        """What each server has written so far, by name."""
        return {
            server.name: server.log.read_text(encoding="utf-8", errors="replace") for server in self.servers
        }


def _run_folder(block: addresses.Block) -> Path:
    """A fresh private folder for the block. One that is there was left by a lab that is dead, since its
    block is ours now; the name says for which network namespace that holds."""
    namespace = os.stat("/proc/self/ns/net").st_ino
    run = runtime() / f"lab-{namespace}-{block.number}"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(mode=0o700)
    return run


def _secret(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)


def _bench(profile: Profile, front: Front, transport: Transport) -> dict[str, Any]:
    """What the bench file says, but for what only the running servers know."""
    assert profile.lab is not None
    block, secure = front.block, transport == "tls"
    sip: dict[str, Any] = {
        "address": block.server, "port": front.ports.tls if secure else front.ports.sip,
        "transport": transport, "domain": front.domain, "local": block.phones,
    }  # fmt: skip
    if secure:
        sip["tls"] = {"ca": f"{SECRETS}/ca.pem", "verify": True}
    off = {"without_package": sip | {"address": block.without}} if profile.lab.engine == "kamailio" else {}
    if front.ipv6:
        sip = sip | {"address": "::1", "port": block.v6_ports[secure], "local": "::1"}
    return {
        "name": f"lab-{profile.vendor.name}",
        "vendor": profile.vendor.name,
        "targets": list(TARGETS),
        "standin": not profile.vendor.itself,
        # On loopback all comes in milliseconds; three seconds are ample even on a busy machine.
        "deadlines": {
            "full_state": 3.0, "confirmation": 3.0, "push": 3.0, "ring": 3.0, "no_answer": 12.0,
        },
        "sip": sip,
        **off,
        "accounts": {
            role: {"user": user, "password": {"file": f"{SECRETS}/{user}"}}
            for role, user in ACCOUNTS.items()
        },
        "admin": {
            "recipe": profile.lab.recipe,
            "ssh": {"host": block.admin, "user": USER, "key": {"file": f"{SECRETS}/admin.key"}},
        },
    }  # fmt: skip
