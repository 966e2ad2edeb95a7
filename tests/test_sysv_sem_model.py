"""The model of System V semaphore sets, in sentences: each test is one behaviour."""

from typing import Any

import pytest

from harness.spec import Errno, Op, Process, Reply
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
    SysvSem,
)
from properties.sysv_sem import one, steps
from tests.model_alone import ASLEEP, ModelAlone

A, B, C, KEEPER = range(4)
EAGAIN, EIDRM, EINTR, EINVAL = map(Errno, ("EAGAIN", "EIDRM", "EINTR", "EINVAL"))
ERANGE = Errno("ERANGE")


class Sems(ModelAlone):
    """A set in the hands of three processes and a keeper."""

    def __init__(self, *values: int, setup: SemSetup | None = None) -> None:
        super().__init__(SysvSem(setup or SemSetup(values), 4))

    def call(self, who: Process, op: Op) -> Any:
        return self.processes[who].calls(op)

    def answer(self, who: Process) -> Any:
        return self.processes[who].answer

    def dies(self, who: Process) -> None:
        self.processes[who].is_killed()

    def take(self, who: Process, sem: int = 0, by: int = 1, undo: bool = False) -> Any:
        return self.call(who, Semop(one(sem, -by, undo=undo)))

    def give(self, who: Process, sem: int = 0, by: int = 1, undo: bool = False) -> Any:
        return self.call(who, Semop(one(sem, by, undo=undo)))

    def zero(self, who: Process, sem: int = 0) -> Any:
        return self.call(who, Semop(one(sem, 0)))

    def array(self, who: Process, *changes: tuple[int, int]) -> Any:
        return self.call(who, Semop(steps(*changes)))

    def values(self) -> Any:
        return self.call(KEEPER, Getall())

    def get(self, command: str, sem: int = 0) -> Any:
        return self.call(KEEPER, Get(command, sem))


def test_a_take_sleeps_until_the_value_is_large_enough() -> None:
    sems = Sems(1)
    assert sems.take(A, by=2) is ASLEEP
    assert sems.give(B) is None
    assert sems.answer(A) is None
    assert sems.values() == (0,)


def test_a_wait_for_zero_sleeps_until_the_value_is_zero() -> None:
    sems = Sems(1)
    assert sems.zero(A) is ASLEEP
    assert sems.take(B) is None
    assert sems.answer(A) is None


def test_an_array_that_cannot_be_done_as_a_whole_does_nothing_and_reserves_nothing() -> None:
    sems = Sems(1, 0)
    assert sems.array(A, (0, -1), (1, -1)) is ASLEEP
    assert sems.values() == (1, 0)
    assert sems.take(B) is None
    assert sems.give(B, 1) is None
    assert sems.answer(A) is ASLEEP


def test_the_steps_of_an_array_are_taken_in_their_order() -> None:
    sems = Sems(0)
    assert sems.array(A, (0, 1), (0, -1)) is None
    assert sems.array(A, (0, -1), (0, 1)) is ASLEEP


def test_a_value_may_pass_zero_inside_an_array_unseen() -> None:
    sems = Sems(1)
    assert sems.zero(A) is ASLEEP
    assert sems.array(B, (0, -1), (0, 1)) is None
    assert sems.answer(A) is ASLEEP


def test_wait_for_zero_and_raise_in_one_array_is_a_lock() -> None:
    sems = Sems(0)
    assert sems.array(A, (0, 0), (0, 1)) is None
    assert sems.array(B, (0, 0), (0, 1)) is ASLEEP
    assert sems.array(C, (0, 0), (0, 1)) is ASLEEP
    assert sems.take(A) is None
    assert sems.answer(B) is None
    assert sems.answer(C) is ASLEEP


def test_nowait_counts_at_the_step_that_blocks() -> None:
    array = (Sembuf(0, -1), Sembuf(1, -1, nowait=True))
    assert Sems(1, 0).call(A, Semop(array)) == EAGAIN
    assert Sems(0, 0).call(A, Semop(array)) is ASLEEP


def test_a_sleeper_that_comes_to_a_nowait_step_fails() -> None:
    sems = Sems(0, 0)
    sems.call(A, Semop((Sembuf(0, -1), Sembuf(1, -1, nowait=True))))
    assert sems.give(B) is None
    assert sems.answer(A) == EAGAIN
    assert sems.values() == (1, 0)


def test_a_sleeper_whose_result_is_out_of_range_fails() -> None:
    sems = Sems(32767, 0)
    assert sems.array(A, (1, -1), (0, 1)) is ASLEEP
    assert sems.give(B, 1) is None
    assert sems.answer(A) == ERANGE
    assert sems.values() == (32767, 1)


