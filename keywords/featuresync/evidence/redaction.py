"""The one place that takes secrets out of evidence. Lengths stay, so that a cleaned capture still decodes.

Every byte of a digest ``response``, ``cnonce``, ``rspauth`` or nonce count, of other credentials in an
(Proxy-)Authorization header, of a private key block, of what stands after ``password``, and of each
secret the bench knows, wherever it stands, becomes ``x``. A nonce is no secret: it is sent in clear by
the server, and a capture without it cannot show a stale one.
"""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A known secret shorter than this is not looked for: it would overwrite ports and lengths everywhere."""

# A quote as it is written in SIP, in JSON or a log, in XML, in a URL.
_QUOTE = r'(?:\\?"|&quot;|&\#34;|%22|\')'
# One match per secret; the group "secret" is what is overwritten. All are linear: no nested repeats.
_PATTERNS = [
    re.compile(pattern, re.IGNORECASE | re.VERBOSE)
    for pattern in (
        # Digest parameters, quoted, anywhere; then unquoted: hexadecimal anywhere.
        rf"\b(?:response|cnonce|rspauth|nc)\s{{0,9}}=\s{{0,9}}(?P<q>{_QUOTE})(?P<secret>.*?)(?:(?P=q)|(?=[\r\n])|\Z)",
        r"\b(?:response|cnonce|rspauth|nc)\s{0,9}=\s{0,9}(?P<secret>[0-9a-f]{8,})",
        # Any other scheme than Digest: the whole rest of the header line, folded lines included.
        r"\bauthorization[\"']?[ \t]{0,9}[:=]\s{0,9}[\"']?(?!digest\b)[a-z0-9_-]+[ \t]+"
        r"(?P<secret>[^\r\n\"']+(?:\r?\n[ \t]+[^\r\n]+)*)",
        r"\b(?:bearer|basic)[ \t]+(?P<secret>[a-z0-9+/._~=-]{16,})",
        r"-----BEGIN[ ][a-z0-9 ]{0,40}PRIVATE[ ]KEY-----(?P<secret>[\s\S]*?)(?=-----END|\Z)",
        rf"\b(?:password|passwd|passphrase)(?:{_QUOTE})?\s{{0,9}}[:=]\s{{0,9}}(?P<q>{_QUOTE})(?P<secret>.*?)(?:(?P=q)|(?=[\r\n])|\Z)",
        r"\b(?:password|passwd|passphrase)\s{0,9}[:=]\s{0,9}(?P<secret>[^\s\"'<>;,&]+)",
        r"<(?:\w+:)?(?:password|passwd|passphrase)\b[^<>]*>(?P<secret>[^<]+)",
    )
]
_DIGEST = re.compile(
    r"\b(?:Proxy-)?Authorization[ \t]*:[ \t]*Digest\b[^\r\n]*(?:\r?\n[ \t]+[^\r\n]*)*", re.IGNORECASE
)
_UNQUOTED = re.compile(r"\b(?:response|cnonce|rspauth|nc)\s{0,9}=\s{0,9}(?P<secret>[^\s\",]+)", re.IGNORECASE)


class Redactor:
    """Cleans text and bytes of what no report may hold. ``secrets`` are those of the bench, in clear."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms: list[str] = []
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """One more secret, known from now on: a token that a login gave, say."""
        if len(secret) >= SHORTEST:
            self._forms = sorted({*self._forms, *_forms(secret)})

    def bytes(self, data: bytes) -> bytes:
        """The same number of bytes, secrets overwritten."""
        # Latin-1 gives each byte a character of its own; the forms of secrets are written that way too.
        return self._clean(data.decode("latin-1")).encode("latin-1")

    def text(self, text: str) -> str:
        """The text, each UTF-8 byte of a secret overwritten by one ``x``."""
        raw = text.encode("utf-8", "surrogatepass")
        return self.bytes(raw).decode("utf-8", "surrogatepass")

    def _clean(self, text: str) -> str:
        spans = [match.span("secret") for pattern in _PATTERNS for match in pattern.finditer(text)]
        spans += [span for form in self._forms for span in _occurrences(text, form)]
        for header in _DIGEST.finditer(text):
            spans += [match.span("secret") for match in _UNQUOTED.finditer(text, *header.span())]
        if not spans:
            return text
        return "".join(_overwritten(text, spans))


def _occurrences(text: str, form: str) -> Iterator[tuple[int, int]]:
    """Where the form stands, overlapping occurrences included."""
    place = text.find(form)
    while place >= 0:
        yield place, place + len(form)
        place = text.find(form, place + 1)


def _overwritten(text: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    """The text, the union of all spans overwritten; line ends stay, or headers would run together."""
    place = 0
    for start, end in sorted(spans):
        if end <= place:
            continue
        start = max(start, place)
        yield text[place:start]
        yield re.sub(r"[^\r\n]", "x", text[start:end])
        place = end
    yield text[place:]


def _forms(secret: str) -> Iterator[str]:
    """Every way a secret may be written, each byte as one Latin-1 character."""
    raw = secret.encode("utf-8", "surrogatepass")
    entities, apostrophes = escape(secret), ("&#x27;", "&#39;", "&apos;")
    forms = {secret, escape(secret, quote=False), escape(secret, quote=False).replace('"', "&quot;")}
    forms |= {entities.replace("&#x27;", apostrophe) for apostrophe in apostrophes}
    forms |= {secret.replace("\\", "\\\\").replace('"', '\\"'), shlex.quote(secret), repr(secret)[1:-1]}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    urls = {quote(raw, safe=""), quote_plus(raw), quote(raw)}
    forms |= urls | {re.sub("%..", lambda code: code[0].lower(), form) for form in urls}
    for form in forms:
        yield form.encode("utf-8", "surrogatepass").decode("latin-1")
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        # Inside a longer base64 text the secret starts at one of three places within a group.
        for lead in range(3):
            whole = encode(bytes(lead) + raw).decode()
            yield whole[-(-lead * 8 // 6) : (lead + len(raw)) * 8 // 6]
