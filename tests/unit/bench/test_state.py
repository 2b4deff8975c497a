"""featuresync.bench.state: what is told to the trace, and how long a change is awaited."""

import pytest

from featuresync.bench.state import ServerState, wait
from featuresync.errors import BenchFault, ConfigFault
from featuresync.judge.trace import Flip, Reading
from featuresync.profile import Expectations, Profile, SecretRef, Vendor
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import RECIPE, FakeServer, Time, altered, state_of, write_bench
from .ssh_server import SshServer

ON = FeatureState(Feature.DND, True)


def test_set_and_get_are_recorded():
    events, time = [], Time()
    state = state_of(FakeServer(), time, events.append)
    state.set("1001", ON)
    found = state.get("1001")
    assert events == [Flip(1000.0, 1000.0, "1001", ON), Reading(1000.0, "1001", found)]
    assert found[Feature.DND] == ON


def test_a_flip_says_when_it_was_sent_and_answered():
    events, time, server = [], Time(), FakeServer()
    state = state_of(server, time, events.append)
    run = server.run
    state.administration = altered(lambda command: (time.pause(0.5), run(command))[1])
    state.set("1001", ON)
    assert (events[0].time, events[0].done) == (1000.0, 1000.5)


def test_a_set_that_failed_is_no_flip():
    events = []
    with pytest.raises(BenchFault, match="the server is on fire"):
        state_of(FakeServer(broken=True), on_event=events.append).set("1001", ON)
    assert events == []


def test_the_trace_may_change_between_tests():
    first, second = [], []
    state = state_of(FakeServer(), on_event=first.append)
    state.get("1001")
    state.on_event = second.append
    state.get("1001")
    assert (len(first), len(second)) == (1, 1)


def test_read_back_at_once_when_it_is_there():
    time, server = Time(), FakeServer()
    state = state_of(server, time)
    state.set("1001", ON)
    assert state.read_back("1001", ON, 5)[Feature.DND] == ON
    assert time.pauses == []


def test_read_back_waits_for_a_slow_server():
    time, server = Time(), FakeServer()
    state = state_of(server, time)
    pause = time.pause

    def later(seconds):
        pause(seconds)
        if len(time.pauses) == 3:
            state.set("1001", ON)

    state._pause = later
    assert state.read_back("1001", ON, 5)[Feature.DND] == ON
    assert time.now == pytest.approx(1000.3)


def test_read_back_gives_up_and_says_what_it_saw():
    time, server = Time(), FakeServer()
    assert state_of(server, time).read_back("1001", ON, 0.25)[Feature.DND].on is False
    assert time.pauses == pytest.approx([0.1, 0.1, 0.05])
    assert len(server.commands) == 4


def test_read_back_is_bounded_even_when_the_clock_stands_still():
    time, server = Time(), FakeServer()
    state = state_of(server, time)
    state._pause = lambda seconds: None
    state.read_back("1001", ON, 1)
    assert len(server.commands) == 11


def test_read_back_counts_the_time_that_reading_takes():
    time, server = Time(), FakeServer()
    state = state_of(server, time)
    run = server.run
    state.administration = altered(lambda command: (time.pause(0.4), run(command))[1])
    state.read_back("1001", ON, 1)
    assert len(server.commands) == 3


def test_wait_lets_time_pass():
    wait(0.001)


def profile(**recipes):
    claims = {"value": None, "source": "s", "sure": "code"}
    return Profile(
        vendor=Vendor(name="acme", title="Acme", families=frozenset("R")),
        sources={"s": "here", "here": "here"},
        features={},
        expect=Expectations(**dict.fromkeys(Expectations.model_fields, claims)),
        recipes=recipes,
    )


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSWORD", "let me in")
    return write_bench(tmp_path)


def test_connect_needs_the_recipe(bench):
    with pytest.raises(ConfigFault, match=r"admin\.recipe: expected one of none defined, got fake"):
        ServerState.connect(bench, profile())


def test_connect_over_a_real_session(bench):
    fake = FakeServer()

    def handler(channel, command):
        channel.sendall(fake.run(command).encode())
        return 0

    with SshServer(password="let me in", handler=handler) as server:
        ssh = bench.admin.ssh.model_copy(
            update={"port": server.port, "host_key": server.host_line, "password": SecretRef(env="PASSWORD")}
        )
        admin = bench.admin.model_copy(update={"ssh": ssh})
        with ServerState.connect(bench.model_copy(update={"admin": admin}), profile(fake=RECIPE)) as state:
            wanted = FeatureState(Feature.CF_NO_ANSWER, True, "1003", 4)
            state.set("1001", wanted)
            assert state.get("1001")[Feature.CF_NO_ANSWER] == wanted
            assert "$ rings 1001 4" in state.session.transcript.text()
        assert server.connections == 1
