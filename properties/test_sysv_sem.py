"""What must hold of System V semaphore sets."""

from collections.abc import Callable

import pytest

from harness.spec import Errno
from harness.testing import ASLEEP, conformance
from models.sysv_sem import (
    Get,
    Getall,
    Remove,
    Sembuf,
    Semget,
    Semop,
    SemSetup,
    Semtimedop,
    Setall,
    Setval,
    Stat,
)
from properties.kernel import sysv_sem_cases
from properties.scenarios import InSandbox, MakeScenario, in_vain
from properties.sysv_sem import SYSV_SEM, one, steps

A, B, C, D = range(4)
EAGAIN, EIDRM, EINTR, EINVAL = map(Errno, ("EAGAIN", "EIDRM", "EINTR", "EINVAL"))
TAKE, GIVE, ZERO = (Semop(one(0, change)) for change in (-1, 1, 0))
TAKE_2, GIVE_2 = (Semop(one(0, change)) for change in (-2, 2))
TAKE_UNDO, GIVE_UNDO = (Semop(one(0, change, undo=True)) for change in (-1, 1))
TRY = Semop(one(0, -1, nowait=True))
LOCK = Semop(steps((0, 0), (0, 1)))

test_sysv_sem_follows_its_model = conformance(SYSV_SEM)


def test_a_new_set_holds_zeros_and_keeps_its_id(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0, 0)))
    assert run.call(A, Semget(3)) is True
    assert run.call(A, Getall()) == (0, 0, 0)


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


def test_setval_and_setall_wake_sleepers(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0)), actors=3)
    assert run.call(A, TAKE) is ASLEEP
    assert run.call(B, Semop(one(1, -1))) is ASLEEP
    assert run.call(C, Setval(0, 1)) is None
    assert run.answer(A) is None
    assert run.call(C, Setall((0, 1))) is None
    assert run.answer(B) is None


def test_an_array_counts_where_it_is_blocked(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0)), actors=3)
    assert run.call(A, Semop(steps((0, -1), (1, -1)))) is ASLEEP
    assert [run.call(B, Get("GETNCNT", sem)) for sem in (0, 1)] == [1, 0]
    assert run.call(B, GIVE) is None
    assert [run.call(B, Get("GETNCNT", sem)) for sem in (0, 1)] == [0, 1]


def test_waits_for_zero_count_where_they_were_last_tried(scenario: MakeScenario) -> None:
    """Raised again, semaphore 0 blocks first, but nobody has tried A's array since."""
    run = scenario(SYSV_SEM, SemSetup((1, 1)))
    assert run.call(A, Semop(steps((0, 0), (1, 0)))) is ASLEEP
    assert run.call(B, TAKE) is None
    assert run.call(B, GIVE) is None
    assert [run.call(B, Get("GETZCNT", sem)) for sem in (0, 1)] == [0, 1]


def test_getpid_names_the_last_there_waits_for_zero_included(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, Get("GETPID")) is None
    assert run.call(A, GIVE) is None
    assert run.call(B, TAKE) is None
    assert run.call(A, Get("GETPID")) == B
    assert run.call(A, ZERO) is None
    assert run.call(B, Get("GETPID")) == A


def test_the_dead_are_named_by_getpid_for_their_undo(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=3)
    assert run.call(A, TAKE_UNDO) is None
    assert run.call(B, GIVE) is None
    run.kill(A)
    assert run.call(B, Get("GETPID")) == A
    assert run.call(B, Get("GETPID", 1)) == run.keeper


def test_removal_wakes_all_with_eidrm_and_latecomers_get_einval(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=4)
    assert run.call(A, ZERO) is ASLEEP
    assert run.call(B, Semop(one(1, -1))) is ASLEEP
    assert run.call(C, Semop(steps((0, -1), (1, -1)))) is ASLEEP
    assert run.call(D, Remove()) is None
    assert [run.answer(who) for who in (A, B, C)] == [EIDRM, EIDRM, EIDRM]
    assert run.call(A, TAKE) == EINVAL
    assert run.call(B, Getall()) == EINVAL


def test_undo_is_for_the_set_not_for_its_key(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, TAKE_UNDO) is None
    assert run.call(B, Remove()) is None
    assert run.call(B, Semget(1, create=True)) is False
    run.kill(A)
    assert run.call(B, Getall()) == (0,)


def test_an_undo_wakes_a_waiter_for_zero(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=3)
    assert run.call(A, GIVE_UNDO) is None
    assert run.call(B, ZERO) is ASLEEP
    run.kill(A)
    assert run.answer(B) is None


@pytest.mark.parametrize(("op", "left"), [(TAKE, (0,)), (TAKE_UNDO, (1,))])
def test_what_a_sleeper_was_given_before_it_was_killed_is_lost_without_undo(
    scenario: MakeScenario, op: Semop, left: tuple[int]
) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, op) is ASLEEP
    assert run.call_then_kill(B, GIVE, A) is None
    assert run.call(B, Getall()) == left


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


def test_values_outlive_every_process_that_used_them(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)), actors=2)
    assert run.call(A, GIVE_2) is None
    run.kill(A)
    run.kill(B)
    assert run.call(run.keeper, Getall()) == (2,)


def test_sem_otime_shows_that_a_set_was_made_but_not_used_yet(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, Setval(0, 1)) is None
    assert run.call(A, Stat()) == (1, False)
    assert run.call(A, TAKE) is None
    assert run.call(A, Stat()) == (1, True)


def test_a_failed_array_with_undo_shows_in_sem_otime_after_a_death(
    scenario: MakeScenario,
) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,)))
    assert run.call(A, Semop(one(0, -1, nowait=True, undo=True))) == EAGAIN
    assert run.call(B, Stat()) == (1, False)
    run.kill(A)
    assert run.call(B, Stat()) == (1, True)


CASES = [
    sysv_sem_cases.normal_exit_undoes,
    sysv_sem_cases.a_zombie_holds_no_undo,
    sysv_sem_cases.undo_survives_execve,
    sysv_sem_cases.threads_share_one_undo_list,
    sysv_sem_cases.the_undo_of_a_process_waits_for_its_last_thread,
    sysv_sem_cases.unshare_applies_the_undo_at_once,
    sysv_sem_cases.a_forked_child_inherits_no_undo,
    sysv_sem_cases.an_orphan_keeps_its_undo,
    sysv_sem_cases.a_kill_by_the_cpu_limit_undoes,
    sysv_sem_cases.bad_pointers_fail_with_efault,
    sysv_sem_cases.beyond_the_limit_of_sets_there_is_no_space,
    sysv_sem_cases.the_owner_needs_permission,
    sysv_sem_cases.another_user_needs_permission,
    sysv_sem_cases.a_death_undoes_set_by_set_and_each_set_as_a_whole,
    sysv_sem_cases.a_death_undoes_before_it_closes_descriptors,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_in_the_sandbox(in_sandbox: InSandbox, case: Callable[[], None]) -> None:
    in_sandbox(case)
