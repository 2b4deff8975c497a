"""No secret stays, no length changes, nothing else is touched."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from synthetic import AUTHORIZATION, SECRET, request

from featuresync.evidence.redaction import Redactor
from featuresync.sip.message import Message

NOBODY = Redactor(())


def x(text: str) -> str:
    return "x" * len(text)


@pytest.mark.parametrize(
    ("before", "secret"),
    [
        ('response="{}"', "0123456789abcdef0123456789abcdef"),
        ('response = "{}"', "short"),
        ('cnonce="{}"', "8badf00d"),
        ('rspauth="{}"', "8badf00d"),
        ("nc={}, qop=auth", "00000001"),
        ("log: response=\\\"{}\\\", uri=1", "abcdef"),
        ("<a>response=&quot;{}&quot;</a>", "abcdef"),
        ("Authorization: Digest username=\"a\", response={}, algorithm=MD5", "quite-odd"),
        ("Proxy-Authorization: Digest nonce=\"1\",\r\n cnonce={},\r\n nc=00000002\r\nCSeq: 1 A", "un1quoted"),
        ("Authorization: Basic {}\r\nCSeq: 1", "dXNlcjpwYXNz"),
        ("Authorization: Bearer {}\r\nCSeq: 1", "abc.def"),
        ("Authorization: Custom {}\r\nCSeq: 1", "a=1, b=2"),
        ("sent Bearer {} to it", "eyJhbGciOiJIUzI1NiJ9.e30"),
        ('{{"password": "{}"}}', "hush"),
        ("password={}&user=1", "hush"),
        ("<password>{}</password>", "hush"),
        ("Passphrase: {}\n", "hush"),
    ],
)  # fmt: skip
def test_credentials_of_any_scheme_are_overwritten(before, secret):
    cleaned = NOBODY.text(before.format(secret))
    expected = before.format(x(secret)).replace("00000002", "xxxxxxxx")
    assert cleaned == expected


def test_a_private_key_is_overwritten_line_by_line():
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef=\n-----END OPENSSH PRIVATE KEY-----\nnext"
    assert NOBODY.text(key) == key.replace("abc", "xxx").replace("def=", "xxxx")
    assert NOBODY.text("-----BEGIN PRIVATE KEY-----\nabc") == "-----BEGIN PRIVATE KEY-----\nxxx"


@pytest.mark.parametrize(
    "text",
    [
        'SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="a", nonce="5f1c", qop="auth"\r\n\r\n',
        "no response to the request; the response was 200",
        "Basic configuration of the bench",
        "Subscription-State: active;expires=3600",
        "password of the account",
    ],
)
def test_what_is_no_secret_stays(text):
    assert NOBODY.text(text) == text


@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda s: quote(s, safe=""),
        lambda s: re.sub("%..", lambda code: code[0].lower(), quote(s, safe="")),
        escape,
        lambda s: json.dumps(s)[1:-1],
        lambda s: s.replace("\\", "\\\\").replace('"', '\\"'),
        lambda s: b64encode(s.encode()).decode().rstrip("="),
    ],
    ids=["plain", "url", "url-lower", "xml", "json", "sip", "base64"],
)
def test_a_known_secret_is_found_however_it_is_written(write):
    secret = 'p/<ü>&"w\\d'
    assert Redactor([secret]).text(f"a {write(secret)} b") == f"a {x(write(secret).encode())} b"


@pytest.mark.parametrize("user", ["a", "ab", "abc", "abcd"])
def test_a_known_secret_inside_longer_base64_is_not_readable(user):
    whole = b64encode(f"{user}:{SECRET}:tail".encode()).decode()
    cleaned = Redactor([SECRET]).text(whole)
    assert len(cleaned) == len(whole)
    assert cleaned.count("x") >= len(SECRET) * 8 // 6 - 2


def test_a_cleaned_message_still_decodes():
    data = request("SUBSCRIBE", 1, ("Authorization", AUTHORIZATION), body=f"<a>{SECRET}</a>")
    cleaned = Redactor([SECRET]).bytes(data)
    assert len(cleaned) == len(data)
    before, after = Message(data), Message(cleaned)
    assert after.problems == ()
    assert after.body == b"<a>" + b"x" * len(SECRET) + b"</a>"
    assert [name for name, _ in after.lines] == [name for name, _ in before.lines]
    assert "0123456789abcdef" not in after.header("authorization")
    assert 'nonce="5f1c"' in after.header("authorization")


@pytest.mark.parametrize("secret", ["", "1", "101"])
def test_a_secret_too_short_to_tell_is_not_looked_for(secret):
    assert Redactor([secret]).text("CSeq: 101 INVITE") == "CSeq: 101 INVITE"


SECRETS = st.text(st.characters(exclude_characters="xX\r\n"), min_size=4, max_size=20)


@given(st.lists(SECRETS, min_size=1, max_size=3), st.lists(st.text(max_size=12), max_size=5), st.data())
def test_no_secret_survives_and_lengths_stay(secrets, gaps, data):
    text = "".join(gap + data.draw(st.sampled_from(secrets)) for gap in gaps)
    cleaned = Redactor(secrets).text(text)
    assert len(cleaned.encode("utf-8", "surrogatepass")) == len(text.encode("utf-8", "surrogatepass"))
    for secret in secrets:
        assert secret not in cleaned


@given(st.binary(max_size=200), SECRETS)
def test_bytes_outside_a_secret_are_untouched(data, secret):
    raw = secret.encode("utf-8", "surrogatepass")
    assume(raw not in data)
    cleaned = Redactor([secret]).bytes(data + raw + data)
    assert len(cleaned) == 2 * len(data) + len(raw)
    assert all(new == old or new == ord("x") for new, old in zip(cleaned, data + raw + data, strict=True))
    assert raw not in cleaned


def test_a_secret_that_is_learnt_on_the_way_is_overwritten_from_then_on():
    redactor = Redactor(["geheimnis"])
    assert redactor.text("token abcdef123 geheimnis") == "token abcdef123 xxxxxxxxx"
    redactor.learn("abcdef123")
    assert redactor.text("token abcdef123 geheimnis") == "token xxxxxxxxx xxxxxxxxx"
