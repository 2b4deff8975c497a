"""A server that a phone has just called, in virtual time."""

from itertools import count

from featuresync.net.media import Heard
from featuresync.sip.message import Draft, reply
from featuresync.sip.sdp import write_offer

from .server_side import Server

CODE = "sip:*721003@example.invalid;user=phone"
CONTACT = ("Contact", "<sip:as@127.0.0.9:5070>")
ROUTES = [("Record-Route", "<sip:p1;lr>"), ("Record-Route", "<sip:p2;lr>")]
SOUND = write_offer("127.0.0.9", 4000, 1)
HELD = SOUND.replace(b"sendrecv", b"inactive")
CAP = 30.0


class Media:
    """A media port that only remembers what it was told."""

    def __init__(self):
        self.local, self.heard, self.told = ("127.0.0.2", 4002), Heard(), []

    def start(self, remote, payload):
        self.told.append((remote, payload))

    def stop(self):
        self.told.append("stop")


class Calling(Server):
    """A server that a phone has just called."""

    def __init__(self, media=None, **settings):
        super().__init__()
        self.call = self.phone.place_call(CODE, self.now, cap=CAP, media=media, **settings)
        self.invite = self.one()
        self._branch = count(1)

    def say(self, status, reason="Said", extra=(), body=b"", tag="srv", to=None):
        headers = [CONTACT, *extra] if 100 < status < 300 else list(extra)
        headers += [("Content-Type", "application/sdp")] if body else []
        draft = reply(to or self.invite, status, reason, headers, "" if status == 100 else tag)
        draft.body = body
        self.give(draft)

    def passes(self):
        """The challenge, answered; from now on ``invite`` is the second try."""
        self.invite = self.challenge_call(self.invite)

    def answered(self, body=SOUND):
        self.say(200, body=body)
        ack = self.one()
        assert ack.method == "ACK"
        return ack

    def ask(self, method, cseq=1, body=b"", content_type="application/sdp", tag="srv", call_id=""):
        """A request inside the call, and what the phone answers."""
        draft = Draft(f"{method} sip:1001@127.0.0.2:5062 SIP/2.0", body=body)
        draft.add("Via", f"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKs{next(self._branch)}")
        draft.add("Max-Forwards", "70").add("From", f"<{self.invite.to.uri}>;tag={tag}")
        draft.add("To", self.invite.header("from")).add("Call-ID", call_id or self.invite.call_id)
        draft.add("CSeq", f"{cseq} {method}").add("Contact", CONTACT[1])
        if body:
            draft.add("Content-Type", content_type)
        self.give(draft)
        return self.sent()

    def names(self):
        return [message.start_line.split()[0] for message in self.sent()]

    @property
    def outcome(self):
        call = self.call
        return call.over, call.status, call.established, call.early_announcement, call.ended_by
