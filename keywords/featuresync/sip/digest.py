"""HTTP Digest in SIP (RFC 3261 22, RFC 7616, RFC 8760): the phone's answers and the server's check.

``Challenge`` and ``Answer`` are read leniently and never raise; what is wrong with them is listed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .message import Message
from .uri import split_outside_quotes, unquote

# Algorithm token (RFC 7616 3.3, RFC 8760 2.1) → name in hashlib; sha512_256 depends on the OpenSSL at hand.
_HASHES = {
    token: name
    for token, name in {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}.items()
    if name in hashlib.algorithms_available
}
SUPPORTED = (*_HASHES, *(f"{token}-sess" for token in _HASHES))
_CANONICAL = {token.lower(): token for token in SUPPORTED}

_SCHEME = re.compile(r"\s*([^\s=,\"]+)(?:\s+(?![\s=])(.*))?\s*", re.DOTALL)
_PARAMETER = re.compile(r"\s*([^\s=\"]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s\",]+)\s*", re.DOTALL)
_MAX_VALUE, _MAX_CHALLENGES, _MAX_REMEMBERED, _MAX_ATTEMPTS = 8192, 32, 64, 3

# RFC 7616 3.3: these stand in quotes in a challenge, those never.
_QUOTED, _BARE = ("realm", "nonce", "opaque", "qop"), ("algorithm", "stale")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a 401 or 407. ``algorithm`` is ``MD5`` when the server names none."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False
    userhash: bool = False
    scheme: str = "Digest"
    problems: tuple[str, ...] = ()
    answerable: bool = True
    """False when it is not Digest, lacks realm or nonce, or asks for what is not supported here."""

    def __str__(self) -> str:
        """The header value a server sends."""
        items = [f"realm={_quote(self.realm)}", f"nonce={_quote(self.nonce)}"]
        items += [f"algorithm={self.algorithm}"] if self.algorithm else []
        items += [f'qop="{",".join(self.qop)}"'] if self.qop else []
        items += [f"opaque={_quote(self.opaque)}"] if self.opaque is not None else []
        items += ["stale=true"] if self.stale else []
        items += ["userhash=true"] if self.userhash else []
        return f"{self.scheme} {', '.join(items)}"


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """Every challenge in order, whether each has a header of its own or commas join them.

    Never raises: one that cannot be read is listed too, with ``problems`` and not ``answerable``.
    """
    found: list[Challenge] = []
    for value in values:
        for scheme, items in _schemes(value[:_MAX_VALUE]):
            if len(found) < _MAX_CHALLENGES:
                found.append(_challenge(scheme, items))
    return found


def _schemes(value: str) -> list[tuple[str, list[str]]]:
    """``Digest a=b, c=d, Basic e=f`` → ``[("Digest", ["a=b", "c=d"]), ("Basic", ["e=f"])]``."""
    found: list[tuple[str, list[str]]] = []
    for item in split_outside_quotes(value, ","):
        start = _SCHEME.fullmatch(item)
        if start is not None:
            found.append((start[1], [start[2]] if start[2] else []))
        elif item.strip():
            if not found:
                found.append(("", []))
            found[-1][1].append(item)
    return found


def _read(items: Iterable[str]) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Parameters without quotes, as written, and what could not be read."""
    values: dict[str, str] = {}
    written: dict[str, str] = {}
    problems: list[str] = []
    for item in items:
        match = _PARAMETER.fullmatch(item)
        if match is None:
            problems.append(f"unreadable parameter {item.strip()[:40]!r}")
            continue
        name = match[1].lower()
        if name in values:
            problems.append(f"{name} stands twice")
            continue
        written[name] = match[2]
        values[name] = unquote(match[2])
    return values, written, problems


def _challenge(scheme: str, items: list[str]) -> Challenge:
    if scheme.lower() != "digest":
        return Challenge(
            "", "", "", scheme=scheme, problems=(f"scheme {scheme[:40]!r} is not Digest",), answerable=False
        )
    values, written, problems = _read(items)
    fatal = [f"no {name}" for name in ("realm", "nonce") if name not in values]
    algorithm = values.get("algorithm", "MD5")
    if algorithm.lower() not in _CANONICAL:
        fatal.append(f"algorithm {algorithm[:40]!r} is not supported")
    qop = tuple(word.strip().lower() for word in values.get("qop", "").split(",") if word.strip())
    if qop and not {"auth", "auth-int"} & set(qop):
        fatal.append(f"no supported qop in {values['qop'][:40]!r}")
    problems += [f"{n} is not quoted" for n in _QUOTED if not written.get(n, '"').startswith('"')]
    problems += [f"{n} is quoted" for n in _BARE if written.get(n, "").startswith('"')]
    return Challenge(
        realm=values.get("realm", ""),
        nonce=values.get("nonce", ""),
        algorithm=_CANONICAL.get(algorithm.lower(), algorithm),
        qop=qop,
        opaque=values.get("opaque"),
        stale=values.get("stale", "").lower() == "true",
        userhash=values.get("userhash", "").lower() == "true",
        problems=(*fatal, *problems),
        answerable=not fatal,
    )


