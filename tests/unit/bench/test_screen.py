"""featuresync.bench.screen: what a terminal would show, however the bytes are cut."""

import time
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.bench.screen import Screen


def shown(*chunks):
    screen = Screen()
    for chunk in chunks:
        screen.feed(chunk)
    return screen.lines


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"", [""]),
        (b"one\r\ntwo\r\nhost # ", ["one", "two", "host # "]),
        (b"one  \ntwo", ["one", "two"]),
        (b"\x1b[01;32mroot\x1b[0m@box:~# ", ["root@box:~# "]),
        (b"\x1b]0;a title\x07$ ", ["$ "]),
        (b"\x1b]0;a title\x1b\\$ ", ["$ "]),
        (b"\x1b[?2004hbox> ", ["box> "]),
        (b"\x1b(B\x1b)0\x1b=\x1b>box> ", ["box> "]),
        (b"abc\b\b\b   \b\b\b# ", ["# "]),
        (b"--More--\r         \rnext\r\n# ", ["next", "# "]),
        (b"--More--\x1b[2K\rnext\r\n# ", ["next", "# "]),
        (b"--More--\r\x1b[Knext\r\n# ", ["next", "# "]),
        (b"\r        \r# ", ["# "]),
        (b"abcdef\x1b[3DX\x1b[1GY", ["YbcXef"]),
        (b"ab\x1b[2Ccd", ["ab  cd"]),
        (b"abc\x1b[1K", ["   "]),
        (b"bell\x07 nul\x00", ["bell nul"]),
        (b"caf\xc3\xa9 \xff \xe2\x86\x92 1003", ["café \ufffd → 1003"]),
        (b"col\tumn", ["col\tumn"]),
        (b"\x9b31mred", ["\ufffd31mred"]),
        (b"lone \x1b\nnext", ["lone", "next"]),
    ],
    # What is printed is no name for a test: it holds escapes.
    ids=count(),
)
def test_what_is_left_of_what_was_printed(printed, lines):
    assert shown(printed) == lines
    assert shown(*(printed[place : place + 1] for place in range(len(printed)))) == lines


@pytest.mark.parametrize(
    "half", [b"\x1b", b"\x1b[", b"\x1b[0;3", b"\x1b]0;tit", b"\x1b]0;title\x1b", b"\xe2\x86"]
)
def test_half_a_sequence_waits_for_its_end(half):
    assert shown(b"box> " + half) == ["box> "]


def test_a_sequence_without_end_is_text_at_last():
    lines = shown(b"\x1b]" + b"x" * 2000, b" box> ")
    assert lines[-1].endswith("x box> ")


def test_the_last_words_are_on_the_last_line_that_has_some():
    screen = Screen()
    screen.feed(b"Accept? (a)\r\n\r\n")
    assert (screen.last_line, screen.last_words) == ("", "Accept? (a)")


def test_a_wiped_line_is_gone():
    screen = Screen()
    screen.feed(b"one\r\n--More--")
    screen.wipe_line()
    screen.feed(b"\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\btwo\r\n")
    assert screen.lines == ["one", "two", ""]


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_in_any_pieces_make_the_same_lines(chunks):
    assert shown(*chunks) == shown(b"".join(chunks))
    assert all(
        line.isprintable() or "\t" in line for line in map(str.strip, shown(*chunks)) if line.isascii()
    )


@pytest.mark.parametrize(
    "printed", [b"\x1b[99999999999C", b"\x1b[999999999999999999999D", b"\x1b[7G", b"\x1b" * 64]
)
def test_much_of_it_takes_no_long_time(printed):
    begun = time.monotonic()
    shown(*[printed * 100] * (256 * 1024 // len(printed) // 100))
    assert time.monotonic() - begun < 5
