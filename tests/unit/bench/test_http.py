"""featuresync.bench.http: steps over HTTP, the login, what stands in the transcript, whose fault it is."""

import json
import re
import socket

import pytest

from featuresync.bench.access import LoginFault
from featuresync.bench.admin import Administration
from featuresync.bench.http import HttpAccess
from featuresync.errors import BenchFault, ConfigFault
from featuresync.profile import FeatureRecipe, Find, Login, Recipe, Request, Sure
from featuresync.sync.feature import Feature, FeatureState

from .http_server import Asked, HttpServer, Said, settings

GET = Request(path="/user/{account}")
PUT = Request(
    method="PUT", path="/user/{account}", type="application/json", body='{"dnd": {on}, "to": "{number}"}'
)
LOGIN = Login(
    request=Request(
        method="POST", path="/token", type="application/x-www-form-urlencoded", body="id={id}&secret={secret}"
    ),
    pattern=r'"access_token":"(?P<token>[^"]+)"',
)
BEARER = {"Authorization": "Bearer {token}"}
GIVEN = {"values": {"id": "me"}, "secrets": {"secret": "hush & hush"}}


def recipe(**changes):
    known = {
        "kind": "http",
        "words": ("true", "false"),
        "read": (GET,),
        "features": {"dnd": FeatureRecipe(on='"dnd": (?P<on>\\w+)', set=(PUT,))},
        "source": "here",
        "sure": Sure.CODE,
    }
    return Recipe(**(known | changes))


def access_to(server, owner, *, values=None, secrets=None, on_secret=None, path="", http=None, **changes):
    return HttpAccess(
        settings(server, path, **(http or {})), owner, recipe(**changes),
        values=values or {}, secrets=secrets or {}, clock=lambda: 1000.0,
        on_secret=on_secret or (lambda secret: None),
    )  # fmt: skip


class Nobody(set):
    """Tokens that are good: none ever is."""

    def add(self, token):
        pass


class Tokens:
    """A service that wants a token, gives new ones, and forgets them when it is told to."""

    def __init__(self):
        self.given, self.good, self.logins = 0, set(), 0
        self.expired = Said(401, "token expired")

    def __call__(self, asked):
        if asked.path.startswith("/token"):
            self.logins += 1
            self.given += 1
            token = f"token-{self.given:04}-{'abc' * 8}"
            self.good.add(token)
            refresh = "refresh-0123456789-0123456789"
            return Said(200, json.dumps({"access_token": token, "refresh": refresh}).replace(": ", ":"))
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.good:
            return self.expired
        return Said(200, '{"dnd": true}')


@pytest.fixture
def server():
    with HttpServer(lambda asked: Said(200, '{"dnd": true}')) as running:
        yield running


def fault(access, step=GET, kind=BenchFault):
    with pytest.raises(kind) as caught:
        access.run(step, {"account": "1001"})
    access.close()
    assert "\n" not in str(caught.value)
    assert type(caught.value) is kind
    return str(caught.value)


# -- steps -----------------------------------------------------------------------------------------


def test_a_step_and_its_answer(server, owner):
    with access_to(server, owner, path="/api") as access:
        said = access.run(PUT, {"account": "10 01", "on": "true", "number": '"'})
    assert said == '{"dnd": true}'
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("PUT", "/api/user/10%2001")
    assert json.loads(asked.body) == {"dnd": True, "to": '"'}
    assert asked.headers["content-type"] == "application/json"
    (exchange,) = access.transcript.exchanges
    assert access.transcript.text() == (
        "1970-01-01T00:16:40.000+00:00 PUT /user/10%2001\n"
        '{"dnd": true, "to": "\\""}\n{"dnd": true}\n[200 OK]\n'
    )
    assert exchange.time == 1000.0


