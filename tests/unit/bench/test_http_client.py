"""featuresync.bench.http_client: one answer in time and of bounded size, or one line that says why not."""

import hashlib
import itertools
import logging
import re
import socket
import ssl
import time

import pytest

from featuresync.bench.access import OUTPUT_LIMIT
from featuresync.bench.http_client import HttpAnswer, HttpClient, NoAnswer
from featuresync.bench.http_request import Prepared
from featuresync.errors import ConfigFault

from .http_server import HttpServer, Said, dribbling_server, settings
from .ssh_server import raw_server

GET = Prepared("GET", "/x", {}, b"", "GET /x")


@pytest.fixture
def server():
    with HttpServer(lambda asked: Said(200, "hello é")) as running:
        yield running


def ask(server, owner, request=GET, *, auth="none", path="", password="correct horse", **changes):
    client = HttpClient(settings(server, path, **changes), owner, auth, password)
    try:
        return client.send(request)
    finally:
        client.close()


def refusal(server, owner, request=GET, *, unsent=False, **changes):
    with pytest.raises(NoAnswer) as caught:
        ask(server, owner, request, **changes)
    assert caught.value.unsent is unsent
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- what goes out, what comes back ----------------------------------------------------------------


def test_a_request_and_its_answer(server, owner):
    request = Prepared("PUT", "/user/1?x=%2B", {"X-A": "b", "Content-Type": "text/plain"}, b"body", "")
    assert ask(server, owner, request, path="/api/") == HttpAnswer(200, "OK", "hello é", "")
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("PUT", "/api/user/1?x=%2B", "body")
    assert asked.headers["x-a"] == "b"
    assert (asked.headers["user-agent"], asked.headers["accept-encoding"]) == ("featuresync", "identity")


def test_a_body_that_is_no_utf8_is_repaired(server, owner):
    server.answer = lambda asked: Said(200, b"caf\xe9")
    assert ask(server, owner).text == "caf\ufffd"


def test_the_connection_and_the_cookies_are_kept(server, owner):
    server.answer = lambda asked: Said(200, "", {"Set-Cookie": "session=1; Path=/"})
    client = HttpClient(settings(server), owner, "none", "")
    for _ in range(3):
        client.send(GET)
    client.close()
    assert server.connections == 1
    assert [asked.headers.get("cookie") for asked in server.asked] == [None, "session=1", "session=1"]


def test_a_connection_that_was_dropped_meanwhile_is_made_anew(server, owner):
    client = HttpClient(settings(server), owner, "none", "")
    client.send(GET)
    server.drop()
    assert client.send(GET).status == 200
    client.close()
    assert (server.connections, len(server.asked)) == (2, 2)


def test_the_environment_says_nothing_about_the_way(server, owner, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(server, owner).status == 200
    assert "authorization" not in server.asked[0].headers


def test_redirects_are_answers(server, owner):
    server.answer = lambda asked: Said(302, "", {"Location": "http://127.0.0.9/elsewhere"})
    assert ask(server, owner) == HttpAnswer(302, "Found", "", "http://127.0.0.9/elsewhere")
    assert len(server.asked) == 1


def test_no_address_gets_into_the_log(server, owner, caplog):
    caplog.set_level(logging.DEBUG)
    ask(server, owner, Prepared("GET", "/x?token=s3cret", {"A": "s3cret"}, b"", ""))
    assert "s3cret" not in caplog.text


# -- logins ----------------------------------------------------------------------------------------


def test_basic(server, owner):
    ask(server, owner, auth="basic")
    assert server.asked[0].headers["authorization"] == "Basic YWRtaW46Y29ycmVjdCBob3JzZQ=="


def digest(algorithm, hashed, qop="auth", **more):
    """A server that lets in whoever answers its challenge (RFC 7616 3.4.1)."""
    challenge = f'Digest realm="r", nonce="n1", algorithm={algorithm}, qop="{qop}"'

    def answer(asked):
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', asked.headers.get("authorization", "")))
        if not given:
            return Said(401, "x" * more.get("size", 0), {"WWW-Authenticate": challenge})
        a1 = hashed("admin:r:correct horse")
        if algorithm.endswith("-sess"):
            a1 = hashed(f"{a1}:n1:{given['cnonce']}")
        a2 = hashed(f"{asked.method}:{asked.path}")
        right = hashed(f"{a1}:n1:{given['nc']}:{given['cnonce']}:auth:{a2}")
        return Said(200 if given["response"] == right else 403, asked.body)

    return answer


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("algorithm", "hashed"), [("MD5", md5), ("SHA-256", sha256), ("MD5-sess", md5), ("SHA-256-sess", sha256)]
)
def test_digest(server, owner, algorithm, hashed):
    server.answer = digest(algorithm, hashed)
    request = Prepared("PUT", "/x?a=b", {}, b"body", "")
    assert ask(server, owner, request, auth="digest").text == "body"
    assert [bool(asked.headers.get("authorization")) for asked in server.asked] == [False, True]
    server.asked.clear()
    assert ask(server, owner, request, auth="digest", password="wrong").status == 403


