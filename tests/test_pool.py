"""The actors of a worker: as many as are needed, whatever becomes of them."""

import os
import socket

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from harness.errors import Broken
from harness.execute.zygote import Zygote
from harness.generate.programs import ALL_FAULTS, Programs
from harness.program import Program
from harness.testing import WORKER, Trial
from properties.sysv_sem import SYSV_SEM

MOST_ACTORS = 4
KEEPER = 1
SPARES = 4


def test_deaths_do_not_pile_up_spares() -> None:
    source = Programs(SYSV_SEM, faults=ALL_FAULTS, share=40)
    trial = Trial(SYSV_SEM, source, deadlock_allowed=True)
    deaths = 0

    @settings(
        max_examples=60,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(program=source.strategy())
    def search(program: Program) -> None:
        nonlocal deaths
        before = set(WORKER.crew.pool.alive)
        trial.check(program)
        deaths += len(before - set(WORKER.crew.pool.alive))

    search()
    assert deaths > 10
    assert len(WORKER.crew.pool.alive) <= MOST_ACTORS + KEEPER + SPARES


def test_how_a_child_that_was_not_reaped_yet_has_ended_is_not_made_up() -> None:
    control, answers = socket.socketpair()
    with control, answers:
        zygote = Zygote(control, answers)
        child = os.fork()
        if child == 0:
            os._exit(7)
        assert zygote._how_ended(child) == "exit 7"
        assert zygote._how_ended(child) is None


def test_how_nobody_has_ended_is_not_made_up() -> None:
    pool = WORKER.crew.pool
    actor = pool.take()
    actor.inner_pid = 999_999_999
    with pytest.raises(Broken, match="process 999999999 is no child of the zygote"):
        pool.cause_of_death(actor)
    pool.discard(actor)
