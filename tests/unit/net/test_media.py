"""Media ports on real loopback sockets: what is heard is counted, and silence goes where it may."""

import socket
import struct
from itertools import pairwise

import pytest

from featuresync.errors import BenchFault
from featuresync.net.media import SILENCE, is_rtp, may_hear_us
from featuresync.net.reactor import Reactor, Way

RTP = struct.pack("!BBHII", 0x80, 0, 1, 160, 7) + SILENCE[0]


class Idle:
    """A core with nothing to say: its endpoint lends the reactor's thread."""

    def receive(self, data, flow, now): ...
    def flow_lost(self, flow, reason, now): ...
    def tick(self, now): ...

    def deadline(self):
        return None

    def drain(self):
        return ()


class Bench:
    """A reactor with one media port, and a plain socket as the server's end."""

    def __init__(self, reactor, silence=True, host="127.0.0.1"):
        self.reactor = reactor
        self.media = reactor.open_media(host, 2, silence=silence)
        self.endpoint, _ = reactor.open(Idle(), Way("udp", host, (host, 9)), lambda *_: None, 2)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.server = socket.socket(family, socket.SOCK_DGRAM)
        self.server.bind((host, 0))
        self.server.settimeout(5)
        self.address = self.server.getsockname()[:2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()
        self.reactor.close(self.endpoint)
        self.reactor.close_media(self.media)

    def do(self, function, *arguments):
        return self.reactor.call(self.endpoint, lambda: function(*arguments))

    def heard(self, datagrams):
        """Wait until so many datagrams have come in; nobody wakes a waiter for sound, so it is asked for."""
        until = self.reactor.clock() + 5
        while self.reactor.clock() < until:
            heard = self.do(lambda: self.media.heard)
            if heard.packets + heard.other >= datagrams:
                return heard
        raise AssertionError(f"{heard} after 5 s")

    def packets(self, count):
        return [self.server.recvfrom(2048) for _ in range(count)]


@pytest.fixture
def reactor():
    with Reactor() as running:
        yield running
        assert running.errors == []


@pytest.mark.parametrize("payload", [0, 8])
def test_silence_is_proper_rtp_each_20_ms(reactor, payload):
    """RFC 3550 5.1, RFC 3551 4.5.14."""
    with Bench(reactor) as bench:
        begun = reactor.clock()
        bench.do(bench.media.start, bench.address, payload)
        received = bench.packets(6)
        # Never ahead of the clock, however late the machine is.
        assert reactor.clock() - begun >= 5 * 0.02 - 0.005
        bench.do(bench.media.stop)
    assert {address for _, address in received} == {bench.media.local}
    heads = [struct.unpack("!BBHII", data[:12]) for data, _ in received]
    assert {data[12:] for data, _ in received} == {SILENCE[payload]}
    assert {len(data) for data, _ in received} == {172}
    first, second = heads[0], heads[1]
    assert (first[0], first[1], second[1]) == (0x80, payload | 0x80, payload)
    for before, after in pairwise(heads):
        assert after[2] == (before[2] + 1) % 2**16
        assert after[3] == (before[3] + 160) % 2**32
        assert after[4] == before[4]
    assert bench.media.sent >= 6


def test_stop_and_close_end_it(reactor):
    with Bench(reactor) as bench:
        bench.do(bench.media.start, bench.address, 0)
        bench.packets(2)
        sent = bench.do(lambda: (bench.media.stop(), bench.media.sent)[1])
        bench.packets(sent - 2)
        bench.server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            bench.server.recvfrom(2048)
        assert bench.media.sent == sent


def test_starting_again_at_the_same_place_goes_on(reactor):
    """The 183 and the 200 name the same place."""
    with Bench(reactor) as bench:
        bench.do(bench.media.start, bench.address, 0)
        bench.do(bench.media.start, bench.address, 0)
        markers = [data[1] >> 7 for data, _ in bench.packets(3)]
        assert markers == [1, 0, 0]
        bench.do(bench.media.start, bench.address, 8)
        kinds = iter(lambda: bench.packets(1)[0][0][1], 0x88)
        assert set(kinds) <= {0}


def test_a_port_without_silence_sends_nothing(reactor):
    with Bench(reactor, silence=False) as bench:
        bench.do(bench.media.start, bench.address, 0)
        assert bench.media.sent == 0
        bench.server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            bench.server.recvfrom(2048)


def test_what_is_heard_is_counted_and_garbage_is_taken(reactor):
    with Bench(reactor) as bench:
        before = reactor.clock()
        for data in (RTP, b"", b"junk", RTP, b"\x80\xc8" + bytes(26), bytes(65000)):
            bench.server.sendto(data, bench.media.local)
        heard = bench.heard(6)
        assert (heard.packets, heard.bytes, heard.other) == (2, 344, 4)
        assert before <= heard.first <= heard.last <= reactor.clock()
        assert bench.media.sent == 0


def test_the_port_is_even_on_our_own_address(reactor):
    """RFC 3550 11."""
    with Bench(reactor) as bench:
        assert bench.media.local[0] == "127.0.0.1"
        assert bench.media.local[1] % 2 == 0


def test_ipv6(reactor):
    with Bench(reactor, host="::1") as bench:
        bench.do(bench.media.start, bench.address, 0)
        assert len(bench.packets(2)) == 2
        bench.server.sendto(RTP, bench.media.local)
        assert bench.heard(1).packets == 1


def test_an_address_that_is_not_ours_is_bench_trouble(reactor):
    with pytest.raises(BenchFault, match=r"^media port on 192\.0\.2\.1: .*[Aa]ddress"):
        reactor.open_media("192.0.2.1", 2)


@pytest.mark.parametrize(
    ("remote", "local", "may"),
    [
        (("127.0.0.9", 4000), "127.0.0.1", True),
        (("198.51.100.9", 4000), "192.0.2.1", True),
        (("2001:db8::9", 4000), "2001:db8::1", True),
        (("224.0.0.1", 4000), "192.0.2.1", False),
        (("ff02::1", 4000), "2001:db8::1", False),
        (("255.255.255.255", 4000), "192.0.2.1", False),
        (("0.0.0.0", 4000), "192.0.2.1", False),
        (("::", 4000), "2001:db8::1", False),
        (("127.0.0.1", 4000), "192.0.2.1", False),
        (("192.0.2.9", 4000), "127.0.0.1", False),
        (("::1", 4000), "2001:db8::1", False),
        (("::ffff:224.0.0.1", 4000), "2001:db8::1", False),
        (("2001:db8::9", 4000), "192.0.2.1", False),
        (("media.example.net", 4000), "192.0.2.1", False),
        (("192.0.2.9", 0), "192.0.2.1", False),
        (("192.0.2.9", 65536), "192.0.2.1", False),
    ],
)
def test_who_may_hear_us(remote, local, may):
    assert may_hear_us(remote, local) is may


def test_nobody_else_is_sent_anything(reactor):
    """A hostile description: what went on before ends, too."""
    with Bench(reactor) as bench:
        bench.do(bench.media.start, bench.address, 0)
        bench.packets(1)
        bench.do(bench.media.start, ("224.0.0.1", 4000), 0)
        sent = bench.media.sent
        bench.server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            bench.packets(sent)
        assert bench.media.sent == sent


@pytest.mark.parametrize(
    ("data", "rtp"),
    [
        (RTP, True),
        (RTP[:12], True),
        (RTP[:11], False),
        (b"\x00" + RTP[1:], False),
        (b"\xc0" + RTP[1:], False),
        (b"\x80\xc8" + RTP[2:], False),
        (b"\x80\xe5" + RTP[2:], True),
    ],
)
def test_what_counts_as_rtp(data, rtp):
    """RFC 3550 5.1, RFC 5761 4: version, header, and not RTCP."""
    assert is_rtp(data) is rtp
