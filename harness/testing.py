"""What properties are written with: conformance of a mechanism, and literal scenarios.

    test_my_queue = conformance(MY_QUEUE)
"""

import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from harness import __version__
from harness.check.checker import Checker
from harness.codec import Record, save
from harness.errors import Unsupported
from harness.generate.programs import ALL_FAULTS, Programs
from harness.mechanism import Mechanism
from harness.program import (
    Call,
    CallThenKill,
    Continue,
    Elapse,
    Kill,
    Program,
    Signal,
    Step,
    Stop,
)
from harness.relation import Relation
from harness.report.failure import Failure
from harness.report.text import describe
from harness.run import PATIENCE, Run, Worker, conclude, judge, run
from harness.spec import Op, Process, Reply
from harness.verdict import Outcome

__all__ = ["ASLEEP", "Scenario", "Unsupported", "Violated", "conformance"]

SHARDS = 4
"""Parts that a property is split into, so that test workers share its examples."""
SHRINKING_PATIENCE = 0.1
"""Seconds for which a sleeper is watched while a failure that was seen once is being shrunk."""

WORKER = Worker()
"""The one worker of this process; the pytest plug-in tells it its number and closes it."""


class _Asleep:
    """What `Scenario.call` says of a call that fell asleep."""

    def __repr__(self) -> str:
        return "ASLEEP"


ASLEEP = _Asleep()


class Violated(AssertionError):
    """Something happened that the model does not allow. `failure` is the evidence."""

    def __init__(self, text: str, failure: Failure) -> None:
        super().__init__(text)
        self.failure = failure


@dataclass
class Reports:
    """Where failures go: the folder, and the name of the test that runs."""

    folder: Path = Path("reports")
    test: str = "scenario"

    def file(self, ending: str) -> Path:
        """A file of the running test's: ``.json`` for the record, ``.html`` for the page."""
        return self.folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', self.test).strip('-')}{ending}"


REPORTS = Reports()


def failure_of(found: Run) -> Failure:
    """What the reports of a run are made from."""
    record = REPORTS.file(".json")
    return Failure(
        found.program,
        found.history,
        found.verdict,
        f"ipc-harness replay {record}",
        found.rules,
        found.start,
        machine(),
        str(record),
        str(REPORTS.file(".html")),
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
    }


def require_held(found: Run) -> None:
    """Pass a run that held. Of any other the record is on disk before this raises."""
    if found.verdict.outcome is Outcome.HELD:
        return
    failure = failure_of(found)
    save(Record(found.program, found.history, found.verdict.sentence), Path(failure.record))
    text = describe(
        found.program, found.history, found.verdict, failure.replay, failure.page
    )
    raise Violated(f"{found.verdict.outcome}: {text}", failure)


def conformance(
    mechanism: Mechanism,
    *,
    actors: tuple[int, int] = (2, 4),
    steps: int = 30,
    faults: Sequence[str] = ALL_FAULTS,
    share: int = 15,
    deadlock_allowed: bool = True,
) -> Callable[..., None]:
    """A property: whatever a program of up to ``steps`` steps of two to four ``actors`` does to
    the real thing, the model allows it. ``share`` percent of the steps are ``faults``. With
    ``deadlock_allowed`` false, a program after which all sleep for ever is a violation too."""
    source = Programs(mechanism, actors, steps, faults, share)
    patience = [PATIENCE]

    @pytest.mark.parametrize("shard", range(SHARDS))
    @given(program=source.strategy())
    def test(shard: int, program: Program) -> None:
        relation = source.relation_of(program)
        found = run(WORKER, mechanism, program, relation, patience[0], deadlock_allowed)
        if found.verdict.outcome is Outcome.VIOLATED:
            patience[0] = SHRINKING_PATIENCE
        require_held(found)

    return test


class Scenario:
    """A program written by hand: every step is taken on the real thing, judged by the model,
    and answers. Made by the fixture ``scenario``."""

    def __init__(
        self,
        mechanism: Mechanism,
        setup: Any = None,
        actors: int = 2,
        *,
        worker: Worker = WORKER,
    ) -> None:
        self.mechanism = mechanism
        setup = mechanism.setups[0] if setup is None else setup
        self._program = Program(mechanism.reference, setup, actors, ())
        relation = Relation(mechanism.model(setup, actors + 1), actors + 1)
        self._checker = Checker(relation)
        self._worker = worker
        self._context = worker.session(mechanism, self._program)
        self._session = self._context.__enter__()
        self._steps: list[Step] = []
        self._answers: dict[Process, Reply] = {}

    @property
    def keeper(self) -> Process:
        """The number of the process that made the object."""
        return self._program.keeper

    @property
    def state(self) -> Any:
        """The model's state now (one of them, where it leaves the kernel free)."""
        return self._checker.relation.state(next(iter(self._checker.configurations)))

    def call(self, who: Process, op: Op) -> Reply | _Asleep:
        """The reply of a call, or `ASLEEP`."""
        self._take(Call(who, op))
        return ASLEEP if self.asleep(who) else self.answer(who)

    def call_then_kill(self, who: Process, op: Op, victim: Process) -> Reply | _Asleep:
        """As `call`, and ``victim``, asleep until now, is killed before it runs."""
        self._take(CallThenKill(who, op, victim))
        return ASLEEP if self.asleep(who) else self.answer(who)

    def answer(self, who: Process) -> Reply:
        """The reply of the last call of ``who``, which may have slept before it returned."""
        if who not in self._answers:
            raise AssertionError(f"process {who} has not returned: {self._program}")
        return self._answers.pop(who)

    def asleep(self, who: Process) -> bool:
        """Whether ``who`` is inside a call."""
        return who in self._session.busy

    def dead(self, who: Process) -> bool:
        return who in self._session.dead

    def kill(self, who: Process) -> None:
        self._take(Kill(who))

    def stop(self, who: Process) -> None:
        self._take(Stop(who))

    def resume(self, who: Process) -> None:
        self._take(Continue(who))

    def signal(self, who: Process, restart: bool = False) -> None:
        """A signal whose handler was installed with SA_RESTART if ``restart``."""
        self._take(Signal(who, restart))

    def elapse(self, who: Process) -> None:
        """Wait until the timed call of ``who`` has ended."""
        self._take(Elapse(who))

    def end(self) -> None:
        """Judge the whole and give the actors back."""
        self._context.__exit__(None, None, None)
        self._conclude(None)

    def abandon(self) -> None:
        """Give up after a failure: end the worker's processes."""
        error = Unsupported("abandoned")
        try:
            self._context.__exit__(type(error), error, None)
        except Unsupported:
            return

    def _take(self, step: Step) -> None:
        self._steps.append(step)
        if isinstance(step, Call | CallThenKill):
            self._answers.pop(step.who, None)
        events = self._session.step(step)
        for event in events:
            if hasattr(event, "reply"):
                self._answers[event.who] = event.reply
        verdict = judge(self._session, self._checker, events, PATIENCE)
        if verdict is not None:
            self._conclude(verdict)

    def _conclude(self, verdict: Any) -> None:
        program = Program(
            self._program.mechanism,
            self._program.setup,
            self._program.actors,
            tuple(self._steps),
        )
        require_held(
            conclude(self._worker, self.mechanism, program, self._checker, verdict)
        )


