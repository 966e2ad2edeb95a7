"""SEM_UNDO: what the model does at the death of those that took or gave with it."""

import pytest

from harness.spec import Errno
from models.sysv_sem import Semop, Setall, Setval
from properties.sysv_sem import one
from tests.sysv_sem_alone import A, B, C, Sems

ERANGE = Errno("ERANGE")


def test_undo_at_death_adds_up_and_counts_only_steps_that_have_it() -> None:
    sems = Sems(5)
    sems.take(A, by=2, undo=True)
    sems.take(A, by=1)
    sems.give(A, by=1, undo=True)
    sems.dies(A)
    assert sems.values() == (4,)


def test_undo_serves_sleepers() -> None:
    sems = Sems(1)
    sems.take(A, undo=True)
    sems.take(B)
    sems.dies(A)
    assert sems.answer(B) is None
    assert sems.rules[-1] == "served-take-by-death"


def test_undo_of_a_raise_wakes_a_waiter_for_zero() -> None:
    sems = Sems(0)
    sems.give(A, undo=True)
    sems.zero(B)
    sems.dies(A)
    assert sems.answer(B) is None


def test_undo_below_0_sets_the_value_to_0() -> None:
    sems = Sems(0)
    sems.give(A, by=2, undo=True)
    sems.take(B)
    sems.dies(A)
    assert sems.rules[-1] == "exit-undo-clamped-to-0"
    assert sems.values() == (0,)


def test_undo_over_32767_sets_the_value_to_32767() -> None:
    sems = Sems(32767)
    sems.take(A, by=2, undo=True)
    sems.give(B)
    sems.dies(A)
    assert sems.rules[-1] == "exit-undo-clamped-to-semvmx"
    assert sems.values() == (32767,)


def test_undo_amounts_have_a_range_of_their_own() -> None:
    sems = Sems(32767)
    assert sems.take(A, by=32767, undo=True) is None
    assert sems.give(B, by=1) is None
    assert sems.take(A, undo=True) == ERANGE
    assert sems.rules[-1] == "undo-erange"
    assert sems.values() == (1,)


def test_setval_clears_the_undo_of_everybody_for_that_semaphore() -> None:
    sems = Sems(2, 2)
    for sem in (0, 1):
        sems.take(A, sem, undo=True)
        sems.take(B, sem, undo=True)
    sems.call(C, Setval(0, 0))
    sems.dies(A)
    sems.dies(B)
    assert sems.values() == (0, 2)


def test_setall_clears_the_undo_of_everybody() -> None:
    sems = Sems(2, 2)
    sems.take(A, 0, undo=True)
    sems.take(B, 1, undo=True)
    sems.call(C, Setall((0, 0)))
    sems.dies(A)
    sems.dies(B)
    assert sems.values() == (0, 0)


@pytest.mark.parametrize("undo", [True, False])
def test_what_a_sleeper_was_given_before_it_is_killed_is_lost_without_undo(undo: bool) -> None:
    sems = Sems(0)
    sems.take(A, undo=undo)
    sems.processes[B].calls_before_others_go_on(Semop(one(0, 1)))
    sems.dies(A)
    assert sems.values() == (1 if undo else 0,)
