"""Who of the sleepers is served, and when, by the model of semaphore sets."""

from harness.spec import Errno
from models.sysv_sem import Semop, Setall, Setval
from properties.sysv_sem import one
from tests.model_alone import ASLEEP
from tests.sysv_sem_alone import KEEPER, A, B, C, Sems

EAGAIN = Errno("EAGAIN")


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


def test_setval_and_setall_serve_sleepers() -> None:
    sems = Sems(0, 0)
    sems.take(A, 0)
    sems.take(B, 1)
    sems.call(C, Setval(0, 1))
    sems.call(C, Setall((0, 1)))
    assert [sems.answer(A), sems.answer(B)] == [None, None]


def test_the_dead_do_not_stand_in_line() -> None:
    sems = Sems(0)
    sems.take(A)
    sems.take(B)
    sems.dies(A)
    sems.give(C)
    assert sems.answer(B) is None
