"""System V semaphore sets through the C library: one operation, one semget, semop or semctl.

ctypes, because sysv_ipc makes sets of one semaphore and takes one step a call.
"""

import ctypes
import os
import struct
from collections.abc import Mapping, Sequence
from ctypes import byref, c_char_p, c_int, c_long, c_size_t, c_uint, c_ulong, c_ushort
from typing import assert_never, cast

from harness.execute.registry import forget, register, unique_key
from harness.spec import Op, Process, Reply
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
    Steps,
)
from properties.kernel.libc import LIBC, Timespec, failure

Call = Semop | Semtimedop | Semget | Setval | Setall | Get | Getall | Stat | Remove

IPC_CREAT, IPC_EXCL, IPC_NOWAIT, SEM_UNDO = 0o1000, 0o2000, 0o4000, 0x1000
IPC_RMID, IPC_STAT, GETALL, SETVAL, SETALL = 0, 2, 13, 16, 17
COMMANDS = {"GETPID": 11, "GETVAL": 12, "GETNCNT": 14, "GETZCNT": 15}
NO_COMMAND = 0x7F
MODE = 0o600

ROOM = 64
"""How many semaphores the buffers have room for."""

NO_VALUE = 0xFFFF
"""What no semaphore holds."""

_PADDING = c_long * (1 if os.uname().machine == "x86_64" else 0)


class IpcPerm(ctypes.Structure):
    """struct ipc_perm (semctl(2))."""

    _fields_ = (
        ("key", c_int),
        ("ids", c_uint * 4),
        ("mode", c_uint),
        ("seq", c_ushort * 2),
        ("unused", c_ulong * 2),
    )


class SemidDs(ctypes.Structure):
    """struct semid_ds (semctl(2)), which on x86-64 has an unused word after each time."""

    otime: int
    nsems: int
    _fields_ = (
        ("perm", IpcPerm),
        ("otime", c_long),
        ("after_otime", _PADDING),
        ("ctime", c_long),
        ("after_ctime", _PADDING),
        ("nsems", c_ulong),
        ("unused", c_ulong * 2),
    )


semget = LIBC.semget
semget.argtypes = (c_int, c_int, c_int)
semop = LIBC.semop
semop.argtypes = (c_int, c_char_p, c_size_t)
semtimedop = LIBC.semtimedop
semtimedop.argtypes = (c_int, c_char_p, c_size_t, ctypes.POINTER(Timespec))
semctl = LIBC.semctl

_SEMBUF = struct.Struct("=Hhh")
_values = (c_ushort * ROOM)()
_status = SemidDs()


def sembufs(steps: Steps) -> bytes:
    """The array of struct sembuf for semop(2)."""
    return b"".join(
        _SEMBUF.pack(step.sem, step.change, step.nowait * IPC_NOWAIT | step.undo * SEM_UNDO)
        for step in steps
    )


def _reply(result: int) -> Reply:
    return None if result >= 0 else failure()


class SysvSemAdapter:
    """The set of one program, as one of its processes reaches it."""

    sleeps_in: Mapping[type, frozenset[str]] = {
        Semop: frozenset({"semop", "semtimedop"}),
        Semtimedop: frozenset({"semtimedop"}),
    }

    def create(self, setup: SemSetup) -> tuple[tuple[int, int], Sequence[int]]:
        key = unique_key()
        register("sysv_sem_key", key)
        semid = semget(key, len(setup.values), IPC_CREAT | IPC_EXCL | MODE)
        if semid < 0:
            raise OSError(ctypes.get_errno(), f"semget of {len(setup.values)} semaphores")
        if any(setup.values):
            _values[: len(setup.values)] = list(setup.values)
            if semctl(semid, 0, SETALL, _values) < 0:
                raise OSError(ctypes.get_errno(), f"SETALL to {setup.values}")
        return (key, semid), ()

    def attach(
        self,
        setup: SemSetup,
        who: Process,
        shared: tuple[int, int],
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        self.key, self.semid = shared
        self.processes = processes

    def detach(self) -> None:
        pass

    def destroy(self, shared: tuple[int, int]) -> None:
        key, _ = shared
        semctl(semget(key, 0, 0), 0, IPC_RMID)
        forget("sysv_sem_key", key)

    def perform(self, op: Op) -> Reply:
        match cast(Call, op):
            case Semop(steps):
                return _reply(semop(self.semid, sembufs(steps), len(steps)))
            case Semtimedop(steps, seconds, nanoseconds):
                timeout = Timespec(seconds, nanoseconds)
                return _reply(semtimedop(self.semid, sembufs(steps), len(steps), byref(timeout)))
            case Semget(sems, create, exclusive):
                return self._semget(sems, create * IPC_CREAT | exclusive * IPC_EXCL)
            case Setval(sem, value):
                return _reply(semctl(self.semid, sem, SETVAL, value))
            case Setall(values):
                _values[:] = [*values, *(0,) * (ROOM - len(values))]
                return _reply(semctl(self.semid, 0, SETALL, _values))
            case Get(command, sem):
                return self._get(command, sem)
            case Getall():
                _values[:] = [NO_VALUE] * ROOM
                if semctl(self.semid, 0, GETALL, _values) < 0:
                    return failure()
                return tuple(value for value in _values if value != NO_VALUE)
            case Stat():
                if semctl(self.semid, 0, IPC_STAT, byref(_status)) < 0:
                    return failure()
                return _status.nsems, _status.otime != 0
            case Remove():
                return _reply(semctl(self.semid, 0, IPC_RMID))
            case never:
                assert_never(never)

    def _semget(self, sems: int, flags: int) -> Reply:
        semid: int = semget(self.key, sems, flags | MODE)
        if semid < 0:
            return failure()
        before, self.semid = self.semid, semid
        return semid == before

    def _get(self, command: str, sem: int) -> Reply:
        result: int = semctl(self.semid, sem, COMMANDS.get(command, NO_COMMAND))
        if result < 0:
            return failure()
        if command != "GETPID":
            return result
        return self.processes.get(result, f"process {result}") if result else None