def test_a_small_sleeper_passes_an_earlier_big_one() -> None:
    sems = Sems(0)
    sems.take(A, by=2)
    sems.take(B)
    sems.give(C)
    assert sems.answer(B) is None
    assert sems.rules[-1] == "served-before-an-earlier"
    assert sems.answer(A) is ASLEEP


def test_equal_sleepers_are_served_first_come_first_served() -> None:
    sems = Sems(0)
    sems.take(A)
    sems.take(B)
    sems.give(C)
    assert sems.answer(A) is None
    assert sems.answer(B) is ASLEEP


def test_one_raise_serves_several_sleepers() -> None:
    sems = Sems(0)
    sems.take(A)
    sems.take(B)
    sems.give(C, by=2)
    assert [sems.answer(A), sems.answer(B)] == [None, None]


def test_a_raise_is_gone_before_a_newcomer_can_try() -> None:
    sems = Sems(0)
    sems.take(A)
    sems.give(B)
    assert sems.call(C, Semop(one(0, -1, nowait=True))) == EAGAIN


def test_a_chain_is_resolved_in_one_step() -> None:
    sems = Sems(0, 0)
    sems.array(B, (0, -1), (1, 1))
    sems.take(A, 1)
    sems.give(C)
    assert [sems.answer(A), sems.answer(B)] == [None, None]
    assert sems.rules[-2:] == ["served-take-by-sleeper", "served-array-by-semop"]
    assert sems.values() == (0, 0)


def test_waiters_for_zero_go_before_those_in_line() -> None:
    sems = Sems(1, 0)
    sems.array(A, (1, -1), (0, 1))
    sems.zero(B)
    sems.call(C, Setall((0, 1)))
    assert [sems.answer(A), sems.answer(B)] == [None, None]
    assert sems.get("GETPID") == A


def test_long_arrays_put_the_lines_together_by_falling_semaphore() -> None:
    sems = Sems(0, 0)
    sems.take(A, 0)
    sems.take(B, 1)
    sems.array(C, (0, -1), (1, -1))
    assert [sleeper.who for sleeper in sems.state.line] == [B, A, C]


def test_while_a_long_array_sleeps_newcomers_stand_behind_it() -> None:
    sems = Sems(0, 0)
    sems.array(A, (0, -1), (1, -1))
    sems.take(B, 1)
    sems.call(KEEPER, Setall((1, 1)))
    assert sems.answer(A) is None
    assert sems.answer(B) is ASLEEP


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


def test_setval_and_setall_serve_sleepers() -> None:
    sems = Sems(0, 0)
    sems.take(A, 0)
    sems.take(B, 1)
    sems.call(C, Setval(0, 1))
    sems.call(C, Setall((0, 1)))
    assert [sems.answer(A), sems.answer(B)] == [None, None]


def test_an_array_counts_only_at_the_step_that_blocked_it() -> None:
    sems = Sems(0, 0)
    sems.array(A, (0, -1), (1, -1))
    assert [sems.get("GETNCNT", 0), sems.get("GETNCNT", 1)] == [1, 0]
    sems.give(B, 0)
    assert [sems.get("GETNCNT", 0), sems.get("GETNCNT", 1)] == [0, 1]


def test_waits_for_zero_are_counted_where_they_were_last_tried() -> None:
    sems = Sems(1, 1)
    sems.array(A, (0, 0), (1, 0))
    sems.take(B, 0)
    assert [sems.get("GETZCNT", 0), sems.get("GETZCNT", 1)] == [0, 1]
    sems.give(B, 0)
    assert [sems.get("GETZCNT", 0), sems.get("GETZCNT", 1)] == [0, 1]


def test_getpid_names_the_last_who_took_a_step_there() -> None:
    sems = Sems(0, 0)
    assert sems.get("GETPID") is None
    sems.give(A, undo=True)
    sems.take(B)
    assert sems.get("GETPID") == B
    sems.zero(C)
    assert sems.get("GETPID") == C
    sems.dies(A)
    assert [sems.get("GETPID", 0), sems.get("GETPID", 1)] == [A, None]


def test_a_sleeper_served_is_the_last_there_not_its_waker() -> None:
    sems = Sems(0)
    sems.take(A)
    sems.give(B)
    assert sems.get("GETPID") == A


def test_removal_ends_every_sleep_with_eidrm_and_later_calls_with_einval() -> None:
    sems = Sems(1, 0)
    sems.take(A, 1)
    sems.zero(B, 0)
    assert sems.call(C, Remove()) is None
    assert [sems.answer(A), sems.answer(B)] == [EIDRM, EIDRM]
    assert [sems.take(A), sems.values()] == [EINVAL, EINVAL]


