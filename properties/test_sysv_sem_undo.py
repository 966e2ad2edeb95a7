"""What must hold of SEM_UNDO: what a death gives back, and what it does not."""

import pytest

from harness.spec import Errno
from harness.testing import ASLEEP
from models.sysv_sem import (
    SEMVMX,
    Get,
    Getall,
    Remove,
    Sembuf,
    Semget,
    Semop,
    SemSetup,
    Setall,
    Setval,
    Stat,
)
from properties.scenarios import MakeScenario
from properties.sysv_sem import SYSV_SEM, one, steps

A, B, C, D = range(4)
EAGAIN, ERANGE = Errno("EAGAIN"), Errno("ERANGE")
TAKE, GIVE, ZERO = (Semop(one(0, change)) for change in (-1, 1, 0))
TAKE_UNDO, GIVE_UNDO = (Semop(one(0, change, undo=True)) for change in (-1, 1))
TRY = Semop(one(0, -1, nowait=True))


def test_a_stopped_holder_releases_nothing_until_it_dies(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, TAKE_UNDO) is None
    run.stop(A)
    assert run.call(B, TAKE) is ASLEEP
    run.kill(A)
    assert run.answer(B) is None


def test_units_of_the_dead_stay_taken_without_undo(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, TAKE) is None
    run.kill(A)
    assert run.call(B, TRY) == EAGAIN


@pytest.mark.parametrize(("op", "left"), [(TAKE, (0,)), (TAKE_UNDO, (1,))])
def test_what_a_sleeper_was_given_before_it_was_killed_is_lost_without_undo(
    scenario: MakeScenario, op: Semop, left: tuple[int]
) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, op) is ASLEEP
    assert run.call_then_kill(B, GIVE, A) is None
    assert run.call(B, Getall()) == left


def test_an_undo_wakes_a_waiter_for_zero(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=3)
    assert run.call(A, GIVE_UNDO) is None
    assert run.call(B, ZERO) is ASLEEP
    run.kill(A)
    assert run.answer(B) is None


def test_an_undo_lets_a_sleeping_array_go_on(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 1)), actors=3)
    assert run.call(A, TAKE_UNDO) is None
    assert run.call(B, Semop(steps((0, -1), (1, -1)))) is ASLEEP
    run.kill(A)
    assert run.answer(B) is None


def test_undo_is_for_the_set_not_for_its_key(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, TAKE_UNDO) is None
    assert run.call(B, Remove()) is None
    assert run.call(B, Semget(1, create=True)) is False
    run.kill(A)
    assert run.call(B, Getall()) == (0,)


def test_the_dead_are_named_by_getpid_for_their_undo(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=3)
    assert run.call(A, TAKE_UNDO) is None
    assert run.call(B, GIVE) is None
    run.kill(A)
    assert run.call(B, Get("GETPID")) == A
    assert run.call(B, Get("GETPID", 1)) == run.keeper


def test_a_failed_array_with_undo_shows_in_sem_otime_after_a_death(
    scenario: MakeScenario,
) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, Semop(one(0, -1, nowait=True, undo=True))) == EAGAIN
    assert run.call(B, Stat()) == (1, False)
    run.kill(A)
    assert run.call(B, Stat()) == (1, True)


def test_only_the_steps_with_sem_undo_are_undone(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 1)))
    assert run.call(A, Semop((Sembuf(0, -1), Sembuf(1, -1, undo=True)))) is None
    run.kill(A)
    assert run.call(B, Getall()) == (0, 1)


def test_an_undo_stops_at_0(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, GIVE_UNDO) is None
    assert run.call(A, GIVE_UNDO) is None
    assert run.call(B, TAKE) is None
    run.kill(A)
    assert run.call(B, Getall()) == (0,)


def test_an_undo_stops_at_semvmx(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((SEMVMX,)))
    assert run.call(A, TAKE_UNDO) is None
    assert run.call(A, TAKE_UNDO) is None
    assert run.call(B, GIVE) is None
    run.kill(A)
    assert run.call(B, Getall()) == (SEMVMX,)


def test_what_would_be_given_back_has_at_most_semvmx(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((SEMVMX,)))
    assert run.call(A, Semop(one(0, -SEMVMX, undo=True))) is None
    assert run.call(B, GIVE) is None
    assert run.call(A, TAKE_UNDO) == ERANGE
    assert run.call(A, TAKE) is None
    run.kill(A)
    assert run.call(B, Getall()) == (SEMVMX,)


def test_what_would_be_taken_back_has_at_most_one_more(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, Semop(one(0, SEMVMX, undo=True))) is None
    assert run.call(B, Semop(one(0, -SEMVMX))) is None
    assert run.call(A, GIVE_UNDO) is None
    assert run.call(A, GIVE_UNDO) == ERANGE
    assert run.call(B, Getall()) == (1,)


@pytest.mark.parametrize(("op", "left"), [(Setval(0, 5), (5, 1)), (Setall((5, 5)), (5, 5))])
def test_setval_clears_the_undo_of_a_semaphore_and_setall_that_of_all(
    scenario: MakeScenario, op: Setval | Setall, left: tuple[int, int]
) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 1)))
    assert run.call(A, Semop(steps((0, -1), (1, -1), undo=True))) is None
    assert run.call(B, op) is None
    run.kill(A)
    assert run.call(B, Getall()) == left
