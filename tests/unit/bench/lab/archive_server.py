"""A Debian archive in miniature, served on loopback: packages with real ELF files in them."""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LIB = "usr/lib/x86_64-linux-gnu"


def elf_file(*needed: str) -> bytes:
    """A 64-bit little-endian ELF file with a dynamic section that needs these SONAMEs."""
    strings = b"\0"
    entries = []
    for name in needed:
        entries.append((1, len(strings)))
        strings += name.encode() + b"\0"
    at = 64 + 2 * 56
    base = 0x400000
    entries += [(5, base + at), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    where = at + len(strings)
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0
    )
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, base, base, where + len(dynamic), where + len(dynamic), 4096)
    table = struct.pack("<IIQQQQQQ", 2, 4, where, base + where, 0, len(dynamic), len(dynamic), 8)
    return header + load + table + strings + dynamic


def ar_member(name: str, data: bytes) -> bytes:
    return (
        f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        + data
        + b"\n" * (len(data) & 1)
    )


def package(*members: tuple[str, bytes | str]) -> bytes:
    """A .deb: a member's text is a symbolic link's target, its bytes a file's content."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size, entry.mode = len(content), 0o755
                archive.addfile(entry, io.BytesIO(content))
    return b"!<arch>\n" + ar_member("debian-binary", b"2.0\n") + ar_member("data.tar.xz", packed.getvalue())


class Archive:
    """What the server has, by path; ``asked`` lists the paths asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.rows: dict[str, dict[str, object]] = {}
        self.asked: list[str] = []
        self.url = ""
        self.hold = threading.Event()
        self.hold.set()

    def add(self, name: str, *members: tuple[str, bytes | str], depends: str = "") -> None:
        content = package(*members)
        path = f"pool/main/{name[0]}/{name}/{name}_1.0-1_amd64.deb"
        self.files[path] = content
        self.rows[name] = {
            "version": "1.0-1", "filename": path, "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content), "depends": depends,
        }  # fmt: skip

    def publish(self, suite: str = "forky") -> None:
        """Write the index and a Release file (signed by nobody) for what was added."""
        text = "".join(
            f"Package: {name}\nVersion: {row['version']}\nFilename: {row['filename']}\nSize: {row['size']}\n"
            f"SHA256: {row['sha256']}\nDepends: {row['depends']}\n\n"
            for name, row in self.rows.items()
        )
        packed = lzma.compress(text.encode())
        digest = hashlib.sha256(packed).hexdigest()
        self.files[f"dists/{suite}/main/binary-amd64/by-hash/SHA256/{digest}"] = packed
        release = f"Suite: {suite}\nSHA256:\n {digest} {len(packed)} main/binary-amd64/Packages.xz\n"
        self.files[f"dists/{suite}/InRelease"] = release.encode()


@contextmanager
def serving() -> Iterator[Archive]:
    archive = Archive()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/debian/")
            archive.asked.append(path)
            archive.hold.wait(10)
            content = archive.files.get(path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    archive.url = f"http://127.0.0.1:{server.server_port}/debian"
    try:
        yield archive
    finally:
        archive.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
