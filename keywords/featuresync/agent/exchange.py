"""One request of ours with its retries for credentials, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from featuresync.sip.digest import Authenticator
from featuresync.sip.message import Draft, Message


@dataclass(eq=False)
class Exchange:
    """A request until its final response.

    ``authenticator`` answers challenges; None sends the request bare and takes the 401 as final.
    ``eager`` sends credentials with the first try when a challenge is known: inside dialogs.
    """

    purpose: str
    draft: Draft
    authenticator: Authenticator | None
    eager: bool = False
    next_cseq: Callable[[], int] | None = None
    """The number of a retry where a dialog or a registration counts; else it is the last one plus one."""
    on_sent: Callable[[Message, float], None] = lambda _request, _now: None
    on_response: Callable[[Message, float], None] = lambda _response, _now: None
    """Called for each response, provisional or final, but not for a challenge that is answered."""
    on_failure: Callable[[float], None] = lambda _now: None
    sent: list[Message] = field(default_factory=list)
    """Every request sent for it, in order; the last one is the one that ``final`` answers."""
    final: Message | None = None
    failure: str = ""
    """Why there is no final response: no answer in time, or what happened to the connection."""

    @property
    def done(self) -> bool:
        return self.final is not None or bool(self.failure)

    @property
    def status(self) -> int:
        """The final response's status code, 0 when there is none."""
        return self.final.status if self.final else 0

    @property
    def outcome(self) -> str:
        """For a person: ``200 OK``, or why there is no answer."""
        return f"{self.final.status} {self.final.reason}" if self.final else self.failure or "no answer yet"

    def retry_cseq(self) -> int:
        """The CSeq number of the next try (RFC 3261 22.2)."""
        return self.next_cseq() if self.next_cseq else self.sent[-1].cseq + 1
