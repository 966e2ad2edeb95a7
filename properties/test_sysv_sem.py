"""What must hold of System V semaphore sets: random programs, and literal examples of who goes on
and who sleeps."""

import pytest

from harness.spec import Errno
from harness.testing import ASLEEP, conformance
from models.sysv_sem import (
    SEMVMX,
    Get,
    Getall,
    Sembuf,
    Semop,
    SemSetup,
    Semtimedop,
    Setall,
)
from properties.scenarios import MakeScenario, in_vain
from properties.sysv_sem import SYSV_SEM, one, steps

A, B, C, D = range(4)
EAGAIN, EINTR, EINVAL, ERANGE = map(Errno, ("EAGAIN", "EINTR", "EINVAL", "ERANGE"))
TAKE, GIVE, ZERO = (Semop(one(0, change)) for change in (-1, 1, 0))
TAKE_2, GIVE_2 = (Semop(one(0, change)) for change in (-2, 2))
GIVE_UNDO = Semop(one(0, 1, undo=True))
TRY = Semop(one(0, -1, nowait=True))
LOCK = Semop(steps((0, 0), (0, 1)))

test_sysv_sem_follows_its_model = conformance(SYSV_SEM)


def test_a_sleeping_array_reserves_nothing(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 0)))
    assert run.call(A, Semop(steps((0, -1), (1, -1)))) is ASLEEP
    assert run.call(B, TAKE) is None
    assert run.call(B, Semop(one(1, 1))) is None
    assert run.asleep(A)


def test_wait_for_zero_and_raise_is_a_lock_that_lets_one_in(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=3)
    assert run.call(A, LOCK) is None
    assert run.call(B, LOCK) is ASLEEP
    assert run.call(C, LOCK) is ASLEEP
    assert run.call(A, TAKE) is None
    assert run.answer(B) is None
    assert run.asleep(C)


def test_a_value_that_passes_0_inside_an_array_wakes_nobody(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, ZERO) is ASLEEP
    assert run.call(B, Semop(steps((0, -1), (0, 1)))) is None
    assert run.asleep(A)


def test_a_wait_for_zero_goes_on_when_a_take_leaves_0(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, ZERO) is ASLEEP
    assert run.call(B, TAKE) is None
    assert run.answer(A) is None


@pytest.mark.parametrize("op", [GIVE, GIVE_UNDO, Semop(steps((1, 1), (0, 1)))])
def test_a_value_over_semvmx_fails_with_erange_and_changes_nothing(
    scenario: MakeScenario, op: Semop
) -> None:
    run = scenario(SYSV_SEM, SemSetup((SEMVMX, 0)))
    assert run.call(A, op) == ERANGE
    assert run.call(A, Getall()) == (SEMVMX, 0)


@pytest.mark.parametrize("undo", [False, True])
def test_waits_for_zero_go_on_where_all_values_are_0(scenario: MakeScenario, undo: bool) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 1)))
    both = Semop(steps((0, 0), (1, 0), undo=undo))
    assert run.call(A, Semop(one(0, 0, undo=undo))) is None
    assert run.call(B, Semop(one(1, -1))) is None
    assert run.call(A, both) is None
    assert run.call(B, Semop(one(1, 1))) is None
    assert run.call(A, both) is ASLEEP


def test_an_array_has_1_to_semopm_steps_on_semaphores_of_the_set(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,), semopm=2))
    assert run.call(A, Semop(())) == EINVAL
    assert run.call(A, Semop(one(0, 0) * 2)) is None
    assert run.call(A, Semop(one(0, 0) * 3)) == Errno("E2BIG")
    assert run.call(A, Semop(one(1, 0))) == Errno("EFBIG")


def test_a_timeout_ends_with_eagain_and_changes_nothing(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 0)))
    both = Semtimedop(steps((0, -1), (1, -1)), nanoseconds=5_000_000)
    assert in_vain(run, A, both) == EAGAIN
    assert run.call(B, Getall()) == (1, 0)
    assert run.call(B, Get("GETNCNT", 1)) == 0


