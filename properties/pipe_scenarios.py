"""What literal examples of pipes are written with."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from harness.spec import Op
from harness.testing import ASLEEP, Scenario
from models.pipe import PAGE, PipeSetup, Read, Write
from properties.kernel.children import unseen
from properties.pipe import PIPE
from properties.scenarios import MakeScenario

A, B, C, D = range(4)
ALL = PipeSetup(keeper="rw")
"""Everybody holds both ends of a pipe of one page."""
WRITER = PipeSetup(sole="w", keeper="")
"""A alone can write, only the others can read."""
READER = PipeSetup(sole="r", keeper="")
"""A alone can read, only the others can write."""
TRIES = 200
"""How often the scheduler gets the chance to let a dying process run before a woken one."""


def bytes_lost_with_the_dying(scenario: MakeScenario) -> AbstractContextManager[Scenario]:
    """A, B and C sleep in a read, in this order. Three bytes wake A, but B, which is killed, takes
    them with it."""
    return _overtaken_by_the_dying(scenario, [], [Read(10), Read(10), Read(10)], Write(0, 3))


def bytes_left_by_the_dying(scenario: MakeScenario) -> AbstractContextManager[Scenario]:
    """A and B sleep in a write, in this order. A freed page wakes A, but B, which is killed, puts
    its three bytes there."""
    asleep = [Write(1, PAGE), Write(2, 3)]
    return _overtaken_by_the_dying(scenario, [Write(0, PAGE)], asleep, Read(PAGE))


@contextlib.contextmanager
def _overtaken_by_the_dying(
    scenario: MakeScenario, first: Sequence[Op], asleep: Sequence[Op], wake: Op
) -> Iterator[Scenario]:
    """After the calls that D makes first, A, B, … sleep in calls of their own. A call of D's wakes
    A, and B is killed, which the scheduler lets run before A; this is tried until it does."""
    for _ in range(TRIES):
        run = scenario(PIPE, ALL, actors=4)
        # Others go first where they can. It must end with the test: it could not be put back.
        os.sched_setscheduler(run.pid(A), os.SCHED_IDLE, os.sched_param(0))
        for op in first:
            run.call(D, op)
        assert {run.call(who, op) for who, op in enumerate(asleep)} == {ASLEEP}
        run.call_then_kill(D, wake, B)
        if run.asleep(A):
            try:
                yield run
            finally:
                run.kill(A)
            return
        run.kill(A)
        run.end()
    raise unseen("a dying process that ran before a woken one", f"{TRIES} tries")
