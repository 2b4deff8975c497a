import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sync.as_feature_event import read_body, read_set
from featuresync.sync.document import read_documents
from featuresync.sync.feature import Feature, FeatureState
from featuresync.sync.writing import Dialect, write_event, write_full_state, write_multipart, write_set

# What XML text can carry and what is not trimmed away: no control characters, no blanks at the edges.
NUMBERS = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_categories=["Cc"])).map(
    str.strip
)
STATES = st.builds(
    lambda feature, on, number, rings: FeatureState(
        feature, on, number if feature.is_forward else "", rings if feature is Feature.CF_NO_ANSWER else None
    ),
    st.sampled_from(Feature), st.booleans(), NUMBERS, st.none() | st.integers(0, 100),
)  # fmt: skip
NO_ANSWER = FeatureState(Feature.CF_NO_ANSWER, True, "1003", 4)


def children(body: bytes) -> list[tuple[str, str]]:
    (reading,) = read_documents(body)
    assert reading.problems == ()
    assert reading.tree is not None
    return [(child.name, child.text) for child in reading.tree.children]


@pytest.mark.parametrize(
    ("dialect", "dnd", "forward"),
    [
        (
            Dialect.POLYCOM,
            [("device", "7659366"), ("doNotDisturbOn", "true")],
            [("device", "7659366"), ("activateForward", "true"), ("forwardingType", "forwardNoAns"),
             ("forwardDN", "1003"), ("ringCount", "4")],
        ),
        (
            Dialect.YEALINK,
            [("doNotDisturbOn", "true")],
            [("forwardingType", "forwardNoAns"), ("activateForward", "true"), ("forwardDN", "1003"),
             ("ringCount", "4")],
        ),
        (
            Dialect.AUDIOCODES,
            [("device", ""), ("doNotDisturbOn", "true")],
            [("device", ""), ("activateForward", "true"), ("forwardingType", "forwardNoAns"),
             ("forwardDN", "1003"), ("ringCount", "4")],
        ),
    ],
)  # fmt: skip
def test_what_each_makers_phones_send(dialect, dnd, forward):
    assert children(write_set(FeatureState(Feature.DND, True), dialect)) == dnd
    assert children(write_set(NO_ANSWER, dialect)) == forward


def test_a_set_byte_for_byte():
    assert write_set(FeatureState(Feature.CF_BUSY, False), Dialect.YEALINK) == (
        b'<?xml version="1.0" encoding="ISO-8859-1"?>\r\n'
        b'<SetForwarding xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3">\r\n'
        b"  <forwardingType>forwardBusy</forwardingType>\r\n"
        b"  <activateForward>false</activateForward>\r\n"
        b"  <forwardDN></forwardDN>\r\n"
        b"</SetForwarding>\r\n"
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (FeatureState(Feature.DND, False), [("device", "d"), ("doNotDisturbOn", "false")]),
        (
            FeatureState(Feature.CF_ALWAYS, True, "1", 9),
            [("device", "d"), ("forwardingType", "forwardImmediate"), ("forwardStatus", "true"),
             ("forwardTo", "1")],
        ),
        (
            FeatureState(Feature.CF_BUSY, False),
            [("device", "d"), ("forwardingType", "forwardBusy"), ("forwardStatus", "false")],
        ),
        (
            NO_ANSWER,
            [("device", "d"), ("forwardingType", "forwardNoAns"), ("forwardStatus", "true"),
             ("forwardTo", "1003"), ("ringCount", "4")],
        ),
    ],
)  # fmt: skip
def test_what_a_server_sends(state, expected):
    assert children(write_event(state, "d")) == expected


@given(STATES, st.sampled_from(Dialect))
def test_a_written_set_reads_back_equal(state, dialect):
    assert read_set(write_set(state, dialect)) == state


@given(STATES)
def test_a_written_event_reads_back_equal(state):
    body = read_body("application/x-as-feature-event+xml", write_event(state))
    assert body.states == {state.feature: state}


def test_special_characters_are_escaped():
    state = FeatureState(Feature.CF_BUSY, True, "a&b<c>\"'sip:x;y=z\rüЖ")
    body = write_set(state, Dialect.POLYCOM)
    assert b"<forwardDN>a&amp;b&lt;c&gt;\"'sip:x;y=z&#13;\xfc&#1046;</forwardDN>" in body
    assert read_set(body) == state


def test_full_state_takes_the_form_its_size_asks_for():
    states = {f: FeatureState(f, True, "1" if f.is_forward else "") for f in reversed(Feature)}
    kind, body = write_full_state(states, "b7")
    assert kind == 'multipart/mixed;boundary="b7"'
    assert body == write_multipart([write_event(states[f]) for f in Feature], "b7")
    dnd = states[Feature.DND]
    assert write_full_state({Feature.DND: dnd}) == ("application/x-as-feature-event+xml", write_event(dnd))
    assert write_full_state({}) == ("", b"")


def test_a_multipart_byte_for_byte():
    head = b"Content-Type: application/x-as-feature-event+xml\r\n\r\n"
    assert write_multipart([b"<a/>", b"<b/>\r\n"], "b") == (
        b"--b\r\n" + head + b"<a/>\r\n--b\r\n" + head + b"<b/>\r\n\r\n--b--\r\n"
    )