def test_headers_of_every_request_and_of_one(server, owner):
    headers = {"User-Agent": "OpenAPI", "X-Domain": "{domain}", "Accept": "a/b"}
    with access_to(server, owner, headers=headers, values={"domain": "example.net"}) as access:
        access.run(Request(path="/", headers={"Accept": "c/d"}), {})
    got = server.asked[0].headers
    assert (got["user-agent"], got["x-domain"], got["accept"]) == ("OpenAPI", "example.net", "c/d")


def test_what_would_be_sent_is_shown_without_sending(server, owner):
    access = access_to(server, owner, login=LOGIN, headers=BEARER, **GIVEN)
    step = Request(path="/session{token}/{account}?s={secret}&t={token}")
    assert access.shown(step, {"account": "1001"}) == "GET /sessionxxxx/1001?s=xxxx&t=xxxx"
    assert server.asked == []


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (Said(404, "No such\n user"), "404 Not Found: No such user"),
        (
            Said(500, "<html><h1>Oh</h1>\n<p>no &amp; no</p></html>"),
            "500 Internal Server Error: Oh no &amp; no",
        ),
        (Said(403, ""), "403 Forbidden"),
        (Said(500, "\x1b[2J" + "x" * 500), "500 Internal Server Error: ?[2J" + "x" * 196),
        (
            Said(302, "", {"Location": "https://elsewhere/login"}),
            "302 Found to https://elsewhere/login, which is not followed",
        ),
    ],
)
def test_another_status_is_a_fault_of_the_bench(server, owner, said, line):
    server.answer = lambda asked: said
    access = access_to(server, owner)
    assert fault(access) == f"HTTP {server.url}: GET /user/1001: {line}"
    assert access.transcript.exchanges[0].end == line.partition(":")[0].partition(" to ")[0]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_good(server, owner, status):
    server.answer = lambda asked: Said(status, "")
    with access_to(server, owner) as access:
        assert access.run(GET, {"account": "1"}) == ""


def test_no_answer_is_in_the_transcript_too(server, owner):
    server.answer = lambda asked: Said(200, b"", {"Content-Encoding": "br"})
    access = access_to(server, owner)
    assert fault(access).endswith("GET /user/1001: a compressed answer, though none was asked for")
    (exchange,) = access.transcript.exchanges
    assert (exchange.command, exchange.output, exchange.end) == (
        "GET /user/1001",
        "(a compressed answer, though none was asked for)",
        "no answer",
    )


def test_secrets_are_in_no_transcript_and_no_fault(server, owner):
    server.answer = lambda asked: Said(400, f"bad {asked.path} hush & hush correct horse")
    access = access_to(server, owner, auth="basic", **GIVEN)
    said = fault(access, Request(path="/x?s={secret}"))
    assert said.endswith("GET /x?s=xxxx: 400 Bad Request: bad /x?s=xxxx xxxx xxxx")
    shown = access.transcript.text()
    assert "GET /x?s=xxxx\nbad /x?s=xxxx xxxx xxxx\n[400 Bad Request]" in shown
    assert server.asked[0].path == "/x?s=hush%20%26%20hush"


# -- who is let in ---------------------------------------------------------------------------------


def test_nobody_there(server, owner):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    access = access_to(server, owner, http={"base_url": url})
    with pytest.raises(LoginFault) as caught:
        access.connect()
    assert str(caught.value) == f"HTTP {url}: connection refused, nothing listens there"
    said = fault(access_to(server, owner, http={"base_url": url}), kind=LoginFault)
    assert said == f"HTTP {url}: GET /user/1001: connection refused, nothing listens there"
    access = access_to(server, owner, http={"base_url": url}, login=LOGIN, **GIVEN)
    with pytest.raises(LoginFault) as caught:
        access.connect()
    assert str(caught.value) == f"HTTP {url}: POST /token: connection refused, nothing listens there"


def test_connecting_asks_nothing_and_once(server, owner):
    with access_to(server, owner) as access:
        access.connect()
        access.run(GET, {"account": "1"})
    assert len(server.asked) == 1
    # One to see that somebody is there, one for the request.
    assert server.connections <= 2


