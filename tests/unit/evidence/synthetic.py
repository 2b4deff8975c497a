"""One synthetic test run that every consumer of evidence is tried on: two phones, a server, SSH."""

from __future__ import annotations

from featuresync.evidence.record import TOTALS, RunRecord, Surprise, SystemRecord, TestRecord, exit_code, utc
from featuresync.judge.trace import Awaited, Event, Flip, Note, Press, Quiet, Reading, Setting, Trace, Wire
from featuresync.judge.verdict import Declared, Finding, Judgement, Level, Requirement, Verdict
from featuresync.sip.message import Draft
from featuresync.sync.feature import Feature, FeatureState

T0 = 1_795_446_000.123456
SECRET = "k3ep-th1s-qu1et"
AUTHORIZATION = (
    'Digest username="1001", realm="pbx.example", nonce="5f1c", uri="sip:pbx.example", '
    'response="0123456789abcdef0123456789abcdef", cnonce="8badf00d", nc=00000001, qop=auth'
)
DND_ON = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n'
    '<DoNotDisturbEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3">'
    "<device>1001</device><doNotDisturbOn>true</doNotDisturbOn></DoNotDisturbEvent>"
)
SET_DND = DND_ON.replace("DoNotDisturbEvent", "SetDoNotDisturb")
V4 = (("127.0.0.11", 40000), ("127.0.0.12", 40001), ("127.0.0.1", 5060))
V6 = (("::1", 40000), ("::1", 40001), ("::1", 5060))

THREE_LINES = (
    "REQUIREMENT NO-04 (M, RFC 6665 4.2.2): A NOTIFY has a Subscription-State.\n"
    "EXPECTED: Subscription-State in every NOTIFY\nSEEN: no <Subscription-State>"
)
"""A message as the judge writes it."""


def request(method: str, cseq: int, *headers: tuple[str, str], body: str = "") -> bytes:
    draft = Draft(f"{method} sip:pbx.example SIP/2.0")
    draft.add("Via", "SIP/2.0/UDP 127.0.0.11:40000;branch=z9hG4bK-" + f"{method}{cseq}")
    draft.add("From", '"Ann <1>" <sip:1001@pbx.example>;tag=a').add("To", "<sip:1001@pbx.example>;tag=b")
    draft.add("Call-ID", "one@phone").add("CSeq", f"{cseq} {method}").add("Max-Forwards", "70")
    draft.headers.extend(headers)
    if body:
        draft.add("Content-Type", "application/x-as-feature-event+xml")
    draft.body = body.encode()
    return draft.encode()


def response(status: int, reason: str, method: str, cseq: int) -> bytes:
    draft = Draft(f"SIP/2.0 {status} {reason}")
    draft.add("Via", "SIP/2.0/UDP 127.0.0.11:40000;branch=z9hG4bK-" + f"{method}{cseq}")
    draft.add("From", "<sip:1001@pbx.example>;tag=a").add("To", "<sip:1001@pbx.example>;tag=b")
    return draft.add("Call-ID", "one@phone").add("CSeq", f"{cseq} {method}").encode()


def story(transport: str = "udp", places: tuple[tuple[str, int], ...] = V4) -> Trace:
    """DND pressed on phone A; B hears of it late, after a NOTIFY without body that breaks NO-04."""
    a, b, server = places
    on, off = FeatureState(Feature.DND, True), FeatureState(Feature.DND, False)
    trace = Trace(Setting(frozenset("R"), ("dnd",), {"primary": "1001"}))

    def wire(after: float, actor: str, sent: bool, data: bytes) -> None:
        local = a if actor == "phone A" else b
        trace.add(Wire(T0 + after, actor, sent, transport, local, server, data))

    event = ("Event", "as-feature-event")
    active = ("Subscription-State", "active;expires=3600")
    subscribe = request(
        "SUBSCRIBE", 2, event, ("Authorization", AUTHORIZATION), ("Expires", "3600"), body=SET_DND
    )
    trace.add(Note(T0 - 0.5, "phone A", "scenario", "Both phones are subscribed"))
    wire(-0.4, "phone A", True, request("SUBSCRIBE", 1, event))
    wire(-0.39, "phone A", False, response(401, "Unauthorized", "SUBSCRIBE", 1))
    trace.add(Press(T0, "phone A", "1001", on))
    wire(0.001, "phone A", True, subscribe)
    if transport == "udp":
        wire(0.501, "phone A", True, subscribe)
        wire(1.501, "phone A", True, subscribe)
    wire(1.512345, "phone A", False, response(200, "OK", "SUBSCRIBE", 2))
    wire(1.520001, "phone A", False, request("NOTIFY", 7, event, active, body=DND_ON))
    wire(1.521, "phone A", True, response(200, "OK", "NOTIFY", 7))
    wire(1.600002, "phone B", False, request("NOTIFY", 3, event))
    wire(1.601, "phone B", True, response(200, "OK", "NOTIFY", 3))
    trace.add(Reading(T0 + 1.7, "1001", {Feature.DND: on}))
    trace.add(Flip(T0 + 1.8, T0 + 1.812, "1001", off))
    trace.add(Awaited(T0 + 6.8, "phone B", "a NOTIFY that says DND off", "push (5 s)", False, "nothing"))
    trace.add(Quiet(T0 + 6.8, T0 + 8.3, "phone A", "no second NOTIFY"))
    return trace


