import pytest

from featuresync.sip.timers import Timers


def test_the_default_values_are_those_of_rfc_3261_table_4():
    """RFC 3261 17, table 4; RFC 6026 7; RFC 6665 4.1.2.4 (N)."""
    udp = {timer: Timers().seconds(timer, reliable=False) for timer in "ABCDEFGHIJKLMN"}
    assert udp == {
        "A": 0.5, "B": 32, "C": 180, "D": 32, "E": 0.5, "F": 32, "G": 0.5, "H": 32,
        "I": 5, "J": 32, "K": 5, "L": 32, "M": 32, "N": 32,
    }  # fmt: skip


def test_a_reliable_transport_repeats_nothing_and_waits_for_no_copies():
    """RFC 3261 table 4: A, E and G do not run; D, I, J and K are zero; the rest is as on UDP."""
    tcp = {timer: Timers().seconds(timer, reliable=True) for timer in "ABCDEFGHIJKLMN"}
    assert tcp == {
        "A": None, "B": 32, "C": 180, "D": 0, "E": None, "F": 32, "G": None, "H": 32,
        "I": 0, "J": 0, "K": 0, "L": 32, "M": 32, "N": 32,
    }  # fmt: skip


def test_everything_follows_from_t1():
    assert Timers(t1=0.1).timeout == pytest.approx(6.4)
    assert Timers(t1=0.1).seconds("A", reliable=False) == 0.1


@pytest.mark.parametrize(("left", "after"), [(3600, 3536), (128, 64), (120, 60), (60, 30), (1, 0.5), (0, 0)])
def test_refresh_comes_two_timeouts_before_the_end_or_half_way(left, after):
    assert Timers().refresh_after(left) == after


@pytest.mark.parametrize("wrong", [{"t1": 0}, {"t1": 5.0}, {"t4": -1}, {"c": 0}, {"t1": float("nan")}])
def test_values_that_would_make_a_timer_spin_are_refused(wrong):
    with pytest.raises(ValueError, match="timers need"):
        Timers(**wrong)