def test_a_set_made_again_is_another_one() -> None:
    sems = Sems(1, 0)
    sems.take(A, undo=True)
    sems.call(B, Remove())
    assert sems.call(B, Semget(1)) == Errno("ENOENT")
    assert sems.call(B, Semget(1, create=True)) is False
    sems.dies(A)
    assert sems.call(B, Getall()) == (0,)
    assert sems.call(C, Getall()) == EINVAL
    assert sems.call(C, Semget(0)) is False
    assert sems.call(C, Semget(0)) is True


def test_sem_otime_is_set_by_semop_and_by_a_death_not_by_setval() -> None:
    sems = Sems(0)
    sems.call(B, Setval(0, 0))
    assert sems.call(B, Stat()) == (1, False)
    assert sems.call(A, Semop(one(0, -1, nowait=True, undo=True))) == EAGAIN
    assert sems.call(B, Stat()) == (1, False)
    sems.dies(A)
    assert sems.call(B, Stat()) == (1, True)


def test_a_timed_sleeper_that_gives_up_leaves_the_line() -> None:
    sems = Sems(0)
    assert sems.call(A, Semtimedop(one(0, -1), seconds=1)) is ASLEEP
    assert sems.processes[A].runs_out_of_time() == EAGAIN
    assert sems.get("GETNCNT") == 0
    sems.give(B)
    assert sems.values() == (1,)


def test_a_timeout_of_zero_is_a_try() -> None:
    assert Sems(0).call(A, Semtimedop(one(0, -1))) == EAGAIN
    assert Sems(1).call(A, Semtimedop(one(0, -1))) is None


@pytest.mark.parametrize("restart", [True, False])
def test_a_signal_ends_a_sleep_with_eintr_even_with_sa_restart(restart: bool) -> None:
    sems = Sems(0)
    sems.take(A)
    assert sems.processes[A].gets_a_signal(restart=restart) == EINTR
    assert sems.get("GETNCNT") == 0


def test_a_stop_ends_a_sleep_with_eintr() -> None:
    sems = Sems(0)
    sems.take(A)
    sems.processes[A].is_stopped()
    assert sems.get("GETNCNT") == 0
    sems.processes[A].goes_on()
    assert sems.answer(A) == EINTR


@pytest.mark.parametrize("undo", [True, False])
def test_what_a_sleeper_was_given_before_it_is_killed_is_lost_without_undo(undo: bool) -> None:
    sems = Sems(0)
    sems.take(A, undo=undo)
    sems.processes[B].calls_before_others_go_on(Semop(one(0, 1)))
    sems.dies(A)
    assert sems.values() == (1 if undo else 0,)


def test_the_dead_do_not_stand_in_line() -> None:
    sems = Sems(0)
    sems.take(A)
    sems.take(B)
    sems.dies(A)
    sems.give(C)
    assert sems.answer(B) is None


def test_undo_amounts_have_a_range_of_their_own() -> None:
    sems = Sems(32767)
    assert sems.take(A, by=32767, undo=True) is None
    assert sems.give(B, by=1) is None
    assert sems.take(A, undo=True) == ERANGE
    assert sems.rules[-1] == "undo-erange"
    assert sems.values() == (1,)


@pytest.mark.parametrize(
    ("op", "reply"),
    [
        (Semop(()), EINVAL),
        (Semop(one(2, -1)), Errno("EFBIG")),
        (Semop(steps((0, 1), (1, 32767), (1, 1))), ERANGE),
        (Semtimedop(one(0, 1), nanoseconds=1_000_000_000), EINVAL),
        (Semtimedop(one(0, 1), seconds=-1), EINVAL),
        (Setval(0, 32768), ERANGE),
        (Setval(9, -1), ERANGE),
        (Setval(2, 1), EINVAL),
        (Setall((1, 32768)), ERANGE),
        (Get("GETVAL", 2), EINVAL),
        (Get("none", 0), EINVAL),
        (Semget(3), EINVAL),
        (Semget(-1), EINVAL),
        (Semget(2, create=True, exclusive=True), Errno("EEXIST")),
    ],
)
def test_bad_calls_fail_and_change_nothing(op: Op, reply: Reply) -> None:
    sems = Sems(0, 0)
    assert sems.call(A, op) == reply
    assert sems.values() == (0, 0)


def test_lowered_limits_are_kept() -> None:
    setup = SemSetup((0,), semmsl=3, semmns=2, semopm=2)
    sems = Sems(setup=setup)
    assert sems.array(A, (0, 1), (0, 1), (0, 1)) == Errno("E2BIG")
    assert sems.call(A, Semget(4)) == EINVAL
    sems.call(A, Remove())
    assert sems.call(A, Semget(3, create=True)) == Errno("ENOSPC")
    assert sems.call(A, Semget(0, create=True)) == EINVAL
