"""The journal: what the server was like before a run changed anything, kept until it is so again.

Written before the first change and removed after the restore, so a run that was killed leaves it behind
and its server can still be put back. One journal is one claim on one server: while it stands, no other
run may take a snapshot there (docs/adr/0003).
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from featuresync.errors import BenchFault, Fault
from featuresync.profile import Bench, FeatureName, Model
from featuresync.sync.feature import Feature, FeatureState, States

from .process import own_identity, runs
from .state import ServerState

FOLDER = ".journal"
"""Name of the journals' folder in the results folder."""
_SIZE_LIMIT = 1024 * 1024
_READ_BACK = 5.0
"""Seconds a server may take to show a state that was put back."""

Snapshot = Mapping[str, States]
"""States by account."""


class Saved(Model):
    """One feature in the file; the words are those of FeatureState."""

    on: bool
    number: str = ""
    rings: int | None = None


class Record(Model):
    """What stands in the file. Without ``snapshot`` the server was claimed, and nothing was changed yet."""

    schema_version: Literal[1] = 1
    run_id: str
    pid: int
    process: str
    """When the owner started: a process number alone may be given to another program later."""
    bench: str
    bench_file: Path
    server: str
    accounts: tuple[str, ...]
    vendor: str
    profile_file: Path
    ephemeral: bool
    """The server goes away with the run: a lab of our own."""
    written: str
    snapshot: dict[str, dict[FeatureName, Saved]] | None = None

    def states(self) -> Snapshot:
        return {
            account: {
                Feature(name): FeatureState(Feature(name), saved.on, saved.number, saved.rings)
                for name, saved in features.items()
            }
            for account, features in (self.snapshot or {}).items()
        }


@dataclass(frozen=True)
class Journal:
    """One journal file."""

    path: Path
    record: Record

    @property
    def owner_runs(self) -> bool:
        """Whether the process that wrote this journal, which may be this one, is still there."""
        return runs(self.record.pid, self.record.process)

    @property
    def others(self) -> bool:
        """Whether it belongs to a run that is still there and is not this process."""
        return self.owner_runs and self.record.pid != os.getpid()

    def close(self) -> None:
        """Remove the file: the server is as it was before."""
        self.path.unlink(missing_ok=True)
        _partial(self.path).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            _sync_folder(self.path.parent)

    def restore(self, state: ServerState) -> list[str]:
        """Put back what differs; see ``restore``."""
        return restore(self, state)

    def __str__(self) -> str:
        return f"{self.path} (bench {self.record.bench}, {self.record.written})"


class Pending(NamedTuple):
    journals: list[Journal]
    problems: list[str]
    """One line for every file that cannot be read; such a file is left in place."""


