"""What literal examples of pipes are written with."""

import contextlib
import os
from collections.abc import Iterator

from harness.testing import ASLEEP, Scenario
from models.pipe import PipeSetup, Read, Write
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


@contextlib.contextmanager
def bytes_lost_with_the_dying(scenario: MakeScenario) -> Iterator[Scenario]:
    """A, B and C sleep in a read, in this order. Three bytes wake A, but B is killed and takes
    them with it, since the scheduler lets it run first; this is tried until it does."""
    for _ in range(TRIES):
        run = scenario(PIPE, ALL, actors=4)
        # Others go first where they can. It must end with the test: it could not be put back.
        os.sched_setscheduler(run.pid(A), os.SCHED_IDLE, os.sched_param(0))
        assert [run.call(who, Read(10)) for who in (A, B, C)] == [ASLEEP] * 3
        assert run.call_then_kill(D, Write(0, 3), B) == 3
        if run.asleep(A):
            try:
                yield run
            finally:
                run.kill(A)
            return
        assert run.answer(A) == b"a0a"
        run.kill(A)
        run.end()
    raise unseen("a dying reader that ran before a woken one", f"{TRIES} tries")