# -- the arithmetic (RFC 7616 3.4) --------------------------------------------------------------


def digest(algorithm: str, text: str | bytes) -> str:
    """Hex hash under an algorithm token; ``-sess`` does not change the hash. KeyError when unsupported."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    name = _HASHES[_CANONICAL[algorithm.lower()].removesuffix("-sess")]
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()


def secret_of(user: str, realm: str, password: str, algorithm: str = "MD5") -> str:
    """H(user:realm:password): what a server stores of an account."""
    return digest(algorithm, f"{user}:{realm}:{password}")


def response_of(
    secret: str, algorithm: str, nonce: str, method: str, uri: str, body: bytes = b"",
    qop: str = "", nc: str = "", cnonce: str = "",
) -> str:  # fmt: skip
    """The ``response`` parameter. ``secret`` is H(user:realm:password), ``nc`` eight hex digits."""
    ha1 = digest(algorithm, f"{secret}:{nonce}:{cnonce}") if algorithm.lower().endswith("-sess") else secret
    a2 = f"{method}:{uri}:{digest(algorithm, body)}" if qop == "auth-int" else f"{method}:{uri}"
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return digest(algorithm, f"{ha1}:{middle}:{digest(algorithm, a2)}")


# -- the phone's side ---------------------------------------------------------------------------


class Credentials:
    """A user and password. The hash of both is kept per realm and algorithm."""

    def __init__(self, user: str, password: str) -> None:
        self.user, self._password = user, password
        self._secrets: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"Credentials({self.user!r}, ...)"

    def answer(self, challenge: Challenge, method: str, uri: str, body: bytes, nc: int, cnonce: str) -> str:
        """The value of Authorization or Proxy-Authorization.

        ``auth`` is preferred to ``auth-int``. The user name is sent plainly even where ``userhash``
        is offered, which RFC 7616 3.4.4 allows. KeyError when the algorithm is not supported.
        """
        key = (challenge.realm, challenge.algorithm.removesuffix("-sess"))
        if key not in self._secrets:
            self._secrets[key] = secret_of(self.user, challenge.realm, self._password, challenge.algorithm)
        qop = next((word for word in ("auth", "auth-int") if word in challenge.qop), "")
        count = f"{nc:08x}"
        response = response_of(
            self._secrets[key], challenge.algorithm, challenge.nonce, method, uri, body, qop, count, cnonce
        )
        items = [("username", self.user), ("realm", challenge.realm), ("nonce", challenge.nonce)]
        items += [("uri", uri), ("response", response)]
        items += [("opaque", challenge.opaque)] if challenge.opaque is not None else []
        session = challenge.algorithm.endswith("-sess")
        items += [("cnonce", cnonce)] if qop or session else []
        text = ", ".join(f"{name}={_quote(value)}" for name, value in items)
        return f"Digest {text}, algorithm={challenge.algorithm}" + (f", qop={qop}, nc={count}" if qop else "")


@dataclass(slots=True)
class _Held:
    """The challenge in force for a realm, how often its nonce was used, and its session's cnonce."""

    challenge: Challenge
    nc: int
    session: str