def open_journal(
    folder: Path,
    bench: Bench,
    profile_file: Path,
    snapshot: Callable[[], Snapshot],
    *,
    run_id: str,
    ephemeral: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Journal:
    """Claim the server, take the snapshot, and write it down. To be called before the first change.

    The claim stands in ``folder`` before ``snapshot`` is asked, so what it reads cannot be another run's
    doing. Raises BenchFault when a journal of the same server is there already, or whatever ``snapshot``
    raises; then no claim is left.
    """
    if not bench.file.is_file():
        raise BenchFault(f"bench {bench.name} stands in no file: nobody could restore it after a killed run")
    _refuse(folder, bench, None)
    folder.mkdir(parents=True, exist_ok=True)
    record = Record(
        run_id=run_id,
        pid=os.getpid(),
        process=own_identity(),
        bench=bench.name,
        bench_file=bench.file.absolute(),
        server=bench.admin.place,
        accounts=tuple(sorted(account.user for account in bench.accounts.values())),
        vendor=bench.vendor,
        profile_file=profile_file.absolute(),
        ephemeral=ephemeral,
        written=now().isoformat(timespec="seconds"),
    )
    journal = Journal(folder.absolute() / f"{bench.name}-{uuid.uuid4().hex[:12]}.json", record)
    _write(journal)
    try:
        # Two runs that start at once both see each other here and both step back: better none than two.
        _refuse(folder, bench, journal.path)
        saved = {
            account: {
                feature.value: Saved(on=state.on, number=state.number, rings=state.rings)
                for feature, state in states.items()
            }
            for account, states in snapshot().items()
        }
        journal = Journal(journal.path, record.model_copy(update={"snapshot": saved}))
        _write(journal)
    except BaseException:
        journal.close()
        raise
    return journal


def pending(folder: Path) -> Pending:
    """All journals in the folder, oldest first. Unreadable files are told in ``problems``, never removed."""
    found, problems = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(_read(path))
        except FileNotFoundError:
            continue  # closed by its owner in this moment
        except (OSError, ValueError) as error:
            why = "not a journal of this version" if isinstance(error, ValidationError) else str(error)
            problems.append(f"{path}: unreadable journal, left in place: {' '.join(why.split())[:200]}")
    return Pending(sorted(found, key=lambda journal: journal.record.written), problems)


def restore(journal: Journal, state: ServerState) -> list[str]:
    """Put back every feature that differs from the snapshot, read it back, and close the journal.

    Returns a line per account and feature that differed. The file stays (``journal.path.exists()``) when
    anything failed, and when the run that owns it is still there. Raises no Fault.
    """
    if journal.others:
        return [f"{journal}: its run is still there (process {journal.record.pid}); not touched"]
    lines: list[str] = []
    whole = True
    for account, before in journal.record.states().items():
        try:
            whole &= _restore_account(account, before, state, lines)
        except Fault as error:
            whole = False
            lines.append(f"{account}: not restored: {error}")
    if whole:
        journal.close()
        lines = lines or [f"{journal.record.bench}: nothing to put back"]
    else:
        lines.append(f"{journal}: kept, run ./featuresync restore again")
    return lines


def _restore_account(account: str, before: States, state: ServerState, lines: list[str]) -> bool:
    found = now = state.get(account)
    if missing := [feature for feature in before if feature not in found]:
        raise BenchFault(f"the recipe no longer reads {', '.join(missing)}")
    changed = wrong = _differing(now, before)
    # Setting one feature may change another (some servers drop forwards with DND): a second round mends it.
    for _ in range(2):
        for feature in wrong:
            state.set(account, before[feature])
        for feature in wrong:
            now = state.read_back(account, before[feature], _READ_BACK)
        wrong = _differing(now, before)
    for feature in changed:
        said = f"{account}: {found[feature]}; put back to: {before[feature]}"
        if feature in wrong and now[feature].satisfies(before[feature]):
            said += f"; but the server remembers: {now[feature]}"
        lines.append(said)
    failed = [feature for feature in before if not now[feature].satisfies(before[feature])]
    lines += [f"{account}: wanted {before[feature]}, the server says {now[feature]}" for feature in failed]
    return not failed


def _differing(now: States, before: States) -> list[Feature]:
    """Unlike ``satisfies``, the number and the rings of a forward that is off count: they were the user's."""
    return [
        feature
        for feature, then in before.items()
        if not now[feature].satisfies(then)
        or now[feature].number != then.number
        or (then.rings is not None and now[feature].rings != then.rings)
    ]


def _refuse(folder: Path, bench: Bench, own: Path | None) -> None:
    """Raise BenchFault when a journal says that the server is not ours to take."""
    journals, problems = pending(folder)
    for problem in problems:
        if Path(problem.partition(": ")[0]).name.startswith(f"{bench.name}-"):
            raise BenchFault(f"{problem}; see what it says, put the server back by hand, then delete it")
    for journal in journals:
        if journal.path == own or not _same_server(journal.record, bench):
            continue
        if journal.owner_runs:
            raise BenchFault(
                f"bench {bench.name} is in use by process {journal.record.pid}, says {journal.path}"
            )
        if journal.record.snapshot is None:
            journal.close()  # died between its claim and its first change
            continue
        raise BenchFault(
            f"bench {bench.name} was left changed by a killed run, says {journal.path}; "
            "run ./featuresync restore first"
        )


def _same_server(record: Record, bench: Bench) -> bool:
    if record.bench_file == bench.file.absolute():
        return True
    if record.ephemeral:
        return False  # the next lab may stand at the same address, but it is another server
    server = bench.admin.place
    accounts = {account.user for account in bench.accounts.values()}
    return record.server == server and not accounts.isdisjoint(record.accounts)


def _read(path: Path) -> Journal:
    with path.open("rb") as file:
        data = file.read(_SIZE_LIMIT + 1)
    if len(data) > _SIZE_LIMIT:
        raise ValueError(f"larger than {_SIZE_LIMIT} bytes")
    return Journal(path.absolute(), Record.model_validate_json(data))


def _write(journal: Journal) -> None:
    """All or nothing, and on the disk when this returns: the next step may be the one that is killed."""
    partial = _partial(journal.path)
    with partial.open("wb") as file:
        file.write(journal.record.model_dump_json(indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(journal.path)
    _sync_folder(journal.path.parent)


def _partial(path: Path) -> Path:
    return path.with_suffix(".part")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
