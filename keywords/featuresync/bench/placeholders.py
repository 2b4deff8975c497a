"""Placeholders of a recipe, ``{name}``: which a text names, and what stands there when it is sent.

Only a lower-case name in braces is a placeholder, so the braces of a JSON body stay what they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from featuresync.errors import ConfigFault

NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = ("account", "on", "number", "rings", "token")
"""Placeholders with a meaning of their own; no value, secret or found group may be called so."""
HIDDEN = "xxxx"
"""What stands for a secret wherever a person may look."""
_SHORTEST = 4
"""A secret shorter than this is not looked for in answers: it would be found everywhere."""
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

Quote = Callable[[str, int], str]
"""Makes a value fit for the place (an offset in the template) where it is put in. Raises Unfit."""


class Unfit(ValueError):
    """A value that may not stand where the template puts it; says what would be expected."""


class Filled(NamedTuple):
    """A template with its values: as it is sent, and as it may be shown."""

    sent: str
    shown: str


def placeholders(template: str) -> Iterator[tuple[str, int]]:
    """Every placeholder's name and its offset in the template."""
    return ((match[1], match.start()) for match in _PLACEHOLDER.finditer(template))


def names(texts: Iterable[str]) -> set[str]:
    """The names of all placeholders in the texts."""
    return {name for text in texts for name, _ in placeholders(text)}


def fill(
    template: str,
    values: Mapping[str, str],
    secrets: Mapping[str, str],
    put_in: Quote,
    owner: str | Path,
    skip: str | None = None,
) -> Filled:
    """Put the values in, each made fit by ``put_in``.

    A name that is in neither mapping stays as it is, and so does one behind the character ``skip``.
    Raises ConfigFault, in the name of the file ``owner``, for a value that is not printable (so no line
    end is ever put in) or that ``put_in`` refuses.
    """
    sent, shown, place = "", "", 0
    for match in _PLACEHOLDER.finditer(template):
        name = match[1]
        value = secrets.get(name, values.get(name))
        if value is None or template[match.start() - 1 : match.start()] == skip:
            continue
        try:
            if not value.isprintable():
                raise Unfit("printable text on one line")
            made = put_in(value, match.start())
        except Unfit as error:
            got = "a secret that is none" if name in secrets else repr(value[:80])
            raise ConfigFault(owner, f"{{{name}}} in {template[:80]!r}", str(error), got) from None
        before = template[place : match.start()]
        sent, shown = sent + before + made, shown + before + (HIDDEN if name in secrets else made)
        place = match.end()
    return Filled(sent + template[place:], shown + template[place:])


def quoted(template: str, quotes: str = "'\"", raw: str = "'") -> dict[int, str]:
    """The quote around each character that stands inside quotes, by offset; in ``raw`` ones ``\\`` is itself.

    As a POSIX shell reads quotes; with other arguments as JSON reads strings.
    """
    inside, place, open_quote = {}, 0, ""
    while place < len(template):
        char = template[place]
        if char == open_quote:
            open_quote = ""
        elif open_quote:
            inside[place] = open_quote
        elif char in quotes:
            open_quote = char
        if char == "\\" and not (open_quote and open_quote in raw):
            place += 1
            if open_quote:
                inside[place] = open_quote
        place += 1
    return inside


def in_url(template: str) -> Quote:
    """Percent-encoding (RFC 3986 2.1). A path segment is neither empty nor made of dots only."""
    query = template.find("?")

    def put_in(value: str, place: int) -> str:
        if not 0 <= query < place and not value.strip("."):
            raise Unfit("text that can stand in a path")
        return quote(value, safe="")

    return put_in


def in_header(value: str, place: int) -> str:
    """As it is: printable ASCII (RFC 9110 5.5)."""
    if not value.isascii():
        raise Unfit("ASCII text, for a header")
    return value


def in_json(template: str) -> Quote:
    """Inside a string: escaped (RFC 8259 7). Outside: only a number, true, false or null."""
    strings = quoted(template, '"', "")

    def put_in(value: str, place: int) -> str:
        if place in strings:
            return json.dumps(value)[1:-1]
        if re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?|true|false|null", value):
            return value
        raise Unfit("a JSON number, true, false or null, as it stands outside of quotes")

    return put_in


def in_xml(value: str, place: int) -> str:
    """Escaped for text and for attribute values alike (XML 1.0 2.4)."""
    return escape(value)


def in_form(value: str, place: int) -> str:
    """As a form field (application/x-www-form-urlencoded)."""
    return quote(value, safe="").replace("%20", "+")


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret, as it is or as URLs, JSON and XML write it, shown as ``xxxx``."""
    forms = {
        form
        for secret in secrets
        if len(secret) >= _SHORTEST
        for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], escape(secret))
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text
