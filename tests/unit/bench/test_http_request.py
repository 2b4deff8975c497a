"""featuresync.bench.http_request: values in their places, and no way off the base URL."""

import pytest

from featuresync.bench.http_request import check_request, prepare
from featuresync.errors import ConfigFault
from featuresync.profile import Request

VALUES = {"account": "100 1", "on": "true", "number": "+49#30", "id": "42", "empty": ""}


def prepared(values=VALUES, secrets=None, **request):
    return prepare(Request(**request), {}, values, secrets or {}, "v.toml")


def test_values_stand_everywhere_as_they_must():
    made = prepared(
        method="POST",
        path="/Users({id})/{account}?$filter=Number eq '{number}'",
        headers={"X-Account": "a {account}"},
        type="application/json; charset=utf-8",
        body='{"id": {id}, "forward": "{number}", "on": {on}}',
    )
    assert made.path == "/Users(42)/100%201?$filter=Number eq '%2B49%2330'"
    assert made.headers == {"X-Account": "a 100 1", "Content-Type": "application/json; charset=utf-8"}
    assert made.body == b'{"id": 42, "forward": "+49#30", "on": true}'
    assert made.shown == (
        "POST /Users(42)/100%201?$filter=Number eq '%2B49%2330'\n"
        '{"id": 42, "forward": "+49#30", "on": true}'
    )


@pytest.mark.parametrize(
    ("kind", "body", "sent"),
    [
        ("application/xml", "<a>{x}</a>", b"<a>&lt;&amp;&#x27;</a>"),
        ("text/xml; charset=UTF-8", "<a>{x}</a>", b"<a>&lt;&amp;&#x27;</a>"),
        ("application/xcap-el+xml", "<a>{x}</a>", b"<a>&lt;&amp;&#x27;</a>"),
        ("application/vnd.acme+json", '["{x}"]', b'["<&\'"]'),
        ("application/x-www-form-urlencoded", "a={x}", b"a=%3C%26%27"),
    ],
)
def test_bodies_by_their_type(kind, body, sent):
    assert prepared({"x": "<&'"}, path="/", type=kind, body=body).body == sent


def test_secrets_are_in_what_is_sent_only():
    made = prepared(
        secrets={"token": "s3cret"},
        path="/x?access_token={token}",
        headers={"A": "B {token}"},
        type="application/json",
        body='["{token}"]',
    )
    assert (made.path, made.body, made.headers["A"]) == ("/x?access_token=s3cret", b'["s3cret"]', "B s3cret")
    assert made.shown == 'GET /x?access_token=xxxx\n["xxxx"]'


def test_a_requests_own_headers_win():
    request = Request(path="/", headers={"A": "own"})
    made = prepare(request, {"A": "all", "B": "{id}"}, VALUES, {}, "v.toml")
    assert made.headers == {"A": "own", "B": "42"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("users", "a path below admin.http.base_url: it begins with one /"),
        ("http://elsewhere/users", "a path below admin.http.base_url: it begins with one /"),
        ("//elsewhere/users", "a path below admin.http.base_url: it begins with one /"),
        ("?x=1", "a path below admin.http.base_url: it begins with one /"),
        ("@elsewhere/", "a path below admin.http.base_url: it begins with one /"),
        ("/a/../../b", "a path below admin.http.base_url: without . and .."),
        ("/a/./b", "a path below admin.http.base_url: without . and .."),
        ("/a/%2e%2E/b", "a path below admin.http.base_url: without . and .."),
        ("/a\\..\\b", r"a path without \, # (%23 in a query) and line ends"),
        ("/a#b", r"a path without \, # (%23 in a query) and line ends"),
        ("/a\r\nHost: elsewhere", r"a path without \, # (%23 in a query) and line ends"),
    ],
)
def test_no_path_leads_off_the_base(path, expected):
    with pytest.raises(ConfigFault) as caught:
        check_request(Request(path=path), "v.toml", "read[0]")
    assert str(caught.value) == f"v.toml: read[0].path: expected {expected}, got {path!r}"


@pytest.mark.parametrize(
    "path", ["/", "/a?x=../..", "/a?u=http://b/", "/~~/a%5b@id=%22r%22%5d/(1)", "/a..b/...x"]
)
def test_paths_that_stay(path):
    check_request(Request(path=path), "v.toml", "read[0]")


@pytest.mark.parametrize(
    ("path", "values"),
    [("/a/.{x}/b", {"x": "."}), ("/{x}/b", {"x": ".."}), ("/{x}/b", {"x": ""}), ("/%2e{x}/b", {"x": "."})],
)
def test_no_value_leads_off_the_base(path, values):
    with pytest.raises(ConfigFault):
        prepared(values, path=path)


def test_an_empty_value_may_stand_in_a_query():
    assert prepared(path="/x?number={empty}&on={on}").path == "/x?number=&on=true"


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data"])
def test_a_body_with_placeholders_has_a_type_that_says_how_they_are_written(kind):
    with pytest.raises(ConfigFault) as caught:
        check_request(Request(path="/", body="{on}", type=kind), "v.toml", "read[0]")
    assert str(caught.value) == (
        "v.toml: read[0].type: expected application/json, one of XML or application/x-www-form-urlencoded, "
        f"as the body has placeholders, got {kind!r}"
    )
    check_request(Request(path="/", body='{"as": "it is"}', type=kind), "v.toml", "read[0]")


@pytest.mark.parametrize(
    ("headers", "line"),
    [
        ({"A B": "x"}, "read[0].headers: expected the name of a header, got 'A B'"),
        ({"A": "x\r\nHost: y"}, "read[0].headers.A: expected printable ASCII, got 'x\\r\\nHost: y'"),
        ({"A": "é"}, "read[0].headers.A: expected printable ASCII, got 'é'"),
    ],
)
def test_headers_are_lines_of_their_own(headers, line):
    with pytest.raises(ConfigFault) as caught:
        check_request(Request(path="/", headers=headers), "v.toml", "read[0]")
    assert str(caught.value) == f"v.toml: {line}"