def test_a_timeout_of_zero_is_a_try_and_a_malformed_one_is_refused(
    scenario: MakeScenario,
) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, Semtimedop(one(0, -1))) is None
    assert run.call(A, Semtimedop(one(0, -1))) == EAGAIN
    for seconds, nanoseconds in ((0, 1_000_000_000), (0, -1), (-1, 0)):
        assert run.call(A, Semtimedop(one(0, 1), seconds, nanoseconds)) == EINVAL
    assert run.call(A, Getall()) == (0,)


def test_ipc_nowait_counts_at_the_step_that_cannot_go_ahead(scenario: MakeScenario) -> None:
    both = Semop((Sembuf(0, -1), Sembuf(1, -1, nowait=True)))
    run = scenario(SYSV_SEM, SemSetup((1, 0)))
    assert run.call(A, both) == EAGAIN
    assert run.call(A, TRY) is None
    assert run.call(A, TRY) == EAGAIN
    assert run.call(A, both) is ASLEEP


def test_a_small_sleeper_passes_an_earlier_big_one(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=3)
    assert run.call(A, TAKE_2) is ASLEEP
    assert run.call(B, TAKE) is ASLEEP
    assert run.call(C, GIVE) is None
    assert run.answer(B) is None
    assert run.asleep(A)


def test_equal_sleepers_are_served_first_come_first_served(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=4)
    for who in (C, A, B):
        assert run.call(who, TAKE) is ASLEEP
    for who in (C, A, B):
        assert run.call(D, GIVE) is None
        assert run.answer(who) is None


def test_a_signal_sends_a_sleeper_to_the_end_of_the_line(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=3)
    assert run.call(A, TAKE) is ASLEEP
    assert run.call(B, TAKE) is ASLEEP
    run.signal(A)
    assert run.answer(A) == EINTR
    assert run.call(A, TAKE) is ASLEEP
    assert run.call(C, GIVE) is None
    assert run.answer(B) is None


def test_one_raise_of_two_wakes_two(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=3)
    assert run.call(A, TAKE) is ASLEEP
    assert run.call(B, TAKE) is ASLEEP
    assert run.call(C, GIVE_2) is None
    assert [run.answer(A), run.answer(B)] == [None, None]


def test_a_raise_goes_to_a_sleeper_before_a_newcomer(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, TAKE) is ASLEEP
    assert run.call(B, GIVE) is None
    assert run.call(B, TRY) == EAGAIN


def test_a_chain_is_resolved_in_one_step(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0, 0)), actors=4)
    assert run.call(A, Semop(steps((0, -1), (1, 1)))) is ASLEEP
    assert run.call(B, Semop(steps((1, -1), (2, 1)))) is ASLEEP
    assert run.call(C, Semop(one(2, -1))) is ASLEEP
    assert run.call(D, GIVE) is None
    assert [run.answer(who) for who in (A, B, C)] == [None, None, None]
    assert run.call(D, Getall()) == (0, 0, 0)


def test_a_sleeper_fails_where_it_could_go_on_but_for_semvmx(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, SEMVMX)))
    assert run.call(A, Semop(steps((0, -1), (1, 1)))) is ASLEEP
    assert run.call(B, GIVE) is None
    assert run.answer(A) == ERANGE
    assert run.call(B, Getall()) == (1, SEMVMX)


def test_a_sleeper_that_goes_on_lets_a_wait_for_zero_go_on(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=3)
    assert run.call(A, Semop(steps((0, -1), (1, -1)))) is ASLEEP
    assert run.call(B, ZERO) is ASLEEP
    assert run.call(C, Semop(one(1, 1))) is None
    assert [run.answer(A), run.answer(B)] == [None, None]


