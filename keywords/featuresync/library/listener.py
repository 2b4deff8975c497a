"""The Robot listener: opens the suite, and at the end of each test has it judged and written down.

Listener API version 3. It is given the path of ``suite.json`` (see ``SuiteConfig``).
"""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from robot.libraries.BuiltIn import BuiltIn

from featuresync.bench.process import stop_with_parent
from featuresync.errors import BenchFault, DeviceFault
from featuresync.evidence.allure import AllureWriter, exhibits
from featuresync.evidence.record import STOPPED, TestRecord
from featuresync.evidence.shown import write_evidence
from featuresync.evidence.steps import StepCollector
from featuresync.judge.judging import judge, verdict_of
from featuresync.judge.trace import Awaited
from featuresync.judge.verdict import Judgement, Verdict

from .claims import feature_of, requirements, side_of
from .running import Running
from .scenarios import scenario_id
from .suite import Suite, SuiteConfig

STOPPED_BY_SIGNAL = ("Execution terminated by signal", "Test execution stopped")
"""In Robot's message of a test that a signal ended, or kept from running."""
SHOWN = {Verdict.PASS: "PASS", Verdict.DEVIATION: "PASS (deviation)", Verdict.WARNING: "PASS (warning)"}


class Listener:
    """One per Robot process."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, config: str) -> None:
        read = SuiteConfig.read(config)
        stop_with_parent(read.parent)
        self._suite = Suite(read)
        Running.begin(self._suite)
        self._allure = AllureWriter(
            self._suite.run_dir / "allure-results",
            self._suite.system,
            self._suite.redactor,
            host=self._suite.bench.name,
            thread=self._suite.profile.vendor.name,
        )
        variables = BuiltIn()
        self._steps = StepCollector(
            self._suite.redactor, lambda name: variables.get_variable_value(name, default=name)
        )
        self._records: list[TestRecord] = []
        self._record: TestRecord | None = None

    # -- Robot's events ---------------------------------------------------------------------------

    def start_suite(self, data: Any, result: Any) -> None:
        if data.parent is None:
            self._suite.__enter__()

    def end_suite(self, data: Any, result: Any) -> None:
        if data.parent is None:
            if result.teardown and result.teardown.failed:
                self._teardown_failed(str(result.teardown.message))
            self._suite.__exit__(None, None, None)
            Running.end()

    def start_test(self, data: Any, result: Any) -> None:
        scenario = scenario_id(Path(self._suite.config.suites), Path(str(data.source)), data.name)
        vendor = self._suite.profile.vendor.name
        side = side_of(data.tags)
        self._suite.session.begin()
        # A failed suite setup stands for the error of every test after it.
        Running.fault = Running.fault if self._record is None else None
        self._record = TestRecord(
            id=f"{vendor}/{scenario}",
            vendor=vendor,
            scenario=scenario,
            title=str(data.name),
            feature=feature_of(data.tags),
            side=side if side in ("phone", "server") else "",
            tags=tuple(map(str, data.tags)),
            doc=str(data.doc),
            started=datetime.now(UTC),
        )
        self._steps.take()
        self._suite.part.start(self._record)
        self._allure.start_test(self._record)

    def start_body_item(self, data: Any, result: Any) -> None:
        self._steps.start_keyword(data, result)

    def end_body_item(self, data: Any, result: Any) -> None:
        self._steps.end_keyword(data, result)

    def end_test(self, data: Any, result: Any) -> None:
        assert self._record is not None
        judgements: list[Judgement] = []
        try:
            verdict, message, judgements = self._judge(result)
        except Exception:
            # Our own fault must not hide: it is told, and the test is broken.
            verdict, message = Verdict.BROKEN, f"featuresync itself failed: {traceback.format_exc(limit=-3)}"
        finished = datetime.now(UTC)
        suite, trace = self._suite, self._suite.session.trace
        evidence = (
            write_evidence(
                suite.run_dir, self._record.id, trace, judgements, suite.session.transcript(), suite.redactor
            )
            if trace.events
            else {}
        )
        record = self._record.with_judgements(judgements).model_copy(
            update={
                "verdict": verdict,
                "message": self._suite.redactor.text(message),
                "evidence": evidence,
                "finished": finished,
                "seconds": round((finished - self._record.started).total_seconds(), 3),
            }
        )
        self._suite.part.end(record)
        self._records.append(record)
        self._allure.end_test(record, self._steps.take(), exhibits(suite.run_dir, evidence))
        self._show(record)
        result.status = {Verdict.SKIPPED: "SKIP", Verdict.FAIL: "FAIL", Verdict.BROKEN: "FAIL"}.get(
            verdict, "PASS"
        )
        result.message = record.message

    # -- what came of a test ----------------------------------------------------------------------

    def _judge(self, result: Any) -> tuple[Verdict, str, list[Judgement]]:
        if result.skipped:
            return Verdict.SKIPPED, str(result.message), []
        if result.failed and _stopped(str(result.message)):
            if self._suite.session.trace.events:
                return Verdict.BROKEN, STOPPED, []
            return Verdict.SKIPPED, "the run was stopped before this test", []
        if errors := self._suite.session.reactor.errors:
            return Verdict.BROKEN, f"featuresync itself failed in its SIP thread: {errors[0]!r}", []
        fault = Running.fault
        if isinstance(fault, BenchFault):
            return Verdict.BROKEN, str(fault), []
        if result.failed and not isinstance(fault, DeviceFault):
            said = str(result.message)
            return Verdict.BROKEN, f"the scenario itself failed: {said}", []
        trace = self._suite.session.trace
        assert self._record is not None
        tagged = requirements(self._record.tags)
        judgements = judge(trace, self._suite.declared, self._record.scenario, tagged)
        unmet = [event for event in trace.of(Awaited) if not event.met]
        verdict, message = verdict_of(judgements, tagged, unmet)
        if isinstance(fault, DeviceFault) and verdict not in (Verdict.FAIL, Verdict.DEVIATION):
            return Verdict.FAIL, str(fault), judgements
        return verdict, message, judgements

    def _teardown_failed(self, message: str) -> None:
        """The server could not be put back: every test of this run is bench trouble."""
        for record in self._records:
            if record.verdict is not Verdict.SKIPPED:
                broken = record.model_copy(update={"verdict": Verdict.BROKEN, "message": message})
                self._suite.part.end(broken)
                self._allure.amend(broken)
        print(f"TROUBLE {self._suite.profile.vendor.name}: {message}", file=sys.__stdout__, flush=True)

    def _show(self, record: TestRecord) -> None:
        shown = SHOWN.get(record.verdict, record.verdict.value.upper())
        print(f"{shown:16} {record.id}  {record.seconds:.2f} s", file=sys.__stdout__, flush=True)


def _stopped(message: str) -> bool:
    """Whether a signal ended the test. What a device said is never taken for it.

    The signal may strike inside any library: then its words stand in that library's error.
    """
    said = f"{message} {Running.fault}"
    return not isinstance(Running.fault, DeviceFault) and any(mark in said for mark in STOPPED_BY_SIGNAL)
