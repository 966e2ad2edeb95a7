"""The programs that are drawn: rich, small once shrunk, plain data, and what the walk says."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings

from harness.check.checker import Checker
from harness.codec import decode, encode
from harness.generate.programs import ALL_FAULTS, KILLS, Programs
from harness.generate.walk import Walk
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
from harness.verdict import Outcome
from tests.brute_force import BruteForce
from tests.executions import Lockstep, in_lockstep
from tests.small_mechanisms import FIFO, MECHANISMS, POST, SEMAPHORE, FifoSetup
from tests.small_models import Count, Get, Put, Receive, Send

A, B, C = range(3)
SETTINGS = settings(
    max_examples=500,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SOURCES = {mechanism.name: Programs(mechanism) for mechanism in MECHANISMS}


@cache
def drawn(mechanism: Mechanism, **about: int) -> list[Program]:
    """Five hundred programs."""
    programs: list[Program] = []

    @seed(1)
    @SETTINGS
    @given(SOURCES[mechanism.name].strategy())
    def draw(program: Program) -> None:
        programs.append(program)

    draw()
    return programs


@cache
def brute_force(mechanism: Mechanism, setup: object, processes: int) -> BruteForce:
    return BruteForce(mechanism.model(setup, processes), processes)


def carried_out(mechanism: Mechanism, program: Program, number: int = 0) -> Lockstep:
    steps = brute_force(mechanism, program.setup, program.processes)
    return in_lockstep(steps, program, Random(number))


def step_by_step(mechanism: Mechanism, program: Program) -> list[tuple[Step, Lockstep, bool]]:
    """Every step with how it stood before, and whether it could be taken."""
    found = []
    for number, step in enumerate(program.steps):
        before = carried_out(mechanism, replace(program, steps=program.steps[:number]))
        after = carried_out(mechanism, replace(program, steps=program.steps[:number]))
        found.append((step, before, after.take(step)))
    return found


# Rich.


def happenings(mechanism: Mechanism, program: Program) -> set[str]:
    """What a program really leads to."""
    found: set[str] = set()
    run = Lockstep(
        brute_force(mechanism, program.setup, program.processes), Random(0)
    )
    for step in program.steps:
        asleep = run.sleepers()
        full = isinstance(run.state, tuple) and run.state == run.state
        if not run.take(step):
            found.add("passed over")
            continue
        woken = set(asleep) - set(run.sleepers())
        match step:
            case Call() if woken - {step.who}:
                found.add("a call wakes a sleeper")
            case Kill(who) if who in asleep:
                found.add("kill asleep")
            case Stop(who) if who in asleep:
                found.add("stop asleep")
            case Continue():
                found.add("continue")
            case CallThenKill():
                found.add("call then kill")
            case Signal(_, restart):
                found.add("restart" if restart else "signal")
            case Elapse():
                found.add("elapse")
        found.add(f"{len(run.sleepers())} asleep")
        del full
    return found
