"""What semctl and semget tell, change and refuse, by the model of semaphore sets."""

import pytest

from harness.spec import Errno, Op, Reply
from models.sysv_sem import (
    Get,
    Getall,
    Remove,
    Semget,
    Semop,
    SemSetup,
    Semtimedop,
    Setall,
    Setval,
    Stat,
)
from properties.sysv_sem import one, steps
from tests.sysv_sem_alone import A, B, C, Sems

EAGAIN, EIDRM, EINVAL, ERANGE = map(Errno, ("EAGAIN", "EIDRM", "EINVAL", "ERANGE"))


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


def test_sem_otime_is_set_by_semop_and_by_a_death_not_by_setval() -> None:
    sems = Sems(0)
    sems.call(B, Setval(0, 0))
    assert sems.call(B, Stat()) == (1, False)
    assert sems.call(A, Semop(one(0, -1, nowait=True, undo=True))) == EAGAIN
    assert sems.call(B, Stat()) == (1, False)
    sems.dies(A)
    assert sems.call(B, Stat()) == (1, True)


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
