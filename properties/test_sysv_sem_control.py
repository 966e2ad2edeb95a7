"""What must hold of System V semaphore sets beside semop: semget and semctl."""

from harness.spec import Errno
from harness.testing import ASLEEP
from models.sysv_sem import (
    SEMVMX,
    Get,
    Getall,
    Remove,
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
EIDRM, EINVAL, ENOSPC, ERANGE = map(Errno, ("EIDRM", "EINVAL", "ENOSPC", "ERANGE"))
TAKE, GIVE, ZERO = (Semop(one(0, change)) for change in (-1, 1, 0))
GIVE_2 = Semop(one(0, 2))


def test_a_new_set_holds_zeros_and_keeps_its_id(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0, 0)))
    assert run.call(A, Semget(3)) is True
    assert run.call(A, Getall()) == (0, 0, 0)


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


def test_removal_wakes_all_with_eidrm_and_latecomers_get_einval(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 0)), actors=4)
    assert run.call(A, ZERO) is ASLEEP
    assert run.call(B, Semop(one(1, -1))) is ASLEEP
    assert run.call(C, Semop(steps((0, -1), (1, -1)))) is ASLEEP
    assert run.call(D, Remove()) is None
    assert [run.answer(who) for who in (A, B, C)] == [EIDRM, EIDRM, EIDRM]
    assert run.call(A, TAKE) == EINVAL
    assert run.call(B, Getall()) == EINVAL


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


def test_semget_asks_for_no_more_semaphores_than_the_set_has(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0)))
    assert [run.call(A, Semget(sems)) for sems in (0, 1, 2)] == [True, True, True]
    assert run.call(A, Semget(3)) == EINVAL
    assert run.call(A, Semget(3, create=True)) == EINVAL


def test_a_set_is_found_by_its_key_or_made(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1,)))
    assert run.call(A, Semget(1, create=True, exclusive=True)) == Errno("EEXIST")
    assert run.call(A, Semget(-1)) == EINVAL
    assert run.call(A, Remove()) is None
    assert run.call(A, Semget(1)) == Errno("ENOENT")
    assert run.call(A, Semget(0, create=True)) == EINVAL
    assert run.call(A, Semget(1, create=True, exclusive=True)) is False


def test_beyond_semmns_there_is_no_space(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0,), semmns=2))
    assert run.call(A, Remove()) is None
    assert run.call(A, Semget(3, create=True)) == ENOSPC
    assert run.call(A, Semget(2, create=True)) is False


def test_values_go_from_0_to_semvmx(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((1, 1)))
    for value in (-1, SEMVMX + 1):
        assert run.call(A, Setval(0, value)) == ERANGE
    assert run.call(A, Setall((2, SEMVMX + 1))) == ERANGE
    assert run.call(A, Getall()) == (1, 1)
    assert run.call(A, Setall((0, SEMVMX))) is None
    assert run.call(A, Setval(0, SEMVMX)) is None
    assert run.call(A, Get("GETVAL")) == SEMVMX


def test_what_semctl_does_not_know_fails_with_einval(scenario: MakeScenario) -> None:
    run = scenario(SYSV_SEM, SemSetup((0, 0)))
    for sem in (-1, 2):
        assert run.call(A, Get("GETVAL", sem)) == EINVAL
        assert run.call(A, Setval(sem, 1)) == EINVAL
    assert run.call(A, Get("no such command")) == EINVAL