def test_digest_answers_a_challenge_once(server, owner):
    server.answer = lambda asked: Said(401, "", {"WWW-Authenticate": 'Digest realm="r", nonce="n"'})
    assert ask(server, owner, auth="digest").status == 401
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r", nonce="n", algorithm=ROT13',
        'Digest realm="r"',
        "Digest \xe9=",
    ],
)
def test_challenges_that_nobody_can_answer(server, owner, challenge):
    server.answer = lambda asked: Said(401, "", {"WWW-Authenticate": challenge})
    said = refusal(server, owner, auth="digest")
    assert re.match(r"(no proper HTTP answer|the answer is beyond the library) \(", said)


@pytest.mark.parametrize("challenge", ["Digest", 'Basic realm="r"', 'Bearer realm="r"', "\xff"])
def test_challenges_of_another_kind_are_answers(server, owner, challenge):
    server.answer = lambda asked: Said(401, "", {"WWW-Authenticate": challenge})
    assert ask(server, owner, auth="digest").status == 401
    assert len(server.asked) == 1


def test_a_challenge_is_bounded_too(server, owner):
    server.answer = digest("MD5", md5, size=OUTPUT_LIMIT + 1)
    assert refusal(server, owner, auth="digest") == "an answer of more than 256 kB"


# -- hostile and slow servers ----------------------------------------------------------------------


def test_an_answer_of_the_greatest_size(server, owner):
    server.answer = lambda asked: Said(200, "x" * OUTPUT_LIMIT)
    assert len(ask(server, owner).text) == OUTPUT_LIMIT
    server.answer = lambda asked: Said(200, "x" * (OUTPUT_LIMIT + 1))
    assert refusal(server, owner) == "an answer of more than 256 kB"


def test_a_compressed_answer_is_not_unpacked(server, owner):
    server.answer = lambda asked: Said(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})
    assert refusal(server, owner) == "a compressed answer, though none was asked for"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        (b"%c" % byte for byte in HEAD * 1000),
        itertools.chain([HEAD], itertools.repeat(b"X-More: of it\r\n", 1000)),
        itertools.chain([HEAD, b"\r\n"], itertools.repeat(b"x", 1000)),
    ],
    ids=["status line", "headers", "body"],
)
def test_a_server_that_dribbles_does_not_hold_us(server, owner, pieces):
    begun = time.monotonic()
    with dribbling_server(pieces) as port:
        said = refusal(server, owner, base_url=f"http://127.0.0.1:{port}", connect=0.2, command=0.3)
        assert time.monotonic() - begun < 3
    assert said in ("no whole answer in 0.5 s", "no whole answer in time")


def test_a_server_that_says_nothing(server, owner):
    begun = time.monotonic()
    with raw_server(b"") as port:
        said = refusal(server, owner, base_url=f"http://127.0.0.1:{port}", command=0.3)
        assert time.monotonic() - begun < 3
    assert said == "no answer in 0.3 s"


@pytest.mark.parametrize(
    "hello",
    [
        b"220 mail ready\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\r\n\r\n",
    ],
)
def test_a_port_that_speaks_no_http(server, owner, hello):
    with raw_server(hello) as port:
        said = refusal(server, owner, base_url=f"http://127.0.0.1:{port}")
    assert said.startswith("no proper HTTP answer (")


def test_headers_without_end(server, owner):
    with raw_server(HEAD + b"X: " + b"y" * 1024 * 1024) as port:
        said = refusal(server, owner, base_url=f"http://127.0.0.1:{port}")
    assert said.startswith("no proper HTTP answer (")


