"""An independent parser reads what Draft and reply write, and finds the same in it."""

import sipmessage

from featuresync.sip.message import Draft, Message, reply
from featuresync.sip.uri import Uri

BODY = b"<?xml version='1.0'?>\r\n\r\n<x/>\r\n"
DRAFT = Draft(
    "SUBSCRIBE sip:2001@as.example.net:5070;transport=udp SIP/2.0",
    [
        ("Via", "SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK-a1"),
        ("Via", "SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bK-a2"),
        ("Max-Forwards", "70"),
        ("From", '"Doe, \\"J\\"" <sip:2001@as.example.net>;tag=p1'),
        ("To", "<sip:2001@as.example.net;user=phone>;tag=s1"),
        ("Call-ID", "fs-1@192.0.2.10"),
        ("CSeq", "17 SUBSCRIBE"),
        ("Contact", "<sip:2001@192.0.2.10:5060>"),
        ("Content-Type", "application/x-as-feature-event+xml"),
    ],
    BODY,
)


def compare(raw: bytes) -> sipmessage.Request | sipmessage.Response:
    ours, theirs = Message(raw), sipmessage.Message.parse(raw)
    assert ours.problems == ()
    assert theirs.body == ours.body
    assert theirs.headers.get("Call-ID") == ours.call_id
    assert (theirs.cseq.sequence, theirs.cseq.method) == (ours.cseq, ours.cseq_method)
    for address, mine in ((theirs.from_address, ours.from_), (theirs.to_address, ours.to)):
        assert (address.name or "", dict(address.parameters)) == (mine.display, mine.parameters)
        uri = Uri.parse(mine.uri)
        assert (address.uri.scheme, address.uri.user, address.uri.host, address.uri.port) == (
            uri.scheme, uri.user, uri.host, uri.port,
        )  # fmt: skip
    assert [via.parameters["branch"] for via in theirs.via] == [
        v.rpartition("branch=")[2] for v in ours.headers("via")
    ]
    return theirs


def test_a_request():
    theirs = compare(DRAFT.encode())
    assert isinstance(theirs, sipmessage.Request)
    assert theirs.method == "SUBSCRIBE"
    uri = Uri.parse(Message(DRAFT.encode()).request_uri)
    assert (theirs.uri.host, theirs.uri.port, dict(theirs.uri.parameters)) == (
        uri.host,
        uri.port,
        uri.parameters,
    )


def test_a_reply():
    theirs = compare(reply(Message(DRAFT.encode()), 200, "OK", [("Expires", "60")], body=b"").encode())
    assert isinstance(theirs, sipmessage.Response)
    assert (theirs.code, theirs.phrase, theirs.headers.get("Expires")) == (200, "OK", "60")


def test_we_read_what_it_writes():
    theirs = sipmessage.Message.parse(DRAFT.encode())
    assert Message(bytes(theirs)).problems == ()
    assert Message(bytes(theirs)).to == Message(DRAFT.encode()).to
