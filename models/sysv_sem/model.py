"""System V semaphore sets: semop, sleeping, and which rules apply to which call, on Linux.

Follows semop(2), semctl(2), semget(2) and the kernel's ipc/sem.c, whose lines of sleepers are
exact here (`models.sysv_sem.queue`). Leaves out permissions, IPC_SET, and the instant between
finding a set and locking it, in which a removal gives EIDRM to a call that is not asleep yet.
"""

from collections.abc import Iterator
from typing import assert_never, cast

from harness.spec import Errno, Exit, Later, Model, Move, Op, Process, Wait
from models.sysv_sem.control import die, find_or_make, get, remove, set_all, set_value
from models.sysv_sem.operations import (
    Asleep,
    Get,
    Getall,
    Operation,
    Remove,
    Semget,
    Semop,
    SemSetup,
    Semtimedop,
    Setall,
    Setval,
    Stat,
    Steps,
)
from models.sysv_sem.queue import serve
from models.sysv_sem.rules import RULES
from models.sysv_sem.state import (
    EAGAIN,
    ERANGE,
    SEMVMX,
    Applied,
    Sleeper,
    State,
    attempt,
    fall_asleep,
    leave,
    perform,
    shape,
    with_record,
)

EINTR = Errno("EINTR")
EINVAL = Errno("EINVAL")
QUERIES = frozenset({"GETVAL", "GETPID", "GETNCNT", "GETZCNT"})


class SysvSem(Model[State]):
    """The model of one set and ``n_processes`` processes, the last of which has made it."""

    rules = RULES

    def __init__(self, setup: SemSetup, n_processes: int) -> None:
        self.setup = setup
        self.n_processes = n_processes

    def start(self) -> State:
        values = self.setup.values
        maker = self.n_processes - 1 if any(values) else None
        return State(values, (maker,) * len(values), (None,) * self.n_processes)

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        match cast(Operation, op):
            case Semop(steps):
                yield from self._semop(state, who, op, steps)
            case Asleep():
                for woken in state.woken:
                    if woken.who == who:
                        rest = tuple(one for one in state.woken if one.who != who)
                        yield Move(woken.rule, state._replace(woken=rest), woken.reply)
            case Exit():
                yield die(state, who)
            case Semtimedop(steps, seconds, nanoseconds) if 0 < len(
                steps
            ) <= self.setup.semopm and (seconds < 0 or not 0 <= nanoseconds < 1_000_000_000):
                yield Move("semtimedop-bad-timeout", state, EINVAL)
            case Semtimedop(steps):
                yield from self._semop(state, who, op, steps)
            case Semget() as call:
                yield find_or_make(state, who, call, self.setup)
            case Setval(_, value) if not 0 <= value <= SEMVMX:
                yield Move("setval-erange", state, ERANGE)
            case Get(command) if command not in QUERIES:
                yield Move("semctl-no-such-command", state, EINVAL)
            case Setval() | Setall() | Get() | Getall() | Stat() | Remove() if (
                who in state.strangers
            ):
                yield Move("semctl-no-such-set", state, EINVAL)
            case Setval(sem, value):
                yield set_value(state, who, sem, value)
            case Setall(values):
                yield set_all(state, who, values)
            case Get() as call:
                yield get(state, call)
            case Getall():
                yield Move("getall", state, state.values)
            case Stat():
                yield Move("stat", state, (len(state.values), state.operated))
            case Remove():
                yield remove(state)
            case _ as never:
                assert_never(never)

    def wait(self, state: State, who: Process, op: Op) -> Wait:
        match op:
            case Semop(steps):
                return _wait(state, who, steps, None)
            case Semtimedop(steps, seconds, nanoseconds):
                return _wait(state, who, steps, seconds + nanoseconds / 1e9)
            case Asleep(timeout):
                return Wait(
                    timeout=timeout,
                    timed_out=EAGAIN,
                    interrupted=EINTR,
                    restarts=False,
                    stopped=EINTR,
                    withdrawn=leave(state, who),
                )
        return Wait()

    def _semop(self, state: State, who: Process, op: Op, steps: Steps) -> Iterator[Move]:
        if len(steps) > self.setup.semopm:
            yield Move("semop-too-many-steps", state, Errno("E2BIG"))
        elif not steps:
            yield Move("semop-no-steps", state, EINVAL)
        elif who in state.strangers:
            yield Move("semop-no-such-set", state, EINVAL)
        else:
            kind, alters, undo, highest = shape(steps)
            if undo and state.undo[who] is None:
                record = (0,) * len(state.values)
                after = state._replace(undo=with_record(state.undo, who, record))
                yield Move("undo-record", after, Later(op))
                return
            if highest >= len(state.values):
                yield Move("semop-no-such-semaphore", state, Errno("EFBIG"))
                return
            outcome = attempt(state.values, state.undo[who], steps)
            if isinstance(outcome, Applied):
                after = perform(state, who, steps, outcome)
                if alters:
                    after = serve(after, steps, "semop")
                yield Move(f"{kind}-undo" if undo else kind, after, None)
            elif outcome is ERANGE:
                yield Move(_erange(state, steps), state, ERANGE)


def _wait(state: State, who: Process, steps: Steps, timeout: float | None) -> Wait:
    blocked = attempt(state.values, state.undo[who], steps)
    if not isinstance(blocked, int) or timeout == 0:
        return Wait(would_block=EAGAIN)
    after = fall_asleep(state, Sleeper(who, steps, blocked))
    return Wait(
        timeout=timeout,
        timed_out=EAGAIN,
        restarts=False,
        stopped=EINTR,
        asleep=Move(f"sleep-{shape(steps).kind}", after, Later(Asleep(timeout))),
    )


def _erange(state: State, steps: Steps) -> str:
    """Which bound an array passes: that of a value, or that of an undo record."""
    without_undo = attempt(state.values, None, steps)
    return "semop-erange" if without_undo is ERANGE else "undo-erange"
