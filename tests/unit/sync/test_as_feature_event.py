import pytest
from hypothesis import given
from hypothesis import strategies as st

from featuresync.sync.as_feature_event import (
    CSTA_NAMESPACE,
    EXTENSION_NAMESPACE,
    MEDIA_TYPE,
    Body,
    Dialect,
    read_body,
    read_set,
    summarise,
    write_event,
    write_full_state,
    write_multipart,
    write_set,
)
from featuresync.sync.feature import Feature, FeatureState

DND, ALWAYS, BUSY, NO_ANSWER = Feature
ALL = {
    DND: FeatureState(DND, True),
    ALWAYS: FeatureState(ALWAYS, False),
    BUSY: FeatureState(BUSY, True, "1003"),
    NO_ANSWER: FeatureState(NO_ANSWER, True, "1004", 4),
}
FULL_TYPE, FULL = write_full_state(ALL, "b7")


def event(children: str, root: str = "ForwardingEvent", namespace: str = CSTA_NAMESPACE) -> bytes:
    return f'<{root} xmlns="{namespace}">{children}</{root}>'.encode()


def forwarding(**children: str | None) -> bytes:
    """A good busy forward with some children changed, added or (None) taken out."""
    all_children = {
        "device": "",
        "forwardingType": "forwardBusy",
        "forwardStatus": "true",
        "forwardTo": "1003",
    }
    said = {**all_children, **children}
    return event("".join(f"<{name}>{text}</{name}>" for name, text in said.items() if text is not None))


def dnd(text: str) -> bytes:
    return event(f"<doNotDisturbOn>{text}</doNotDisturbOn>", "DoNotDisturbEvent")


def problems(body: bytes, content_type: str = MEDIA_TYPE) -> list[str]:
    return [str(problem) for problem in read_body(content_type, body).all_problems]


# -- good bodies --------------------------------------------------------------------------------


def test_full_state():
    body = read_body(FULL_TYPE, FULL)
    assert (body.states, body.strict, body.multipart) == (ALL, True, True)
    assert [document.root for document in body.documents] == ["DoNotDisturbEvent"] + ["ForwardingEvent"] * 3
    last = body.documents[-1]
    assert last.elements == ("device", "forwardingType", "forwardStatus", "forwardTo", "ringCount")
    assert (last.namespace, last.media_type, last.state) == (CSTA_NAMESPACE, MEDIA_TYPE, ALL[NO_ANSWER])
    assert last.raw == write_event(ALL[NO_ANSWER])
    assert (last.value("forwardTo"), last.value("nothing")) == ("1004", None)


def test_one_document():
    body = read_body(f"{MEDIA_TYPE};charset=x", write_event(ALL[BUSY]))
    assert (body.states, body.strict, body.multipart) == ({BUSY: ALL[BUSY]}, True, False)
    assert body.documents[0].media_type == MEDIA_TYPE


@pytest.mark.parametrize("data", [b"", b" \r\n"])
def test_no_body(data):
    assert read_body("", data) == Body()
    assert read_body("multipart/mixed;boundary=b", data).strict
    assert summarise("", data) == "no body"


@pytest.mark.parametrize("boundary", ["b7", '"b7"'])
def test_the_boundary_may_be_quoted_and_the_type_in_any_case(boundary):
    assert read_body(f"Multipart/Mixed; Boundary={boundary} ;x=y", FULL).states == ALL


def test_prefixes_are_as_good_as_a_default_namespace():
    data = f'<c:DoNotDisturbEvent xmlns:c="{CSTA_NAMESPACE}"><c:doNotDisturbOn>true</c:doNotDisturbOn>'
    data += "</c:DoNotDisturbEvent>"
    assert read_body(MEDIA_TYPE, data.encode()).states == {DND: ALL[DND]}
    assert problems(data.encode()) == []


@pytest.mark.parametrize("device", ["", "x", "<notKnown/>"])
def test_any_device_will_do(device):
    assert problems(forwarding(device=device)) == []


