"""Robot Framework keywords: thin, typed. The library drives and records; the judge decides afterwards."""

from __future__ import annotations

from typing import Any

from robot.api.deco import keyword
from robotlibcore import DynamicCore

from featuresync import __version__

from .call_keywords import CallKeywords
from .phone_keywords import PhoneKeywords
from .running import Running
from .server_keywords import ServerKeywords
from .subscription_keywords import SubscriptionKeywords


class FeatureSync(DynamicCore):  # type: ignore[misc]
    """Phones and servers that keep DND and call forwarding in step, as keywords.

    To be run by ``./featuresync run``, whose listener gives the library its bench. Keywords never decide
    whether the server is right: they act, wait with a named deadline, and record. Features are ``dnd``,
    ``cf_always``, ``cf_busy`` and ``cf_no_answer``; states are ``on`` and ``off``.
    """

    ROBOT_LIBRARY_SCOPE = "GLOBAL"
    ROBOT_LIBRARY_VERSION = __version__

    def __init__(self) -> None:
        session = Running.session
        parts = (PhoneKeywords, SubscriptionKeywords, CallKeywords, ServerKeywords)
        super().__init__([part(session) for part in parts])

    def run_keyword(self, name: str, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """Run a keyword; what goes wrong in it is remembered, so that blame can be told from its type."""
        try:
            return super().run_keyword(name, args, kwargs)
        except Exception as error:
            Running.remember(error)
            raise

    @keyword(tags=["server"])
    def take_a_snapshot_of_the_server(self) -> None:
        """Register every account once, log in, and write down their features before anything is changed.

        Whatever fails here is bench trouble, and no scenario is tried.
        """
        for role in Running.session().bench.accounts:
            self.run_keyword("phone_is_registered", ["preflight", role])
            self.run_keyword("phones_leave", [])
        Running.suite().open_server()

    @keyword(tags=["server"])
    def put_the_server_back(self) -> None:
        """Put every account's features back to what the snapshot says, and read them back."""
        Running.suite().restore_server()

    @keyword(tags=["server"])
    def leave_everything_as_it_was(self) -> None:
        """The phones unsubscribe and leave; the accounts go back to the known state."""
        self.run_keyword("phones_leave", [])
        for role in Running.session().bench.accounts:
            self.run_keyword("switch_everything_off", [role])
