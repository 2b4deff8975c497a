import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sip.framing import StreamFramer

HEAD = b"NOTIFY sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n"


def message(body: bytes, name: bytes = b"Content-Length") -> bytes:
    return HEAD + name + b": %d\r\n\r\n" % len(body) + body


ONE, TWO, LF = message(b"a\r\n\r\nb"), message(b"", b"l"), message(b"xyz").replace(b"\r\n", b"\n")

PIECES = st.sampled_from(
    [
        ONE, TWO, LF, b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"junk", b"\r\n\r\n\r\n",
        HEAD + b"\r\n", HEAD + b"l: x\r\n\r\n", HEAD + b"l: 4\r\n\r\nab", b"x" * 200,
        HEAD + b"l:\r\n 2\r\n\r\nhi",
        HEAD + b"l: 1\r\nl: 2\r\n\r\n", HEAD + b"l: 1001\r\n\r\n",
    ]
)  # fmt: skip


def cut(stream: bytes, sizes: list[int], **limits: int) -> tuple[object, ...]:
    framer = StreamFramer(**limits)
    found: list[bytes] = []
    at = 0
    for size in [*sizes, len(stream)]:
        found += framer.feed(stream[at : at + size])
        assert len(framer._buffer) <= 300 + 1000 + size
        at += size
    return found, framer.problems, framer.broken, framer.pings, framer.crlfs


@given(st.lists(PIECES, max_size=8), st.lists(st.integers(1, 40), max_size=60))
def test_any_chunking_gives_the_same(pieces, sizes):
    stream = b"".join(pieces)
    limits = {"max_head": 300, "max_body": 1000}
    assert cut(stream, sizes, **limits) == cut(stream, [], **limits)
    assert cut(stream, [1] * len(stream), **limits) == cut(stream, [], **limits)


@given(
    st.lists(st.sampled_from([ONE, TWO, LF]), max_size=6), st.lists(st.integers(0, 3), min_size=6, max_size=6)
)
def test_messages_come_out_as_they_went_in(messages, blanks):
    stream = b"".join(b"\r\n" * n + m for n, m in zip(blanks, messages, strict=False))
    found, problems, broken, pings, crlfs = cut(stream, [])
    assert found == messages
    assert (problems, broken) == ([], False)
    used = blanks[: len(messages)]
    assert (pings, crlfs) == (sum(n // 2 for n in used), sum(used))


def test_a_ping_is_counted_as_soon_as_it_is_there():
    framer = StreamFramer()
    for data, pings, crlfs in [(b"\r\n\r", 0, 1), (b"\n", 1, 2), (ONE, 1, 2), (b"\r\n", 1, 3), (TWO, 1, 3)]:
        framer.feed(data)
        assert (framer.pings, framer.crlfs) == (pings, crlfs)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (b"", "no Content-Length on a stream"),
        (b"Content-Length:\r\n", "no Content-Length on a stream"),
        (b"Content-Length: x\r\n", "Content-Length is no number: 'x'"),
        (b"l: -1\r\n", "Content-Length is no number: '-1'"),
        (b"l: 1, 1\r\n", "Content-Length is no number: '1, 1'"),
        (b"l: 1\r\nContent-Length: 2\r\n", "several Content-Length headers that differ"),
        (b"l: 1048577\r\n", "Content-Length 1048577 is more than 1048576 bytes"),
        (b"l: " + b"9" * 5000 + b"\r\n", f"Content-Length {'9' * 40} is more than 1048576 bytes"),
    ],
)
def test_a_stream_whose_end_of_message_is_unknown_is_broken(headers, text):
    framer = StreamFramer()
    assert framer.feed(ONE + HEAD + headers + b"\r\n" + TWO) == [ONE]
    assert [str(p) for p in framer.problems] == [text]
    assert framer.problems[0].data == HEAD + headers + b"\r\n"
    assert framer.broken
    assert framer.feed(TWO) == []
    assert framer._buffer == b""


def test_the_same_length_twice_is_no_reason_to_stop():
    data = HEAD + b"l: 2\r\nContent-Length: 2\r\n\r\nhi"
    assert StreamFramer().feed(data) == [data]


def test_an_endless_head_breaks_the_stream():
    framer = StreamFramer(max_head=100)
    assert framer.feed(b"x" * 99) == []
    assert not framer.broken
    framer.feed(b"x")
    assert [(p.text, p.data) for p in framer.problems] == [
        ("no end of the headers within 100 bytes", b"x" * 100)
    ]


def test_limits_are_exact():
    data = message(b"abc")
    head = len(data) - 3
    assert StreamFramer(max_head=head, max_body=3).feed(data) == [data]
    for limits in ({"max_head": head - 1}, {"max_body": 2}):
        framer = StreamFramer(**limits)
        assert framer.feed(data) == []
        assert framer.broken


def test_a_million_keep_alives_take_no_memory():
    framer = StreamFramer()
    for _ in range(10):
        framer.feed(b"\r\n" * 10_000)
        assert framer._buffer == b""
    assert (framer.pings, framer.crlfs) == (50_000, 100_000)
