import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from featuresync.sync.document import REFUSED, Element, Limits, Problem, read_documents

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "&a%d;&a%d;">' % (n + 1, n, n) for n in range(40))
    + b"]><b>&a40;</b>"
)
DECLARED = b'<?xml version="1.0" encoding="%s"?>'
EXTERNAL = b'<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b>&x;</b>'
EXTERNAL_DTD = b'<!DOCTYPE b SYSTEM "http://127.0.0.1:1/x.dtd"><b/>'


def read(data: bytes) -> tuple[Element | None, list[str]]:
    (reading,) = read_documents(data)
    return reading.tree, [str(problem) for problem in reading.problems]


def text_of(data: bytes) -> str:
    tree, problems = read(data)
    assert problems == []
    assert tree is not None
    return tree.text


def test_a_tree_with_namespaces():
    tree, problems = read(b'<a xmlns="u:1" xmlns:p="u:2">t<p:b>x</p:b>u<c xmlns=""/><b/></a>')
    assert problems == []
    b, c, b2 = Element("b", "u:2", "x"), Element("c", "", ""), Element("b", "u:1", "")
    assert tree == Element("a", "u:1", "tu", (b, c, b2))
    assert tree.find("b") == [b, b2]
    assert [e.name for e in tree.walk()] == ["a", "b", "c", "b"]


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("UTF-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("ISO-8859-1", "iso-8859-1"),
        ("iso-8859-1", "iso-8859-1"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-le"),
        ("UTF-16", "utf-16-be"),
    ],
)
def test_declared_encodings(declared, codec):
    text = f'<?xml version="1.0" encoding="{declared}"?><a>Zürich</a>'
    assert text_of(text.encode(codec)) == "Zürich"


def test_ascii_and_no_declaration():
    assert text_of(b'<?xml version="1.0" encoding="US-ASCII"?><a>x&#252;&amp;&lt;</a>') == "xü&<"
    assert text_of("<a>ü</a>".encode()) == "ü"
    assert text_of(b" \r\n<a>x</a>\r\n<!-- c --> \n\r\n") == "x"
    assert text_of(b"<a><![CDATA[<x>]]></a>") == "<x>"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (BOMB, "refused: a document type declaration"),
        (EXTERNAL, "refused: a document type declaration"),
        (EXTERNAL_DTD, "refused: a document type declaration"),
        (b"<!DOCTYPE a><a/>", "refused: a document type declaration"),
        (b'<?php x ?><a/>', "refused: a processing instruction 'php'"),
        (b"<a/><?x y?>", "refused: a processing instruction 'x'"),
        (b"<a>" * 10_000 + b"</a>" * 9_000, "refused: document of 66000 bytes, more than 65536"),
        (b"<a>" * 6_000 + b"</a>" * 6_000, "refused: elements nested more than 16 deep"),
        (b"<a>" + b"x" * 1_000_000 + b"</a>", "refused: document of 1000007 bytes, more than 65536"),
        (b"<a>" + b"x" * 8193 + b"</a>", "refused: more than 8192 characters of text in one element"),
        (b"<a>" + b"<b/>" * 200 + b"</a>", "refused: more than 200 elements"),
        (b"<a>" + b"x<!-- -->" * 7000 + b"</a>", None),
    ],
)  # fmt: skip
def test_what_is_refused(data, problem):
    started = time.process_time()
    tree, problems = read(data)
    assert time.process_time() - started < 1
    if problem is None:
        assert (problems, tree.text) == ([], "x" * 7000)
    else:
        assert (tree, problems) == (None, [problem])


def test_limits_are_exact():
    limits = Limits(size=60, depth=2, elements=3, text=4)
    for data in (b"<a><b>1234</b><b/></a>", b"<a>" + b" " * 4 + b"</a>", b"<a><!--" + b"x" * 46 + b"--></a>"):
        assert read_documents(data, limits)[0].problems == ()
    for data in (
        b"<a><b><c/></b></a>",
        b"<a><b/><b/><b/></a>",
        b"<a>12345</a>",
        b"<a><!--" + b"x" * 47 + b"--></a>",
    ):
        assert [p.code for p in read_documents(data, limits)[0].problems] == [REFUSED]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no element found"),
        (b"<a", "unclosed token"),
        (b"<a><b>x</b>", "no element found"),
        (b"<a></b>", "mismatched tag"),
        (b"<a>a & b</a>", "not well-formed (invalid token)"),
        (b"<a>&nbsp;</a>", "undefined entity"),
        (b"<a>\0</a>", "not well-formed (invalid token)"),
        (b"\0\0\0\0", "not well-formed (invalid token)"),
        (b"<a b=1/>", "not well-formed (invalid token)"),
        (b'<?xml version="1.0" encoding="UTF-16"?><a>', "encoding specified in XML declaration is incorrect"),
        (b"text", "syntax error"),
    ],
)
def test_what_is_not_well_formed(data, said):
    tree, problems = read(data)
    assert tree is None
    assert len(problems) == 1
    assert problems[0].startswith(f"BD-01: not well-formed XML: {said}")


