"""The session of a Robot process: phones come and go with their test."""

from pathlib import Path

import pytest

from featuresync.agent.phone import Line
from featuresync.judge.trace import Awaited, Quiet
from featuresync.library.session import Session
from featuresync.net.reactor import Reactor
from featuresync.profile import load_bench, load_profile

ROOT = Path(__file__).parents[3]


@pytest.fixture
def session():
    bench = load_bench(ROOT / "bench.example.toml")
    sip = bench.sip.model_copy(update={"address": "127.0.0.1", "port": 9, "local": "127.0.0.1"})
    deadlines = bench.deadlines.model_copy(update={"answer": 0.05, "settle": 0.01})
    bench = bench.model_copy(update={"sip": sip, "deadlines": deadlines})
    with Reactor() as reactor:
        session = Session(bench, load_profile(ROOT / "vendors" / "broadsoft.toml"), reactor)
        session.begin()
        yield session
        session.begin()
        assert reactor.errors == []


def plug_in(session, name="desk"):
    line = Line("2001", "secret", "example.invalid")
    return session.plug_in(name, session.bench.accounts["primary"], session.bench.sip, line)


def test_a_wait_that_is_not_met_is_recorded_with_its_deadline(session):
    handset = plug_in(session)
    assert session.wait(handset, "a miracle", "answer", lambda phone: None) is None
    (awaited,) = session.trace.of(Awaited)
    assert (awaited.actor, awaited.what, awaited.deadline, awaited.met) == (
        "desk", "a miracle", "answer (0.05 s)", False,
    )  # fmt: skip


def test_listening_is_recorded_with_its_length(session):
    handset = plug_in(session)
    session.listen(handset, 0.02, "nothing is due")
    (quiet,) = session.trace.of(Quiet)
    assert quiet.until - quiet.time >= 0.02


def test_a_phone_of_the_same_name_takes_the_place_of_the_first(session):
    first = plug_in(session)
    second = plug_in(session)
    assert session.handset("desk") is second
    assert first.phone is not second.phone


def test_a_new_test_has_no_phone_of_the_last_one(session):
    plug_in(session)
    session.begin()
    with pytest.raises(ValueError, match="no phone 'desk' in this scenario: none yet"):
        session.handset("desk")


def test_what_the_judge_is_told_of_the_system(session):
    setting = session.setting()
    assert setting.families == {"R", "B", "FC", "EF"}
    assert setting.assigned == ("dnd", "cf_always", "cf_busy", "cf_no_answer")
    assert setting.accounts == {"primary": "2001", "other": "2002", "target": "2003"}
    assert setting.facts["expect.full_state"] == "multipart"
    assert setting.deadlines["answer"] == 0.05


def test_news_is_what_comes_after_the_scenario_acts(session):
    handset = plug_in(session)
    handset.phone.told.append("old")
    session.act("push")
    assert (handset.heard, session.awaiting) == (1, "push")
