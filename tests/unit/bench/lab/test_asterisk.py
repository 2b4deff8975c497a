import re
from pathlib import Path

import pytest

from featuresync.bench.lab.asterisk import Asterisk
from featuresync.bench.lab.certificates import issue
from featuresync.bench.lab.engine import Ports
from featuresync.bench.lab.parts import PLATFORMS
from featuresync.bench.lab.tree import Tree

from .test_dialplan import profile

TREE = Tree(Path("/tree"), PLATFORMS["x86_64"])


def written(run, **options):
    """The files that an Asterisk is started with, by name."""
    server = Asterisk(
        TREE, run, "127.2.9.1", Ports(5060, 5061), profile(), options.pop("dialect", "established"),
        {"1001": "one-secret", "1002": "two-secret"}, **options,
    )  # fmt: skip
    server.write()
    return {file.name: file.read_text() for file in server.folder.iterdir() if file.is_file()}


def sections(text):
    """``{"1001": ["auth = 1001", ...]}``; sections of one name are put together."""
    found = {}
    for block in re.split(r"^(?=\[)", text, flags=re.MULTILINE)[1:]:
        name, _, rest = block[1:].partition("]")
        lines = [line for line in rest.splitlines()[1:] if line and not line.startswith(";")]
        found.setdefault(name, []).extend(lines)
    return found


def test_phones_and_listeners(tmp_path):
    found = sections(written(tmp_path)["pjsip.conf"])
    assert found["1002"] == ["auth = 1002", "aors = 1002", "callerid = <1002>", "username = 1002",
                             "password = two-secret"]  # fmt: skip
    assert [name for name in found if "bind" in "".join(found[name])] == ["udp", "tcp", "phone"]
    assert found["udp"] == ["type = transport", "protocol = udp", "bind = 127.2.9.1:5060"]
    assert "media_address = 127.2.9.1" in found["phone"]


def test_tls_and_ipv6(tmp_path):
    files = written(tmp_path, certificates=issue(["127.2.9.1"]), ipv6=(17018, 17019))
    found = sections(files["pjsip.conf"])
    assert "bind = 127.2.9.1:5061" in found["tls"]
    assert "method = tlsv1_2" in found["tls6"]
    assert [found[name][2] for name in ("udp6", "tcp6", "tls6")] == [
        "bind = [::1]:17018", "bind = [::1]:17018", "bind = [::1]:17019",
    ]  # fmt: skip
    assert "media_address = ::1" in found["phone"]
    assert files["server.key"].startswith("-----BEGIN PRIVATE KEY-----")


def test_announcements_only_knows_no_phone(tmp_path):
    files = written(tmp_path, proxy="127.2.9.3:5070", announcements_only=True)
    found = sections(files["pjsip.conf"])
    assert found["proxy"] == ["type = identify", "endpoint = proxy", "match = 127.2.9.3"]
    assert "1001" not in found
    assert "secret" not in "".join(files.values()).replace("[secret](!)", "")
    assert "exten => 1001" not in files["extensions.conf"]
    assert "Goto(dnd-on,s,1)" in files["extensions.conf"]


def test_the_dialplan_is_the_profiles(tmp_path):
    text = written(tmp_path, dialect="early", faults=("WRONG_FEATURE",))["extensions.conf"]
    assert "exten => 1002,1,Goto(calls,${EXTEN},1)" in text
    assert "Set(DB(CF/${CHANNEL(endpoint)})=${TARGET})" in text
    assert "DB(CFB/${CHANNEL" not in text
    assert "PJSIPHangup(480)" in text
    assert "RINGSECONDS = 2" in text


def test_every_word_is_replaced_and_every_module_is_there(tmp_path):
    files = written(tmp_path)
    assert not [name for name, text in files.items() if re.search(r"@[A-Z]+@", text)]
    assert "load = chan_pjsip.so" in files["modules.conf"]
    assert files["manager.conf"] == files["http.conf"] == ""
    assert f"astrundir => {tmp_path}/asterisk" in files["asterisk.conf"]
    assert files["resolv.conf"] == "nameserver 127.2.9.1\n"


@pytest.mark.parametrize(
    ("options", "program"),
    [
        ({}, "/tree/usr/lib64/ld-linux-x86-64.so.2"),
        ({"faults": ("UNEXPECTED_PUSH",)}, "/bin/sh"),
        ({"faults": ("UNEXPECTED_PUSH",), "proxy": "127.2.9.1:5060"}, "/tree/usr/lib64/ld-linux-x86-64.so.2"),
    ],
)
def test_what_ssh_runs(tmp_path, options, program):
    server = Asterisk(TREE, tmp_path, "127.2.9.4", Ports(5060, 0), profile(), "established", {}, **options)
    assert server.programs["asterisk"][0] == program
    assert server.command()[0] == "/usr/bin/env"


def test_not_there_yet(tmp_path):
    server = Asterisk(TREE, tmp_path, "127.2.9.1", Ports(5060, 0), profile(), "established", {})
    assert not server.ready()
    server.folder.mkdir()
    (server.folder / "asterisk.ctl").touch()
    assert not server.ready(), "a socket's file where nobody listens"
