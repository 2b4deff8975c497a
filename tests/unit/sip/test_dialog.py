import pytest
from specimen import request, response, sent

from featuresync.sip.dialog import Dialog
from featuresync.sip.message import Message

CONTACT = ("Contact", '"AS, one" <sip:as@192.0.2.1:5070;x=1>;expires=5')
ROUTES = ("<sip:p2;lr>", "<sip:p1;lr>")


def caller(route_set=ROUTES):
    subscribe = request("SUBSCRIBE", cseq=4)
    return Dialog.as_caller(subscribe, response(subscribe, 200, headers=[CONTACT], record_route=route_set))


def callee(**changes):
    headers = [CONTACT, *(("Record-Route", route) for route in ROUTES)]
    return Dialog.as_callee(request("NOTIFY", cseq=7, headers=headers, **changes), "l1")


def written(draft):
    return Message(draft.encode())


def test_the_caller_takes_target_tag_and_reversed_route_from_the_response():
    """RFC 3261 12.1.2."""
    assert caller() == Dialog(
        "c1@192.0.2.10",
        "sip:2001@as.example.net",
        "p1",
        "sip:2001@as.example.net",
        "s1",
        4,
        None,
        "sip:as@192.0.2.1:5070;x=1",
        ("<sip:p1;lr>", "<sip:p2;lr>"),
    )


def test_the_callee_takes_target_and_route_in_order_from_the_request():
    """RFC 3261 12.1.1."""
    dialog = callee()
    assert (dialog.local_tag, dialog.remote_tag) == ("l1", "p1")
    assert (dialog.local_cseq, dialog.remote_cseq) == (0, 7)
    assert dialog.remote_target == "sip:as@192.0.2.1:5070;x=1"
    assert dialog.route_set == ROUTES


def test_the_first_notify_makes_the_subscribers_dialog():
    """RFC 6665 4.4.1: tags from the NOTIFY, our CSeq goes on from the SUBSCRIBE."""
    subscribe = request("SUBSCRIBE", cseq=4)
    notify = request("NOTIFY", cseq=9, from_tag="s1", to_tag="p1", headers=[CONTACT])
    dialog = Dialog.as_subscriber(subscribe, notify)
    assert (dialog.local_tag, dialog.remote_tag, dialog.local_cseq, dialog.remote_cseq) == ("p1", "s1", 4, 9)
    assert dialog.matches(notify)


@pytest.mark.parametrize(("uri", "secure"), [("sips:as.example.net", True), ("sip:as.example.net", False)])
def test_sips_makes_the_dialog_secure(uri, secure):
    """RFC 3261 12.1.1 and 12.1.2."""
    invite = request("INVITE", uri=uri)
    assert Dialog.as_callee(invite, "l1").secure is secure
    assert Dialog.as_caller(invite, response(invite, 200)).secure is secure
    assert Dialog.as_subscriber(invite, request("NOTIFY")).secure is secure


def test_without_contact_the_peers_own_uri_is_the_target():
    invite = request("INVITE", uri="sip:*72@as.example.net")
    assert Dialog.as_caller(invite, response(invite, 200)).remote_target == "sip:*72@as.example.net"
    assert Dialog.as_callee(invite, "l1").remote_target == "sip:2001@as.example.net"


def test_request_under_loose_routing_goes_to_the_target_over_the_routes():
    """RFC 3261 12.2.1.1."""
    draft = caller().request("SUBSCRIBE", [("Event", "e")], b"body")
    assert not [name for name, _ in draft.headers if name == "Via"]
    message = sent(draft)
    assert message.start_line == "SUBSCRIBE sip:as@192.0.2.1:5070;x=1 SIP/2.0"
    assert message.headers("route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert (message.from_.tag, message.to.tag) == ("p1", "s1")
    assert message.header("max-forwards") == "70"
    assert (message.header("cseq"), message.header("event"), message.body) == ("5 SUBSCRIBE", "e", b"body")
    assert message.problems == ()


def test_request_under_strict_routing_goes_to_the_first_route():
    """RFC 3261 12.2.1.1: the target ends the Route, the first route is the Request-URI, without headers."""
    message = written(caller(("<sip:p2;lr>", "<sip:p1?a=b>")).request("BYE"))
    assert message.request_uri == "sip:p1"
    assert message.headers("route") == ["<sip:p2;lr>", "<sip:as@192.0.2.1:5070;x=1>"]


@pytest.mark.parametrize("route", ["<sip:p1;lr=on>", "<sip:p1;LR>", "sip:p1;lr", "<sip:p1:5060;r2=on;lr>"])
def test_every_spelling_of_a_loose_route_is_known(route):
    assert caller((route,)).routing() == ("sip:as@192.0.2.1:5070;x=1", (route,))


def test_cseq_grows_by_one_and_an_ack_repeats_its_invites():
    """RFC 3261 12.2.1.1, 13.2.2.4."""
    dialog = caller()
    drafts = [
        dialog.request("BYE"), dialog.request("ACK", cseq=4), dialog.request("BYE"), callee().request("BYE")
    ]  # fmt: skip
    assert [written(draft).header("cseq") for draft in drafts] == ["5 BYE", "4 ACK", "6 BYE", "1 BYE"]


def test_a_peer_without_tag_is_written_without_one():
    """RFC 3261 12.2.1.1: a null remote tag is left out."""
    subscribe = request("SUBSCRIBE")
    dialog = Dialog.as_caller(subscribe, response(subscribe, 200, tag=""))
    assert written(dialog.request("BYE")).header("to") == "<sip:2001@as.example.net>"


@pytest.mark.parametrize(
    ("change", "matches"),
    [({}, True), ({"call_id": "x"}, False), ({"from_tag": "x"}, False), ({"to_tag": "x"}, False)],
    ids=str,
)
def test_a_request_matches_by_call_id_and_both_tags(change, matches):
    """RFC 3261 12.2.2."""
    notify = request("NOTIFY", **{"from_tag": "s1", "to_tag": "p1", **change})
    assert caller().matches(notify) is matches


def test_lower_or_equal_cseq_is_refused_and_a_gap_is_fine():
    """RFC 3261 12.2.2."""
    dialog = caller()
    answers = [(n, dialog.accept(request("NOTIFY", cseq=n))) for n in (20, 19, 20, 21, 90, "x", 89, 91)]
    assert answers == [(20, 0), (19, 500), (20, 500), (21, 0), (90, 0), ("x", 500), (89, 500), (91, 0)]
    assert dialog.remote_cseq == 91
    assert (caller().accept(request("NOTIFY", cseq="x")), caller().accept(request("NOTIFY", cseq=0))) == (
        500,
        0,
    )


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_ack_and_cancel_carry_their_invites_cseq(method):
    """RFC 3261 12.2.2, 17.1.1.3, 9.1."""
    dialog = callee()
    assert dialog.accept(request(method, cseq=7)) == 0
    assert dialog.remote_cseq == 7


def test_target_refresh_takes_the_new_contact_and_only_that():
    """RFC 3261 12.2.2; a request without Contact, or with *, changes nothing."""
    dialog = caller()
    dialog.refresh_target(request("NOTIFY", headers=[("m", "<sip:new@192.0.2.3>")]))
    assert dialog.remote_target == "sip:new@192.0.2.3"
    dialog.refresh_target(request("NOTIFY"))
    dialog.refresh_target(request("NOTIFY", headers=[("Contact", "*")]))
    assert dialog.remote_target == "sip:new@192.0.2.3"
    assert dialog.route_set == ("<sip:p1;lr>", "<sip:p2;lr>")
