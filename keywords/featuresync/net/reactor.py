"""The one thread that speaks SIP: it drives agents' pure cores with sockets and with the clock.

Keywords live in other threads and are plain calls with a deadline: ``call`` runs a function in the
reactor's thread, ``wait`` returns as soon as a condition over an agent's state holds.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeVar

from featuresync.errors import BenchFault
from featuresync.sip.transaction import Send

from .flow import Address, Flow, Tap
from .media import MediaPort
from .stream import StreamTransport
from .udp import UdpTransport

T = TypeVar("T")
GRACE = 5.0
"""Seconds beyond its own deadline after which a call into the reactor counts as our own fault."""


class Core(Protocol):
    """A pure agent: bytes and the time in, bytes and the next deadline out."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None: ...
    def flow_lost(self, flow: Flow, reason: str, now: float) -> None: ...
    def deadline(self) -> float | None: ...
    def tick(self, now: float) -> None: ...
    def drain(self) -> Iterable[Send]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """How an agent reaches its server: transport, own address, the server's address, TLS settings."""

    transport: str
    local: str
    remote: Address
    context: ssl.SSLContext | None = None
    server_name: str = ""


class Endpoint:
    """One core on one transport. All its methods run in the reactor's thread."""

    def __init__(self, reactor: Reactor, core: Core, tap: Tap) -> None:
        self._reactor, self._core, self._tap = reactor, core, tap
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[tuple[Callable[[], object], Future[object]]] = []
        self._transports: dict[Address, UdpTransport | StreamTransport] = {}

    async def open(self, way: Way) -> Flow:
        """Bind or connect once more. Raises OSError or ssl.SSLError."""
        transport: UdpTransport | StreamTransport
        if way.transport == "udp":
            transport = UdpTransport((way.local, 0), self._received)
        else:
            transport = await StreamTransport.connect(
                way.local, way.remote, self._received, self._lost, way.context, way.server_name
            )
        self._transports[transport.local] = transport
        return transport.flow(way.remote)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for transport in list(self._transports.values()):
            transport.close()

    def pump(self) -> None:
        """After anything happened to the core: send what it wants sent, wake waiters, set its timer."""
        now = self._reactor.clock()
        for send in self._core.drain():
            assert isinstance(send.flow, Flow)
            transport = self._transports.get(send.flow.local)
            if transport is not None and transport.send(send.data, send.flow):
                self._tap(self._reactor.clock(), True, send.flow, send.data)
        self._wake()
        if self._timer is not None:
            self._timer.cancel()
        due = self._core.deadline()
        loop = asyncio.get_running_loop()
        self._timer = None if due is None else loop.call_later(max(0.0, due - now), self._tick)

    def add_waiter(self, condition: Callable[[], object], future: Future[object]) -> None:
        self._waiters.append((condition, future))
        self._wake()

    def drop_waiter(self, future: Future[object]) -> None:
        self._waiters = [pair for pair in self._waiters if pair[1] is not future]

    def _wake(self) -> None:
        for condition, future in list(self._waiters):
            try:
                found = condition()
            except Exception as error:
                future.set_exception(error)
            else:
                if not found:
                    continue
                future.set_result(found)
            self.drop_waiter(future)

    def _received(self, data: bytes, flow: Flow) -> None:
        now = self._reactor.clock()
        self._tap(now, False, flow, data)
        self._core.receive(data, flow, now)
        self.pump()

    def _lost(self, flow: Flow, reason: str) -> None:
        self._transports.pop(flow.local, None)
        self._core.flow_lost(flow, reason, self._reactor.clock())
        self.pump()

    def _tick(self) -> None:
        self._core.tick(self._reactor.clock())
        self.pump()


class Reactor:
    """The SIP thread. ``start`` before use, ``stop`` once; also a context manager."""

    def __init__(self) -> None:
        # Wall time at a monotonic pace: a step of the host's clock must not move a timer.
        self._epoch = time.time() - time.monotonic()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sip", daemon=True)
        self.errors: list[BaseException] = []

    def __enter__(self) -> Reactor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GRACE)
        self._loop.close()

    def clock(self) -> float:
        """Seconds since the epoch; never steps back."""
        return self._epoch + time.monotonic()

    def open(self, core: Core, way: Way, tap: Tap, within: float) -> tuple[Endpoint, Flow]:
        """Put a core on the wire. Raises BenchFault when the server's address cannot be reached."""
        endpoint = Endpoint(self, core, tap)
        return endpoint, self.reopen(endpoint, way, within)

    def reopen(self, endpoint: Endpoint, way: Way, within: float) -> Flow:
        """One more socket or connection for the core. Raises BenchFault like ``open``."""

        async def go() -> Flow:
            async with asyncio.timeout(within):
                return await endpoint.open(way)

        place = f"{way.transport} {way.remote[0]} port {way.remote[1]}"
        try:
            return asyncio.run_coroutine_threadsafe(go(), self._loop).result(within + GRACE)
        except TimeoutError:
            raise BenchFault(f"SIP server {place}: no connection within {within:g} s") from None
        except ssl.SSLCertVerificationError as error:
            raise BenchFault(f"SIP server {place}: certificate refused: {error.verify_message}") from None
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise BenchFault(f"SIP server {place}: {why}") from None

    def close(self, endpoint: Endpoint) -> None:
        self.call(endpoint, endpoint.close, pump=False)

    def open_media(self, local: str, within: float, silence: bool = False) -> MediaPort:
        """A port for the sound of one call, which ``silence`` lets it send too. End with ``close_media``.

        Raises BenchFault when our address cannot be used.
        """

        async def go() -> MediaPort:
            return MediaPort(local, self.clock, silence)

        try:
            return asyncio.run_coroutine_threadsafe(go(), self._loop).result(within)
        except TimeoutError:
            raise BenchFault(f"media port on {local}: not there within {within:g} s") from None
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise BenchFault(f"media port on {local}: {why}") from None

    def close_media(self, media: MediaPort) -> None:
        async def go() -> None:
            media.close()

        asyncio.run_coroutine_threadsafe(go(), self._loop).result(GRACE)

    def call(self, endpoint: Endpoint, function: Callable[[], T], pump: bool = True) -> T:
        """Run ``function`` in the reactor's thread and return its result or raise its error."""

        async def go() -> T:
            result = function()
            if pump:
                endpoint.pump()
            return result

        return asyncio.run_coroutine_threadsafe(go(), self._loop).result(GRACE)

    def wait(self, endpoint: Endpoint, condition: Callable[[], T | None], within: float) -> T | None:
        """The condition's first true value, or None when ``within`` seconds passed without one.

        The condition runs in the reactor's thread after each thing that happens to the endpoint's core.
        """
        future: Future[object] = Future()
        self._loop.call_soon_threadsafe(endpoint.add_waiter, condition, future)
        try:
            return future.result(within)  # type: ignore[return-value]
        except TimeoutError:
            self._loop.call_soon_threadsafe(endpoint.drop_waiter, future)
            return None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(self._failed)
        self._loop.run_forever()

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        self.errors.append(error if isinstance(error, BaseException) else RuntimeError(str(context)))
