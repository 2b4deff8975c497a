"""The other end of a phone under test: reads what it sent, answers by hand, all in virtual time."""

from itertools import count

from featuresync.agent.phone import Line, Phone
from featuresync.net.flow import Flow
from featuresync.sip.message import Draft, Message, reply
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.writing import write_event, write_full_state

FLOW = Flow("udp", ("127.0.0.2", 5062), ("127.0.0.1", 5060))
CHALLENGE = ("WWW-Authenticate", 'Digest realm="r", nonce="n1", qop="auth", algorithm=MD5')
ALL_OFF = {feature: FeatureState(feature, False) for feature in Feature}


class Server:
    """Drives one phone. ``now`` only moves when a test says so."""

    def __init__(self, **settings):
        numbers = count(1)
        line = Line(user="1001", password="secret", domain="example.invalid", **settings)
        self.phone = Phone(line, lambda: f"tok{next(numbers)}")
        self.phone.plug(FLOW)
        self.now = 100.0
        self._cseq = count(1)

    def sent(self) -> list[Message]:
        """What the phone has sent since the last time."""
        return [Message(send.data) for send in self.phone.drain()]

    def one(self) -> Message:
        (message,) = self.sent()
        return message

    def give(self, draft: Draft) -> None:
        self.phone.receive(draft.encode(), FLOW, self.now)

    def answer(self, request: Message, status=200, reason="OK", extra=(), tag="srv") -> None:
        self.give(reply(request, status, reason, extra, tag))

    def challenge(self, request: Message) -> Message:
        """401, and the phone's second try."""
        self.answer(request, 401, "Unauthorized", [CHALLENGE])
        return self.one()

    def challenge_call(self, invite: Message) -> Message:
        """401 to an INVITE: its ACK, and the second try."""
        self.answer(invite, 401, "Unauthorized", [CHALLENGE])
        ack, again = self.sent()
        assert ack.method == "ACK"
        return again

    def accept(self, subscribe: Message, expires=3600) -> None:
        extra = [("Expires", str(expires)), ("Contact", "<sip:as@127.0.0.1:5060>")]
        self.answer(subscribe, 200, "OK", extra)

    def notify(
        self, subscribe: Message, body=b"", content_type="", state="active;expires=3600", **changes
    ) -> Draft:
        """The next NOTIFY of a subscription; ``changes`` replaces headers by name (``event="x"``)."""
        draft = Draft(f"NOTIFY {self.phone.contact[1:].partition('>')[0]} SIP/2.0", body=body)
        number = next(self._cseq)
        draft.add("Via", f"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKn{number}").add("Max-Forwards", "70")
        draft.add("From", f"<{subscribe.to.uri}>;tag=srv").add("To", subscribe.header("from"))
        draft.add("Call-ID", subscribe.call_id).add("CSeq", f"{number} NOTIFY")
        draft.add("Contact", "<sip:as@127.0.0.1:5060>").add("Event", subscribe.header("event"))
        draft.add("Subscription-State", state)
        if body:
            draft.add("Content-Type", content_type or "application/x-as-feature-event+xml")
        for name, value in changes.items():
            draft.put(name.replace("_", "-"), value)
        return draft

    def full_state(self, subscribe: Message, states=ALL_OFF) -> Draft:
        content_type, body = write_full_state(states)
        return self.notify(subscribe, body, content_type)

    def event(self, subscribe: Message, state: FeatureState, **changes) -> Draft:
        return self.notify(subscribe, write_event(state), **changes)

    def subscribed(self) -> Message:
        """A phone whose subscription is accepted and notified; returns the SUBSCRIBE that was accepted."""
        self.phone.subscribe(self.now)
        request = self.challenge(self.one())
        self.accept(request)
        self.give(self.full_state(request))
        assert self.one().status == 200
        return request

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.phone.tick(self.now)
