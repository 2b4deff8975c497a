"""SIP transactions (RFC 3261 17, RFC 6026): retransmission, time-outs, matching. Pure: no socket, no clock.

The rules and the tables of the four machines are in ``machine.py``; this file runs them.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import count

from .machine import CLIENT, INVITE_CLIENT, INVITE_SERVER, PROCEEDING, SERVER, TERMINATED, Do, Machine, State
from .message import Draft, Message
from .timers import Timers

Flow = Hashable
MAGIC_COOKIE = "z9hG4bK"


@dataclass(frozen=True, slots=True)
class Send:
    data: bytes
    flow: Flow


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A new request, never a retransmission. The ACK of a 2xx comes as this too, each time."""

    message: Message
    flow: Flow


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A response to a request of ours, each once; but a repeated 2xx to INVITE comes again, to be ACKed."""

    key: str
    request: Message
    message: Message


@dataclass(frozen=True, slots=True)
class TransactionTimedOut:
    """No final response to a request of ours: Timer B, F or C."""

    key: str
    request: Message


@dataclass(frozen=True, slots=True)
class NoAck:
    """Timer H: our non-2xx final response to this INVITE was never acknowledged."""

    request: Message


@dataclass(frozen=True, slots=True)
class StrayResponse:
    """A response that belongs to no transaction of ours, or whose status code is none."""

    message: Message
    flow: Flow


TransactionEvent = RequestReceived | ResponseReceived | TransactionTimedOut | NoAck | StrayResponse


@dataclass(slots=True, eq=False)
class _Transaction:
    machine: Machine
    key: str
    request: Message
    flow: Flow
    reliable: bool
    data: bytes
    """What is sent again: the request of a client, the last response of a server; empty: none yet."""
    state: State
    due: dict[str, float] = field(default_factory=dict)
    interval: float = 0.0
    """Time between the last two copies (Timers A, E, G)."""
    provisional: bytes = b""


class Transactions:
    """Every transaction of one agent. After each call, ``drain`` what is to be sent and what happened."""

    def __init__(self, timers: Timers = Timers()) -> None:  # noqa: B008  (frozen)
        self._timers = timers
        self._live: dict[str, _Transaction] = {}
        self._queue: list[tuple[float, int, _Transaction, str]] = []
        self._order = count()
        self._sends: list[Send] = []
        self._events: list[TransactionEvent] = []

    def __len__(self) -> int:
        return len(self._live)

    # -- what the user does ---------------------------------------------------------------------------

    def send(self, data: bytes, flow: Flow, reliable: bool, now: float) -> str:
        """Send a request and start its client transaction; returns the key its events carry.

        An ACK is only sent: it has no transaction (RFC 3261 17) and its key is "". A request whose
        branch and method are in use takes over from the transaction that has them.
        """
        request = Message(data)
        self._sends.append(Send(data, flow))
        if request.method == "ACK":
            return ""
        machine = INVITE_CLIENT if request.method == "INVITE" else CLIENT
        return self._begin(machine, client_key(request), request, flow, reliable, data, now).key

    def respond(self, request: Message, data: bytes, now: float) -> bool:
        """Answer a request. False, and nothing sent: its transaction is over, or it has its final answer.

        A repeated 2xx to INVITE goes out each time (RFC 3261 13.3.1.4: its user repeats it).
        """
        transaction = self._live.get(server_key(request))
        kind = response_class(Message(data))
        if transaction is None or (transaction.state, kind) not in transaction.machine.rows:
            return False
        transaction.data = data
        self._step(transaction, kind, now)
        return True

    # -- what the world does --------------------------------------------------------------------------

    def receive(self, message: Message, flow: Flow, reliable: bool, now: float) -> None:
        """Take one message from the network. Never raises, whatever the message is."""
        if message.is_request:
            self._receive_request(message, flow, reliable, now)
            return
        transaction = self._live.get(client_key(message))
        kind = response_class(message)
        if transaction is None or not kind:
            self._events.append(StrayResponse(message, flow))
        elif kind != "1xx":
            self._step(transaction, kind, now, message)
        elif message.raw != transaction.provisional:
            transaction.provisional = message.raw
            self._step(transaction, kind, now, message)

    def _receive_request(self, message: Message, flow: Flow, reliable: bool, now: float) -> None:
        key = server_key(message)
        transaction = self._live.get(key)
        if transaction is not None:
            self._step(transaction, "ACK" if message.method == "ACK" else "again", now, message)
            return
        self._events.append(RequestReceived(message, flow))
        if message.method != "ACK":
            machine = INVITE_SERVER if message.method == "INVITE" else SERVER
            self._begin(machine, key, message, flow, reliable, b"", now)

    # -- time -----------------------------------------------------------------------------------------

    def deadline(self) -> float | None:
        """When ``tick`` is due next; None when nothing waits."""
        while self._queue and not self._runs(*self._queue[0]):
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def tick(self, now: float) -> None:
        """Fire every timer due by ``now``, in order of time."""
        while (due := self.deadline()) is not None and due <= now:
            _, _, transaction, timer = heapq.heappop(self._queue)
            del transaction.due[timer]
            self._step(transaction, timer, now)
            if timer in "AEG" and (transaction.state, timer) in transaction.machine.rows:
                self._again(transaction, timer, now)

    def drain(self) -> tuple[list[Send], list[TransactionEvent]]:
        """What is to be sent and what happened since the last call, each in order."""
        sends, events = self._sends, self._events
        self._sends, self._events = [], []
        return sends, events

    # -- the machine ----------------------------------------------------------------------------------

    def _begin(
        self,
        machine: Machine,
        key: str,
        request: Message,
        flow: Flow,
        reliable: bool,
        data: bytes,
        now: float,
    ) -> _Transaction:
        transaction = _Transaction(machine, key, request, flow, reliable, data, machine.start)
        self._live[key] = transaction
        self._enter(transaction, now)
        return transaction

    def _step(self, transaction: _Transaction, what: str, now: float, message: Message | None = None) -> None:
        row = transaction.machine.rows.get((transaction.state, what))
        if row is None:
            return
        before, (transaction.state, actions) = transaction.state, row
        for action in actions:
            self._do(action, transaction, message)
        if transaction.state is not before:
            self._enter(transaction, now)

    def _do(self, action: Do, transaction: _Transaction, message: Message | None) -> None:
        if action is Do.SEND:
            if transaction.data:
                self._sends.append(Send(transaction.data, transaction.flow))
        elif action is Do.TIMED_OUT:
            self._events.append(TransactionTimedOut(transaction.key, transaction.request))
        elif action is Do.NO_ACK:
            self._events.append(NoAck(transaction.request))
        elif message is not None and action is Do.ACK:
            self._sends.append(Send(ack_of_refusal(transaction.request, message), transaction.flow))
        elif message is not None and message.is_request:
            self._events.append(RequestReceived(message, transaction.flow))
        elif message is not None:
            self._events.append(ResponseReceived(transaction.key, transaction.request, message))

    def _enter(self, transaction: _Transaction, now: float) -> None:
        if transaction.state is TERMINATED:
            if self._live.get(transaction.key) is transaction:
                del self._live[transaction.key]
            return
        for timer in transaction.machine.timers.get(transaction.state, ""):
            seconds = self._timers.seconds(timer, transaction.reliable)
            if seconds == 0:
                self._step(transaction, timer, now)
            elif seconds is not None:
                transaction.interval = seconds if timer in "AEG" else transaction.interval
                self._start(transaction, timer, now + seconds)

    def _again(self, transaction: _Transaction, timer: str, now: float) -> None:
        """A doubles without limit (17.1.1.2); E and G up to T2; E is T2 after a provisional (17.1.2.2)."""
        doubled = 2 * transaction.interval
        if timer == "E" and transaction.state is PROCEEDING:
            doubled = self._timers.t2
        transaction.interval = doubled if timer == "A" else min(doubled, self._timers.t2)
        self._start(transaction, timer, now + transaction.interval)

    def _start(self, transaction: _Transaction, timer: str, due: float) -> None:
        transaction.due[timer] = due
        heapq.heappush(self._queue, (due, next(self._order), transaction, timer))
        # Timers that were switched off stay queued until they are due; sweep when they are most of it.
        if len(self._queue) > 64 + 4 * len(self._live):
            self._queue = [entry for entry in self._queue if self._runs(*entry)]
            heapq.heapify(self._queue)

    def _runs(self, due: float, _order: int, transaction: _Transaction, timer: str) -> bool:
        return (
            self._live.get(transaction.key) is transaction
            and transaction.due.get(timer) == due
            and (transaction.state, timer) in transaction.machine.rows
        )


def response_class(message: Message) -> str:
    """``1xx``, ``2xx`` or ``3xx-6xx``; "" for what is no response."""
    first = message.status // 100
    return {1: "1xx", 2: "2xx"}.get(first, "3xx-6xx" if 3 <= first <= 6 else "")


def client_key(message: Message) -> str:
    """What a request and its responses share: branch and CSeq method (RFC 3261 17.1.3).

    Without a branch (a wrong request of ours), Call-ID and CSeq stand in for it.
    """
    return f"client {message.branch or (message.call_id, message.cseq)} {message.cseq_method}"


def server_key(request: Message) -> str:
    """What a request and its retransmissions share (RFC 3261 17.2.3). An ACK matches its INVITE."""
    method = "INVITE" if request.method == "ACK" else request.method
    via = request.header("via")
    if request.branch.startswith(MAGIC_COOKIE):
        sent_by = via.partition(";")[0].strip().rpartition(" ")[2].lower()
        return f"server {request.branch} {sent_by} {method}"
    return f"server {(request.call_id, request.cseq, request.from_.tag, via)} {method}"


def ack_of_refusal(invite: Message, response: Message) -> bytes:
    """The ACK of a non-2xx final response (RFC 3261 17.1.1.3): only To is the response's."""
    ack = Draft(f"ACK {invite.request_uri} SIP/2.0")
    ack.add("Via", invite.header("via")).add("Max-Forwards", "70")
    ack.add("From", invite.header("from")).add("To", response.header("to"))
    ack.add("Call-ID", invite.call_id).add("CSeq", f"{invite.header('cseq').partition(' ')[0]} ACK")
    ack.headers += [("Route", route) for route in invite.headers("route")]
    return ack.encode()
