"""A System V semaphore set as a value: its semaphores, undo records and sleepers.

Follows perform_atomic_semop, count_semcnt and the sleeping half of semtimedop in the kernel's
ipc/sem.c. Who is served when the set changes is `models.sysv_sem.queue`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from harness.spec import Errno, Process, Reply
from models.sysv_sem.operations import Steps

SEMVMX = 32767
"""The largest value of a semaphore."""
SEMAEM = 32767
"""The largest adjustment that SEM_UNDO keeps; the smallest is ``-SEMAEM - 1``."""

EAGAIN = Errno("EAGAIN")
ERANGE = Errno("ERANGE")

Values = tuple[int, ...]
Adjustments = tuple[int, ...]
Last = tuple[Process | None, ...]
Undo = tuple[Adjustments | None, ...]


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

    values: Values
    """Empty: there is no set (it was removed)."""
    last: Last
    """For each semaphore, the process that GETPID names."""
    undo: Undo
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


class Shape(NamedTuple):
    """What an array looks like, whatever the values are."""

    kind: str
    """``raise``, ``take`` or ``zero`` of one step; ``array`` or, changing nothing, ``zeros``."""
    alters: bool
    undo: bool
    highest: int
    """The highest number of a semaphore."""


def shape(steps: Steps) -> Shape:
    """The shape of an array of one step or more."""
    if len(steps) == 1:
        step = steps[0]
        kind = "take" if step.change < 0 else "raise" if step.change else "zero"
        return Shape(kind, step.change != 0, step.undo, step.sem)
    alters = any(step.change for step in steps)
    undo = any(step.undo for step in steps)
    return Shape("array" if alters else "zeros", alters, undo, max([step.sem for step in steps]))


class Applied(NamedTuple):
    """What an array makes of the values and of the undo record of its process."""

    values: Values
    record: Adjustments | None


def attempt(
    values: Sequence[int], record: Adjustments | None, steps: Steps
) -> Applied | int | Errno:
    """Perform an array, all or nothing: what comes of it, the index of the step that blocks it,
    or its error. ``record`` is the undo record of its process (perform_atomic_semop)."""
    after = list(values)
    for index, step in enumerate(steps):
        sem, change = step.sem, step.change
        result = after[sem] + change
        if result < 0 or (change == 0 and result):
            return EAGAIN if step.nowait else index
        if result > SEMVMX:
            return ERANGE
        if step.undo and change and record is not None:
            adjustment = record[sem] - change
            if not -SEMAEM - 1 <= adjustment <= SEMAEM:
                return ERANGE
            record = (*record[:sem], adjustment, *record[sem + 1 :])
        after[sem] = result
    return Applied(tuple(after), record)


def perform(state: State, who: Process, steps: Steps, applied: Applied) -> State:
    """The set once an array of ``who`` has been performed, and no sleeper served yet."""
    last = touched(state.last, who, steps)
    undo = with_record(state.undo, who, applied.record)
    _, _, _, line, watchers, woken, _, strangers = state
    return State(applied.values, last, undo, line, watchers, woken, True, strangers)


def touched(last: Last, who: Process, steps: Steps) -> Last:
    """Who was last at each semaphore, once ``who`` has performed an array."""
    if len(steps) == 1:
        sem = steps[0].sem
        return (*last[:sem], who, *last[sem + 1 :])
    sems = {step.sem for step in steps}
    return tuple([who if sem in sems else before for sem, before in enumerate(last)])


def with_record(undo: Undo, who: Process, record: Adjustments | None) -> Undo:
    """The undo records once that of ``who`` is another."""
    if undo[who] == record:
        return undo
    return (*undo[:who], record, *undo[who + 1 :])


def fall_asleep(state: State, sleeper: Sleeper) -> State:
    """The set with a process more asleep, last in line."""
    if shape(sleeper.steps).alters:
        return settled(state._replace(line=(*state.line, sleeper)))
    return state._replace(watchers=(*state.watchers, sleeper))


def leave(state: State, who: Process) -> State:
    """The set without ``who`` in line: its time is up, a signal has come, or it is dead."""
    line = tuple([sleeper for sleeper in state.line if sleeper.who != who])
    watchers = tuple([sleeper for sleeper in state.watchers if sleeper.who != who])
    return settled(state._replace(line=line, watchers=watchers))


def blocked_at(state: State, sem: int, zero: bool) -> int:
    """How many sleep for ``sem`` to become zero, or to become large enough (count_semcnt)."""
    sleepers = (*state.line, *state.watchers)
    steps = [sleeper.steps[sleeper.blocked] for sleeper in sleepers]
    return sum(step.sem == sem and (step.change == 0) == zero for step in steps)


def in_one_line(state: State) -> bool:
    """Whether an array of several steps is asleep, so that all share one line."""
    return any(len(one.steps) > 1 for one in (*state.line, *state.watchers))


def settled(state: State) -> State:
    """As in sem_unlock: once the last long array is gone, back to a line for each semaphore."""
    if len(state.line) < 2 or in_one_line(state):
        return state
    return state._replace(line=tuple(sorted(state.line, key=lambda one: -one.steps[0].sem)))
