"""The steps of one array, which the model takes all or none."""

from harness.spec import Errno
from models.sysv_sem import Sembuf, Semop
from tests.model_alone import ASLEEP
from tests.sysv_sem_alone import A, B, C, Sems

EAGAIN, ERANGE = map(Errno, ("EAGAIN", "ERANGE"))


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
