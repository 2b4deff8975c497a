import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sync.multipart import Part, read_multipart

HEAD = b"Content-Type: application/x-as-feature-event+xml\r\n\r\n"
TYPE = ("content-type", "application/x-as-feature-event+xml")
GOOD = b"--b7\r\n" + HEAD + b"<a/>\r\n--b7\r\n" + HEAD + b"<b/>\r\n--b7--\r\n"
PARTS = (Part((TYPE,), b"<a/>"), Part((TYPE,), b"<b/>"))


def problems(body: bytes, boundary: str = "b7") -> list[str]:
    return [str(problem) for problem in read_multipart(body, boundary).problems]


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        GOOD.removesuffix(b"\r\n"),
        b"preamble\r\n" + GOOD,
        GOOD + b"epilogue --b7\r\n",
        GOOD.replace(b"--b7\r\n", b"--b7 \t\r\n"),
    ],
)
def test_what_the_rfc_allows(body):
    read = read_multipart(body, "b7")
    assert (read.parts, read.problems) == (PARTS, ())


def test_a_part_may_have_no_headers():
    read = read_multipart(b"--b\r\n\r\nbody\r\n\r\n--b--", "b")
    assert (read.parts, read.problems) == ((Part((), b"body\r\n"),), ())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (GOOD.replace(b"/>\r\n--", b"/>\n--"), ["bare LF before a delimiter"] * 2),
        (GOOD.replace(b"/>\r\n--", b"/>--"), ["no CRLF before a delimiter"] * 2),
        (GOOD.replace(b"--b7\r\n", b"--b7\n"), ["bare LF after a delimiter"] * 2),
        (GOOD.replace(b"\r\n--b7--\r\n", b""), ["no closing delimiter"]),
        (GOOD.replace(b"--b7--", b"--b7--x"), ["something follows the closing delimiter on its line"]),
        (GOOD.replace(b"xml\r\n\r\n", b"xml\n\n"), [f"part {n}: bare LF in the headers" for n in (1, 2)]),
    ],
)
def test_a_breach_of_form_hides_no_part(body, said):
    read = read_multipart(body, "b7")
    assert [p.text for p in read.problems] == said
    assert {p.code for p in read.problems} == {"MP-03"}
    assert read.parts == PARTS


def test_everything_with_bare_line_feeds():
    read = read_multipart(GOOD.replace(b"\r\n", b"\n"), "b7")
    assert [part.body for part in read.parts] == [b"<a/>", b"<b/>"]
    assert [part.media_type for part in read.parts] == [TYPE[1], TYPE[1]]
    assert read.problems


def test_a_part_that_starts_with_its_body():
    read = read_multipart(b"--b\r\n<a/>\r\n--b--\r\n", "b")
    assert read.parts == (Part((), b"<a/>"),)
    assert problems(b"--b\r\n<a/>\r\n--b--\r\n", "b") == ["MP-03: part 1: no empty line before the body"]


def test_a_part_that_is_all_headers():
    assert problems(b"--b\r\nContent-Type: x/y\r\n--b--\r\n", "b") == [
        "MP-03: part 1: no empty line after the headers"
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ["MP-03: no delimiter line in the body"]),
        (b"<a/>", ["MP-03: no delimiter line in the body"]),
        (b"--b7--\r\n", ["MP-03: no part between the delimiters"]),
        (b"--b8\r\n\r\n<a/>\r\n--b8--", ["MP-03: no delimiter line in the body"]),
    ],
)
def test_bodies_without_a_part(body, said):
    assert read_multipart(body, "b7").parts == ()
    assert problems(body) == said


def test_the_boundary_inside_a_part_is_reported_and_does_not_split():
    body = b"--b\r\n\r\nx --bcd y\r\n--b--"
    assert read_multipart(body, "b").parts == (Part((), b"x --bcd y"),)
    assert problems(body, "b") == ["MP-03: the boundary stands inside a part"]


@pytest.mark.parametrize(
    ("boundary", "said"),
    [
        ("x" * 70, []),
        ("x" * 71, ["MP-03: boundary of 71 characters, more than 70"]),
        ("a b", []),
        ("a b_'()+,./:=?-", []),
        ("a;b", ["MP-03: boundary with a character RFC 2046 does not allow: 'a;b'"]),
        ("a ", ["MP-03: boundary with a character RFC 2046 does not allow: 'a '"]),
    ],
)
def test_the_boundary_itself(boundary, said):
    body = GOOD.replace(b"b7", boundary.encode())
    read = read_multipart(body, boundary)
    assert [str(p) for p in read.problems] == said
    assert read.parts == PARTS


def test_a_missing_boundary_parameter_is_guessed():
    read = read_multipart(b"junk\r\n" + GOOD, "")
    assert read.parts == PARTS
    assert [str(p) for p in read.problems] == ["MP-03: no boundary parameter"]


@pytest.mark.parametrize(
    ("length", "said"), [("4", []), ("5", ["MP-05: part 1: Content-Length 5, but 4 bytes"])]
)
def test_a_parts_content_length(length, said):
    body = b"--b\r\nContent-Length: " + length.encode() + b"\r\n\r\n<a/>\r\n--b--\r\n"
    assert problems(body, "b") == said
    assert problems(body.replace(b"Content-Length", b"l"), "b") == said


def test_the_number_of_parts_is_bounded():
    assert len(read_multipart(b"\r\n--b\r\n\r\nx" * 10_000, "b").parts) <= 65


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"--q" not in b), min_size=1, max_size=5))
def test_parts_come_back_byte_for_byte(bodies):
    body = b"".join(b"--q\r\n\r\n" + b + b"\r\n" for b in bodies) + b"--q--\r\n"
    read = read_multipart(body, "q")
    assert [part.body for part in read.parts] == bodies
    assert read.problems == ()


@given(st.binary(max_size=120), st.sampled_from(["", "b", "b7", "é", "-" * 20]))
def test_no_bytes_make_the_reader_raise(data, boundary):
    for body in (data, b"--b7\r\n" + data + b"\r\n--b7--", data.replace(b"\0", b"--b7\r\n")):
        read = read_multipart(body, boundary)
        assert read.parts or read.problems