@pytest.mark.parametrize(
    ("auth", "who"),
    [("basic", "user 'admin'"), ("digest", "user 'admin'"), ("none", "a request without a login")],
)
def test_a_401_is_a_refused_login(server, owner, auth, who):
    server.answer = lambda asked: Said(401, "go away", {"WWW-Authenticate": 'Digest realm="r", nonce="n"'})
    said = fault(access_to(server, owner, auth=auth), kind=LoginFault)
    assert said.endswith(f"GET /user/1001: 401 Unauthorized: go away ({who} is refused)")
    assert "correct horse" not in said


@pytest.mark.parametrize(
    ("http", "line"),
    [
        ({"user": ""}, "admin.http.user: expected a user, as the recipe's auth is basic, got nothing"),
        (
            {"password": None},
            "admin.http.password: expected a password, as the recipe's auth is basic, got nothing",
        ),
    ],
)
def test_a_login_needs_user_and_password(server, owner, http, line):
    with pytest.raises(ConfigFault) as caught:
        access_to(server, owner, auth="basic", http=http)
    assert str(caught.value) == f"{owner}: {line}"


# -- tokens ----------------------------------------------------------------------------------------


@pytest.fixture
def tokens(server):
    server.answer = Tokens()
    return server.answer


def logged_in(server, owner, **changes):
    return access_to(server, owner, **({"login": LOGIN, "headers": BEARER} | GIVEN | changes))


def test_one_login_for_many_steps(server, owner, tokens):
    with logged_in(server, owner) as access:
        for account in ("1001", "1002"):
            access.connect()
            access.run(GET, {"account": account})
    assert server.paths() == ["POST /token", "GET /user/1001", "GET /user/1002"]
    assert server.asked[0].body == "id=me&secret=hush+%26+hush"
    assert "authorization" not in server.asked[0].headers


def test_the_token_and_what_looks_like_one_are_shown_to_nobody(server, owner, tokens):
    told = []
    with logged_in(server, owner, on_secret=told.append) as access:
        access.run(Request(path="/x?t={token}"), {})
        shown = access.transcript.text()
    (token,) = tokens.good
    assert told == [token]
    assert token not in shown
    assert "refresh-0123456789" not in shown
    assert "hush" not in shown
    assert 'POST /token\nid=me&secret=xxxx\n{"access_token":"xxxx", "refresh":"xxxx"}\n[200 OK]' in shown
    assert "GET /x?t=xxxx\n" in shown


def test_a_short_token_is_shown_to_nobody_either(server, owner):
    server.answer = lambda asked: Said(200, f'"access_token":"t0k3" {asked.headers.get("authorization", "")}')
    with logged_in(server, owner) as access:
        assert access.run(GET, {"account": "1"}).endswith("Bearer t0k3")
        assert "t0k3" not in access.transcript.text()
    server.answer = lambda asked: Said(400 if asked.method == "GET" else 200, '"access_token":"t0k3"')
    assert fault(logged_in(server, owner)).endswith('400 Bad Request: "access_token":"xxxx"')


def test_an_old_token_is_made_new_once_and_the_step_sent_again(server, owner, tokens):
    told = []
    with logged_in(server, owner, on_secret=told.append) as access:
        access.run(GET, {"account": "1"})
        tokens.good.clear()
        assert access.run(GET, {"account": "2"}) == '{"dnd": true}'
    assert server.paths() == ["POST /token", "GET /user/1", "GET /user/2", "POST /token", "GET /user/2"]
    assert len(told) == 2


def test_a_new_token_that_is_refused_is_not_made_again(server, owner, tokens):
    tokens.good = Nobody()
    said = fault(logged_in(server, owner), kind=LoginFault)
    assert said.endswith("GET /user/1001: 401 Unauthorized: token expired (the token is refused)")
    assert server.paths() == ["POST /token", "GET /user/1001"]


