"""The one suite that runs in this process, and what went wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featuresync.errors import ConfigFault

if TYPE_CHECKING:
    from .session import Session
    from .suite import Suite


class Running:
    """Robot makes library and listener apart from each other; this is where they meet."""

    _suite: Suite | None = None
    fault: Exception | None = None
    """The first error of the running test, or of the suite's setup."""

    @classmethod
    def begin(cls, suite: Suite) -> None:
        cls._suite = suite

    @classmethod
    def end(cls) -> None:
        cls._suite = None

    @classmethod
    def suite(cls) -> Suite:
        if cls._suite is None:
            raise ConfigFault("robot", "listener", "to be started by ./featuresync run", "none")
        return cls._suite

    @classmethod
    def session(cls) -> Session:
        return cls.suite().session

    @classmethod
    def remember(cls, error: Exception) -> None:
        if cls.fault is None:
            cls.fault = error
