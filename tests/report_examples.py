"""A lock and what happened to it, as data: what the tests of reports draw and print."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from harness.check.checker import Checker
from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    History,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.program import Call, Continue, Elapse, Kill, Program, Signal, Step, Stop
from harness.relation import Relation
from harness.report.failure import Failure
from harness.spec import Errno, Exit, Later, Model, Move, Op, Process, Wait
from harness.verdict import Outcome

MICROSECOND = 1_000
A, B, C, KEEPER = range(4)


@dataclass(frozen=True, slots=True)
class Acquire:
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Release: ...


@dataclass(frozen=True, slots=True)
class InLine:
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Write:
    data: Any
    note: str = ""


@dataclass(frozen=True)
class Setup:
    name: str = "lock"


class Holding(NamedTuple):
    free: int = 1
    holders: tuple[Process, ...] = ()
    waiting: tuple[Process, ...] = ()

    def without(self, who: Process) -> "Holding":
        holders, waiting = (
            tuple(other for other in processes if other != who)
            for processes in (self.holders, self.waiting)
        )
        return Holding(self.free + (who in self.holders), holders, waiting)


RULES = {
    "acquire": "a free lock is taken",
    "queue": "who finds it taken waits in line",
    "release": "its holder frees it",
    "exit": "the death of its holder frees it",
}


class Lock(Model[Holding]):
    """A fair lock that death frees."""

    rules = RULES

    def start(self) -> Holding:
        return Holding()

    def moves(self, state: Holding, who: Process, op: Op) -> Iterator[Move]:
        match op:
            case Acquire() if state.free and not state.waiting:
                yield Move("acquire", Holding(0, (who,)), None)
            case InLine() if state.free and state.waiting[0] == who:
                yield Move("acquire", Holding(0, (who,), state.waiting[1:]), None)
            case Release():
                yield Move("release", state.without(who), None)
            case Exit():
                yield Move("exit", self.after_exit(state, who), None)

    def after_exit(self, state: Holding, who: Process) -> Holding:
        return state.without(who)

    def wait(self, state: Holding, who: Process, op: Op) -> Wait:
        match op:
            case Acquire(timeout):
                line = state._replace(waiting=(*state.waiting, who))
                return Wait(timeout=timeout, asleep=Move("queue", line, Later(InLine(timeout))))
            case InLine(timeout):
                return Wait(timeout=timeout, withdrawn=state.without(who))
        return Wait()

    def partners(self, state: Holding, who: Process, op: Op) -> frozenset[Process]:
        return frozenset({A, B, C}) - {who}


class Leaky(Lock):
    """A lock that its holder takes along into death."""

    def after_exit(self, state: Holding, who: Process) -> Holding:
        return state


def history_of(*events: Event) -> History:
    """Events, ten microseconds apart."""
    return tuple(
        replace(event, time=number * 10 * MICROSECOND) for number, event in enumerate(events)
    )


def asleep(who: Process, op: Op, where: str = "semtimedop") -> list[Event]:
    return [Invoke(0, who, op), Asleep(0, who, where)]


def returned(who: Process, op: Op, reply: Any = None) -> list[Event]:
    return [Invoke(0, who, op), Return(0, who, reply, 0)]


STEPS: tuple[Step, ...] = (
    Call(KEEPER, Acquire()),
    Call(KEEPER, Release()),
    Call(A, Acquire()),
    Stop(C),
    Call(B, Acquire(0.00002)),
    Elapse(B),
    Continue(C),
    Call(B, Acquire()),
    Call(C, Acquire()),
    Signal(C),
    Kill(A),
)
EVENTS = history_of(
    *returned(KEEPER, Acquire()),
    *returned(KEEPER, Release()),
    *returned(A, Acquire()),
    Stopped(0, C),
    *asleep(B, Acquire(0.00002)),
    Return(0, B, Errno("ETIMEDOUT"), 0),
    Continued(0, C),
    *asleep(B, Acquire()),
    *asleep(C, Acquire()),
    Signalled(0, C, False),
    Return(0, C, Errno("EINTR"), 0),
    Killing(0, A),
    Died(0, A, "SIGKILL"),
    Quiet(0, (B,), 1_000_000_000),
)


def judged(
    model: Model[Any] | None = None,
    steps: tuple[Step, ...] = STEPS,
    events: History = EVENTS,
    **about: Any,
) -> Failure:
    """What the checker makes of these events, as a failure to report."""
    model = model or Lock()
    program = Program("tests.report_examples:LOCK", Setup(), 3, steps)
    checker = Checker(Relation(model, program.processes))
    verdict = None
    for event in events:
        verdict = verdict or checker.feed([event])
    return Failure(
        program,
        events,
        verdict or checker.verdict(deadlock_allowed=False),
        replay="ipc-harness replay reports/lock.json",
        rules=model.rules,
        start=repr(model.start()),
        machine={"kernel": "Linux 6.18"},
        **about,
    )


def lost_wake_up() -> Failure:
    """A holder dies, and the next in line sleeps on."""
    failure = judged()
    assert (failure.verdict.outcome, failure.verdict.kind) == (Outcome.VIOLATED, "lost wake-up")
    return failure


def deadlock() -> Failure:
    """By a model that lets it happen: two wait for each other, and for a dead process."""
    events = history_of(
        *returned(A, Acquire()),
        Killing(0, A),
        Died(0, A, "SIGKILL"),
        *asleep(B, Acquire()),
        *asleep(C, Acquire()),
        Quiet(0, (B, C), 1_000_000_000),
    )
    steps = (Call(A, Acquire()), Kill(A), Call(B, Acquire()), Call(C, Acquire()))
    failure = judged(Leaky(), steps, events)
    assert failure.verdict.kind == "deadlock"
    return failure