def test_a_token_that_is_refused_for_good(server, owner, tokens):
    access = logged_in(server, owner)
    access.run(GET, {"account": "1"})
    tokens.good = Nobody()
    assert fault(access, kind=LoginFault).endswith("(the token is refused)")
    assert tokens.logins == 2


def test_a_refusal_that_hides_behind_200(server, owner, tokens):
    tokens.expired = Said(200, '{"errcode":10004}')
    login = LOGIN.model_copy(update={"expired": '"errcode":1000[45]'})
    with logged_in(server, owner, login=login) as access:
        access.run(GET, {"account": "1"})
        tokens.good.clear()
        assert access.run(GET, {"account": "2"}) == '{"dnd": true}'
    assert tokens.logins == 2


def test_a_login_that_names_the_account_gives_each_its_own(server, owner, tokens):
    request = Request(method="POST", path="/token?user={account}")
    login = LOGIN.model_copy(update={"request": request})
    with logged_in(server, owner, login=login) as access:
        for account in ("1001", "1002", "1001"):
            access.connect()
            access.run(GET, {"account": account})
    assert server.paths() == [
        *("POST /token?user=1001", "GET /user/1001"),
        *("POST /token?user=1002", "GET /user/1002", "GET /user/1001"),
    ]
    first, second, third = (a.headers["authorization"] for a in server.asked if a.method == "GET")
    assert (first == third, first == second) == (True, False)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            Said(401, '{"error":"invalid_client"}'),
            '401 Unauthorized: login refused: {"error":"invalid_client"}',
        ),
        (Said(403, "hush & hush is wrong"), "403 Forbidden: login refused: xxxx is wrong"),
        (Said(302, "", {"Location": "/"}), "302 Found: login refused: nothing"),
        (
            Said(200, '{"errcode":20002,"access_token":null,"x":"0123456789abcdef0"}'),
            f"200 OK: no token like {LOGIN.pattern!r} in the answer: "
            '{"errcode":20002,"access_token":null,"x":"xxxx"}',
        ),
        (
            Said(200, '"access_token":"a\\u0007\x07b"'),
            f"200 OK: no token like {LOGIN.pattern!r} in the answer: ",
        ),
        (
            Said(200, f'"access_token":"{"a" * 8193}"'),
            f"200 OK: no token like {LOGIN.pattern!r} in the answer: ",
        ),
        (Said(200, '"access_token":" "'), f"200 OK: no token like {LOGIN.pattern!r} in the answer: "),
    ],
)
def test_logins_that_fail(server, owner, said, line):
    server.answer = lambda asked: said
    access = logged_in(server, owner)
    with pytest.raises(LoginFault) as caught:
        access.connect()
    assert str(caught.value).startswith(f"HTTP {server.url}: POST /token: {line}")
    assert "\n" not in str(caught.value)
    assert fault(access, kind=LoginFault).startswith(f"HTTP {server.url}: POST /token: {line}")
    assert server.paths() == ["POST /token", "POST /token"]


def test_closing_forgets_the_token(server, owner, tokens):
    access = logged_in(server, owner)
    access.run(GET, {"account": "1"})
    access.close()
    access.run(GET, {"account": "1"})
    access.close()
    assert tokens.logins == 2


