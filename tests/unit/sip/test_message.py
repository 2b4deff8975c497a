import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from featuresync.sip.message import COMPACT, Draft, Message, find_empty_line, reply
from featuresync.sip.uri import NameAddr

HEADERS = [
    ("Via", "SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK-a1"),
    ("Max-Forwards", "70"),
    ("From", "<sip:2001@as.example.net>;tag=p1"),
    ("To", "<sip:2001@as.example.net>"),
    ("Call-ID", "fs-1@192.0.2.10"),
    ("CSeq", "1 SUBSCRIBE"),
    ("Contact", "<sip:2001@192.0.2.10:5060>"),
    ("Event", "as-feature-event"),
    ("Content-Type", "Application/X-As-Feature-Event+XML ;charset=x"),
]
START = "SUBSCRIBE sip:2001@as.example.net SIP/2.0"
SHORT = {long: short for short, long in COMPACT.items()}
PROPERTIES = sorted(
    name
    for name in dir(Message)
    if not name.startswith("_") and name not in ("header", "headers", "has", "raw")
)


def subscribe(**changes: str) -> Draft:
    draft = Draft(START, list(HEADERS), b"<x/>")
    for name, value in changes.items():
        draft.put(name.replace("_", "-"), value)
    return draft


def fields(message: Message) -> tuple[object, ...]:
    return (
        message.call_id, message.cseq, message.cseq_method, message.from_, message.to, message.branch,
        message.header("event"), message.media_type, message.body, message.problems,
    )  # fmt: skip


def test_a_good_request():
    message = Message(subscribe().encode())
    assert message.problems == ()
    assert (message.is_request, message.method, message.status, message.reason) == (True, "SUBSCRIBE", 0, "")
    assert message.request_uri == "sip:2001@as.example.net"
    assert (message.call_id, message.cseq, message.cseq_method) == ("fs-1@192.0.2.10", 1, "SUBSCRIBE")
    assert message.from_ == NameAddr("", "sip:2001@as.example.net", {"tag": "p1"})
    assert message.to.tag == ""
    assert message.via_parameters == {"rport": None, "branch": "z9hG4bK-a1"}
    assert message.media_type == "application/x-as-feature-event+xml"
    assert (message.content_length, message.body) == (4, b"<x/>")


def test_a_good_response():
    message = Message(Draft("SIP/2.0 489 Bad  Event", HEADERS[:6]).encode())
    assert message.problems == ()
    assert (message.is_request, message.status, message.reason) == (False, 489, "Bad  Event")
    assert (message.method, message.request_uri) == ("SUBSCRIBE", "")


def test_compact_names_mean_the_same():
    written = [(SHORT.get(name.lower(), name), value) for name, value in HEADERS]
    short = Message(Draft(START, [*written, ("l", "4")], b"<x/>").encode())
    assert fields(short) == fields(Message(subscribe().encode()))
    assert short.has("content-length")


@given(st.permutations(HEADERS))
def test_any_header_order_means_the_same(headers):
    assert fields(Message(Draft(START, headers, b"<x/>").encode())) == fields(Message(subscribe().encode()))


@given(st.lists(st.sampled_from([str.upper, str.lower, str.title]), min_size=9, max_size=9))
def test_letter_case_of_names_means_nothing(cases):
    headers = [(case(name), value) for case, (name, value) in zip(cases, HEADERS, strict=True)]
    assert fields(Message(Draft(START, headers, b"<x/>").encode())) == fields(Message(subscribe().encode()))


def test_a_folded_header_is_one_value():
    raw = subscribe().encode().replace(b"rport;branch", b"rport\r\n \t;branch")
    message = Message(raw)
    assert message.branch == "z9hG4bK-a1"
    assert message.problems == ()
    assert Message(raw.replace(b"CSeq: 1 SUB", b"CSeq:\r\n 1\r\n\tSUB")).cseq_method == "SUBSCRIBE"


def test_white_space_around_the_colon_and_in_cseq():
    message = Message(subscribe(CSeq="7 \t SUBSCRIBE").encode().replace(b"Event:", b"Event \t:  "))
    assert (message.cseq, message.cseq_method, message.header("event")) == (
        7,
        "SUBSCRIBE",
        "as-feature-event",
    )
    assert message.problems == ()


