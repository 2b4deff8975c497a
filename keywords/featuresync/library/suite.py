"""One vendor's suite in this process: bench, journal, and the record of each test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from featuresync.agent.phone_config import PhoneConfig, read_phone_config
from featuresync.bench.journal import FOLDER, Journal, open_journal
from featuresync.bench.preflight import snapshot
from featuresync.bench.state import ServerState
from featuresync.errors import BenchFault
from featuresync.evidence.record import Part, SystemRecord
from featuresync.evidence.redaction import Redactor
from featuresync.judge.verdict import Declared
from featuresync.net.reactor import Reactor
from featuresync.profile import Bench, Profile, load_bench, load_profile

from .session import Session


@dataclass(frozen=True, slots=True)
class SuiteConfig:
    """What the command line hands to the Robot process (``suite.json``). All are absolute paths."""

    profile: str
    bench: str
    run_dir: str
    part: str
    suites: str
    journals: str
    ephemeral: bool
    parent: int
    """Process that runs this one; when it dies, the suite stops and puts the server back."""
    feature: str = "-"
    side: str = "-"
    """What the user asked for, ``-`` for all."""
    phone_config: str = ""
    """The exported configuration of the phone to be played; "" for one that has all it needs."""

    @classmethod
    def read(cls, file: str) -> SuiteConfig:
        return cls(**json.loads(Path(file).read_text(encoding="utf-8")))

    def phone(self) -> PhoneConfig | None:
        """The phone's own configuration. Raises ConfigFault, naming the line that cannot be read."""
        return read_phone_config(Path(self.phone_config)) if self.phone_config else None


class Suite:
    """Opened by the listener at the start of the run, closed at its end."""

    def __init__(self, config: SuiteConfig) -> None:
        self.config = config
        self.profile: Profile = load_profile(Path(config.profile))
        self.bench: Bench = load_bench(Path(config.bench))
        self.run_dir, self.part_dir = Path(config.run_dir), Path(config.part)
        self._reactor = Reactor()
        keylog = self.part_dir / "tls-keys.log" if self.bench.sip.tls.keylog else None
        self.session = Session(self.bench, self.profile, self._reactor, config.phone(), keylog)
        self.declared = [Declared(**row.model_dump()) for row in self.profile.deviation]
        self.redactor = Redactor(self.bench.secrets())
        self.system = self._system()
        self.part = Part(self.part_dir, self.profile.vendor.name, self.system, self.redactor)
        self._journal: Journal | None = None

    def __enter__(self) -> Suite:
        self._reactor.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.session.phones):
            self.session.unplug(name)
        if self.session.server is not None:
            self.session.server.close()
        self._reactor.__exit__(kind, error, trace)

    def open_server(self) -> None:
        """Log in and journal the state found. Raises BenchFault."""
        state = ServerState.connect(
            self.bench,
            self.profile,
            clock=self._reactor.clock,
            on_event=lambda event: self.session.trace.add(event),
            on_secret=self.redactor.learn,
        )
        self._journal = open_journal(
            Path(self.config.journals) / FOLDER,
            self.bench,
            Path(self.config.profile),
            lambda: snapshot(self.bench, state),
            run_id=self.run_dir.name,
            ephemeral=self.config.ephemeral,
        )
        self.session.server = state

    def restore_server(self) -> None:
        """Put back what the journal says. Raises BenchFault, and keeps the journal, when that fails."""
        if self._journal is None:
            return
        said = self._journal.restore(self.session.state)
        if self._journal.path.exists():
            raise BenchFault(
                f"the server could not be put back: {'; '.join(said)} (try ./featuresync restore)"
            )

    def _system(self) -> SystemRecord:
        declared = [
            {"requirement": row.requirement, "reason": row.reason, "scenarios": row.scenarios}
            for row in self.profile.deviation
        ]
        return SystemRecord.model_validate(
            {
                "title": self.profile.vendor.title,
                "fingerprint": self.bench.fingerprint,
                "standin": self.bench.standin,
                "declared": declared,
                "facts": [
                    {
                        "name": name,
                        "value": "unknown" if fact.value is None else _words(fact.value),
                        "sure": fact.sure.value,
                        "source": self.profile.sources[fact.source],
                        "note": fact.note,
                    }
                    for name, fact in self.profile.facts().items()
                ],
                "quirks": self.profile.quirks,
            }
        )


def _words(value: object) -> str:
    """A fact's value for a person."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