@pytest.mark.parametrize(
    ("root", "namespace"),
    [("AgentLoggedOnEvent", CSTA_NAMESPACE), ("ExecutiveEvent", EXTENSION_NAMESPACE)],
)
def test_other_events_of_the_package_are_known(root, namespace):
    body = read_body(MEDIA_TYPE, event("<device/>", root, namespace))
    assert (body.strict, body.states, body.documents[0].state) == (True, {}, None)
    assert summarise(MEDIA_TYPE, event("<device/>", root, namespace)) == root


def test_extension_events_belong_in_the_extension_namespace():
    (said,) = problems(event("", "ExecutiveEvent"))
    assert said == f"BD-02: ExecutiveEvent is in namespace {CSTA_NAMESPACE!r}, not {EXTENSION_NAMESPACE!r}"


# -- strict problems, each with the state read all the same -------------------------------------

ON, OFF = FeatureState(BUSY, True, "1003"), FeatureState(BUSY, False, "1003")


@pytest.mark.parametrize(
    ("data", "said", "state"),
    [
        (forwarding(forwardStatus="TRUE"), "BD-04: forwardStatus is 'TRUE', not 'true' or 'false'", ON),
        (forwarding(forwardStatus=" 0\n"), "BD-04: forwardStatus is ' 0\\n', not 'true' or 'false'", OFF),
        (forwarding(forwardStatus="1"), "BD-04: forwardStatus is '1', not 'true' or 'false'", ON),
        (forwarding(forwardStatus="yes"), "BD-04: forwardStatus is 'yes', not 'true' or 'false'", None),
        (forwarding(forwardStatus=None), "BD-04: no forwardStatus", None),
        (dnd("False"), "BD-04: doNotDisturbOn is 'False', not 'true' or 'false'", FeatureState(DND, False)),
        (dnd(""), "BD-04: doNotDisturbOn is '', not 'true' or 'false'", None),
        (event("<device/>", "DoNotDisturbEvent"), "BD-04: no doNotDisturbOn", None),
        (forwarding(forwardingType=None), "BD-05: no forwardingType", None),
        (
            forwarding(forwardingType="forwardNoAnswer"),
            "BD-05: forwardingType is 'forwardNoAnswer', "
            "not one of forwardImmediate, forwardBusy, forwardNoAns",
            None,
        ),
        (
            forwarding(forwardTo=None),
            "BD-06: forwarding is on and forwardTo is absent",
            FeatureState(BUSY, True),
        ),
        (
            forwarding(forwardTo=" "),
            "BD-06: forwarding is on and forwardTo is empty",
            FeatureState(BUSY, True),
        ),
        (
            forwarding(forwardStatus="false", forwardTo="-"),
            "BD-07: forwarding is off and forwardTo is the filler '-'",
            FeatureState(BUSY, False, "-"),
        ),
        (
            forwarding(forwardStatus="false", forwardTo=" "),
            "BD-07: forwarding is off and forwardTo is the filler ' '",
            FeatureState(BUSY, False),
        ),
        (
            forwarding(forwardingType="forwardNoAns"),
            "BD-08: no ringCount for forwardNoAns",
            FeatureState(NO_ANSWER, True, "1003"),
        ),
        (
            forwarding(forwardingType="forwardNoAns", ringCount="x"),
            "BD-08: ringCount is 'x', not an integer",
            FeatureState(NO_ANSWER, True, "1003"),
        ),
        (
            forwarding(forwardingType="forwardNoAns", ringCount=" 4 "),
            "BD-08: ringCount is ' 4 ', not an integer",
            FeatureState(NO_ANSWER, True, "1003", 4),
        ),
        (
            forwarding(forwardingType="forwardNoAns", ringCount="9" * 5000),
            f"BD-08: ringCount is '{'9' * 40}', not an integer",
            FeatureState(NO_ANSWER, True, "1003"),
        ),
        (forwarding(ringCount="4"), "BD-09: ringCount '4' for forwardBusy", ON),
        (
            forwarding().replace(CSTA_NAMESPACE.encode(), b"u"),
            f"BD-02: ForwardingEvent is in namespace 'u', not {CSTA_NAMESPACE!r}",
            ON,
        ),
        (
            forwarding().replace(b"<forwardTo>", b'<forwardTo xmlns="u">'),
            f"BD-02: forwardTo is in namespace 'u', not {CSTA_NAMESPACE!r}",
            ON,
        ),
        (
            forwarding().replace(b"</Fo", b"<forwardTo>2</forwardTo></Fo"),
            "BD-06: forwardTo stands 2 times",
            ON,
        ),
        (forwarding() + b"!", "BD-14: after the root element: '!'", ON),
        (b"!<?xml version='1.0'?>" + forwarding(), "BD-14: before the XML declaration: '!'", ON),
        (event("", "SetForwarding"), "BD-03: root element 'SetForwarding' is a request, not an event", None),
        (event("", "Event"), "BD-03: root element 'Event' is no event of this package", None),
    ],
)
def test_a_breach_of_form(data, said, state):
    body = read_body(MEDIA_TYPE, data)
    assert [str(problem) for problem in body.all_problems] == [said]
    assert body.documents[0].state == state
    assert not body.strict


