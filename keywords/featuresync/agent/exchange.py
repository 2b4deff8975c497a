"""One request of ours with its retries for credentials, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from featuresync.sip.dialog import Dialog
from featuresync.sip.digest import Authenticator
from featuresync.sip.message import Draft, Message


@dataclass(eq=False)
class Exchange:
    """A request until its final response.

    ``authenticator`` answers challenges; None sends the request bare and takes the 401 as final. With
    ``dialog`` each retry takes the dialog's next CSeq (RFC 3261 22.2), else the request's own plus one.
    """

    purpose: str
    draft: Draft
    authenticator: Authenticator | None
    dialog: Dialog | None = None
    on_sent: Callable[[Message, float], None] = lambda _request, _now: None
    on_final: Callable[[Exchange, float], None] = lambda _exchange, _now: None
    sent: list[Message] = field(default_factory=list)
    """Every request sent for it, in order; the last one is the one that ``final`` answers."""
    final: Message | None = None
    failure: str = ""
    """Why there is no final response: ``timed out`` or what happened to the connection."""

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
        """The CSeq number of the next attempt."""
        if self.dialog is not None:
            self.dialog.local_cseq += 1
            return self.dialog.local_cseq
        return self.sent[-1].cseq + 1
