"""featuresync.bench.placeholders: each value made fit for its place, secrets shown to nobody."""

import json
import shlex
from html import unescape
from urllib.parse import parse_qs, unquote, unquote_plus
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from featuresync.bench.placeholders import (
    fill,
    hide,
    in_form,
    in_header,
    in_json,
    in_url,
    in_xml,
    names,
    quoted,
)
from featuresync.errors import ConfigFault

values = st.text(st.characters(min_codepoint=32, exclude_categories=("C", "Zl", "Zp")), max_size=30).filter(
    str.isprintable
)


def filled(template, put_in, secrets=None, **given):
    return fill(template, given, secrets or {}, put_in, "v.toml")


def as_it_is(value, place):
    return value


def test_only_lower_case_names_are_placeholders():
    template = '{"id": 1} {} { a } {A} {1} {a-b} {on} {ext_id2}'
    assert names([template]) == {"on", "ext_id2"}
    assert filled(template, as_it_is, on="x").sent == template.replace("{on}", "x")


def test_a_value_is_not_filled_in_twice():
    assert filled("{a}{b}", as_it_is, a="{b}", b="{a}").sent == "{b}{a}"


def test_secrets_are_sent_and_not_shown():
    made = filled("user={user}&pass={word}", in_form, {"word": "p&ss"}, user="a b")
    assert made == ("user=a+b&pass=p%26ss", "user=a+b&pass=xxxx")


def test_behind_the_skipped_character_nothing_is_filled_in():
    assert fill("{a} ${a}", {"a": "1"}, {}, as_it_is, "v.toml", skip="$").sent == "1 ${a}"


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\x1b[2J", "\x00", "a\u2028b", "\u202e", "tab\t"])
def test_what_no_line_can_hold_is_refused_everywhere(value):
    for put_in in (as_it_is, in_url("/{a}"), in_header, in_json('"{a}"'), in_xml, in_form):
        with pytest.raises(ConfigFault) as caught:
            filled("/{a}", put_in, a=value)
        assert str(caught.value).startswith(
            "v.toml: {a} in '/{a}': expected printable text on one line, got '"
        )


def test_a_secret_that_is_refused_is_not_shown():
    with pytest.raises(ConfigFault) as caught:
        filled("/{a}", as_it_is, {"a": "two\nlines"})
    assert str(caught.value).endswith("expected printable text on one line, got a secret that is none")


@given(values)
def test_a_path_segment_stays_one(value):
    assume(value.strip("."))
    sent = filled("/user/{a}/x", in_url("/user/{a}/x"), a=value).sent
    assert [unquote(segment) for segment in sent.split("/")] == ["", "user", value, "x"]
    assert not set(sent) & set('?#\\ "<>')


@given(values)
def test_a_query_parameter_stays_one(value):
    template = "/x?a={a}&b=1"
    query = filled(template, in_url(template), a=value).sent.partition("?")[2]
    assert parse_qs(query, keep_blank_values=True) == {"a": [value], "b": ["1"]}


@pytest.mark.parametrize("value", ["", ".", "..", "..."])
def test_segments_that_would_change_the_path(value):
    with pytest.raises(ConfigFault, match="expected text that can stand in a path, got"):
        filled("/a/{b}", in_url("/a/{b}"), b=value)


@given(values)
def test_a_json_string_stays_one(value):
    template = '{"id": 7, "a \\" b": "<{a}>", "on": true}'
    sent = filled(template, in_json(template), a=value).sent
    assert json.loads(sent) == {"id": 7, 'a " b': f"<{value}>", "on": True}


@pytest.mark.parametrize("value", ["0", "42", "-7", "3.5", "true", "false", "null"])
def test_json_outside_of_strings(value):
    template = '{"id": {a}}'
    assert json.loads(filled(template, in_json(template), a=value).sent) == {"id": json.loads(value)}


@pytest.mark.parametrize("value", ["", "007", "1003,", '1, "admin": true', "x", "[1]", "1e3", "١"])
def test_json_outside_of_strings_that_is_none(value):
    template = '{"id": {a}}'
    with pytest.raises(ConfigFault, match="expected a JSON number, true, false or null, as it"):
        filled(template, in_json(template), a=value)


@given(values)
def test_xml_text_and_attributes_stay_so(value):
    made = filled("<a b=\"{a}\" c='{a}'>{a}</a>", in_xml, a=value).sent
    root = ElementTree.fromstring(made)
    assert (root.get("b"), root.get("c"), root.text or "") == (value, value, value)
    assert unescape(made.partition(">")[2].removesuffix("</a>")) == value


@given(values)
def test_a_form_field_stays_one(value):
    made = filled("a={a}&b=1", in_form, a=value).sent
    assert unquote_plus(made.removeprefix("a=").removesuffix("&b=1")) == value
    assert parse_qs(made, keep_blank_values=True) == {"a": [value], "b": ["1"]}


def test_a_header_is_ascii():
    assert filled("Bearer {a}", in_header, a="x y").sent == "Bearer x y"
    with pytest.raises(ConfigFault, match="expected ASCII text, for a header, got 'é'"):
        filled("Bearer {a}", in_header, a="é")


@given(st.text("ab \"'\\{}", max_size=20))
def test_quotes_are_those_of_the_shell(text):
    """Whatever stands outside of quotes and is no blank would start or end a word there."""
    inside = quoted(text)
    try:
        shlex.split(text)
    except ValueError:
        return
    for place, char in enumerate(text):
        # A blank outside of quotes, not escaped, splits words: put it there twice and nothing changes.
        if char == " " and place not in inside and not text[:place].endswith("\\"):
            assert shlex.split(f"{text[:place]}  {text[place:]}") == shlex.split(text)
        if char in "ab" and place in inside:
            changed = shlex.split(f"{text[:place]} {text[place:]}")
            assert len(changed) == len(shlex.split(text))


def test_hidden_in_every_spelling():
    secret = 'p&"ss wörd'
    text = " | ".join(
        [secret, "p%26%22ss%20w%C3%B6rd", json.dumps(secret), "p&amp;&quot;ss wörd", "a short one: abc"]
    )
    assert hide(text, [secret, "abc", ""]) == 'xxxx | xxxx | "xxxx" | xxxx | a short one: abc'


def test_the_longer_secret_is_hidden_whole():
    assert hide("1234567", ["1234", "1234567"]) == "xxxx"
