"""Any text becomes text that XML 1.0 can hold."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.evidence.text import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<sip:101@pbx>;tag=1", "<sip:101@pbx>;tag=1"),
        ("a\x00b\x1b[31m", r"a\x00b\x1b[31m"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("lone\rreturn", r"lone\x0dreturn"),
        ("\uffff\x85", r"\uffff\x85"),
        ("gnp.\u202eexe", r"gnp.\u202eexe"),
        ("→ Ännchen 你好 🙂", "→ Ännchen 你好 🙂"),
    ],
)
def test_what_no_report_may_hold_is_written_out(text, shown):
    assert printable(text) == shown


def test_lone_surrogates_are_written_out():
    """Not a parameter of the test above: Allure's pytest plugin cannot write them."""
    assert printable(b"caf\xe9".decode("utf-8", "surrogateescape")) == r"caf\xe9"
    assert printable("\ud800") == r"\ud800"


@given(st.text(st.characters(codec=None, categories=None)))
def test_xml_can_hold_it_whatever_it_was(text):
    shown = printable(text)
    assert ElementTree.fromstring(f"<a>{escape(shown)}</a>").text in (shown, None)
    assert printable(shown) == shown
    shown.encode("utf-8")


def test_one_line_is_one_line_and_no_longer_than_asked():
    assert one_line("  expected\r\n  200 \t OK ") == "expected 200 OK"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"
