"""System V semaphore sets: the model paired with the kernel, and the calls worth drawing."""

from collections.abc import Mapping, Sequence
from functools import cache

from harness.mechanism import Mechanism
from harness.spec import Op, Process
from models.sysv_sem import (
    SEMVMX,
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
    State,
    Steps,
    SysvSem,
)
from properties.kernel.sysv_sem import SysvSemAdapter

SHORT = 10_000_000
"""Nanoseconds: a timeout that is waited for."""
LONG = 60
"""Seconds: a timeout that never runs out while a program runs."""

SETUPS = (
    SemSetup((0,)),
    SemSetup((1,)),
    SemSetup((0, 0)),
    SemSetup((1, 1)),
    SemSetup((1, 0, 2)),
    SemSetup((SEMVMX - 1,)),
    SemSetup((SEMVMX, 0)),
    SemSetup((1, 0), semmsl=3, semmns=2, semopm=3, semmni=1),
)


def one(sem: int, change: int, nowait: bool = False, undo: bool = False) -> Steps:
    """An array of one step."""
    return (Sembuf(sem, change, nowait, undo),)


def steps(*changes: tuple[int, int], undo: bool = False) -> Steps:
    """An array of (semaphore, change)."""
    return tuple(Sembuf(sem, change, undo=undo) for sem, change in changes)


def _singles(sem: int) -> list[Steps]:
    return [
        one(sem, -1),
        one(sem, 1),
        one(sem, 0),
        one(sem, -1, undo=True),
        one(sem, 1, undo=True),
        one(sem, -2),
        one(sem, 2),
        one(sem, -1, nowait=True),
        one(sem, 0, nowait=True),
    ]


def _extremes() -> list[Steps]:
    return [
        one(0, SEMVMX),
        one(0, -SEMVMX),
        one(0, SEMVMX, undo=True),
        one(0, -SEMVMX, undo=True),
    ]


def _arrays(sem: int, other: int) -> list[Steps]:
    """Arrays over two semaphores, which may be one and the same."""
    return [
        steps((sem, -1), (other, -1)),
        steps((sem, 0), (sem, 1), undo=True),
        steps((sem, -1), (other, 1)),
        steps((other, -1), (sem, 1)),
        steps((sem, 1), (other, -1)),
        steps((sem, 0), (other, 0)),
        steps((other, 0), (sem, -1)),
        steps((sem, -1), (other, -1), undo=True),
        steps((sem, 1), (other, 1)),
        (Sembuf(sem, -1), Sembuf(other, -1, nowait=True)),
        (Sembuf(sem, 0), Sembuf(other, 0, nowait=True)),
        (Sembuf(sem, -1), Sembuf(other, -1, undo=True)),
        steps((sem, 0), (sem, 0), undo=True),
        steps((sem, 1), (other, -1), (sem, -1)),
        steps((sem, 1), (sem, -1), (sem, 1), (sem, -1)),
    ]


def _control(size: int) -> list[Op]:
    sems = range(size)
    return [
        *[Setval(sem, value) for sem in sems for value in (0, 1, 2)],
        Setall((0,) * size),
        Setall((1,) * size),
        *[Get(command, sem) for sem in sems for command in ("GETNCNT", "GETZCNT", "GETPID")],
        Get("GETVAL"),
        Getall(),
        Stat(),
        Semget(size),
        Semget(0),
    ]


def _bad(size: int) -> list[Op]:
    return [
        Semop(()),
        Semop(one(size, -1)),
        Semop(one(size, -1, undo=True)),
        Semtimedop(one(0, 1), nanoseconds=1_000_000_000),
        Semtimedop(one(0, -1), seconds=-1),
        Setval(0, -1),
        Setval(size, SEMVMX + 1),
        Setval(size, 0),
        Setall((0,) * (size - 1) + (SEMVMX + 1,)),
        Get("GETVAL", size),
        Get("GETVAL", -1),
        Get("none"),
        Semget(size, create=True, exclusive=True),
        Semget(size + 1),
        Semget(-1),
        Semget(3, create=True),
        Semget(4, create=True),
        Semget(0, create=True),
    ]


@cache
def menu(size: int) -> tuple[Op, ...]:
    """The calls on a set of ``size`` semaphores, simplest first."""
    singles = [array for sem in range(size) for array in _singles(sem)]
    arrays = _arrays(0, size - 1)
    if size > 2:
        arrays += _arrays(1, 2)
    return (
        *[Semop(array) for array in singles],
        *[Semop(array) for array in arrays],
        *[Semop(array) for array in (*singles, *_extremes(), *arrays, *_extremes())],
        *[Semop(array) for array in _singles(0)[:5]],
        *[Semtimedop(array, nanoseconds=SHORT) for array in (one(0, -1), arrays[0])],
        *[Semtimedop(array, LONG) for array in (one(0, -1), one(0, 0), arrays[1])],
        *[Semtimedop(array) for array in (one(0, -1), one(0, 0, undo=True))],
        *_control(size),
        Remove(),
        *_bad(size),
        Remove(),
    )


@cache
def _menu_of_a_stranger(size: int) -> tuple[Op, ...]:
    """As long as `menu`; mostly finds the set again, or makes it."""
    calls = menu(size)
    again = (Semget(size, create=True), Semget(0), Semget(3, create=True))
    half = len(calls) // 2
    return (*(again * half)[:half], *calls[half:])


def calls(setup: SemSetup, state: State, who: Process, _number: int) -> Sequence[Op]:
    size = len(setup.values)
    return _menu_of_a_stranger(size) if who in state.strangers else menu(size)


def audit(setup: SemSetup, _state: State) -> Sequence[Op]:
    """What is in the set, who was last there, who sleeps, and whether it was ever used."""
    sems = range(len(setup.values))
    queries = [Get(name, sem) for name in ("GETPID", "GETNCNT", "GETZCNT") for sem in sems]
    return (Semget(0), Getall(), Stat(), *queries)


def limits(setup: SemSetup) -> Mapping[str, int]:
    usual = SemSetup()
    return {
        f"kernel.sem.{name}": getattr(setup, name)
        for name in ("semmsl", "semmns", "semopm", "semmni")
        if getattr(setup, name) != getattr(usual, name)
    }


SYSV_SEM = Mechanism(
    name="sysv-sem",
    reference="properties.sysv_sem:SYSV_SEM",
    model=SysvSem,
    adapter=SysvSemAdapter,
    setups=SETUPS,
    calls=calls,
    audit=audit,
    limits=limits,
)