def test_waiters_for_zero_go_before_the_line(scenario: MakeScenario) -> None:
    """A's array would leave semaphore 0 at 1, so B goes first, and A is the last there."""
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=3)
    assert run.call(A, Semop(steps((1, -1), (0, 1)))) is ASLEEP
    assert run.call(B, ZERO) is ASLEEP
    assert run.call(C, Setall((0, 1))) is None
    assert [run.answer(A), run.answer(B)] == [None, None]
    assert run.call(C, Get("GETPID", 0)) == A


def test_a_long_array_in_line_holds_its_place(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0)), actors=3)
    assert run.call(A, Semop(steps((0, -1), (1, -1)))) is ASLEEP
    assert run.call(B, TAKE) is ASLEEP
    assert run.call(C, Setall((1, 1))) is None
    assert run.answer(A) is None
    assert run.asleep(B)


def test_the_line_goes_on_from_its_front_after_every_success(scenario: MakeScenario) -> None:
    """B makes room for A, which stands before it, and for C, which stands behind."""
    run = scenario(SYSV_SEM, SemSetup((0, 0)), actors=4)
    assert run.call(A, Semop(one(1, -1))) is ASLEEP
    assert run.call(B, Semop(steps((0, -1), (1, 1)))) is ASLEEP
    assert run.call(C, Semop(steps((1, -1), (0, 0)))) is ASLEEP
    assert run.call(D, GIVE) is None
    assert [run.answer(A), run.answer(B)] == [None, None]
    assert run.asleep(C)


ZEROS_OR_FAIL = Semop((Sembuf(0, 0), Sembuf(1, 0, nowait=True)))
"""Fails if it is tried while semaphore 0 is 0 and semaphore 1 is not."""


def test_lines_are_put_together_by_falling_semaphore(scenario: MakeScenario) -> None:
    """A came first, but C's long array puts the line of semaphore 1 before that of 0: B makes 1
    a zero first."""
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=4)
    assert run.call(A, TAKE_2) is ASLEEP
    assert run.call(B, Semop(one(1, -1))) is ASLEEP
    assert run.call(C, ZEROS_OR_FAIL) is ASLEEP
    assert run.call(D, Semop(steps((0, 1), (1, 1)))) is None
    assert [run.answer(who) for who in (A, B, C)] == [None, None, None]


def test_behind_a_long_array_all_stand_in_the_order_of_their_coming(
    scenario: MakeScenario,
) -> None:
    """As above, but C was there first: A makes 0 a zero while 1 is none yet."""
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=4)
    assert run.call(C, ZEROS_OR_FAIL) is ASLEEP
    assert run.call(A, TAKE_2) is ASLEEP
    assert run.call(B, Semop(one(1, -1))) is ASLEEP
    assert run.call(D, Semop(steps((0, 1), (1, 1)))) is None
    assert [run.answer(who) for who in (A, B, C)] == [None, None, EAGAIN]


@pytest.mark.parametrize("op", [TAKE, Semtimedop(one(0, -1), seconds=60)])
def test_stop_and_continue_end_a_sleep_with_eintr(
    scenario: MakeScenario, op: Semop | Semtimedop
) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, op) is ASLEEP
    run.stop(A)
    assert run.call(B, Get("GETNCNT")) == 0
    run.resume(A)
    assert run.answer(A) == EINTR


def test_a_process_killed_in_its_sleep_stands_in_line_no_more(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=3)
    assert run.call(A, TAKE) is ASLEEP
    assert run.call(B, TAKE) is ASLEEP
    run.kill(A)
    assert run.call(C, Get("GETNCNT")) == 1
    assert run.call(C, GIVE) is None
    assert run.answer(B) is None


@pytest.mark.parametrize("restart", [False, True])
def test_any_handler_ends_a_sleep_with_eintr(scenario: MakeScenario, restart: bool) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, Semtimedop(one(0, -1), seconds=60)) is ASLEEP
    run.signal(A, restart)
    assert run.answer(A) == EINTR
