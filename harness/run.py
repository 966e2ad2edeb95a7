"""Running one program from end to end: execute, judge, count. What ties the stages together."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.check.checker import Checker
from harness.check.explain import steps_of
from harness.coverage import Coverage
from harness.errors import Broken, NotSetUp
from harness.execute import syscalls
from harness.execute.crew import Crew
from harness.execute.lockstep import Session
from harness.history import Continued, Event, History, Invoke, Killing, Signalled, Stopped
from harness.mechanism import Mechanism
from harness.program import CallThenKill, Elapse, Kill, Program
from harness.relation import Relation
from harness.verdict import Outcome, Verdict

PATIENCE = 1.0
"""Seconds for which a sleeper that could go on is watched before it counts as forgotten."""
LONGEST_WATCH = 5
"""How often such a watch is begun anew because something moved."""
NOTHING = Verdict(Outcome.UNDECIDED, "nothing happened: no process made any call")


@dataclass(frozen=True)
class Run:
    """What came of a program."""

    program: Program
    history: History
    verdict: Verdict
    rules: Mapping[str, str]
    """The model's rules with their sentences."""
    start: str
    """The model's first state, printed."""
    mechanism: str
    """The mechanism's name, by which the run is counted."""


class Worker:
    """A test worker: the CPU that it owns, its actors, and what it has counted."""

    def __init__(self) -> None:
        self.coverage = Coverage()
        self._crew: Crew | None = None
        self._number = 0
        self._allowed: set[int] = set()

    def own_cpu(self, number: int) -> None:
        """Say which test worker this is: the first owns the first CPU it may use, and so on."""
        self._number = number

    @property
    def crew(self) -> Crew:
        """The processes, started when first asked for. Raises NotSetUp where none can be."""
        if self._crew is None:
            lack = syscalls.lack()
            if lack is not None:
                raise NotSetUp(f"nothing can be run on this machine: {lack}")
            self._allowed = os.sched_getaffinity(0)
            cpu = sorted(self._allowed)[self._number % len(self._allowed)]
            os.sched_setaffinity(0, {cpu})
            try:
                self._crew = Crew(cpu)
            except (Broken, OSError) as error:
                raise NotSetUp(f"the processes of a run cannot be started: {error}") from error
        return self._crew

    @property
    def namespaces(self) -> str:
        """The namespaces of its own that its sandbox has, in words; empty before it is there."""
        if self._crew is None:
            return ""
        return ", ".join(self._crew.pool.sandbox.namespaces) or "none"

    def start(self) -> None:
        """Start the processes now, where the time that this takes is not to count."""
        _ = self.crew

    def close(self) -> None:
        """End every process of this worker's; the next run starts new ones."""
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()
            os.sched_setaffinity(0, self._allowed)

    @contextlib.contextmanager
    def session(self, mechanism: Mechanism, program: Program) -> Iterator[Session]:
        """The run of one program. What leaves the actors in an unknown state ends them all."""
        try:
            session = self.crew.begin(
                mechanism.adapter, program.setup, mechanism.limits(program.setup), program.actors
            )
            yield session
            if not self.crew.end(session):
                self.close()
        except BaseException:
            self.close()
            raise


def judge(
    session: Session, checker: Checker, events: Sequence[Event], patience: float
) -> Verdict | None:
    """Feed the checker. Where somebody sleeps who could go on, watch until that is certain."""
    verdict = checker.feed(events)
    for _ in range(LONGEST_WATCH):
        if verdict is None or verdict.outcome is not Outcome.UNDECIDED or not verdict.kind:
            return verdict
        verdict = checker.feed(session.linger(patience))
    raise Broken(f"the actors never came to rest: {verdict.sentence if verdict else ''}")


def run(
    worker: Worker,
    mechanism: Mechanism,
    program: Program,
    relation: Relation,
    patience: float = PATIENCE,
    deadlock_allowed: bool = True,
    explained: bool = True,
) -> Run:
    """Carry out a program on real processes and judge what happened; what held is explained,
    step by step, only if ``explained``."""
    checker = Checker(relation)
    verdict: Verdict | None = None
    with worker.session(mechanism, program) as session:
        for number, step in enumerate(program.steps, 1):
            verdict = judge(session, checker, session.step(step), patience)
            if verdict is not None:
                program = replace(program, steps=program.steps[:number])
                break
    if verdict is None:
        verdict = checker.verdict(deadlock_allowed, explained)
    return conclude(worker, mechanism, program, checker, verdict)


def has_calls(history: Sequence[Event]) -> bool:
    """Whether any process made a call."""
    return any(isinstance(event, Invoke) for event in history)


def faults_in(found: Run) -> set[str]:
    """The faults, as `harness.generate.programs.ALL_FAULTS` names them, that have happened."""
    told = {
        (type(event), getattr(event, "restart", False))
        for event in found.history
        if isinstance(event, Killing | Stopped | Continued | Signalled)
    }
    kinds = {kind for kind, _ in told}
    steps = {type(step) for step in found.program.steps}
    happened = {
        "kill": Killing in kinds and Kill in steps,
        "call then kill": Killing in kinds and CallThenKill in steps,
        "stop": Stopped in kinds,
        "continue": Continued in kinds,
        "signal": (Signalled, False) in told,
        "restart": (Signalled, True) in told,
        "elapse": Elapse in steps,
    }
    return {name for name, whether in happened.items() if whether}


def by_itself(verdict: Verdict, history: Sequence[Event]) -> Verdict:
    """The verdict on a history that nothing else stands beside: without a call it holds of
    nothing, and is undecided."""
    held = verdict.outcome is Outcome.HELD
    return NOTHING if held and not has_calls(history) else verdict


def conclude(
    worker: Worker,
    mechanism: Mechanism,
    program: Program,
    checker: Checker,
    verdict: Verdict,
) -> Run:
    """The run as data, counted."""
    history = list(checker.history)
    if checker.rejected is not None:
        history.append(checker.rejected)
    relation = checker.relation
    rules = relation.model.rules
    name = mechanism.name
    worker.coverage.count(name, rules, verdict.outcome, history, steps_of(checker.trail))
    return Run(program, tuple(history), verdict, rules, relation.start_text, name)
