"""The four transaction machines as tables (RFC 3261 17, RFC 6026); ``transaction.py`` runs them.

The rules:

1. Each machine below is a table: (state, input) -> (next state, actions). An input
   without a row in the present state is absorbed.
2. Inputs are the class of a response (``1xx``, ``2xx``, ``3xx-6xx``: received by a client, given by the
   user of a server transaction), ``again`` (the request once more), ``ACK``, and a timer's letter.
3. Entering a state starts the timers listed for it. A timer without a row in the present state is off.
4. A timer of 0 seconds fires at once; one that does not run on this transport never starts.
5. TERMINATED means gone: nothing of the transaction is kept.

Two timers are ours, so that a peer or a mute user cannot make us keep a transaction for ever: a
non-INVITE server transaction ends unanswered with the client's own Timer F, and an INVITE rings no
longer than Timer C. A server transaction sends no 100 by itself: its user answers at once, or stays
mute on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum


class State(StrEnum):
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Do(Enum):
    SEND = "send the request, or the last response"
    ACK = "acknowledge the non-2xx"
    DELIVER = "hand the message up"
    TIMED_OUT = "report that no final response came"
    NO_ACK = "report that no ACK came"


CALLING, TRYING, PROCEEDING, ACCEPTED, COMPLETED, CONFIRMED, TERMINATED = State


@dataclass(frozen=True)
class Machine:
    start: State
    timers: Mapping[State, str]
    """Timers started on entering a state, by letter."""
    rows: Mapping[tuple[State, str], tuple[State, tuple[Do, ...]]]


# RFC 3261 17.1.1.2 (figure 5), with the Accepted state of RFC 6026 7.2.
INVITE_CLIENT = Machine(
    CALLING,
    {CALLING: "AB", PROCEEDING: "C", ACCEPTED: "M", COMPLETED: "D"},
    {
        (CALLING, "A"): (CALLING, (Do.SEND,)),
        (CALLING, "B"): (TERMINATED, (Do.TIMED_OUT,)),
        (CALLING, "1xx"): (PROCEEDING, (Do.DELIVER,)),
        (CALLING, "2xx"): (ACCEPTED, (Do.DELIVER,)),
        (CALLING, "3xx-6xx"): (COMPLETED, (Do.ACK, Do.DELIVER)),
        (PROCEEDING, "1xx"): (PROCEEDING, (Do.DELIVER,)),
        (PROCEEDING, "2xx"): (ACCEPTED, (Do.DELIVER,)),
        (PROCEEDING, "3xx-6xx"): (COMPLETED, (Do.ACK, Do.DELIVER)),
        (PROCEEDING, "C"): (TERMINATED, (Do.TIMED_OUT,)),
        (ACCEPTED, "2xx"): (ACCEPTED, (Do.DELIVER,)),
        (ACCEPTED, "M"): (TERMINATED, ()),
        (COMPLETED, "3xx-6xx"): (COMPLETED, (Do.ACK,)),
        (COMPLETED, "D"): (TERMINATED, ()),
    },
)

# RFC 3261 17.1.2.2 (figure 6).
CLIENT = Machine(
    TRYING,
    {TRYING: "EF", COMPLETED: "K"},
    {
        (TRYING, "E"): (TRYING, (Do.SEND,)),
        (TRYING, "F"): (TERMINATED, (Do.TIMED_OUT,)),
        (TRYING, "1xx"): (PROCEEDING, (Do.DELIVER,)),
        (TRYING, "2xx"): (COMPLETED, (Do.DELIVER,)),
        (TRYING, "3xx-6xx"): (COMPLETED, (Do.DELIVER,)),
        (PROCEEDING, "E"): (PROCEEDING, (Do.SEND,)),
        (PROCEEDING, "F"): (TERMINATED, (Do.TIMED_OUT,)),
        (PROCEEDING, "1xx"): (PROCEEDING, (Do.DELIVER,)),
        (PROCEEDING, "2xx"): (COMPLETED, (Do.DELIVER,)),
        (PROCEEDING, "3xx-6xx"): (COMPLETED, (Do.DELIVER,)),
        (COMPLETED, "K"): (TERMINATED, ()),
    },
)

# RFC 3261 17.2.1 (figure 7), with the Accepted state of RFC 6026 7.1.
INVITE_SERVER = Machine(
    PROCEEDING,
    {PROCEEDING: "C", ACCEPTED: "L", COMPLETED: "GH", CONFIRMED: "I"},
    {
        (PROCEEDING, "again"): (PROCEEDING, (Do.SEND,)),
        (PROCEEDING, "1xx"): (PROCEEDING, (Do.SEND,)),
        (PROCEEDING, "2xx"): (ACCEPTED, (Do.SEND,)),
        (PROCEEDING, "3xx-6xx"): (COMPLETED, (Do.SEND,)),
        (PROCEEDING, "C"): (TERMINATED, ()),
        (ACCEPTED, "2xx"): (ACCEPTED, (Do.SEND,)),
        (ACCEPTED, "ACK"): (ACCEPTED, (Do.DELIVER,)),
        (ACCEPTED, "L"): (TERMINATED, ()),
        (COMPLETED, "again"): (COMPLETED, (Do.SEND,)),
        (COMPLETED, "G"): (COMPLETED, (Do.SEND,)),
        (COMPLETED, "H"): (TERMINATED, (Do.NO_ACK,)),
        (COMPLETED, "ACK"): (CONFIRMED, ()),
        (CONFIRMED, "I"): (TERMINATED, ()),
    },
)

# RFC 3261 17.2.2 (figure 8).
SERVER = Machine(
    TRYING,
    {TRYING: "F", COMPLETED: "J"},
    {
        (TRYING, "1xx"): (PROCEEDING, (Do.SEND,)),
        (TRYING, "2xx"): (COMPLETED, (Do.SEND,)),
        (TRYING, "3xx-6xx"): (COMPLETED, (Do.SEND,)),
        (TRYING, "F"): (TERMINATED, ()),
        (PROCEEDING, "again"): (PROCEEDING, (Do.SEND,)),
        (PROCEEDING, "1xx"): (PROCEEDING, (Do.SEND,)),
        (PROCEEDING, "2xx"): (COMPLETED, (Do.SEND,)),
        (PROCEEDING, "3xx-6xx"): (COMPLETED, (Do.SEND,)),
        (PROCEEDING, "F"): (TERMINATED, ()),
        (COMPLETED, "again"): (COMPLETED, (Do.SEND,)),
        (COMPLETED, "J"): (TERMINATED, ()),
    },
)