def test_a_number_is_trimmed():
    assert read_body(MEDIA_TYPE, forwarding(forwardTo=" 1003\n")).states == {BUSY: ON}


def test_an_inactive_forward_may_keep_or_drop_its_number():
    for text in (None, "", "1003", "sip:alice@example.net", "voicemail"):
        assert problems(forwarding(forwardStatus="false", forwardTo=text)) == []


def test_child_order_means_nothing_to_the_state():
    data = event("<forwardTo>1003</forwardTo><forwardStatus>true</forwardStatus>"
                 "<forwardingType>forwardBusy</forwardingType>")  # fmt: skip
    body = read_body(MEDIA_TYPE, data)
    assert (body.states, body.strict) == ({BUSY: ON}, True)
    assert body.documents[0].elements == ("forwardTo", "forwardStatus", "forwardingType")


# -- containers ---------------------------------------------------------------------------------


def test_concatenated_documents_are_noticed_and_all_read():
    data = b"".join(write_event(state) for state in ALL.values())
    body = read_body(MEDIA_TYPE, data)
    assert body.states == ALL
    assert [str(p) for p in body.all_problems] == [
        "MP-01: 4 documents one after the other instead of a multipart"
    ]


def test_parts_with_another_content_type_are_read_and_reported():
    data = FULL.replace(MEDIA_TYPE.encode(), b"text/xml", 1)
    assert problems(data, FULL_TYPE) == [f"MP-04: part 1: text/xml, not {MEDIA_TYPE}"]
    assert read_body(FULL_TYPE, data).states == ALL


def test_a_part_without_headers_is_read_and_reported():
    data = FULL.replace(f"Content-Type: {MEDIA_TYPE}\r\n".encode(), b"", 1)
    assert problems(data, FULL_TYPE) == [f"MP-04: part 1: no Content-Type, not {MEDIA_TYPE}"]
    assert read_body(FULL_TYPE, data).states == ALL


def test_a_wrong_part_length_is_reported():
    data = FULL.replace(b"Content-Type:", b"Content-Length: 1\r\nContent-Type:", 1)
    (said,) = problems(data, FULL_TYPE)
    assert said.startswith("MP-05: part 1: Content-Length 1, but ")


@pytest.mark.parametrize(
    "data",
    [
        FULL.replace(b"\r\n", b"\n"),
        FULL.replace(b"\r\n--b7", b"\n--b7"),
        FULL.replace(b"\r\n\r\n--b7", b"--b7"),
        FULL.replace(b"\r\n--b7--\r\n", b""),
    ],
)
def test_badly_delimited_parts_are_read_and_reported(data):
    body = read_body(FULL_TYPE, data)
    assert body.states == ALL
    assert {problem.code for problem in body.all_problems} == {"MP-03"}


