"""System V semaphores through the package sysv_ipc: one operation, one method or attribute.

The package makes sets of one semaphore and takes one step a call. Its exceptions become the
errors that they stand for, as far as they can be told apart. Leaves out what it has no words for:
arrays, SETALL, GETALL, sets of several, and an IPC_CREAT that finds a set.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never, cast

import sysv_ipc

from harness.execute.registry import forget, register, unique_key
from harness.spec import Errno, Op, Process, Reply
from models.sysv_sem import Get, Remove, Sembuf, Semget, Semop, SemSetup, Semtimedop, Setval, Stat

Call = Semop | Semtimedop | Semget | Setval | Get | Remove | Stat

ERRORS = {
    "A semaphore with the specified key already exists": "EEXIST",
    "The semaphore was removed": "EIDRM",
    "The semaphore is busy": "EAGAIN",
    "Signaled while waiting": "EINTR",
    f"The semaphore's value must remain between 0 and {sysv_ipc.SEMAPHORE_VALUE_MAX} "
    "(SEMAPHORE_VALUE_MAX)": "ERANGE",
    "The semaphore's value must remain between 0 and SEMVMX": "ERANGE",
}
"""What the texts of exceptions stand for."""
ABSENT = "No semaphore exists with the specified key"
"""The text for ENOENT, which only the constructor gets, and for EINVAL."""
QUERIES = {
    "GETVAL": "value",
    "GETNCNT": "waiting_for_nonzero",
    "GETZCNT": "waiting_for_zero",
    "GETPID": "last_pid",
}


class SysvIpcAdapter:
    """The semaphore of one program, as one of its processes reaches it."""

    sleeps_in: Mapping[type, frozenset[str]] = {
        Semop: frozenset({"semop", "semtimedop"}),
        Semtimedop: frozenset({"semtimedop"}),
    }

    def create(self, setup: SemSetup) -> tuple[int, Sequence[int]]:
        key = unique_key()
        register("sysv_sem_key", key)
        sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, initial_value=setup.values[0])
        return key, ()

    def attach(
        self,
        setup: SemSetup,
        who: Process,
        shared: int,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        self.key = shared
        self.processes = processes
        self.semaphore = sysv_ipc.Semaphore(shared)

    def detach(self) -> None:
        pass

    def destroy(self, shared: int) -> None:
        try:
            sysv_ipc.Semaphore(shared).remove()
        except sysv_ipc.ExistentialError:
            return
        finally:
            forget("sysv_sem_key", shared)

    def perform(self, op: Op) -> Reply:
        try:
            return self._perform(cast(Call, op))
        except (sysv_ipc.Error, ValueError) as error:
            if str(error) == ABSENT:
                return Errno("ENOENT" if isinstance(op, Semget) else "EINVAL")
            return Errno(ERRORS[str(error)])

    def _perform(self, op: Call) -> Reply:
        match op:
            case Semop((step,)):
                self._operate(step, None)
                return None
            case Semtimedop((step,), seconds, nanoseconds):
                self._operate(step, seconds + nanoseconds / 1e9)
                return None
            case Semget():
                before, self.semaphore = self.semaphore, sysv_ipc.Semaphore(self.key)
                return bool(before.id == self.semaphore.id)
            case Setval(_, value):
                self.semaphore.value = value
                return None
            case Get(command):
                reply: int = getattr(self.semaphore, QUERIES[command])
                if command != "GETPID":
                    return reply
                return self.processes.get(reply, f"process {reply}") if reply else None
            case Stat():
                return 1, self.semaphore.o_time != 0
            case Remove():
                self.semaphore.remove()
                return None
            case Semop() | Semtimedop():
                raise NotImplementedError(f"sysv_ipc has no call for {op}")
            case never:
                assert_never(never)

    def _operate(self, step: Sembuf, timeout: float | None) -> None:
        semaphore = self.semaphore
        semaphore.block, semaphore.undo = not step.nowait, step.undo
        if step.change < 0:
            semaphore.acquire(timeout, -step.change)
        elif step.change:
            semaphore.release(step.change)
        else:
            semaphore.Z(timeout)