@pytest.mark.parametrize(
    ("data", "said", "text"),
    [
        (DECLARED % b"UTF-8" + b"<a>Z\xfcrich</a>", "BD-01: not well-formed XML: not well", "Zürich"),
        (DECLARED % b"US-ASCII" + b"<a>Z\xfcrich</a>", "BD-01: not well-formed XML: not well", "Zürich"),
        (DECLARED % b"utf-32" + b"<a>x</a>", "BD-01: declared encoding 'utf-32' is not one", "x"),
        (DECLARED % b"cp1252" + b"<a>x</a>", "BD-01: declared encoding 'cp1252' is not one", "x"),
        (DECLARED % b"UTF-16" + b"<a>x</a>", "BD-01: not well-formed XML: encoding spec", "x"),
        (b"<p:a>x</p:a>", "BD-01: not well-formed XML: unbound prefix", "x"),
        (b"<p:a>\xfc</p:a>", "BD-01: not well-formed XML: ", "ü"),
        (b' \n<?xml version="1.0"?><a>x</a>', "BD-14: before the XML declaration: ' \\n'", "x"),
        (b'junk<?xml version="1.0"?><a>x</a>', "BD-14: before the XML declaration: 'junk'", "x"),
        (b"<a>x</a>junk", "BD-14: after the root element: 'junk'", "x"),
        (b"<a>x</a>\0", "BD-14: after the root element: '\\x00'", "x"),
        (b"<a>x</a>\r\n</b>", "BD-14: after the root element: '</b>'", "x"),
        (b"<a>x</a><", "BD-14: after the root element: '<'", "x"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_reported_and_read_all_the_same(data, said, text):
    tree, problems = read(data)
    assert len(problems) == 1
    assert problems[0].startswith(said)
    assert (tree.name, tree.text) == ("a", text)


def test_a_refusal_holds_in_the_lenient_reading_too():
    data = b'<?xml version="1.0" encoding="utf-32"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'
    tree, problems = read(data)
    assert tree is None
    assert problems[1:] == ["refused: a document type declaration"]


def test_documents_glued_together_are_told_apart():
    one, two = b'<?xml version="1.0"?><a>1</a>\r\n', b'<?xml version="1.0"?><b>2</b>'
    readings = read_documents(one + two + b"<c/>tail")
    assert [(r.tree.name, r.tree.text) for r in readings] == [("a", "1"), ("b", "2"), ("c", "")]
    assert [r.raw for r in readings] == [one, two, b"<c/>"]
    assert [r.problems for r in readings] == [(), (), (Problem("BD-14", "after the root element: 'tail'"),)]


def test_elements_keep_their_attributes_and_their_line():
    tree, problems = read(b'<a>\n<b index="2" x="y"/>\n<c>\n</c></a>')
    assert problems == []
    assert [(e.name, dict(e.attributes), e.line) for e in tree.walk()] == [
        ("a", {}, 1),
        ("b", {"index": "2", "x": "y"}, 2),
        ("c", {}, 3),
    ]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<a>\n<b></a>", 2),
        (b"<a>\n\n<b>\xff</b></a>", 3),
        (b'<?xml version="1.0"?>\n<!DOCTYPE a>\n<a/>', 2),
        (b"<a>\n" + b"<b>" * 20, 2),
        (b"<a>\n</a>\n\njunk", 4),
        (b"\n junk <?xml version='1.0'?><a/>", 1),
        (b"<a>" + b"x" * 70_000, 0),
    ],
)
def test_problems_say_their_line(data, line):
    (reading,) = read_documents(data)
    assert [problem.line for problem in reading.problems] == [line]


def test_the_number_of_documents_is_bounded():
    readings = read_documents(b"<a/>" * 1000)
    assert len(readings) == 16
    assert readings[-1].problems[0].code == "BD-14"


GOOD = b'<?xml version="1.0" encoding="UTF-8"?><a xmlns="u"><b>1</b><c/></a>'


@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.integers(0, 8))
@example(b"\xff\xfe", 0, 0)
@example(b"\xef\xbb\xbf", 0, 0)
@example(b"<!DOCTYPE a [", 38, 0)
def test_no_bytes_make_the_reader_raise(junk, at, cut):
    for data in (
        junk,
        GOOD[:at] + junk + GOOD[at + cut :],
        GOOD[:at],
        GOOD[:at].decode().encode("utf-16") + junk,
    ):
        for reading in read_documents(data):
            assert reading.tree is not None or reading.problems