def test_a_multipart_that_is_not_declared_is_read_and_reported():
    body = read_body(MEDIA_TYPE, FULL)
    assert body.states == ALL
    assert [str(p) for p in body.problems] == [
        "MP-03: no boundary parameter",
        f"MP-03: Content-Type {MEDIA_TYPE!r}, but the body is a multipart",
    ]


def test_a_plain_document_declared_as_multipart_is_read_and_reported():
    body = read_body(FULL_TYPE, write_event(ALL[DND]))
    assert body.states == {DND: ALL[DND]}
    assert [str(p) for p in body.problems] == ["MP-03: no delimiter line in the body"]


def test_the_last_word_counts():
    data = write_multipart([write_event(FeatureState(DND, False)), write_event(ALL[DND])], "b")
    body = read_body("multipart/mixed;boundary=b", data)
    assert body.states == {DND: ALL[DND]}
    assert [document.state for document in body.documents] == [FeatureState(DND, False), ALL[DND]]


def test_one_bad_part_hides_no_other():
    data = FULL.replace(b"</DoNotDisturbEvent>", b"")
    body = read_body(FULL_TYPE, data)
    assert body.states == {feature: state for feature, state in ALL.items() if feature is not DND}
    assert [problem.code for problem in body.all_problems] == ["BD-01"]
    assert (body.documents[0].root, body.documents[0].namespace, body.documents[0].elements) == ("", "", ())


@given(st.binary(max_size=150), st.text(max_size=30), st.integers(0, len(FULL)))
def test_no_bytes_make_reading_raise(junk, content_type, at):
    for kind in (content_type, MEDIA_TYPE, FULL_TYPE, "multipart/mixed;boundary=" + content_type):
        for data in (junk, FULL[:at] + junk + FULL[at + len(junk) :]):
            body = read_body(kind, data)
            assert body.documents or body.problems or not data.strip()
            assert len(summarise(kind, data)) <= 300
            read_set(data)


# -- requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (write_set(ALL[NO_ANSWER], Dialect.YEALINK), ALL[NO_ANSWER]),
        (event("<doNotDisturbOn> TRUE </doNotDisturbOn>", "SetDoNotDisturb"), ALL[DND]),
        (event("<doNotDisturbOn>on</doNotDisturbOn>", "SetDoNotDisturb"), None),
        (event("<activateForward>true</activateForward>", "SetForwarding"), None),
        (write_event(ALL[DND]), None),
        (b"", None),
        (b"<SetDoNot", None),
    ],
)
def test_what_a_set_asks_for(data, state):
    assert read_set(data) == state


# -- in words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "data", "words"),
    [
        (MEDIA_TYPE, write_event(ALL[DND]), "DND on"),
        (MEDIA_TYPE, write_set(ALL[DND], Dialect.POLYCOM), "set: DND on"),
        (MEDIA_TYPE, write_set(ALL[BUSY], Dialect.POLYCOM), "set: busy forward → 1003"),
        (
            FULL_TYPE,
            FULL,
            "full state: DND on; unconditional forward off; busy forward → 1003; "
            "no-answer forward → 1004, 4 rings",
        ),
        (MEDIA_TYPE, b"<x", f"unreadable {MEDIA_TYPE}"),
        (MEDIA_TYPE, b"<x/>", "unreadable x"),
        (FULL_TYPE, b"hello", "unreadable multipart/mixed, 5 bytes"),
        ("", b"hello", "unreadable body"),
        (
            FULL_TYPE,
            FULL.replace(b">true</doNotDisturbOn>", b">maybe</doNotDisturbOn>"),
            "full state: unconditional forward off; busy forward → 1003; no-answer forward → 1004, 4 rings; "
            "unreadable DoNotDisturbEvent",
        ),
    ],
)
def test_a_body_in_words(content_type, data, words):
    assert summarise(content_type, data) == words


def test_words_stay_short():
    words = summarise(MEDIA_TYPE, forwarding(forwardTo="1" * 8000))
    assert (len(words), words[:25], words[-1]) == (300, "busy forward → 1111111111", "…")