def test_lists_are_taken_apart_and_other_headers_are_not():
    draft = subscribe(Via="SIP/2.0/UDP a;branch=1 , SIP/2.0/UDP b;branch=2").add(
        "Via", "SIP/2.0/TCP c;branch=3"
    )
    draft.put("Contact", '"Doe, J" <sip:a@b;x="1,2">;q=1, <sip:c@d,e>').add("Subject", "a, b").add("u", "x,y")
    message = Message(draft.encode())
    assert [via[-1] for via in message.headers("VIA")] == ["1", "2", "3"]
    assert message.branch == "1"
    assert message.headers("contact") == ['"Doe, J" <sip:a@b;x="1,2">;q=1', "<sip:c@d,e>"]
    assert message.headers("subject") == ["a, b"]
    assert message.headers("allow-events") == ["x", "y"]


def test_several_challenges_stay_whole():
    draft = Draft("SIP/2.0 401 Unauthorized", HEADERS[:6])
    draft.add("WWW-Authenticate", 'Digest realm="a", nonce="1"').add(
        "WWW-Authenticate", 'Digest realm="b", nonce="2"'
    )
    assert Message(draft.encode()).headers("www-authenticate") == [
        'Digest realm="a", nonce="1"',
        'Digest realm="b", nonce="2"',
    ]


def test_bare_line_feeds_are_read_and_reported():
    message = Message(subscribe().encode().replace(b"\r\n", b"\n"))
    assert message.problems == (
        "no empty line (CRLF CRLF) after the headers",
        "bare LF at the end of a header line",
    )
    assert (message.branch, message.body) == ("z9hG4bK-a1", b"<x/>")


def test_the_first_empty_line_ends_the_head_whatever_the_body_holds():
    message = Message(b"NOTIFY sip:a SIP/2.0\nEvent: x\n\nbody\r\n\r\nmore")
    assert message.body == b"body\r\n\r\nmore"
    assert message.lines == [("event", "x")]


def test_one_bare_line_feed_among_good_lines_is_reported():
    message = Message(subscribe().encode().replace(b"70\r\n", b"70\n"))
    assert message.problems == ("bare LF at the end of a header line",)


def test_keep_alive_before_the_start_line_is_skipped():
    message = Message(b"\r\n\r\n" + subscribe().encode())
    assert message.problems == ()
    assert fields(message) == fields(Message(subscribe().encode()))
    assert message.raw.startswith(b"\r\n\r\n")


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq"])
def test_a_missing_or_repeated_header_is_reported(name):
    assert (
        f"0 {name.lower()} headers where exactly 1 is due"
        in Message(subscribe().drop(name).encode()).problems
    )
    twice = subscribe().add(name, dict(HEADERS)[name])
    assert Message(twice.encode()).problems == (f"2 {name.lower()} headers where exactly 1 is due",)


def test_headers_that_may_be_absent_may_not_stand_twice():
    assert Message(subscribe().drop("Max-Forwards").encode()).problems == ()
    twice = subscribe().add("Max-Forwards", "70")
    assert Message(twice.encode()).problems == ("2 max-forwards headers where at most 1 is due",)


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        (subscribe().drop("via"), "no via header"),
        (subscribe(CSeq="x SUBSCRIBE"), "CSeq is not a number below 2**31: 'x SUBSCRIBE'"),
        (subscribe(CSeq="2147483648 SUBSCRIBE"), "CSeq is not a number below 2**31: '2147483648 SUBSCRIBE'"),
        (subscribe(CSeq="1 NOTIFY"), "CSeq names 'NOTIFY', the request is 'SUBSCRIBE'"),
        (subscribe(Content_Length="5"), "Content-Length 5, but 4 bytes follow"),
        (subscribe(Content_Length="3"), "Content-Length 3, but 4 bytes follow"),
        (subscribe(Content_Length="-4"), "Content-Length is no number: '-4'"),
        (subscribe(Content_Length="٤"), "Content-Length is no number: '٤'"),
        (subscribe().add("Bad Name", "x"), "header line without a name or colon: 'bad name'"),
        (subscribe().add("Námé", "x"), "header line without a name or colon: 'námé'"),
    ],
)
def test_a_breach_is_reported_in_words(draft, problem):
    assert Message(draft.encode()).problems == (problem,)


@pytest.mark.parametrize(
    "line",
    ["", "SUBSCRIBE", "SUBSCRIBE  sip:a SIP/2.0", "SUBSCRIBE sip:a SIP/3.0", "SUBSCRIBE sip:a b SIP/2.0"],
)
def test_a_bad_request_line_is_reported(line):
    assert any("request line" in p for p in Message(Draft(line, HEADERS).encode()).problems)


