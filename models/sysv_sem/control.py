"""System V semaphore sets: making and finding them, semctl, and what a death undoes.

Follows semget(2), semctl(2), and ksys_semget, semctl_setval, semctl_main, freeary and exit_sem
in the kernel's ipc/sem.c. Every function is one step of the kernel's.
"""

from typing import TypeVar

from harness.spec import Errno, Exit, Later, Move, Process
from models.sysv_sem.operations import Get, Semget, SemSetup
from models.sysv_sem.queue import serve
from models.sysv_sem.state import (
    ERANGE,
    SEMVMX,
    Adjustments,
    State,
    Woken,
    blocked_at,
    leave,
    with_record,
)

EINVAL = Errno("EINVAL")
Item = TypeVar("Item")


def find_or_make(state: State, who: Process, call: Semget, setup: SemSetup) -> Move:
    """semget."""
    sems, exists = call.sems, len(state.values)
    if not 0 <= sems <= setup.semmsl:
        return Move("semget-bad-size", state, EINVAL)
    if exists and call.create and call.exclusive:
        return Move("semget-exists", state, Errno("EEXIST"))
    if exists and sems > exists:
        return Move("semget-larger-than-the-set", state, EINVAL)
    if exists:
        found = state._replace(strangers=state.strangers - {who})
        return Move("semget-found", found, who not in state.strangers)
    if not call.create:
        return Move("semget-absent", state, Errno("ENOENT"))
    if not sems:
        return Move("semget-new-of-none", state, EINVAL)
    if sems > setup.semmns:
        return Move("semget-no-space", state, Errno("ENOSPC"))
    made = State(
        (0,) * sems,
        (None,) * sems,
        state.undo,
        woken=state.woken,
        strangers=state.strangers - {who},
    )
    return Move("semget-new", made, False)


def remove(state: State) -> Move:
    """IPC_RMID: the sleepers are woken, the undo records are freed."""
    sleepers = (*state.watchers, *state.line)
    woken = tuple(Woken(one.who, "removed-asleep", Errno("EIDRM")) for one in sleepers)
    everybody = range(len(state.undo))
    gone = State(
        (),
        (),
        (None,) * len(everybody),
        woken=(*state.woken, *woken),
        strangers=frozenset(everybody),
    )
    if any(any(record) for record in state.undo if record):
        return Move("remove-forgets-undo", gone, None)
    return Move("remove", gone, None)


def set_value(state: State, who: Process, sem: int, value: int) -> Move:
    """SETVAL with a number that is in range, of a semaphore of the set."""
    if not 0 <= sem < len(state.values):
        return Move("semctl-no-such-semaphore", state, EINVAL)
    undo = tuple(record and _put(record, sem, 0) for record in state.undo)
    after = state._replace(
        values=_put(state.values, sem, value), last=_put(state.last, sem, who), undo=undo
    )
    rule = "setval" if undo == state.undo else "setval-clears-undo"
    return Move(rule, serve(after, None, "semctl"), None)


def set_all(state: State, who: Process, values: tuple[int, ...]) -> Move:
    """SETALL; what is missing in ``values`` is 0, what is too much is not looked at."""
    size = len(state.values)
    values = (*values, *(0,) * size)[:size]
    if not all(0 <= value <= SEMVMX for value in values):
        return Move("setall-erange", state, ERANGE)
    undo = tuple(record and (0,) * size for record in state.undo)
    after = state._replace(values=values, last=(who,) * size, undo=undo)
    rule = "setall" if undo == state.undo else "setall-clears-undo"
    return Move(rule, serve(after, None, "semctl"), None)


def get(state: State, call: Get) -> Move:
    """GETVAL, GETPID, GETNCNT, GETZCNT."""
    command, sem = call.command, call.sem
    if not 0 <= sem < len(state.values):
        return Move("semctl-no-such-semaphore", state, EINVAL)
    if command == "GETVAL":
        return Move("getval", state, state.values[sem])
    if command == "GETPID":
        return Move("getpid", state, state.last[sem])
    if command == "GETNCNT":
        return Move("getncnt", state, blocked_at(state, sem, zero=False))
    return Move("getzcnt", state, blocked_at(state, sem, zero=True))


def die(state: State, who: Process) -> Move:
    """The next step of the death of ``who``: out of the line, and then the undo. What another
    has settled for it stays settled, and is not seen by anybody."""
    if any(one.who == who for one in (*state.line, *state.watchers)):
        return Move("exit-asleep", leave(state, who), Later(Exit()))
    if state.woken:
        state = state._replace(woken=tuple(one for one in state.woken if one.who != who))
    record = state.undo[who]
    if record is None:
        return Move("exit", state, None)
    freed = state._replace(undo=with_record(state.undo, who, None), operated=True)
    return _undo(freed, who, record)


def _undo(state: State, who: Process, record: Adjustments) -> Move:
    sums = [value + change for value, change in zip(state.values, record, strict=True)]
    after = state._replace(
        values=tuple(min(max(total, 0), SEMVMX) for total in sums),
        last=tuple(
            who if change else before for before, change in zip(state.last, record, strict=True)
        ),
    )
    if min(sums) < 0:
        rule = "exit-undo-clamped-to-0"
    elif max(sums) > SEMVMX:
        rule = "exit-undo-clamped-to-semvmx"
    else:
        rule = "exit-undo" if any(record) else "exit-undo-of-nothing"
    return Move(rule, serve(after, None, "death"), None)


def _put(items: tuple[Item, ...], index: int, item: Item) -> tuple[Item, ...]:
    return (*items[:index], item, *items[index + 1 :])
