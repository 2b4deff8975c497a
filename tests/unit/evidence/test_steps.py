"""Robot's results by their shape become nested steps, with values and without secrets."""

from __future__ import annotations

from datetime import datetime

from synthetic import SECRET

from featuresync.evidence.redaction import Redactor
from featuresync.evidence.steps import DEEPEST, StepCollector


class Result:
    """What a listener of API version 3 is handed, as far as it is looked at."""

    def __init__(self, name="", *args, kind="KEYWORD", status="PASS", message="", text="", assign=None):
        self.type, self.status, self.message, self._text = kind, status, message, text
        if kind in ("KEYWORD", "SETUP", "TEARDOWN"):  # asking others for them is deprecated in Robot
            self.name, self.args = name, args
        if assign:
            self.assign = assign
        self.start_time, self.end_time = datetime(2026, 11, 23, 15, 0, 0), datetime(2026, 11, 23, 15, 0, 1)

    def __str__(self) -> str:
        return self._text


def run(collector: StepCollector, result: Result, *inner: tuple) -> None:
    collector.start_keyword(None, result)
    for one in inner:
        run(collector, *one)
    collector.end_keyword(None, result)


def collector(resolve=None) -> StepCollector:
    return StepCollector(Redactor([SECRET]), resolve)


def test_keywords_nest_with_arguments_status_and_times():
    mine = collector()
    run(mine, Result("Press", "<sip:1@pbx>", "on"), (Result("Wait", status="FAIL", message="no\nNOTIFY"),))
    (press,) = mine.take()
    assert (press.name, press.args, press.status) == ("Press", ["<sip:1@pbx>", "on"], "PASS")
    assert press.stop - press.start == 1.0
    assert press.start == datetime(2026, 11, 23, 15, 0, 0).timestamp()
    (wait,) = press.steps
    assert (wait.name, wait.status, wait.message) == ("Wait", "FAIL", "no NOTIFY")
    assert mine.take() == []


def test_control_structures_have_names():
    mine = collector()
    rounds = (Result(kind="ITERATION", assign={"${i}": "1"}), (Result("Log", "1"),))
    run(mine, Result(kind="FOR", text="FOR    ${i}    IN    1"), rounds, (Result(kind="ITERATION"),))
    run(mine, Result(kind="TRY/EXCEPT ROOT"), (Result(kind="TRY", text="TRY"),))
    run(mine, Result(kind="RETURN", text="RETURN    1"))
    loop, attempt, back = mine.take()
    assert (loop.name, [step.name for step in loop.steps]) == ("FOR ${i} IN 1", ["${i} = 1", "round"])
    assert (attempt.name, back.name) == ("TRY", "RETURN 1")


def test_what_did_not_run_is_left_out():
    mine = collector()
    run(
        mine,
        Result(kind="IF/ELSE ROOT"),
        (Result(kind="IF", text="IF"),),
        (Result(kind="ELSE", status="NOT RUN"),),
    )
    assert [step.name for step in mine.take()] == ["IF"]


def test_variables_are_shown_by_value_and_nothing_is_evaluated():
    asked = []

    def resolve(name):
        asked.append(name)
        return {"${number}": 2001}[name]

    mine = collector(resolve)
    run(mine, Result("K", "to ${number}", "${gone}", "%{HOME}", "${{1+1}}", "${x.run()}", 7))
    assert mine.take()[0].args == ["to 2001", "${gone}", "%{HOME}", "${{1+1}}", "${x.run()}", "7"]
    assert asked == ["${number}", "${gone}"]


def test_secrets_are_not_shown():
    class Hidden:
        def __str__(self):
            return "<secret>"

    mine = collector(lambda name: {"${password}": SECRET, "${hidden}": Hidden()}[name])
    run(mine, Result("K", "${password}", "${hidden}", SECRET, status="FAIL", message=f"said {SECRET}"))
    (step,) = mine.take()
    hidden = "x" * len(SECRET)
    assert step.args == [hidden, "<secret>", hidden]
    assert step.message == f"said {hidden}"


def test_depth_is_bounded():
    mine = collector()
    for number in range(DEEPEST * 3):
        mine.start_keyword(None, Result(f"K{number}"))
    for _ in range(DEEPEST * 3 + 1):  # one end too many does no harm
        mine.end_keyword(None, Result("K"))
    steps, depth = mine.take(), 0
    while steps:
        steps, depth = steps[0].steps, depth + 1
    assert depth == DEEPEST
