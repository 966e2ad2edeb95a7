"""What a call sleeps for, and what ends its sleep, by the model of semaphore sets."""

import pytest

from harness.spec import Errno
from models.sysv_sem import Semtimedop
from properties.sysv_sem import one
from tests.model_alone import ASLEEP
from tests.sysv_sem_alone import A, B, Sems

EAGAIN, EINTR = map(Errno, ("EAGAIN", "EINTR"))


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
