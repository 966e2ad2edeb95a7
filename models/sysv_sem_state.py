"""A System V semaphore set as a value: its semaphores, undo records and sleepers.

Follows perform_atomic_semop, count_semcnt and the sleeping half of semtimedop in the kernel's
ipc/sem.c. Who is served when the set changes is `models.sysv_sem_queue`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from harness.spec import Errno, Process, Reply
from models.sysv_sem_operations import Steps

SEMVMX = 32767
"""The largest value of a semaphore."""
SEMAEM = 32767
"""The largest adjustment that SEM_UNDO keeps; the smallest is ``-SEMAEM - 1``."""


Adjustments = tuple[int, ...]


class Sleeper(NamedTuple):
    """A process asleep in semop, in line with its array."""

    who: Process
    steps: Steps
    blocked: int
    """The index of the step that blocked it when its array was last tried."""


class Woken(NamedTuple):
    """A process whose call has been settled by another one, and that has not run yet."""

    who: Process
    rule: str
    reply: Reply


class State(NamedTuple):
    """The set, and what its processes have to do with it."""

    values: tuple[int, ...]
    """Empty: there is no set (it was removed)."""
    last: tuple[Process | None, ...]
    """For each semaphore, the process that GETPID names."""
    undo: tuple[Adjustments | None, ...]
    """For each process, what its death will add; ``None``: it has no undo record for this set."""
    line: tuple[Sleeper, ...] = ()
    """The sleepers that would change a value. While every one of them has an array of one step,
    each semaphore has its own line: they are kept by falling semaphore, and in the order of
    their coming. Once a longer array sleeps, all stand in one line, in this order."""
    watchers: tuple[Sleeper, ...] = ()
    """The sleepers that wait for zero and change nothing, in the order of their coming."""
    woken: tuple[Woken, ...] = ()
    operated: bool = False
    """Whether sem_otime is set."""
    strangers: frozenset[Process] = frozenset()
    """The processes whose identifier is not that of the present set."""


class Applied(NamedTuple):
    """What an array makes of the values and of the adjustments of its process."""

    values: tuple[int, ...]
    adjustments: Adjustments | None


def attempt(
    values: Sequence[int], adjustments: Adjustments | None, steps: Steps
) -> Applied | int | Errno:
    """Perform an array, all or nothing: what comes of it, the index of the step that blocks it,
    or its error. ``adjustments`` is the undo record of the process (perform_atomic_semop)."""
    after = list(values)
    kept = adjustments
    for index, step in enumerate(steps):
        sem, change = step.sem, step.change
        result = after[sem] + change
        if result < 0 or (change == 0 and result):
            return Errno("EAGAIN") if step.nowait else index
        if result > SEMVMX:
            return Errno("ERANGE")
        if step.undo and change and kept is not None:
            adjustment = kept[sem] - change
            if not -SEMAEM - 1 <= adjustment <= SEMAEM:
                return Errno("ERANGE")
            kept = (*kept[:sem], adjustment, *kept[sem + 1 :])
        after[sem] = result
    return Applied(tuple(after), kept)


def alters(steps: Steps) -> bool:
    """Whether an array would change a value, and not only wait for zeros."""
    return any(step.change for step in steps)


def perform(state: State, who: Process, steps: Steps, applied: Applied) -> State:
    """The set once an array of ``who`` has been performed, and no sleeper served yet."""
    return state._replace(
        values=applied.values,
        last=_touched_by(state.last, steps, who),
        undo=with_record(state.undo, who, applied.adjustments),
        operated=True,
    )


def fall_asleep(state: State, sleeper: Sleeper) -> State:
    """The set with a process more asleep, last in line."""
    if not alters(sleeper.steps):
        return state._replace(watchers=(*state.watchers, sleeper))
    return settled(state._replace(line=(*state.line, sleeper)))


def leave(state: State, who: Process) -> State:
    """The set without ``who`` in line: its time is up, a signal has come, or it is dead."""
    return settled(
        state._replace(
            line=tuple(sleeper for sleeper in state.line if sleeper.who != who),
            watchers=tuple(sleeper for sleeper in state.watchers if sleeper.who != who),
        )
    )


def blocked_at(state: State, sem: int, zero: bool) -> int:
    """How many sleep for ``sem`` to become zero, or to become large enough (count_semcnt)."""
    sleepers = (*state.line, *state.watchers) if zero else state.line
    steps = (sleeper.steps[sleeper.blocked] for sleeper in sleepers)
    return sum(step.sem == sem and (step.change == 0) == zero for step in steps)


def in_one_line(sleepers: Iterable[Sleeper]) -> bool:
    """Whether an array of several steps is among them, so that all share one line."""
    return any(len(sleeper.steps) > 1 for sleeper in sleepers)


def settled(state: State) -> State:
    """As in sem_unlock: once the last long array is gone, back to a line for each semaphore."""
    line = state.line
    if len(line) < 2 or in_one_line((*line, *state.watchers)):
        return state
    return state._replace(line=tuple(sorted(line, key=lambda one: -one.steps[0].sem)))


def _touched_by(
    last: tuple[Process | None, ...], steps: Steps, who: Process
) -> tuple[Process | None, ...]:
    touched = {step.sem for step in steps}
    return tuple(who if sem in touched else before for sem, before in enumerate(last))


def with_record(
    undo: tuple[Adjustments | None, ...], who: Process, record: Adjustments | None
) -> tuple[Adjustments | None, ...]:
    """The undo records once that of ``who`` is another."""
    if undo[who] == record:
        return undo
    return (*undo[:who], record, *undo[who + 1 :])