def requirement(id: str, level: Level = Level.MUST) -> Requirement:
    return Requirement(id, level, "RFC 6665 4.1.3", f"The text of {id}.", frozenset("R"), lambda trace: ())


def judged(trace: Trace) -> list[Judgement]:
    """NO-04 fails at B's NOTIFY, PH-02 fails without a message, ST-01 passes, BD-05 is declared."""
    bare = [
        e for e in trace.of(Wire) if not e.sent and e.message.method == "NOTIFY" and e.message.is_request
    ][1]
    good: Event = next(e for e in trace.of(Wire) if not e.sent and e.message.status == 200)
    return [
        Judgement(requirement("ST-01"), Verdict.PASS, (Finding(True, "200", "200", good),)),
        Judgement(
            requirement("NO-04"),
            Verdict.FAIL,
            (Finding(False, "Subscription-State in every NOTIFY", "no Subscription-State header", bare),),
        ),
        Judgement(
            requirement("PH-02"),
            Verdict.FAIL,
            (Finding(False, "a NOTIFY within 5 s", "no NOTIFY at all", None),),
        ),
        Judgement(
            requirement("BD-05"),
            Verdict.DEVIATION,
            (Finding(False, "a body", "no body", bare),),
            "known",
            Declared("BD-05", "The release notes say so"),
        ),
    ]


SYSTEMS = {
    "alpha": SystemRecord(title="Alpha", fingerprint="Engine 6.1.5", standin=True),
    "beta": SystemRecord(title="Beta PBX", fingerprint="Beta 18.0.1 build 7"),
    "gamma": SystemRecord(title="Gamma", fingerprint="Engine 22.6", standin=True),
}


def one(vendor: str, scenario: str, verdict: Verdict, message: str = "", **more: object) -> TestRecord:
    number = sum(map(ord, scenario)) % 50
    given = {
        "id": f"{vendor}/{scenario}", "vendor": vendor, "scenario": scenario, "verdict": verdict,
        "title": scenario.rpartition("/")[2].replace("_", " ").capitalize(), "message": message,
        "seconds": 0.2 + number / 100, "started": utc(T0 + number), "finished": utc(T0 + number + 0.5),
    }  # fmt: skip
    return TestRecord.model_validate(given | more)


def run() -> RunRecord:
    """Three systems: one with every verdict, one all green, one that is down."""
    tests = []
    for feature in Feature:
        for side in ("phone", "server"):
            place = {"feature": feature.value, "side": side}
            for state in ("on", "off"):
                scenario = f"{side}_side/{feature.value}_{state}"
                tests.append(one("alpha", scenario, Verdict.PASS, **place))
                claimed = side == "phone"
                verdict = Verdict.PASS if claimed else Verdict.SKIPPED
                reason = (
                    ""
                    if claimed
                    else "the system has no way to tell the phone (features.*.server_side = none)"
                )
                tests.append(one("beta", scenario, verdict, reason, **place))
                tests.append(
                    one("gamma", scenario, Verdict.BROKEN, "ssh 127.0.0.1:2222: connection refused", **place)
                )
    ladder = {
        "ladder": "evidence/a/ladder.svg",
        "capture": "evidence/a/wire.pcapng",
        "admin": "evidence/a/admin.txt",
    }
    tests += [
        one("alpha", "phone_side/dnd_reaches_the_other_phone", Verdict.FAIL, THREE_LINES,
            feature="dnd", side="phone", evidence=ladder).with_judgements(judged(story())),
        one("alpha", "server_side/cf_no_answer_rings", Verdict.DEVIATION,
            "BD-08: the ring count is never reported", feature="cf_no_answer", side="server",
            requirement="BD-08", expected="a ring count", seen="<none> & \x00"),
        one("alpha", "lifecycle/expires_is_honoured", Verdict.WARNING, "SU-05: Expires was raised"),
        one("alpha", "hostile/bad_xml", Verdict.PASS),
        one("beta", "effect/dnd_does_not_ring", Verdict.PASS, feature="dnd"),
    ]  # fmt: skip
    surprise = Surprise(vendor="alpha", requirement="SU-02", reason="answers 202, says its release note")
    record = RunRecord(
        bench="lab", bench_reason="", started=utc(T0), finished=utc(T0 + 61), tests=tuple(tests),
        totals={str(v): sum(t.verdict is v for t in tests) for v in TOTALS},
        systems=SYSTEMS, surprises=(surprise,),
    )  # fmt: skip
    return record.model_copy(update={"exit_code": exit_code(record)})
