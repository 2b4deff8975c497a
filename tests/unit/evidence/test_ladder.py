"""The ladder is a well-formed picture that says what happened, and holds nothing that could do harm."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import SECRET, T0, V4, judged, request, requirement, response, story

from featuresync.evidence.ladder import MOST_ROWS, draw
from featuresync.evidence.redaction import Redactor
from featuresync.judge.trace import Awaited, Note, Setting, Trace, Wire
from featuresync.judge.verdict import Finding, Judgement, Verdict

SVG = "{http://www.w3.org/2000/svg}"
RED = "#c62828"


def empty() -> Trace:
    return Trace(Setting(frozenset(), (), {}))


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_story_can_be_read_from_top_to_bottom(trace, judgements):
    said = words(draw(trace, judgements, "DND on"))
    order = [
        "DND on",
        "phone A",
        "phone B",
        "server",
        "administration",
        "Both phones are subscribed",
        "SUBSCRIBE CSeq 1",
        "401 Unauthorized (SUBSCRIBE 1)",
        "user sets DND on (account 1001)",
        "SUBSCRIBE CSeq 2 ×3",
        "expires 3600 · set: DND on",
        "same bytes again at 1 001.0, 2 001.0 ms",
        "200 OK (SUBSCRIBE 2)",
        "NOTIFY CSeq 7",
        "state active;expires=3600 · DND on",
        "reads DND on",
        "sets DND off",
        "account 1001, answered after 12 ms",
        "listened 1.5 s: no second NOTIFY",
    ]
    places = [said.index(line) for line in order]
    assert places == sorted(places)
    assert any(
        line.startswith("waited for a NOTIFY that says DND off: not within push (5 s)") for line in said
    )


def test_time_counts_in_milliseconds_from_the_first_event(trace):
    said = words(draw(trace, (), ""))
    assert {"0.0", "100.0", "2 012.3", "7 300.0", "⋮ 5.0 s"} <= set(said)


def test_the_faulty_arrow_is_red_and_names_its_requirement(trace, judgements):
    svg = draw(trace, judgements, "")
    arrows = [e for e in ElementTree.fromstring(svg).iter(f"{SVG}polygon") if e.get("fill") == RED]
    assert len(arrows) == 1
    assert (
        "NO-04 fail: expected Subscription-State in every NOTIFY; seen no Subscription-State header"
        in words(svg)
    )
    assert RED not in draw(story(), (), "").replace(f'stroke="{RED}"', "").replace(f'fill="{RED}"', "", 1)


def test_a_breach_without_a_message_is_said_below_the_ladder(trace, judgements):
    said = words(draw(trace, judgements, ""))
    assert "Requirements kept: 1 · not kept: 3" in said
    assert "PH-02 fail · RFC 6665 4.1.3 · The text of PH-02." in said
    assert "seen: no NOTIFY at all" in said
    assert "declared: The release notes say so" in said


def test_a_judged_retransmission_marks_the_arrow_it_is_folded_into(trace):
    last = [event for event in trace.of(Wire) if event.sent and event.message.cseq == 2][-1]
    finding = Finding(False, "no third try", "one", last)
    svg = draw(trace, [Judgement(requirement("TR-01"), Verdict.FAIL, (finding,))], "")
    assert "TR-01 fail: expected no third try; seen one" in words(svg)


def test_what_was_waited_for_and_came_is_left_out():
    trace = empty()
    trace.add(Awaited(T0, "phone A", "the answer", "answer (4 s)", True))
    assert not any("the answer" in line for line in words(draw(trace, (), "")))


def test_a_long_trace_is_cut_and_says_so():
    trace = empty()
    for number in range(MOST_ROWS + 17):
        trace.add(Wire(T0 + number / 100, "phone A", True, "udp", V4[0], V4[2], request("OPTIONS", number)))
    said = words(draw(trace, (), ""))
    assert "… 17 more" in said
    assert sum(line.startswith("OPTIONS CSeq") for line in said) == MOST_ROWS


def test_other_servers_get_columns_of_their_own_up_to_three():
    trace = empty()
    for number in range(6):
        data = request("OPTIONS", number)
        trace.add(Wire(T0, "phone A", True, "tcp", V4[0], (f"127.0.0.{number + 20}", 5060), data))
    said = words(draw(trace, (), ""))
    assert said[2:6] == ["phone A", "server", "127.0.0.21:5060", "127.0.0.22:5060"]
    assert "other peers" in said
    assert "OPTIONS CSeq 3 TCP" in said


def test_the_width_stays_on_a_screen():
    for count in (0, 1, 3, 12):
        trace = empty()
        for number in range(count):
            trace.add(Wire(T0, f"phone {number}", True, "udp", V4[0], V4[2], b""))
        width = int(ElementTree.fromstring(draw(trace, (), "")).get("width", "0"))
        assert 1100 <= width <= 1400


def test_secrets_are_not_drawn():
    trace = empty()
    trace.add(Note(T0, "phone A", "x", f"logs in with {SECRET} now " + "and so on " * 30))
    svg = draw(trace, (), f"title {SECRET}", Redactor([SECRET]))
    assert SECRET not in svg
    assert f"logs in with {'x' * len(SECRET)} now" in svg


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=80))
def test_hostile_bytes_never_break_the_picture(data, text):
    trace = empty()
    trace.add(Wire(T0, text, False, text, (text, 1), (text, 2), data))
    trace.add(Wire(T0, text, True, "udp", V4[0], V4[2], b"SIP/2.0 200 <script>" + data + b"\r\n\r\n" + data))
    trace.add(Note(T0, text, text, text))
    svg = draw(
        trace,
        [Judgement(requirement("NO-04"), Verdict.FAIL, (Finding(False, text, text, trace.events[0]),))],
        text,
    )
    root = ElementTree.fromstring(svg)
    assert {element.tag for element in root.iter()} <= {
        f"{SVG}{n}" for n in ("svg", "title", "rect", "line", "polygon", "text")
    }
    assert not re.search(r"<[^>]*\b(href|on\w+)=", svg)


def test_the_picture_needs_nothing_from_outside():
    svg = draw(story(), judged(story()), "")
    assert svg.count("http") == 1  # the name space
    assert 'fill="#ffffff"' in svg


def test_a_call_says_where_it_goes_and_where_its_sound_is():
    trace = empty()
    sound = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"
    invite = request("INVITE", 1, ("Content-Type", "application/sdp"), body=sound)
    trace.add(Wire(T0, "phone A", True, "udp", *V4[:2], invite))
    trace.add(Wire(T0 + 0.1, "phone A", False, "udp", *V4[:2], response(486, "Busy Here", "INVITE", 1)))
    said = words(draw(trace, [], "a call"))
    target = invite.decode().split(" ")[1]
    assert f"to {target} · sound at 127.0.0.1:4000" in said
    assert not [line for line in said if line == "to" or line.startswith("to  ")]