# -- mistakes of the recipe ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"login": LOGIN.model_copy(update={"request": Request(path="/{ids}")})},
            "recipe.login.request: expected placeholders known there: account, id, secret, got {ids}",
        ),
        (
            {"login": LOGIN.model_copy(update={"pattern": "(.*)"})},
            "recipe.login.pattern: expected a pattern with a group (?P<token>...), got '(.*)'",
        ),
        (
            {"login": LOGIN.model_copy(update={"request": Request(path="http://x/")})},
            "recipe.login.request.path: expected a path below",
        ),
        (
            {"login": None},
            "recipe.headers: expected placeholders known there: account, id, secret, got {token}",
        ),
        ({"headers": {"A": "é"}}, "recipe.headers.A: expected printable ASCII, got 'é'"),
    ],
)
def test_mistakes_are_told_before_anybody_is_asked(server, owner, changes, line):
    with pytest.raises(ConfigFault) as caught:
        logged_in(server, owner, **changes)
    assert str(caught.value).startswith(f"{owner}: {line}")
    assert server.asked == []


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Request(path="/{acount}"), "read[0]: expected placeholders known there: account, got {acount}"),
        (
            Request(path="/", body='{"a": "{b}"}', type="application/json"),
            "read[0]: expected placeholders known there: account, got {b}",
        ),
        (
            Request(path="/", headers={"A": "{b}"}),
            "read[0]: expected placeholders known there: account, got {b}",
        ),
        (Request(path="/{token}"), "read[0]: expected placeholders known there: account, got {token}"),
        (Request(path="//elsewhere"), "read[0].path: expected a path below admin.http.base_url"),
        ("show", "recipe: expected a request, got a command, show"),
    ],
)
def test_mistakes_of_a_step(server, owner, step, line):
    with pytest.raises(ConfigFault) as caught:
        access_to(server, owner).check(step, frozenset({"account"}), "read[0]")
    assert str(caught.value).startswith(f"{owner}: {line}")


# -- put to work -----------------------------------------------------------------------------------


class Phones:
    """A service shaped like many: an id to be looked up, changes that count after they are applied."""

    def __init__(self):
        self.states, self.waiting = {7: {"dnd": False, "to": ""}, 8: {"dnd": True, "to": "1003"}}, {}

    def __call__(self, asked: Asked):
        if asked.path == "/users?number=1001":
            return Said(200, '[{"id":7,"number":"1001"}]')
        if asked.path == "/apply":
            self.states |= self.waiting
            return Said(200, '{"status":"Success"}')
        if not (found := re.fullmatch(r"/users\((\d+)\)", asked.path)) or int(found[1]) not in self.states:
            return Said(200, '{"status":"Failed","errno":4}')
        if asked.method == "PUT":
            self.waiting[int(found[1])] = json.loads(asked.body)
            return Said(200, '{"status":"Success"}')
        return Said(200, json.dumps({"status": "Success"} | self.states[int(found[1])]))


def administration(server, owner):
    put = PUT.model_copy(update={"path": "/users({id})"})
    changes = {
        "find": (Find(step=Request(path="/users?number={account}"), pattern=r'"id":(?P<id>\d+)'),),
        "read": (Request(path="/users({id})"),),
        "commit": (Request(method="POST", path="/apply"),),
        "error": '"status":"Failed"',
        "features": {
            "cf_always": FeatureRecipe(
                on='"dnd": (?P<on>\\w+)', number='"to": "(?P<number>[^"]*)"', set=(put,)
            )
        },
    }
    access = access_to(server, owner, **changes)
    return Administration(recipe(**changes), access), access


def test_read_set_and_commit(server, owner):
    server.answer = Phones()
    admin, access = administration(server, owner)
    with access:
        assert admin.read("1001")[Feature.CF_ALWAYS] == FeatureState(Feature.CF_ALWAYS, False)
        wanted = FeatureState(Feature.CF_ALWAYS, True, "*21#")
        assert admin.commands("1001", wanted) == [
            'PUT /users(7)\n{"dnd": true, "to": "*21#"}',
            "POST /apply",
        ]
        admin.set("1001", wanted)
        assert admin.read("1001")[Feature.CF_ALWAYS] == wanted
    assert server.paths() == [
        *("GET /users?number=1001", "GET /users(7)"),
        *("PUT /users(7)", "POST /apply", "GET /users(7)"),
    ]


def test_a_200_that_says_no_is_a_refusal(server, owner):
    server.answer = Phones()
    admin, access = administration(server, owner)
    with access:
        admin.read("1001")
        del server.answer.states[7]
        with pytest.raises(BenchFault) as caught:
            admin.set("1001", FeatureState(Feature.CF_ALWAYS, False))
    said = """'PUT /users(7)' refused: {"status":"Failed","errno":4} (recipe)"""
    assert str(caught.value) == said
