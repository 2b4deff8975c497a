"""featuresync.bench.preflight: what cannot be put back is not touched."""

import pytest

from featuresync.bench.preflight import snapshot
from featuresync.errors import BenchFault
from featuresync.sync.feature import Feature, FeatureState

from .fake_server import FakeServer, state_of, write_bench


@pytest.fixture
def bench(tmp_path):
    return write_bench(tmp_path)


def test_all_accounts_are_taken(bench):
    server = FakeServer(values={"1002 dnd": "yes"})
    taken = snapshot(bench, state_of(server))
    assert list(taken) == ["1001", "1002"]
    assert taken["1002"][Feature.DND] == FeatureState(Feature.DND, True)
    assert server.commands == ["show 1001", "show 1002"]


def test_an_account_that_cannot_be_read(bench):
    with pytest.raises(BenchFault) as caught:
        snapshot(bench, state_of(FakeServer(broken=True)))
    assert str(caught.value) == ("preflight: account 1001 (primary) cannot be read: the server is on fire")


def test_an_answer_that_cannot_be_read(bench):
    with pytest.raises(
        BenchFault, match=r"account 1002 \(other\) cannot be read: unreadable answer about DND"
    ):
        snapshot(bench, state_of(FakeServer(values={"1002 dnd": "perhaps"})))


def test_a_state_that_could_not_be_put_back(bench):
    with pytest.raises(BenchFault) as caught:
        snapshot(bench, state_of(FakeServer(values={"1001 cf_busy": "yes to=1003;ext=7"})))
    assert str(caught.value).startswith(
        "preflight: account 1001 (primary) has a state that could not be put back, "
        "busy forward → 1003;ext=7: recipe: number of cf_busy: expected 0-9"
    )
