"""The package sysv_ipc, paired with the model of the semaphores that it wraps."""

from collections.abc import Mapping, Sequence
from functools import cache

import sysv_ipc

from harness.mechanism import Mechanism
from harness.spec import Op, Process
from models.sysv_sem import (
    SEMVMX,
    Get,
    Remove,
    Semget,
    Semop,
    SemSetup,
    Semtimedop,
    Setval,
    Stat,
    State,
    SysvSem,
)
from properties.kernel.sysv_ipc_sem import QUERIES, SysvIpcAdapter
from properties.sysv_sem import LONG, SHORT, one

SETUPS = (SemSetup((1,)), SemSetup((2,)), SemSetup((SEMVMX,)))
"""None starts with 0, since the package calls SETVAL for every semaphore that it makes."""

BEYOND = frozenset(
    {
        *("array", "zeros", "eagain", "served-take-by-sleeper", "setall", "getall"),
        *("too", "steps", "semaphore", "command", "bad", "new", "space", "exists", "larger"),
    }
)
"""Rules, or words of them, that no call of the package's comes to: those on arrays and sets of
several, on bad input, and on making a semaphore again."""

TIMED = (
    *[Semtimedop(one(0, change), nanoseconds=SHORT) for change in (-1, 0)],
    *[Semtimedop(one(0, change, undo=True), LONG) for change in (-1, 0)],
    Semtimedop(one(0, -1)),
)


class SingleSteps(SysvSem):
    """The same model, with the rules of one step on one semaphore."""

    rules: Mapping[str, str] = {
        name: sentence
        for name, sentence in SysvSem.rules.items()
        if not BEYOND & {name, *name.split("-")}
    }


@cache
def menu() -> tuple[Op, ...]:
    usual = [
        Semop(one(0, change, undo=undo)) for undo in (False, True) for change in (-1, 1, 0, -2, 2)
    ]
    return (
        *usual,
        *[Semop(one(0, change, nowait=True)) for change in (-1, 0)],
        *(TIMED if sysv_ipc.SEMAPHORE_TIMEOUT_SUPPORTED else ()),
        *[Setval(0, value) for value in (0, 1, 2, -1, SEMVMX + 1)],
        *[Get(command) for command in QUERIES],
        Stat(),
        *usual,
        *[
            Semop(one(0, change, undo=undo))
            for undo in (False, True)
            for change in (SEMVMX, -SEMVMX)
        ],
        Semget(1),
        Remove(),
    )


def calls(_setup: SemSetup, _state: State, _who: Process, _number: int) -> Sequence[Op]:
    return menu()


def audit(_setup: SemSetup, _state: State) -> Sequence[Op]:
    return (*[Get(command) for command in QUERIES], Stat())


SYSV_IPC_SEM = Mechanism(
    name="sysv-ipc-sem",
    reference="properties.sysv_ipc_sem:SYSV_IPC_SEM",
    model=SingleSteps,
    adapter=SysvIpcAdapter,
    setups=SETUPS,
    calls=calls,
    audit=audit,
)
