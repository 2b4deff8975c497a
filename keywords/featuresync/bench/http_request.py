"""Requests of a recipe: values put in as each place wants them, and never a way off the base URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from featuresync.errors import ConfigFault
from featuresync.profile import Request

from .placeholders import Quote, fill, in_form, in_header, in_json, in_url, in_xml, names

_BODIES = "application/json, one of XML or application/x-www-form-urlencoded, as the body has placeholders"


class Prepared(NamedTuple):
    """A request to be sent. ``path`` is put behind the base URL; ``shown`` has no secret in it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    shown: str


def prepare(
    request: Request,
    headers: Mapping[str, str],
    values: Mapping[str, str],
    secrets: Mapping[str, str],
    owner: str | Path,
) -> Prepared:
    """Put the values in; ``headers`` are those of every request. Raises ConfigFault.

    No value can lead a path that ``check_request`` let pass elsewhere: each is encoded, and more than dots.
    """
    path = fill(request.path, values, secrets, in_url(request.path), owner)
    body = fill(request.body, values, secrets, _in_body(request) or _untouched, owner)
    lines = {**headers, **request.headers}
    filled = {name: fill(line, values, secrets, in_header, owner).sent for name, line in lines.items()}
    if request.type:
        filled["Content-Type"] = request.type
    shown = f"{request.method} {path.shown}" + (f"\n{body.shown}" if body.shown else "")
    return Prepared(request.method, path.sent, filled, body.sent.encode(), shown)


def check_request(request: Request, owner: str | Path, key: str) -> None:
    """Raise ConfigFault for what no value could make right."""
    if wrong := _wrong_path(re.sub(r"\{[a-z][a-z0-9_]*\}", "x", request.path)):
        raise ConfigFault(owner, f"{key}.path", wrong, repr(request.path))
    if names([request.body]) and _in_body(request) is None:
        raise ConfigFault(owner, f"{key}.type", _BODIES, repr(request.type))
    check_headers(request.headers, owner, f"{key}.headers")


def check_headers(headers: Mapping[str, str], owner: str | Path, key: str) -> None:
    for name, line in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):  # a token (RFC 9110 5.1)
            raise ConfigFault(owner, key, "the name of a header", repr(name))
        if not (line.isascii() and line.isprintable()):
            raise ConfigFault(owner, f"{key}.{name}", "printable ASCII", repr(line[:80]))


def _wrong_path(path: str) -> str:
    """What would be expected of the path, "" when it is right."""
    if not path.startswith("/") or path.startswith("//"):
        return "a path below admin.http.base_url: it begins with one /"
    if not path.isprintable() or "\\" in path or "#" in path:
        return r"a path without \, # (%23 in a query) and line ends"
    if any(unquote(segment) in (".", "..") for segment in path.partition("?")[0].split("/")):
        return "a path below admin.http.base_url: without . and .."
    return ""


def _in_body(request: Request) -> Quote | None:
    kind = request.type.partition(";")[0].strip().lower()
    if kind.endswith(("/json", "+json")):
        return in_json(request.body)
    if kind.endswith(("/xml", "+xml")):
        return in_xml
    return in_form if kind == "application/x-www-form-urlencoded" else None


def _untouched(value: str, place: int) -> str:
    raise AssertionError("a body with placeholders has a type: check_request")
