"""Every kind of access from the bench file to the restore of a killed run: one server behind all of them."""

import contextlib
import json
import shlex

import pytest

from featuresync.bench.access import LoginFault
from featuresync.bench.http import HttpAccess
from featuresync.bench.journal import FOLDER, Journal, _write, open_journal
from featuresync.bench.preflight import snapshot
from featuresync.bench.restore import restore_all
from featuresync.bench.ssh_command import CommandAccess
from featuresync.bench.ssh_shell import ShellAccess
from featuresync.bench.state import ServerState
from featuresync.errors import BenchFault, ConfigFault
from featuresync.judge.trace import Flip, Reading
from featuresync.profile import load_bench, load_profile
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import FakeServer
from .http_server import HttpServer, Said
from .shell_server import Gone, Person
from .ssh_server import SshServer

PROFILE = """
[vendor]
name = "acme"
title = "Acme"
families = ["R"]
[sources]
here = "here"
[features]

[recipes.exec]
read = ["show {account} {city}"]
words = ["yes", "no"]
source = "here"
sure = "code"
[recipes.exec.features.dnd]
on = '^{account} dnd=(?P<on>\\S*)'
set = ["set {account} dnd {on}"]
[recipes.exec.features.cf_always]
on = '^{account} cf_always=(?P<on>\\S*) to=(?P<number>\\S*)$'
set = ["set {account} cf_always {on} {number}"]
set_off = ["set {account} cf_always {on} ''"]

[recipes.shell]
kind = "ssh-shell"
read = ["show {account}"]
words = ["yes", "no"]
error = "^unknown"
source = "here"
sure = "code"
[recipes.shell.shell]
prompt = "^box # $"
login = [{ expect = "^Word: $", send = "{word}" }]
leave = ["exit"]
[recipes.shell.features.dnd]
on = '^{account} dnd=(?P<on>\\S*)'
set = ["set {account} dnd {on}"]
[recipes.shell.features.cf_always]
on = '^{account} cf_always=(?P<on>\\S*) to=(?P<number>\\S*)$'
set = ["set {account} cf_always {on} {number}"]

[recipes.http]
kind = "http"
words = ["yes", "no"]
find = [{ step = { path = "/lines?number={account}" }, pattern = '"id": "(?P<id>[^"]+)"' }]
read = [{ path = "/lines/{id}?office={office}&city={city}" }]
headers = { Authorization = "Bearer {token}" }
source = "here"
sure = "code"
[recipes.http.login]
request = { method = "POST", path = "/token", type = "application/json", body = '{"word": "{word}"}' }
pattern = '"token": "(?P<token>[^"]+)"'
[recipes.http.features.dnd]
on = '^{account} dnd=(?P<on>\\S*)'
set = [{ method = "PUT", path = "/lines/{id}", type = "application/json", body = '["dnd", "{on}"]' }]
[recipes.http.features.cf_always]
on = '^{account} cf_always=(?P<on>\\S*) to=(?P<number>\\S*)$'
set = [{ method = "PUT", path = "/lines/{id}", type = "application/json", body = '["cf_always", "{on}", "{number}"]' }]
"""  # noqa: E501
BENCH = """
name = "box"
vendor = "acme"
targets = ["1003", "1004"]
[sip]
address = "127.0.0.1"
[accounts.primary]
user = "1001"
password = { env = "SIP_PASSWORD" }
values = { office = "north" }
[accounts.other]
user = "1002"
password = { env = "SIP_PASSWORD" }
values = { office = "south" }
[accounts.target]
user = "1003"
password = { env = "SIP_PASSWORD" }
values = { office = "east" }
[admin]
recipe = "RECIPE"
values = { city = "Bern" }
secrets = { word = { env = "WORD" } }
"""
SSH = """
[admin.ssh]
host = "127.0.0.1"
port = PORT
user = "admin"
password = { env = "SIP_PASSWORD" }
host_key = "HOST_KEY"
connect = 5
command = 5
"""
HTTP = """
[admin.http]
base_url = "URL"
connect = 5
command = 5
"""
BEFORE = {"1001 dnd": "yes", "1002 cf_always": "yes to=1004", "1003 dnd": "no"}


@contextlib.contextmanager
def exec_server(fake):
    def handler(channel, command):
        channel.sendall(fake.run(command).encode())
        return 0

    with SshServer(password="let me in", handler=handler) as server:
        yield SSH.replace("PORT", str(server.port)).replace("HOST_KEY", server.host_line)


@contextlib.contextmanager
def shell_server(fake):
    def shell(channel):
        person = Person(channel)
        person.say("Word: ")
        if person.hear() != "open sesame":
            return
        while True:
            person.say("box # ")
            command = person.hear()
            if command == "exit":
                return
            person.say(fake.run(command).replace("\n", "\r\n"))

    def talk(channel):
        with contextlib.suppress(Gone):
            shell(channel)

    with SshServer(password="let me in", shell=talk, refuse_exec=True) as server:
        yield SSH.replace("PORT", str(server.port)).replace("HOST_KEY", server.host_line)


@contextlib.contextmanager
def http_server(fake):
    offices = {"1001": "north", "1002": "south", "1003": "east"}

    def answer(asked):
        if asked.path == "/token":
            right = json.loads(asked.body) == {"word": "open sesame"}
            return Said(200, '{"token": "a-token-of-some-length"}') if right else Said(403)
        if asked.headers.get("authorization") != "Bearer a-token-of-some-length":
            return Said(401)
        if asked.path.startswith("/lines?number="):
            return Said(200, json.dumps({"id": f"id {asked.path.rpartition('=')[2]}"}))
        line, _, query = asked.path.removeprefix("/lines/id%20").partition("?")
        if asked.method == "GET":
            assert query == f"office={offices[line]}&city=Bern"
            return Said(200, fake.run(f"show {line}"))
        feature, *words = json.loads(asked.body)
        return Said(204, fake.run(shlex.join(["set", line, feature, *words])))

    with HttpServer(answer) as server:
        yield HTTP.replace("URL", server.url)


