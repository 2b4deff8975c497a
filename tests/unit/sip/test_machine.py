import pytest

from featuresync.sip.machine import CLIENT, INVITE_CLIENT, INVITE_SERVER, SERVER, TERMINATED

MACHINES = {
    "INVITE client": INVITE_CLIENT,
    "client": CLIENT,
    "INVITE server": INVITE_SERVER,
    "server": SERVER,
}


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_every_state_is_reached_and_left_by_a_timer(machine):
    """No state holds a transaction for ever: from each, timers alone lead to the end."""
    states = {machine.start} | {to for to, _ in machine.rows.values()}
    reached, left = {machine.start}, {TERMINATED}
    for _ in states:
        reached |= {to for (at, _), (to, _) in machine.rows.items() if at in reached}
        left |= {at for (at, what), (to, _) in machine.rows.items() if len(what) == 1 and to in left}
    assert reached == states
    assert left == states


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_every_timer_that_starts_has_a_row_and_every_row_a_timer(machine):
    started = {timer for timers in machine.timers.values() for timer in timers}
    awaited = {what for _, what in machine.rows if len(what) == 1}
    assert started == awaited
    for state, timers in machine.timers.items():
        assert all((state, timer) in machine.rows for timer in timers)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_nothing_leads_out_of_terminated(machine):
    assert not [at for at, _ in machine.rows if at is TERMINATED]
