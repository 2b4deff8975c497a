"""uaCSTA events at the phone: answered, remembered, and followed only by a line that is told to."""

import pytest

from featuresync.agent import csta
from featuresync.sip.message import Draft
from featuresync.sync.feature import Feature, FeatureState

from .calls import Calling
from .server_side import Server

BODY = (
    b'<DoNotDisturbEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3">'
    b"<device>1001</device><doNotDisturbOn>true</doNotDisturbOn></DoNotDisturbEvent>"
)
ON = FeatureState(Feature.DND, True)


def info(number=1, body=BODY, kind="application/csta+xml", call_id="x1", to_tag="", from_tag="s"):
    draft = Draft("INFO sip:1001@127.0.0.2:5062 SIP/2.0", body=body)
    draft.add("Via", f"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKi{number}").add("Max-Forwards", "70")
    draft.add("From", f"<sip:1001@example.invalid>;tag={from_tag}")
    draft.add("To", "<sip:1001@example.invalid>" + (f";tag={to_tag}" if to_tag else ""))
    draft.add("Call-ID", call_id).add("CSeq", f"{number} INFO")
    return draft.add("Content-Type", kind) if kind else draft


def test_an_event_is_answered_and_the_display_stays():
    server = Server()
    server.give(info())
    assert server.one().status == 200
    (told,) = server.phone.csta.told
    assert (told.time, told.states) == (server.now, {Feature.DND: ON})
    assert not server.phone.shown[Feature.DND].on


def test_a_line_that_is_told_to_follows_events():
    server = Server()
    server.phone.csta.follow = True
    server.give(info())
    assert server.one().status == 200
    assert server.phone.shown[Feature.DND] == ON


def test_an_event_inside_a_call_is_taken_too():
    server = Calling()
    server.answer(server.invite, 200, "OK", [("Contact", "<sip:as@127.0.0.9:5070>")])
    server.sent()
    call_id, tag = server.invite.call_id, server.invite.from_.tag
    server.give(info(5, call_id=call_id, to_tag=tag, from_tag="srv"))
    assert server.one().status == 200
    assert [told.states for told in server.phone.csta.told] == [{Feature.DND: ON}]


@pytest.mark.parametrize("kind", ["", "application/dtmf-relay"])
def test_another_info_out_of_any_dialog_is_refused(kind):
    server = Server()
    server.give(info(kind=kind))
    assert server.one().status == 481
    assert server.phone.csta.told == []


def test_an_event_that_cannot_be_read_is_refused():
    server = Server()
    server.phone.csta.follow = True
    server.give(info(body=b"<<<"))
    assert server.one().status == 400
    assert server.phone.csta.told == []


def test_a_flood_is_not_remembered_without_end(monkeypatch):
    monkeypatch.setattr(csta, "REMEMBERED", 3)
    server = Server()
    for number in range(1, 6):
        server.give(info(number, call_id=f"x{number}"))
    assert [answer.status for answer in server.sent()] == [200] * 5
    assert len(server.phone.csta.told) == 3
