"""Offers as they are written, answers as they are read: hostile ones too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sip.sdp import Audio, read_audio, write_offer

ANSWER = [
    "v=0",
    "o=- 1 1 IN IP4 192.0.2.9",
    "s=-",
    "c=IN IP4 192.0.2.9",
    "t=0 0",
    "m=audio 4000 RTP/AVP 8 0 101",
    "a=rtpmap:8 PCMA/8000",
]
HEARD = Audio("192.0.2.9", 4000, 8, True, True)


def read(*lines, without=(), end="\r\n"):
    kept = [line for line in ANSWER if not line.startswith(without or "?")]
    return read_audio("".join(f"{line}{end}" for line in [*kept, *lines]).encode())


def test_the_offer_in_full():
    """RFC 4566 5, RFC 3264 5."""
    assert write_offer("192.0.2.1", 4002, 77).decode("ascii").split("\r\n") == [
        "v=0",
        "o=- 77 77 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 4002 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_our_own_offer_reads_back(address):
    assert read_audio(write_offer(address, 4002, 1)) == Audio(address, 4002, 0, True, True)


@pytest.mark.parametrize(
    ("line", "sends", "receives"),
    [("a=sendrecv", True, True), ("a=sendonly", True, False), ("a=recvonly", False, True)],
)
def test_directions(line, sends, receives):
    """RFC 3264 6.1; sendrecv where nothing is said."""
    assert read() == HEARD
    assert read(line) == Audio("192.0.2.9", 4000, 8, sends, receives)


def test_the_streams_own_lines_go_before_the_sessions():
    """RFC 4566 5.7, 5.13."""
    assert read("c=IN IP4 192.0.2.10") == Audio("192.0.2.10", 4000, 8, True, True)
    body = "\r\n".join([*ANSWER[:5], "a=inactive", *ANSWER[5:]]).encode()
    assert read_audio(body) is None
    assert read_audio(body + b"\r\na=sendonly\r\n") == Audio("192.0.2.9", 4000, 8, True, False)


def test_lines_of_another_stream_do_not_count():
    assert read("m=video 5000 RTP/AVP 31", "c=IN IP4 192.0.2.77", "a=inactive") == HEARD
    assert read("m=audio 5000 RTP/AVP 0", "a=inactive") == HEARD


def test_bare_line_feeds_are_read():
    assert read(end="\n") == HEARD


@pytest.mark.parametrize(
    ("lines", "without"),
    [
        (["a=inactive"], ()),
        (["m=audio 0 RTP/AVP 0"], "m="),
        (["m=audio 65536 RTP/AVP 0"], "m="),
        (["m=audio 4000 RTP/AVP 96"], "m="),
        (["m=audio 4000 RTP/SAVP 0"], "m="),
        (["m=audio 4000"], "m="),
        (["m=audio x RTP/AVP 0"], "m="),
        (["m=video 4000 RTP/AVP 0"], "m="),
        (["c=IN IP4 0.0.0.0"], ()),
        (["c=IN IP6 ::"], ()),
        (["c=IN IP4 media.example.net"], ()),
        (["c=IN IP6 192.0.2.9"], ()),
        (["c=IN IP6 fe80::1%eth0"], ()),
        (["c=ATM x y"], ()),
        (["c="], ()),
        ([], "c="),
        ([], "v="),
        ([], "m="),
        (["a=x"] * 200, ()),
        (["a=" + "x" * 8192], ()),
    ],
    ids=str,
)
def test_no_media(lines, without):
    """RFC 3264 6 and 8.4: refused, inactive or held; and what cannot be read."""
    assert read(*lines, without=without) is None


def test_a_ttl_is_no_part_of_the_address():
    """RFC 4566 5.7."""
    assert read("c=IN IP4 192.0.2.10/127").address == "192.0.2.10"


_line = st.builds(
    "{}={}".format, st.sampled_from("vosctmabk"), st.text(max_size=40) | st.sampled_from(["0", *ANSWER])
)


@given(
    st.binary(max_size=9000)
    | st.lists(_line | st.sampled_from(ANSWER), max_size=250).map(lambda lines: "\r\n".join(lines).encode())
)
def test_nothing_raises(body):
    audio = read_audio(body)
    assert audio is None or (0 < audio.port <= 65535 and audio.payload in (0, 8))


@given(st.permutations(ANSWER), st.text(max_size=20))
def test_no_order_of_lines_raises(lines, junk):
    read_audio("\r\n".join(["v=0", *lines, junk]).encode())
