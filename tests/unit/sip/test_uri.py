import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sip.uri import NameAddr, Uri, parse_parameters, split_outside_quotes, unquote

WORD = st.text(string.ascii_letters + string.digits + "-.", min_size=1, max_size=12)
NAME = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=8)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:2001@as.example.net", Uri("sip", "2001", "as.example.net")),
        ("SIPS:a@h:5061;transport=TCP;lr", Uri("sips", "a", "h", 5061, {"transport": "TCP", "lr": None})),
        ("sip:[2001:db8::1]:5070", Uri("sip", "", "[2001:db8::1]", 5070)),
        ("sip:*78;x=1@h", Uri("sip", "*78;x=1", "h")),
        ("sip:a@h;p=1?Replaces=x%3By", Uri("sip", "a", "h", None, {"p": "1"}, "Replaces=x%3By")),
        ("tel:+41441112233;phone-context=x", Uri("tel", "+41441112233", "", None, {"phone-context": "x"})),
    ],
)
def test_a_uri_is_taken_apart(text, expected):
    assert Uri.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "sip:", "sip:@h@i", "http://a", "2001", "sip:h:port", "sip:h:999999", "sip:[::1", "sip:a b@h c"],
)
def test_what_is_no_uri_is_refused(text):
    with pytest.raises(ValueError, match="not a SIP URI"):
        Uri.parse(text)


@given(
    st.sampled_from(["sip", "sips"]),
    WORD,
    WORD,
    st.none() | st.integers(1, 65535),
    st.dictionaries(NAME, WORD | st.none()),
)
def test_a_written_uri_reads_back_equal(scheme, user, host, port, parameters):
    uri = Uri(scheme, user, host, port, parameters)
    assert Uri.parse(str(uri)) == uri


def test_a_uri_can_be_a_key():
    assert len({Uri.parse("sip:a@h;lr"), Uri.parse("sip:a@h;lr")}) == 1


@pytest.mark.parametrize(
    ("text", "display", "uri", "parameters"),
    [
        ("<sip:a@h>;tag=1", "", "sip:a@h", {"tag": "1"}),
        ("sip:a@h;tag=1", "", "sip:a@h", {"tag": "1"}),
        ('"A, \\"B\\" <x>" <sip:a@h;lr>;tag=1', 'A, "B" <x>', "sip:a@h;lr", {"tag": "1"}),
        ("Alice  <sip:a@h>", "Alice", "sip:a@h", {}),
        ("<sip:a@h>;Tag=1;tag=2", "", "sip:a@h", {"tag": "1"}),
        ("*", "", "*", {}),
        ("", "", "", {}),
    ],
)
def test_a_name_addr_is_taken_apart(text, display, uri, parameters):
    assert NameAddr.parse(text) == NameAddr(display, uri, parameters)


@given(
    PRINTABLE.map(str.strip), WORD, st.dictionaries(NAME, PRINTABLE.map(str.strip) | st.none(), max_size=4)
)
def test_a_written_name_addr_reads_back_equal(display, user, parameters):
    address = NameAddr(display, f"sip:{user}@h;lr", parameters)
    assert NameAddr.parse(str(address)) == address


@given(st.text(max_size=80))
def test_reading_a_name_addr_never_raises(text):
    assert isinstance(NameAddr.parse(text).tag, str)


@given(st.text(alphabet='a,;"<>\\ ', max_size=40), st.sampled_from(",;"))
def test_splitting_loses_nothing(text, separator):
    assert separator.join(split_outside_quotes(text, separator)) == text


def test_separators_in_quotes_and_angles_do_not_split():
    assert split_outside_quotes('"a,b" <c,d>,e', ",") == ['"a,b" <c,d>', "e"]
    assert split_outside_quotes('"a\\",b",c', ",") == ['"a\\",b"', "c"]


def test_parameters():
    assert parse_parameters(';a=b; C ;d="x;\\"y";=z') == {"a": "b", "c": None, "d": 'x;"y'}
    assert unquote('"') == '"'