KINDS = {
    "exec": (exec_server, CommandAccess),
    "shell": (shell_server, ShellAccess),
    "http": (http_server, HttpAccess),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def fake():
    return FakeServer(values=dict(BEFORE))


@pytest.fixture
def files(tmp_path, monkeypatch, fake, kind):
    """A bench file and a profile, with the server that they name running."""
    monkeypatch.setenv("SIP_PASSWORD", "let me in")
    monkeypatch.setenv("WORD", "open sesame")
    (tmp_path / "acme.toml").write_text(PROFILE)
    with KINDS[kind][0](fake) as where:
        (tmp_path / "box.toml").write_text(BENCH.replace("RECIPE", kind) + where)
        yield load_bench(tmp_path / "box.toml"), load_profile(tmp_path / "acme.toml")


def test_the_recipe_says_which_access(files, kind):
    with ServerState.connect(*files) as state:
        assert type(state.session) is KINDS[kind][1]
        assert state.features == (Feature.DND, Feature.CF_ALWAYS)


def test_states_are_read_and_set_and_told(files, fake):
    events = []
    with ServerState.connect(*files, clock=lambda: 7.0, on_event=events.append) as state:
        assert state.get("1001")[Feature.DND].on is True
        assert state.get("1002")[Feature.CF_ALWAYS] == FeatureState(Feature.CF_ALWAYS, True, "1004")
        for wanted in (
            FeatureState(Feature.CF_ALWAYS, True, "*21#"),
            FeatureState(Feature.CF_ALWAYS, False),
            FeatureState(Feature.DND, False),
        ):
            state.set("1001", wanted)
            assert state.get("1001")[wanted.feature].satisfies(wanted)
    assert [type(event) for event in events] == [Reading, Reading, *[Flip, Reading] * 3]
    assert fake.values["1001 dnd"] == "no"


def test_the_transcript_has_everything_but_secrets(files, kind):
    told = []
    with ServerState.connect(*files, on_secret=told.append) as state:
        state.get("1001")
        exchanges = state.session.transcript.exchanges
        state.set("1001", FeatureState(Feature.DND, False))
        later = exchanges[-1]
        shown = state.session.transcript.text()
    assert "dnd" in f"{later.command}"
    for secret in ("open sesame", "let me in", "a-token-of-some-length"):
        assert secret not in shown
    assert told == (["a-token-of-some-length"] if kind == "http" else [])


def test_what_a_killed_run_left_is_put_back(files, fake, tmp_path):
    bench, profile = files
    with ServerState.connect(bench, profile) as state:
        opened = open_journal(
            tmp_path / FOLDER, bench, tmp_path / "acme.toml", lambda: snapshot(bench, state), run_id="r1"
        )
        assert set(opened.record.states()) == {"1001", "1002", "1003"}
        state.set("1001", FeatureState(Feature.DND, False))
        state.set("1002", FeatureState(Feature.CF_ALWAYS, True, "1009"))
        state.set("1003", FeatureState(Feature.DND, True))
        state.set("1003", FeatureState(Feature.CF_ALWAYS, True, "1009"))
    _write(Journal(opened.path, opened.record.model_copy(update={"process": "dead/1"})))
    lines, code = restore_all(tmp_path)
    assert code == 0, lines
    assert sorted(lines) == [
        "box: 1001: DND off; put back to: DND on",
        "box: 1002: unconditional forward → 1009; put back to: unconditional forward → 1004",
        "box: 1003: DND on; put back to: DND off",
        "box: 1003: unconditional forward → 1009; put back to: unconditional forward off",
    ]
    assert {key: fake.values[key] for key in BEFORE} == BEFORE
    assert fake.values["1003 cf_always"].startswith("no")
    assert not opened.path.exists()


def test_a_state_that_could_not_be_put_back_is_told_before(files, fake):
    bench, profile = files
    fake.values["1003 cf_always"] = "yes to="
    with ServerState.connect(bench, profile) as state, pytest.raises(BenchFault) as caught:
        snapshot(bench, state)
    assert str(caught.value).startswith(
        "preflight: account 1003 (target) has a state that could not be put back, unconditional forward → "
        f"(no number): {bench.file}: number of cf_always: expected a number"
    )


def test_a_wrong_word_lets_nobody_in(files, kind, monkeypatch):
    if kind == "exec":
        monkeypatch.setenv("SIP_PASSWORD", "wrong")
    monkeypatch.setenv("WORD", "wrong")
    with pytest.raises(LoginFault) as caught:
        ServerState.connect(*files)
    assert "wrong" not in str(caught.value)


def test_a_missing_secret_is_told_with_its_key(files, monkeypatch):
    monkeypatch.delenv("WORD")
    with pytest.raises(ConfigFault, match=r"admin\.secrets\.word: expected environment variable WORD to be"):
        ServerState.connect(*files)


def test_a_value_that_one_account_lacks(files, kind):
    bench, profile = files
    accounts = bench.accounts | {"target": bench.accounts["target"].model_copy(update={"values": {}})}
    bench = bench.model_copy(update={"accounts": accounts})
    if kind == "http":
        with pytest.raises(
            ConfigFault, match=r"recipes\.http\.read\[0\]: expected placeholders known there: "
        ):
            ServerState.connect(bench, profile)
    else:
        ServerState.connect(bench, profile).close()
