"""Programs as they are drawn, and what carrying them out really leads to."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings

from harness.generate.programs import Programs
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
from tests.brute_force import BruteForce
from tests.executions import Lockstep, in_lockstep
from tests.small_mechanisms import MECHANISMS

NUMBER = 500
SOURCES = {mechanism.name: Programs(mechanism) for mechanism in MECHANISMS}


@cache
def drawn(mechanism: Mechanism) -> list[Program]:
    """Five hundred programs, the same every time."""
    return drawn_from(SOURCES[mechanism.name])


def drawn_from(source: Programs, number: int = NUMBER) -> list[Program]:
    programs: list[Program] = []

    @seed(1)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(source.strategy())
    def draw(program: Program) -> None:
        programs.append(program)

    draw()
    return programs


@cache
def brute_force(mechanism: Mechanism, setup: object, processes: int) -> BruteForce:
    return BruteForce(mechanism.model(setup, processes), processes)


def begun(mechanism: Mechanism, program: Program) -> Lockstep:
    """A program before its first step."""
    return Lockstep(brute_force(mechanism, program.setup, program.processes), Random(0))


def carried_out(mechanism: Mechanism, program: Program) -> Lockstep:
    """A program after its last step."""
    steps = brute_force(mechanism, program.setup, program.processes)
    return in_lockstep(steps, program, Random(0))


def happenings(mechanism: Mechanism, program: Program) -> Iterator[str]:
    """What a program really leads to, step by step, in words."""
    run = begun(mechanism, program)
    for number, step in enumerate(program.steps):
        asleep = run.sleepers()
        if not run.take(step):
            yield "passed over"
            continue
        yield f"{len(run.sleepers())} asleep"
        yield from what_came_of(step, asleep, run)
        if isinstance(step, CallThenKill):
            before = replace(program, steps=program.steps[:number])
            if wakes_its_victim(carried_out(mechanism, before), step):
                yield "woken, then killed"


def what_came_of(step: Step, asleep: tuple[int, ...], run: Lockstep) -> Iterator[str]:
    slept = step.who in asleep
    match step:
        case Call(who):
            if set(asleep) - set(run.sleepers()):
                yield "a call wakes a sleeper"
            if who == run.everybody[-1]:
                yield "the keeper calls"
        case Kill():
            yield "killed asleep" if slept else "killed idle"
        case Stop():
            yield "stopped asleep" if slept else "stopped idle"
        case Continue(who):
            yield "continued, asleep again" if who in run.sleepers() else "continued"
        case Signal(who):
            yield "restarted" if who in run.sleepers() else "interrupted"
        case Elapse():
            yield "timed out"


def wakes_its_victim(run: Lockstep, step: CallThenKill) -> bool:
    """Whether a victim that is asleep before the call could go on after it."""
    if not run.is_asleep(step.victim):
        return False
    run.invoke(step.who, step.op)
    while run.doings(step.who).now:
        run.step(step.who)
    return bool(run.doings(step.victim).now)
