"""The console of an appliance on a real terminal over SSH, and the state of the real server behind it."""

from __future__ import annotations

import time

import pytest
from lab_kamailio import said, stored
from lab_phone import Phone

from featuresync.bench.lab import Lab
from featuresync.bench.ssh import SshConnection
from featuresync.bench.ssh_command import CommandAccess
from featuresync.bench.state import ServerState
from featuresync.errors import BenchFault
from featuresync.sync.feature import Feature, FeatureState

pytestmark = pytest.mark.lab
CHANGES = [
    (FeatureState(Feature.DND, True), "dnd=true"),
    (FeatureState(Feature.CF_ALWAYS, True, "1003"), "forwardImmediate=true,1003"),
    (FeatureState(Feature.CF_BUSY, False, "*72#1"), "forwardBusy=false,*72#1"),
    (FeatureState(Feature.CF_NO_ANSWER, True, "1004", 7), "forwardNoAns=true,1004,7"),
    (FeatureState(Feature.CF_ALWAYS, False), "forwardImmediate=false"),
]


@pytest.fixture
def lab(start_lab):
    return start_lab("fortinet")


class Person:
    """At a terminal of 80 by 24: types, and reads until something stands at the end of what is shown."""

    def __init__(self, lab: Lab) -> None:
        assert lab.bench.admin.ssh is not None
        self._connection = SshConnection(lab.bench.admin.ssh, lab.file)
        self.channel = self._connection.open_channel()
        self.channel.get_pty("vt100", 80, 24)
        self.channel.invoke_shell()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()
        self._connection.close()

    def sees(self, end: str, keys: str = "") -> str:
        """What is shown after the keys, up to ``end``."""
        self.channel.sendall(keys.encode())
        shown, until = "", time.monotonic() + 5
        while not shown.endswith(end):
            self.channel.settimeout(max(0.01, until - time.monotonic()))
            data = self.channel.recv(4096)
            assert data, f"closed after {shown!r}"
            shown += data.decode()
        return shown


def test_each_change_is_read_back_and_told_to_the_phone(lab):
    with Phone(lab.bench) as phone, ServerState.connect(lab.bench, lab.profile) as server:
        phone.subscribe()
        phone.notifies(1, quiet=0.05)
        for state, wanted in CHANGES:
            server.set("1001", state)
            assert server.get("1001")[state.feature] == state
            assert [said(one) for one in phone.notifies(1, quiet=0.05)] == [[wanted]]
        assert server.get("1002") == {
            feature: FeatureState(feature, False, "", 3 if feature is Feature.CF_NO_ANSWER else None)
            for feature in Feature
        }
    assert stored(lab) == {
        "1001::dnd": "true",
        "1001::forwardImmediate": "false/3/",
        "1001::forwardBusy": "false/3/*72#1",
        "1001::forwardNoAns": "true/7/1004",
    }


def test_a_session_as_a_person_has_it(lab):
    with Person(lab) as person:
        banner = person.sees("(Press 'a' to accept):")
        assert banner.count("\r\n") == banner.count("\n") == 3
        assert person.sees("# ", "a") == "a\r\nlab # "
        shown = person.sees("--More-- ", "show voice extension\r")
        assert shown.startswith('show voice extension\r\nconfig voice extension\r\n    edit "1001"\r\n')
        assert shown.count("\r\n") == 21
        assert person.sees("--More-- ", " ").startswith("\r\x1b[K    next\r\n")
        assert person.sees("# ", "q") == "\r\x1b[Klab # "
        assert person.sees("# ", "config system console\n") == "config system console\r\nlab (console) # "
        person.sees("# ", "set output standard\n")
        person.sees("lab # ", "end\n")
        assert "--More--" not in (everything := person.sees("# ", "get voice extension\n"))
        assert [line for line in everything.split("\r\n") if line.startswith("==")] == [
            f"== [ {extension} ]" for extension in (1001, 1002, 1003, 1004)
        ]
        assert person.sees("# ", "set dnd enable\n").split("\r\n")[1:] == [
            "command parse error before 'set'",
            "Command fail. Return code -61",
            "lab # ",
        ]
        person.channel.sendall(b"exit\n")
        assert person.channel.recv_exit_status() == 0


def test_who_goes_before_the_end_has_changed_nothing(lab):
    with Person(lab) as person:
        person.sees("accept):")
        for keys in ("a\n", "config voice extension\n", "edit 1001\n", "set dnd enable\n"):
            person.sees("# ", keys)
    assert stored(lab) == {}


def test_what_is_refused_is_told_and_the_next_change_works(lab):
    with ServerState.connect(lab.bench, lab.profile) as server:
        with pytest.raises(BenchFault, match="command parse error before '21'"):
            server.set("1001", FeatureState(Feature.CF_NO_ANSWER, True, "1003", 21))
        assert stored(lab) == {}
        with pytest.raises(BenchFault, match="Return code -3"):
            server.set("1999", FeatureState(Feature.DND, True))
        server.set("1001", FeatureState(Feature.DND, True))
    assert stored(lab) == {"1001::dnd": "true"}


@pytest.mark.parametrize("command", ["show", "kamcmd htable.dump st", "/bin/sh"])
def test_there_are_no_single_commands(lab, command):
    assert lab.bench.admin.ssh is not None
    with (
        CommandAccess(lab.bench.admin.ssh, lab.file) as access,
        pytest.raises(BenchFault, match="exit code 1: no single commands here: open a shell"),
    ):
        access.run(command, {})
