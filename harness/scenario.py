"""Scenarios: programs written by hand, a step at a time, on the real thing."""

from enum import Enum
from typing import Any

from harness.check.checker import Checker
from harness.errors import BadInput, Broken, Unsupported
from harness.findings import require_held
from harness.history import Return
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
    name_of,
)
from harness.relation import Relation
from harness.run import PATIENCE, Worker, by_itself, conclude, judge
from harness.spec import Op, Process, Reply
from harness.verdict import Verdict
from harness.words import show, step_text


class Unanswered(Enum):
    """What `Scenario.call` says of a call that has not returned."""

    ASLEEP = "it fell asleep"
    DIED = "it has ended the process that made it"

    def __repr__(self) -> str:
        return self.name


ASLEEP, DIED = Unanswered.ASLEEP, Unanswered.DIED


class Scenario:
    """A program written by hand: every step is taken on the real thing, judged by the model,
    and answers. Made by the fixture ``scenario``."""

    def __init__(
        self,
        mechanism: Mechanism,
        setup: Any = None,
        actors: int = 2,
        *,
        worker: Worker,
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
        self._judged = False
        self._abandoned = False

    @property
    def keeper(self) -> Process:
        """The number of the process that made the object."""
        return self._program.keeper

    @property
    def state(self) -> Any:
        """The model's state now (one of them, where it leaves the kernel free)."""
        return self._checker.relation.state(self._checker.configuration)

    def call(self, who: Process, op: Op) -> Reply | Unanswered:
        """The reply of a call; `ASLEEP`, or `DIED` where the call has ended its own process."""
        return self._outcome(Call(who, op))

    def call_then_kill(self, who: Process, op: Op, victim: Process) -> Reply | Unanswered:
        """As `call`, and ``victim``, asleep until now, is killed before it runs."""
        return self._outcome(CallThenKill(who, op, victim))

    def _outcome(self, step: Call | CallThenKill) -> Reply | Unanswered:
        who, was_dead = step.who, self.dead(step.who)
        self._take(step)
        if self.asleep(who):
            return ASLEEP
        return DIED if self.dead(who) and not was_dead else self.answer(who)

    def answer(self, who: Process) -> Reply:
        """The reply of the last call of ``who``, which may have slept before it returned. Raises
        AssertionError where there is none, or it was asked for before."""
        if who not in self._answers:
            actors = self._program.actors
            steps = (f"\n    {step_text(step, actors)}" for step in self._steps)
            raise AssertionError(
                f"{name_of(who, actors)} has no reply to give: {self._standing(who)}; the steps so "
                f"far:{''.join(steps) or ' none'}"
            )
        return self._answers.pop(who)

    def _standing(self, who: Process) -> str:
        if self.dead(who):
            return "it is dead"
        if not self.asleep(who):
            return "it is idle, and the reply of its last call, if any, was asked for before"
        stopped = who in self._session.stopped
        return f"it is {'stopped' if stopped else 'asleep'} in {show(self._session.busy[who])}"

    def asleep(self, who: Process) -> bool:
        """Whether ``who`` is inside a call."""
        return who in self._session.busy

    def dead(self, who: Process) -> bool:
        return who in self._session.dead

    def pid(self, who: Process) -> int:
        """Its process id here, outside the sandbox."""
        return self._session.crew[who].watch.pid

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
        """Give the actors back and judge the whole. Raises Violated or Undecided unless it
        held."""
        if self._abandoned:
            return
        self._context.__exit__(None, None, None)
        if not self._judged:
            self._conclude(by_itself(self._checker.verdict(), self._checker.history))

    def _take(self, step: Step) -> None:
        self._steps.append(step)
        if isinstance(step, Call | CallThenKill):
            self._answers.pop(step.who, None)
        before = len(self._checker.history)
        try:
            verdict = judge(self._session, self._checker, self._session.step(step), PATIENCE)
        except (BadInput, Broken, Unsupported) as error:
            # What state the actors are in is unknown now: they are ended.
            self._abandoned = True
            self._context.__exit__(type(error), error, error.__traceback__)
            raise
        for event in self._checker.history[before:]:
            if isinstance(event, Return):
                self._answers[event.who] = event.reply
        if verdict is not None:
            self._conclude(verdict)

    def _conclude(self, verdict: Verdict) -> None:
        self._judged = True
        program = Program(
            self._program.mechanism,
            self._program.setup,
            self._program.actors,
            tuple(self._steps),
        )
        require_held(conclude(self._worker, self.mechanism, program, self._checker, verdict))
