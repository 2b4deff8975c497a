"""Keywords about calls: feature codes that a phone dials, and what callers find."""

from __future__ import annotations

from collections.abc import Callable

from robot.api.deco import keyword

from featuresync.agent.phone import Phone
from featuresync.errors import DeviceFault
from featuresync.judge import topics
from featuresync.sync.feature import Feature, FeatureState

from .dialling import UNKNOWN_CODE, codes_of, dial_code, dial_feature, place_call
from .session import Session


class CallKeywords:
    """A phone holds a call to a feature code until the server ends it; only then the scenario goes on."""

    def __init__(self, session: Callable[[], Session]) -> None:
        self._session = session

    # -- feature codes ----------------------------------------------------------------------------

    @keyword(tags=["phone", "code"])
    def phone_dials_the_code(
        self, feature: Feature, state: bool, number: str = "", phone: str = "desk"
    ) -> None:
        """Dial the feature's on code (with the number behind it) or its off code."""
        session = self._session()
        handset = session.handset(phone)
        session.act("confirmation")
        wanted = FeatureState(feature, state, number)
        session.expect(handset.account.user, wanted)
        session.pressed(handset, wanted)
        dial_feature(session, handset, wanted)

    @keyword(tags=["phone", "code"])
    def phone_dials_the_off_code_with_digits(
        self, feature: Feature, account: str = "other", phone: str = "desk"
    ) -> None:
        """Dial the off code with another account's number behind it, as some phones wrongly do."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        session.note(
            handset, topics.OFF_WITH_DIGITS, f"off code with the number of account {account!r} behind it"
        )
        dial_code(session, handset, codes_of(session, feature).off + session.account(account).user)

    @keyword(tags=["phone", "code"])
    def phone_dials_the_on_code_without_a_number(self, feature: Feature, phone: str = "desk") -> None:
        """Dial a forward's on code with nothing in the place of the number."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        session.note(handset, topics.WITHOUT_NUMBER, f"on code of the {feature.label} without a number")
        dial_code(session, handset, codes_of(session, feature).on.replace("{number}", ""))

    @keyword(tags=["phone", "code"])
    def phone_dials_an_unknown_code(self, phone: str = "desk") -> None:
        """Dial a code that means nothing."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        session.note(handset, topics.UNKNOWN_CODE, "a code that means nothing")
        dial_code(session, handset, UNKNOWN_CODE)

    @keyword(tags=["phone", "code"])
    def phone_dials_the_code_without_credentials(
        self, feature: Feature, state: bool, phone: str = "desk"
    ) -> None:
        """Dial a code and take the challenge as final: nothing may change."""
        session = self._session()
        handset = session.handset(phone)
        session.act()
        session.note(handset, topics.WITHOUT_CREDENTIALS, "sends no credentials on purpose")
        dial_feature(session, handset, FeatureState(feature, state), credentials=False)

    # -- what callers find ------------------------------------------------------------------------

    @keyword(tags=["phone", "call"])
    def phone_calls(self, phone: str = "caller", account: str = "primary") -> None:
        """Call an account of the bench; the call goes on until it is hung up or refused."""
        session = self._session()
        handset = session.handset(phone)
        session.act("ring")
        uri = handset.phone.call_uri(session.account(account).user)
        limits = session.bench.deadlines
        place_call(session, handset, uri, limits.no_answer + limits.ring)

    @keyword(tags=["phone", "call"])
    def phone_rings(self, phone: str, within: str = "ring") -> None:
        """Wait until the phone rings, counted from the last call made; ``within`` names the deadline."""
        session = self._session()
        handset = session.handset(phone)
        session.wait(handset, f"{phone} to ring", within, lambda core: len(core.calls.rung) > handset.rung)

    @keyword(tags=["phone", "call"])
    def call_is_over(self, phone: str = "caller") -> None:
        """Wait until the caller's call has been refused, and nothing more can come of it."""
        session = self._session()
        handset = session.handset(phone)
        session.wait(handset, "the call to be refused", "ring", lambda core: core.placed[-1].over)
        self.phone_hangs_up(phone)

    @keyword(tags=["phone", "call"])
    def phone_hangs_up(self, phone: str = "caller") -> None:
        """Give the phone's call up, and wait until it is over."""
        session = self._session()
        handset = session.handset(phone)
        if not handset.phone.placed:
            raise DeviceFault(f"phone {phone} has made no call")
        call = handset.phone.placed[-1]
        if not call.over:
            session.run(handset, lambda _, now: call.hang_up(now))
            session.wait(handset, "the end of the call", "answer", lambda _: call.over)

    @keyword(tags=["phone", "call"])
    def phone_is_busy(self, phone: str = "desk") -> None:
        """From now on the phone answers every call with 486."""
        session = self._session()
        session.run(session.handset(phone), _be_busy)


def _be_busy(core: Phone, _now: float) -> None:
    core.busy = True
