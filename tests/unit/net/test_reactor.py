"""The reactor on real loopback sockets: UDP, TCP, TLS; deadlines, reachability, lost connections."""

import asyncio
import socket
import ssl
import threading

import pytest

from featuresync.errors import BenchFault
from featuresync.net.reactor import Reactor, Way
from featuresync.net.stream import tls_context
from featuresync.sip.transaction import Send

PING = b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"
PONG = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\nContent-Length: 4\r\n\r\nbody"


class Echo:
    """A core that sends what it is told and keeps what comes."""

    def __init__(self):
        self.outbox, self.got, self.lost, self.ticks = [], [], [], []
        self.due = None

    def receive(self, data, flow, now):
        self.got.append((data, flow))

    def flow_lost(self, flow, reason, now):
        self.lost.append(reason)

    def deadline(self):
        return self.due

    def tick(self, now):
        self.ticks.append(now)
        self.due = None

    def drain(self):
        sends, self.outbox = self.outbox, []
        return sends


@pytest.fixture
def reactor():
    with Reactor() as running:
        yield running
        assert running.errors == []


@pytest.fixture
def stream_server():
    """A TCP server that answers each message with PONG, cut into odd pieces, and hangs up on ``bye``."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(65535):
                if data == b"bye":
                    return
                connection.sendall(PONG[:7])
                connection.sendall(PONG[7:] + PONG)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()
    listener.close()


def test_udp_both_ways_with_the_tap(reactor):
    core, tapped = Echo(), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        way = Way("udp", "127.0.0.1", server.getsockname())
        endpoint, flow = reactor.open(core, way, lambda *event: tapped.append(event), 2)
        reactor.call(endpoint, lambda: core.outbox.append(Send(PING, flow)))
        data, address = server.recvfrom(65535)
        assert (data, address) == (PING, flow.local)
        server.sendto(PONG, address)
        assert reactor.wait(endpoint, lambda: core.got, 5) == [(PONG, flow)]
        reactor.close(endpoint)
    assert [(sent, data) for _, sent, _, data in tapped] == [(True, PING), (False, PONG)]
    assert all(event[2].transport == "udp" for event in tapped)


def test_udp_ipv6(reactor):
    core = Echo()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", 0))
        server.settimeout(5)
        endpoint, flow = reactor.open(core, Way("udp", "::1", server.getsockname()[:2]), lambda *_: None, 2)
        reactor.call(endpoint, lambda: core.outbox.append(Send(PING, flow)))
        assert server.recvfrom(65535)[0] == PING
        reactor.close(endpoint)


def test_tcp_is_cut_into_messages_and_its_end_is_told(reactor, stream_server):
    core = Echo()
    endpoint, flow = reactor.open(core, Way("tcp", "127.0.0.1", stream_server), lambda *_: None, 2)
    reactor.call(endpoint, lambda: core.outbox.append(Send(PING, flow)))
    assert reactor.wait(endpoint, lambda: len(core.got) == 2, 5)
    assert [data for data, _ in core.got] == [PONG, PONG]
    reactor.call(endpoint, lambda: core.outbox.append(Send(b"bye", flow)))
    assert reactor.wait(endpoint, lambda: core.lost, 5) == ["closed by the server"]
    reactor.close(endpoint)


def test_garbage_on_a_stream_breaks_the_connection_with_the_reason(reactor):
    listener = socket.create_server(("127.0.0.1", 0))
    core = Echo()
    endpoint, _ = reactor.open(core, Way("tcp", "127.0.0.1", listener.getsockname()), lambda *_: None, 2)
    connection, _ = listener.accept()
    with connection, listener:
        connection.sendall(b"SIP/2.0 200 OK\r\nContent-Length: many\r\n\r\n")
        (reason,) = reactor.wait(endpoint, lambda: core.lost, 5)
    assert "Content-Length" in reason
    assert core.got == []
    reactor.close(endpoint)


def test_nobody_there_is_bench_trouble(reactor):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = listener.getsockname()
    with pytest.raises(BenchFault, match=rf"^SIP server tcp 127\.0\.0\.1 port {gone[1]}: .*refused"):
        reactor.open(Echo(), Way("tcp", "127.0.0.1", gone), lambda *_: None, 2)


def test_tls_refuses_an_unknown_certificate(reactor, certificate):
    with tls_server(certificate) as address:
        way = Way("tls", "127.0.0.1", address, tls_context())
        with pytest.raises(BenchFault, match=r"certificate refused: .*self.signed"):
            reactor.open(Echo(), way, lambda *_: None, 2)


def test_tls_with_the_bench_ca_and_key_log(reactor, certificate, tmp_path):
    keys = tmp_path / "keys.log"
    core, tapped = Echo(), []
    with tls_server(certificate) as address:
        way = Way("tls", "127.0.0.1", address, tls_context(str(certificate), keylog=str(keys)))
        endpoint, flow = reactor.open(core, way, lambda *event: tapped.append(event), 2)
        assert flow.transport == "tls"
        reactor.call(endpoint, lambda: core.outbox.append(Send(PING, flow)))
        assert reactor.wait(endpoint, lambda: core.got, 5)[0][0] == PONG
        reactor.close(endpoint)
    assert "CLIENT_TRAFFIC_SECRET_0" in keys.read_text(encoding="ascii")


def test_wait_gives_up_at_its_deadline_and_wakes_on_a_timer(reactor):
    core = Echo()
    endpoint, _ = reactor.open(core, Way("udp", "127.0.0.1", ("127.0.0.1", 9)), lambda *_: None, 2)
    assert reactor.wait(endpoint, lambda: core.ticks, 0.05) is None

    def wind():
        core.due = reactor.clock() + 0.01

    reactor.call(endpoint, wind)
    (ticked,) = reactor.wait(endpoint, lambda: core.ticks, 5)
    assert ticked <= reactor.clock()
    reactor.close(endpoint)


def test_an_error_in_a_condition_reaches_the_caller(reactor):
    core = Echo()
    endpoint, _ = reactor.open(core, Way("udp", "127.0.0.1", ("127.0.0.1", 9)), lambda *_: None, 2)
    with pytest.raises(ZeroDivisionError):
        reactor.wait(endpoint, lambda: 1 / 0, 5)
    reactor.close(endpoint)


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1 with its key in one PEM file."""
    from featuresync.bench.lab import certificates

    issued = certificates.issue(["127.0.0.1"])
    file = tmp_path / "server.pem"
    file.write_bytes(issued.certificate + issued.key + issued.ca)
    return file


class tls_server:  # noqa: N801 (reads as a call)
    """Answers one message with PONG over TLS."""

    def __init__(self, certificate):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    def __enter__(self):
        started = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(PONG)
            await writer.drain()
            await reader.read()
            writer.close()

        async def serve():
            self._server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=self._context)
            started.set()

        def run():
            self._loop.run_until_complete(serve())
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert started.wait(5)
        return self._server.sockets[0].getsockname()

    def __exit__(self, *_):
        async def end():
            self._server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