class Authenticator:
    """Answers challenges for one account: the last challenge of each realm, nonce counts, retries.

    ``tokens`` gives a fresh unguessable token at each call (cnonce). With a ``-sess`` algorithm one
    cnonce serves a nonce's whole life, because the session key is made of the first (RFC 7616 3.4.2).
    """

    def __init__(self, credentials: Credentials, tokens: Callable[[], str]) -> None:
        self._credentials, self._tokens = credentials, tokens
        self._held: dict[tuple[bool, str], _Held] = {}
        self._newest: tuple[bool, str] | None = None
        self._attempts: dict[tuple[str, bool], tuple[int, int]] = {}

    def remember(self, response: Message) -> bool:
        """Take a 401 or 407 in; True when the request should be sent again with ``header``.

        Of several challenges the topmost supported one counts (RFC 8760 2.4). False when there is
        none, when the retry itself was refused without ``stale`` (RFC 3261 22.4: the password is
        wrong), or at the third retry in a row. A retry is known by its Call-ID and CSeq plus one.
        """
        if response.status not in (401, 407):
            return False
        proxy = response.status == 407
        offered = parse_challenges(response.headers("proxy-authenticate" if proxy else "www-authenticate"))
        challenge = next((one for one in offered if one.answerable), None)
        if challenge is None:
            return False
        chain = (response.call_id, proxy)
        last_cseq, attempts = self._attempts.pop(chain, (-1, 0))
        retried = response.cseq == last_cseq + 1 and attempts > 0
        self._hold((proxy, challenge.realm), challenge)
        if retried and (not challenge.stale or attempts >= _MAX_ATTEMPTS):
            return False
        _bound(self._attempts)
        self._attempts[chain] = (response.cseq, attempts + 1 if retried else 1)
        return True

    def _hold(self, key: tuple[bool, str], challenge: Challenge) -> None:
        before = self._held.pop(key, None)
        same = before is not None and before.challenge.nonce == challenge.nonce
        _bound(self._held)
        # The count belongs to the nonce: a server that hands out the same one again goes on counting.
        self._held[key] = (
            _Held(challenge, before.nc, before.session) if before and same else _Held(challenge, 0, "")
        )
        self._newest = key

    def header(self, method: str, uri: str, body: bytes = b"") -> tuple[str, str] | None:
        """Header name and value for the newest challenge, None before any. Each call counts ``nc``."""
        return self._answer(self._newest, method, uri, body) if self._newest is not None else None

    def headers(self, method: str, uri: str, body: bytes = b"") -> list[tuple[str, str]]:
        """One header for every realm that has challenged (RFC 3261 22.3)."""
        return [self._answer(key, method, uri, body) for key in self._held]

    def _answer(self, key: tuple[bool, str], method: str, uri: str, body: bytes) -> tuple[str, str]:
        held = self._held[key]
        held.nc += 1
        if held.challenge.algorithm.endswith("-sess"):
            held.session = held.session or self._tokens()
        cnonce = held.session or self._tokens()
        value = self._credentials.answer(held.challenge, method, uri, body, held.nc, cnonce)
        return ("Proxy-Authorization" if key[0] else "Authorization"), value


# -- the server's side --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """Credentials as a client sent them. ``nc`` is None when it is absent or no number."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str = ""
    nc: int | None = None
    cnonce: str = ""
    opaque: str | None = None
    userhash: bool = False
    problems: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: str) -> Answer:
        """Never raises: what cannot be read is "" and listed in ``problems``."""
        schemes = _schemes(value[:_MAX_VALUE])
        values, _, problems = _read(schemes[0][1] if schemes else ())
        if len(schemes) != 1 or schemes[0][0].lower() != "digest":
            problems.insert(0, "not one set of Digest credentials")
        due = "username realm nonce uri response".split()
        problems += [f"no {name}" for name in due if name not in values]
        algorithm, qop = values.get("algorithm", "MD5"), values.get("qop", "").lower()
        if algorithm.lower() not in _CANONICAL:
            problems.append(f"algorithm {algorithm[:40]!r} is not supported")
        if qop not in ("", "auth", "auth-int"):
            problems.append(f"qop {qop[:40]!r} is not supported")
        count = values.get("nc", "")
        counted = re.fullmatch(r"[0-9a-fA-F]{8}", count) is not None
        if qop and not (counted and values.get("cnonce")):
            problems.append("qop without cnonce and an nc of 8 hex digits")
        return cls(
            username=values.get("username", ""),
            realm=values.get("realm", ""),
            nonce=values.get("nonce", ""),
            uri=values.get("uri", ""),
            response=values.get("response", ""),
            algorithm=_CANONICAL.get(algorithm.lower(), algorithm),
            qop=qop,
            nc=int(count, 16) if counted else None,
            cnonce=values.get("cnonce", ""),
            opaque=values.get("opaque"),
            userhash=values.get("userhash", "").lower() == "true",
            problems=tuple(problems),
        )


def verify(
    value: str, method: str, body: bytes, lookup: Callable[[Answer], str | None]
) -> tuple[Answer, str]:
    """Check an Authorization value: the answer, and why it is refused ("" when it is right).

    ``lookup`` gives H(user:realm:password) under the answer's algorithm (``secret_of``), or None when
    the account is unknown; with ``userhash`` the user name is H(user:realm). Whether the nonce is
    ours and fresh, ``nc`` new and ``uri`` the Request-URI is the caller's to decide.
    """
    answer = Answer.parse(value)
    if answer.problems:
        return answer, "; ".join(answer.problems)
    secret = lookup(answer)
    if secret is None:
        return answer, "unknown user"
    count = f"{answer.nc:08x}" if answer.nc is not None else ""
    due = response_of(
        secret, answer.algorithm, answer.nonce, method, answer.uri, body, answer.qop, count, answer.cnonce
    )
    given = answer.response.lower().encode("utf-8", "surrogateescape")
    return answer, "" if hmac.compare_digest(due.encode("ascii"), given) else "wrong response"


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bound(held: dict[Any, Any]) -> None:
    if len(held) >= _MAX_REMEMBERED:
        held.pop(next(iter(held)))