@pytest.mark.parametrize(
    "line", ["SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0 2OO OK", "sip/2.0 200 OK", "SIP/2.0"]
)
def test_a_bad_status_line_is_reported(line):
    message = Message(Draft(line, HEADERS).encode())
    assert not message.is_request
    assert any("status line" in p for p in message.problems)


def test_the_body_is_cut_to_a_shorter_content_length():
    assert Message(subscribe(Content_Length="3").encode()).body == b"<x/"
    assert Message(subscribe(Content_Length="99").encode()).body == b"<x/>"
    assert Message(subscribe().encode(content_length=False)).body == b"<x/>"


@given(st.binary(max_size=300))
@example(b"")
@example(b"\r\n\r\n")
@example(b"SIP/2.0 " + b"9" * 5000)
@example(b"A B SIP/2.0\r\nCSeq: " + b"1" * 6000 + b" A\r\nContent-Length: " + b"2" * 6000 + b"\r\n\r\n")
@example(b"A B SIP/2.0\r\n folded first\r\n: no name\r\nno colon\r\nVia:\r\n\r\n")
def test_no_bytes_make_any_property_raise(data):
    for raw in (
        data,
        b"SIP/2.0 " + data,
        b"NOTIFY sip:a SIP/2.0\r\n" + data,
        b"A B C\nFrom:" + data + b"\n\n",
    ):
        message = Message(raw)
        assert message.raw == raw
        for name in PROPERTIES:
            getattr(message, name)
        assert isinstance(repr(message), str)
        assert isinstance(reply(message, 400, "Bad Request", to_tag="t").encode(), bytes)


NAMES = st.text(string.ascii_letters + "-", min_size=2, max_size=12).filter(
    lambda n: n.lower() != "content-length"
)
# One line of text: no line ends, and no white space at the edges, which means nothing.
VALUES = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x85"), max_size=30
).map(str.strip)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), st.binary(max_size=60))
def test_a_draft_reads_back_as_written(headers, body):
    message = Message(Draft("NOTIFY sip:a@b SIP/2.0", headers, body).encode())
    assert message.lines == [(n.lower(), v) for n, v in headers] + [("content-length", str(len(body)))]
    assert (message.body, message.method, message.request_uri) == (body, "NOTIFY", "sip:a@b")


def test_bytes_that_are_no_utf8_survive_reading_and_writing():
    raw = subscribe().encode().replace(b"fs-1@", b"fs-\xff\xfe@")
    draft = reply(Message(raw), 200, "OK")
    assert b"Call-ID: fs-\xff\xfe@192.0.2.10\r\n" in draft.encode()


def test_a_draft_is_edited_in_place():
    draft = Draft("x", [("A", "1"), ("B", "2"), ("a", "3")])
    assert draft.put("a", "4").headers == [("a", "4"), ("B", "2")]
    assert draft.put("C", "5").drop("b").headers == [("a", "4"), ("C", "5")]
    assert Draft("x", [("l", "9")]).encode() == b"x\r\nl: 9\r\n\r\n"


def test_a_reply_copies_what_the_rfc_says():
    request = Message(
        subscribe(Via="SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b").add("Record-Route", "<sip:p;lr>").encode()
    )
    ok = Message(reply(request, 200, "OK", [("Expires", "60")], to_tag="s1").encode())
    assert ok.problems == ()
    assert [name for name, _ in ok.lines] == (
        "via via record-route from to call-id cseq expires content-length".split()
    )
    assert ok.to == NameAddr("", "sip:2001@as.example.net", {"tag": "s1"})
    assert ok.headers("via") == request.headers("via")
    refused = Message(reply(request, 481, "No Dialog", to_tag="s1").encode())
    assert not refused.has("record-route")


def test_a_reply_keeps_the_tag_that_is_there():
    request = Message(subscribe(To="<sip:a@b>;tag=old").encode())
    assert reply(request, 200, "OK", to_tag="new").headers[2] == ("To", "<sip:a@b>;tag=old")


@given(st.text(alphabet="a\r\n", max_size=14))
def test_the_empty_line_is_the_first_of_either_kind(text):
    data = text.encode()
    found = find_empty_line(data)
    ends = [data.find(gap) + len(gap) for gap in (b"\n\n", b"\n\r\n") if gap in data]
    assert (found[1] if found else None) == (min(ends) if ends else None)
    assert found is None or data[found[0] : found[1]] in (b"\n\n", b"\r\n\n", b"\n\r\n", b"\r\n\r\n")
