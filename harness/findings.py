"""What a run has found: where it is kept, and the exception that says so."""

import contextlib
import os
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness import __version__
from harness.codec import Record, save, write_whole
from harness.errors import BadInput, NotSetUp
from harness.report.failure import Failure
from harness.report.text import describe
from harness.run import Run
from harness.verdict import Outcome

ROOM = 1 << 16
"""Bytes that there must be room for in the reports before anything is run."""


class Violated(AssertionError):
    """Something happened that the model does not allow. `run` is the evidence."""

    def __init__(self, run: Run) -> None:
        super().__init__(describe(REPORTS.failure(run)))
        self.run = run
        self.reduced: Callable[[], Run] = lambda: run
        """Makes the program smaller, where whoever raised this knows how to run it again."""


class Undecided(Exception):
    """Nobody can say whether the model allows what happened. `run` is what is known of it."""

    def __init__(self, run: Run) -> None:
        super().__init__(describe(REPORTS.failure(run)))
        self.run = run


def violated_in(error: BaseException) -> Violated | None:
    """The violation that an exception is or holds. Hypothesis wraps one that did not come again
    when it tried (FlakyFailure): it has been seen all the same, and its record is kept."""
    if isinstance(error, Violated):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(violated_in, error.exceptions)), None)
    return None


@dataclass
class Reports:
    """Where findings go: the folder, and the name of the test that runs."""

    folder: Path = Path("reports")
    test: str = "scenario"
    usable: Path | None = None
    """A folder in which something could be written."""
    unsupported: set[str] = field(default_factory=set)
    """What the running test had to leave out on this machine, in words."""
    about: dict[str, str] = field(default_factory=dict)
    """What else than the machine a run is made in: profile, namespaces, …, with their values."""

    def begin(self, folder: Path, test: str) -> None:
        """Say which test runs now. Raises NotSetUp if nothing could be kept in the folder."""
        if folder != self.usable:
            probe = folder / f".probe-{os.getpid()}"
            try:
                write_whole(probe, ROOM * " ")
                probe.unlink()
            except BadInput as refused:
                raise NotSetUp(f"--ipc-reports is {folder}: {refused}") from refused
        self.folder, self.test, self.usable = folder, test, folder
        self.unsupported.clear()

    def file(self, ending: str) -> Path:
        """A file of the running test's: ``.json`` for the record, ``.html`` for the page."""
        return self.folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', self.test).strip('-')}{ending}"

    def failure(self, run: Run) -> Failure:
        """What the reports of a run of the running test are made from."""
        return failure_of(run, self.file(".json"), self.file(".html"), machine() | self.about)


REPORTS = Reports()


def failure_of(run: Run, record: Path, page: Path | None, where: Mapping[str, str]) -> Failure:
    """What the reports of a run are made from: its record and its page are, or will be, in these
    files, and it was made ``where``."""
    return Failure(
        run.program,
        run.history,
        run.verdict,
        replay=f"{_program()} replay {shlex.quote(str(record))}",
        rules=run.rules,
        start=run.start,
        machine=where,
        record=str(record),
        page=str(page or ""),
    )


@cache
def _program() -> str:
    """How the command is called from here: by its path where it is not on PATH, as in a virtual
    environment that was not activated."""
    beside = Path(sys.executable).with_name("ipc-harness")
    if shutil.which("ipc-harness") or not beside.exists():
        return "ipc-harness"
    return shlex.quote(
        os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else str(beside)
    )


@cache
def machine() -> dict[str, str]:
    """Where this runs, as reports name it."""
    system = platform.uname()
    return {
        "kernel": f"{system.system} {system.release} {system.machine}",
        "C library": " ".join(platform.libc_ver()),
        "Python": platform.python_version(),
        "ipc-harness": __version__,
        "user": str(os.geteuid()),
        "CPUs": str(os.cpu_count()),
    }


def keep(run: Run) -> None:
    """Write the record of a run into the reports. Raises BadInput where that cannot be."""
    verdict = run.verdict
    allowed = not (verdict.kind == "deadlock" and verdict.outcome is Outcome.VIOLATED)
    record = Record(run.program, run.history, verdict.sentence, allowed, machine() | REPORTS.about)
    try:
        save(record, REPORTS.file(".json"))
    except TypeError as error:
        raise BadInput(f"{error}; make it of plain data, so that it can be written") from error


def require_held(run: Run) -> None:
    """Pass a run that held. Of any other the record is on disk before this raises Violated or
    Undecided, unless it cannot be written."""
    if run.verdict.outcome is Outcome.HELD:
        return
    # Whoever reports it tries once more, and says why it could not be kept.
    with contextlib.suppress(BadInput):
        keep(run)
    raise Violated(run) if run.verdict.outcome is Outcome.VIOLATED else Undecided(run)
