"""An HTTP server inside the test: what it is asked, it remembers, and ``answer`` says what it answers."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from featuresync.bench.lab.certificates import issue
from featuresync.profile import Http, SecretRef


class Asked(NamedTuple):
    """One request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


class Said(NamedTuple):
    """One answer."""

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = MappingProxyType({})


Answer = Callable[[Asked], Said]


@dataclass
class HttpServer:
    """Listens on a loopback port while it is entered. ``tls`` is a folder where its ``ca.pem`` is put."""

    answer: Answer = lambda asked: Said()
    tls: Path | None = None
    names: tuple[str, ...] = ("127.0.0.1",)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> HttpServer:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def setup(self) -> None:
                super().setup()
                owner.connections += 1
                owner.sockets.append(self.connection)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

            def carry_out(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                headers = {name.lower(): line for name, line in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                owner.asked.append(asked)
                said = owner.answer(asked)
                data = said.body.encode() if isinstance(said.body, str) else said.body
                self.send_response(said.status)
                for name, line in {"Content-Length": str(len(data)), **said.headers}.items():
                    self.send_header(name, line)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = carry_out  # noqa: N815

        self.sockets: list[object] = []
        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        if self.tls is not None:
            made = issue(self.names)
            (self.tls / "ca.pem").write_bytes(made.ca)
            (self.tls / "server.pem").write_bytes(made.certificate + made.key)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls / "server.pem")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def drop(self) -> None:
        """Cut every connection, as a restarted server does."""
        for connection in self.sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(2)  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


def settings(server: HttpServer, path: str = "", **changes: object) -> Http:
    """How a bench file would name the server."""
    known = {"base_url": server.url + path, "connect": 5, "command": 5, "user": "admin"}
    known |= {"password": SecretRef(file="password")} | changes
    return Http(**known)


@contextlib.contextmanager
def dribbling_server(pieces: Iterator[bytes]) -> Iterator[int]:
    """A port that answers whatever it gets with one piece each 20 ms, until nobody listens any more."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                for piece in pieces:
                    connection.sendall(piece)
                    if over.wait(0.02):
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join(10)