def test_a_connection_that_is_cut(server, owner):
    server.answer = lambda asked: Said(200, "short", {"Content-Length": "100", "Connection": "close"})
    assert re.match(r"(no proper HTTP answer|connection lost) \(", refusal(server, owner))


def test_an_interrupt_leaves_the_client_usable(server, owner, monkeypatch):
    client = HttpClient(settings(server), owner, "none", "")

    class Interrupted:
        def get(self, timeout):
            raise KeyboardInterrupt

        def put(self, answer):
            pass

    with monkeypatch.context() as patch:
        patch.setattr("queue.SimpleQueue", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.send(GET)
    assert client.send(GET).status == 200
    client.close()


# -- no way there ----------------------------------------------------------------------------------


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_nothing_listens(server, owner):
    url = f"http://127.0.0.1:{unused_port()}"
    assert refusal(server, owner, unsent=True, base_url=url) == "connection refused, nothing listens there"
    with pytest.raises(NoAnswer, match="connection refused, nothing listens there"):
        HttpClient(settings(server, base_url=url), owner, "none", "").reach()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (socket.gaierror(-2, "Name or service not known"), "host name cannot be resolved ("),
        (TimeoutError("timed out"), "host does not answer in 5 s"),
        (OSError(113, "No route to host"), "host unreachable ([Errno 113] No route to host)"),
    ],
)
def test_no_way_to_the_host(server, owner, monkeypatch, error, line):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert refusal(server, owner, unsent=True).startswith(line)
    with pytest.raises(NoAnswer) as caught:
        HttpClient(settings(server), owner, "none", "").reach()
    assert str(caught.value).startswith(line)


@pytest.fixture
def secure(owner):
    with HttpServer(lambda asked: Said(200, "safe"), tls=owner.parent) as running:
        yield running


def test_tls_with_the_benchs_own_authority(secure, owner):
    assert ask(secure, owner, ca="ca.pem").text == "safe"


def test_tls_unverified_when_the_bench_says_so(secure, owner):
    assert ask(secure, owner, verify=False).text == "safe"


def test_a_certificate_of_an_unknown_authority(secure, owner):
    said = refusal(secure, owner, unsent=True)
    assert re.fullmatch(
        r"certificate refused \(.*\); remedy: base_url has the name that the certificate has, and "
        r"admin\.http\.ca the PEM file of its CA",
        said,
    )
    assert secure.asked == []


def test_a_certificate_with_another_name(owner):
    with HttpServer(tls=owner.parent, names=("127.0.0.9",)) as other:
        said = refusal(other, owner, unsent=True, ca="ca.pem")
    assert said.startswith("certificate refused (IP address mismatch")


def test_https_where_http_is_spoken(server, owner):
    url = server.url.replace("http:", "https:")
    said = refusal(server, owner, unsent=True, base_url=url)
    assert said.startswith("no TLS connection (")
    assert said.endswith("; remedy: base_url means http, or another port")


@pytest.mark.parametrize("content", [None, b"no certificate\n"])
def test_an_authority_that_cannot_be_read(secure, owner, content):
    if content is not None:
        (owner.parent / "other.pem").write_bytes(content)
    with pytest.raises(ConfigFault) as caught:
        ask(secure, owner, ca="other.pem")
    expected = (
        f"{owner}: admin.http.ca: expected a PEM file of certificates {owner.parent / 'other.pem'}, got"
    )
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (
            "http://user:pass@127.0.0.1/",
            "expected a URL without a user: that is admin.http.user and admin.http.password, "
            "got one with a user, on 127.0.0.1",
        ),
        ("http://127.0.0.1:99999/", "expected a port from 1 to 65535, got 99999"),
        ("http://127.0.0.1:port/", "expected a URL, got 'http://127.0.0.1:port/' ("),
    ],
)
def test_base_urls_that_are_none(server, owner, url, line):
    with pytest.raises(ConfigFault) as caught:
        ask(server, owner, base_url=url)
    assert str(caught.value).startswith(f"{owner}: admin.http.base_url: {line}")


def test_the_library_maps_certificates_to_what_we_look_for():
    assert issubclass(ssl.SSLCertVerificationError, ssl.SSLError)
    assert issubclass(ssl.SSLError, OSError)
