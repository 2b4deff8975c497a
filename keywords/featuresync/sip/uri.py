"""URIs and name-addr values (RFC 3261 19.1, 20.10), read leniently, written plainly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_URI = re.compile(
    r"(?P<scheme>sips?|tel):(?:(?P<user>[^@]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:;?>@\[\]\s]+)(?::(?P<port>\d{1,5}))?(?P<params>;[^?]*)?(?P<headers>\?.*)?",
    re.IGNORECASE | re.ASCII,
)
_TOKEN = re.compile(r"[\w.!%*+`'~\[\]:-]*", re.ASCII)


def parse_parameters(text: str) -> dict[str, str | None]:
    """``;a=b;c`` → ``{"a": "b", "c": None}``; names lower case, quotes taken off, first one wins."""
    found: dict[str, str | None] = {}
    for item in split_outside_quotes(text, ";"):
        name, equals, value = item.partition("=")
        if name.strip():
            found.setdefault(name.strip().lower(), unquote(value.strip()) if equals else None)
    return found


def unquote(value: str) -> str:
    """Take a quoted-string's quotes and backslashes off; anything else comes back as it is."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at ``separator`` where it stands outside ``"..."`` and ``<...>``."""
    if '"' not in text and "<" not in text:
        return text.split(separator)
    parts, start, quoted, angle, skip = [], 0, False, False, False
    for index, char in enumerate(text):
        if skip:
            skip = False
        elif quoted:
            skip, quoted = char == "\\", char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            angle = char == "<"
        elif char == separator and not angle:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts


@dataclass(frozen=True, slots=True)
class Uri:
    """A SIP, SIPS or TEL URI. ``port`` is None when it is not written."""

    scheme: str
    user: str
    host: str
    port: int | None = None
    parameters: dict[str, str | None] = field(default_factory=dict, hash=False)
    headers: str = ""
    """What follows the ``?``, as written."""

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Raises ValueError when the text is no URI."""
        match = _URI.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not a SIP URI: {text[:200]!r}")
        port = int(match["port"]) if match["port"] else None
        parameters = parse_parameters(match["params"] or "")
        if match["scheme"].lower() == "tel":
            return cls("tel", match["host"], "", None, parameters)
        headers = (match["headers"] or "")[1:]
        return cls(match["scheme"].lower(), match["user"] or "", match["host"], port, parameters, headers)

    def __str__(self) -> str:
        if self.scheme == "tel":
            text = f"tel:{self.user}"
        else:
            text = f"{self.scheme}:{self.user + '@' if self.user else ''}{self.host}"
            text += f":{self.port}" if self.port is not None else ""
        for name, value in self.parameters.items():
            text += f";{name}" if value is None else f";{name}={value}"
        return f"{text}?{self.headers}" if self.headers else text


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The value of From, To, Contact, Route: display name, URI as written, header parameters."""

    display: str
    uri: str
    parameters: dict[str, str | None] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Never raises: a value without angle brackets is read as RFC 3261 20.10 says."""
        head, angle, rest = text.partition("<") if '"' not in text else _partition_angle(text)
        if not angle:
            uri, _, tail = text.strip().partition(";")
            return cls("", uri.strip(), parse_parameters(tail))
        uri, _, tail = rest.partition(">")
        return cls(unquote(head.strip()), uri.strip(), parse_parameters(tail))

    def __str__(self) -> str:
        """Always with angle brackets; a display name or parameter is quoted where it must be."""
        text = f"{_quote(self.display)} <{self.uri}>" if self.display else f"<{self.uri}>"
        for name, value in self.parameters.items():
            if value is None:
                text += f";{name}"
            else:
                text += f";{name}={value if value and _TOKEN.fullmatch(value) else _quote(value)}"
        return text

    @property
    def tag(self) -> str:
        return self.parameters.get("tag") or ""


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _partition_angle(text: str) -> tuple[str, str, str]:
    quoted = skip = False
    for index, char in enumerate(text):
        if skip:
            skip = False
        elif quoted and char == "\\":
            skip = True
        elif char == '"':
            quoted = not quoted
        elif char == "<" and not quoted:
            return text[:index], "<", text[index + 1 :]
    return text, "", ""
