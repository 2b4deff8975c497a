"""Messages for the tests of the state machines: plain, right, and changed by keyword."""

from featuresync.sip.message import Draft, Message, reply


def request(
    method="OPTIONS",
    *,
    branch="z9hG4bKa1",
    call_id="c1@192.0.2.10",
    cseq=1,
    from_tag="p1",
    to_tag="",
    uri="sip:2001@as.example.net",
    sent_by="192.0.2.10:5060",
    headers=(),
    body=b"",
):
    draft = Draft(f"{method} {uri} SIP/2.0", body=body)
    draft.add("Via", f"SIP/2.0/UDP {sent_by};branch={branch}").add("Max-Forwards", "70")
    draft.add("From", f"<sip:2001@as.example.net>;tag={from_tag}")
    draft.add("To", "<sip:2001@as.example.net>" + (f";tag={to_tag}" if to_tag else ""))
    draft.add("Call-ID", call_id).add("CSeq", f"{cseq} {method}")
    draft.headers += headers
    return Message(draft.encode())


def response(to, status, *, tag="s1", headers=(), body=b"", record_route=()):
    draft = reply(to, status, "Said", headers, tag, body)
    draft.headers += [("Record-Route", route) for route in record_route]
    return Message(draft.encode())


def sent(draft, branch="z9hG4bKn1"):
    """A draft as its receiver sees it: the sender has added its Via."""
    draft.headers.insert(0, ("Via", f"SIP/2.0/UDP 192.0.2.1:5060;branch={branch}"))
    return Message(draft.encode())
