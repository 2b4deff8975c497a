"""Every mistake in a bench file: one line that a user can act on, and never a secret in it."""

import re
from pathlib import Path

import pytest

from featuresync.errors import ConfigFault
from featuresync.profile import load_bench, load_profile

GOOD = Path(__file__).parent / "good"
KEY = 'key = { file = "id_ed25519" }'
PASSWORD = 'password = { env = "PRIMARY_PASSWORD" }'
SECRET = "accounts.primary.password"
HTTP = '[admin.http]\nbase_url = "https://192.0.2.1"\n\n[admin.ssh]'


def secrets(file):
    load_bench(file).secrets()


def recipe(file):
    load_bench(file).recipe(load_profile(GOOD / "one.toml"))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"udp"', '"sctp"', "sip.transport: expected one of 'udp', 'tcp' or 'tls', got 'sctp'"),
        ("5060", "70000", "sip.port: expected at most 65535, got 70000"),
        ("5060", '"sip"', "sip.port: expected a whole number, got 'sip'"),
        ("verify = true", 'verify = "maybe"', "sip.tls.verify: expected true or false, got 'maybe'"),
        (
            "[accounts.other]",
            "[accounts.others]",
            "accounts.others: expected one of 'primary', 'other', 'target', 'partial' or 'bare', "
            "got 'others'",
        ),
        (
            '"room-2"',
            '"lab room"',
            "name: expected a name of A-Z a-z 0-9 . _ - that begins with a letter or digit, got 'lab room'",
        ),
        ('["2003", "2004"]', '["2003"]', "targets.1: expected a value, got nothing"),
        ('["2003", "2004"]', '[2003, "2004"]', "targets.0: expected text in quotes, got 2003"),
        ("push = 5", "puhs = 5", "deadlines.puhs: expected a known key, got an unknown one (spelling?)"),
        ("push = 5", "push = 0", "deadlines.push: expected more than 0, got 0"),
        ("[admin.ssh]", HTTP, "admin: expected exactly one of ssh and http, got both"),
        (KEY, "", "admin.ssh: expected exactly one of key and password, got neither"),
        (
            KEY,
            f'{KEY}\npassword = {{ env = "P" }}',
            "admin.ssh: expected exactly one of key and password, got both",
        ),
        (
            "host_key = ",
            'known_hosts = "hosts"\nhost_key = ',
            "admin.ssh: expected exactly one of host_key and known_hosts, got both",
        ),
        (
            'kind = "ssh-exec"',
            'kind = "ssh-shell"',
            "recipes.cli.shell: expected a table, as kind is ssh-shell, got nothing",
        ),
        (
            'kind = "ssh-exec"',
            'kind = "http"',
            "recipes.cli.read.0: expected a request, as kind is http, got a command",
        ),
        (
            'kind = "ssh-exec"',
            'shell = { prompt = "#" }',
            "recipes.cli.shell: expected nothing, as kind is ssh-exec, got a table",
        ),
        (
            'set = ["features set {account} dnd {on}"]',
            'set = [{ path = "/dnd" }]',
            "recipes.cli.features.dnd.set.0: expected a command, as kind is ssh-exec, got a request",
        ),
    ],
)  # fmt: skip
def test_bench_files(line_of, old, new, line):
    assert line_of("bench.toml", old, new, load_bench) == f"bench.toml: {line}"


@pytest.mark.parametrize("role", ["primary", "other"])
def test_an_account_that_is_not_there(line_of, role):
    def read(file):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(rf"\[accounts\.{role}\][^\[]*", "", text), encoding="utf-8")
        load_bench(file)

    said = line_of("bench.toml", f"[accounts.{role}]", f"[accounts.{role}]", read)
    assert said == f"bench.toml: accounts.{role}: expected an account, got nothing"


def without_ssh(file, instead):
    text = file.read_text(encoding="utf-8")
    start, end = text.index("[admin.ssh]"), text.index("[recipes.cli]")
    file.write_text(text[:start] + instead + text[end:], encoding="utf-8")


def test_neither_ssh_nor_http(line_of):
    def read(file):
        without_ssh(file, "")
        load_bench(file)

    said = line_of("bench.toml", "[admin]", "[admin]", read)
    assert said == "bench.toml: admin: expected exactly one of ssh and http, got neither"


@pytest.mark.parametrize(
    "url", ["192.0.2.1", "ftp://192.0.2.1", "https://", "https://h/?a=b", "https://h/#a"]
)
def test_base_urls(line_of, url):
    def read(file):
        without_ssh(file, f'[admin.http]\nbase_url = "{url}"\n')
        load_bench(file)

    said = line_of("bench.toml", "[admin]", "[admin]", read)
    assert said == (
        "bench.toml: admin.http.base_url: expected http:// or https:// with a host, "
        f"without ? and #, got '{url}'"
    )


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'recipe = "cli"',
            'recipe = "portal"',
            "admin.recipe: expected one of api, cli, got portal",
        ),
        (
            'recipe = "cli"',
            'recipe = "api"',
            "admin.http: expected a table, since recipe api is of kind http, got nothing",
        ),
    ],
)
def test_recipes_that_are_not_for_this_bench(line_of, old, new, line):

    assert line_of("bench.toml", old, new, recipe) == f"bench.toml: {line}"


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ('{ env = "P", file = "secret" }', f"{SECRET}: expected exactly one of env and file, got both"),
        ("{}", f"{SECRET}: expected exactly one of env and file, got neither"),
        ('"geheim"', f'{SECRET}: expected {{ env = "NAME" }} or {{ file = "PATH" }}, got something else'),
        ('{ value = "geheim" }', f"{SECRET}.value: expected a known key, got an unknown one (spelling?)"),
        (
            '{ env = "NO_SUCH_VARIABLE" }',
            f"{SECRET}: expected environment variable NO_SUCH_VARIABLE to be set, got unset",
        ),
        ('{ file = "secret" }', f"{SECRET}: expected a readable file secret, got no such file or directory"),
        ('{ file = "." }', f"{SECRET}: expected a readable file ., got is a directory"),
        ('{ file = "binary" }', f"{SECRET}: expected a readable file binary, got no text in UTF-8"),
    ],
)
def test_secrets(line_of, tmp_path, monkeypatch, new, line):
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    (tmp_path / "binary").write_bytes(b"geheim\xff")
    said = line_of("bench.toml", PASSWORD, f"password = {new}", secrets)
    assert said == f"bench.toml: {line}"
    assert "geheim" not in said


def test_every_secret_is_asked_for(tmp_path, monkeypatch):
    text = (GOOD / "bench.toml").read_text(encoding="utf-8")
    file = tmp_path / "bench.toml"
    file.write_text(text)
    monkeypatch.setenv("PRIMARY_PASSWORD", "one")
    with pytest.raises(
        ConfigFault, match=r"accounts\.other\.password: expected a readable file other\.password"
    ):
        load_bench(file).secrets()
    (tmp_path / "other.password").write_text("two\n")
    assert load_bench(file).secrets() == ["one", "two"]
