"""A look from outside into an actor that makes no progress, since it cannot be asked itself.

Follows proc_pid_syscall(5) and proc_pid_fd(5); the rest is psutil's.
"""

import os
from time import monotonic

import psutil

from harness.execute.proc import Watch
from harness.execute.syscalls import NAMES

GLANCE = 1.0
"""Seconds between two looks into actors that do not come to rest."""
ASLEEP_BOUND = 10.0
"""Seconds for which a process must not have run at all to count as stuck in its sleep."""
CPU_BOUND = 15.0
"""Seconds of its own CPU time after which a process counts as stuck in a loop: the load of the
machine does not count."""
_ON_DESCRIPTORS = frozenset(
    {"read", "write", "readv", "writev", "connect", "accept", "accept4", "sendto", "recvfrom"}
    | {"sendmsg", "recvmsg", "fcntl", "flock", "mq_timedsend", "mq_timedreceive"}
)
"""System calls whose first argument is a descriptor."""


class Stall:
    """What one process has done since it was first looked at."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._switches = watch.switches()
        self._since = monotonic()
        self._cpu = _cpu_time(watch.pid)

    def is_asleep(self) -> bool:
        """Whether it has been asleep, without running at all, for as long as `ASLEEP_BOUND`."""
        switches = self._watch.switches()
        if switches != self._switches or self._watch.state() != "S":
            self._switches, self._since = switches, monotonic()
        return monotonic() - self._since > ASLEEP_BOUND

    def is_stuck(self) -> bool:
        """Either of the two."""
        return self.is_asleep() or self.is_looping()

    def is_looping(self) -> bool:
        """Whether it has used more CPU time than `CPU_BOUND`."""
        return _cpu_time(self._watch.pid) - self._cpu > CPU_BOUND


def look_into(pid: int) -> str:
    """What a process is doing, in words."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            found = [
                f"it is {process.status()}{_where(pid)}",
                f"has used {_cpu_time(pid):.1f} s of CPU time",
                f"has {process.num_threads()} thread(s)",
                f"{len(process.children())} child(ren)",
            ]
    except psutil.Error:
        return "it is gone"
    return ", ".join(found)


def _cpu_time(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _where(pid: int) -> str:
    """In which system call, and on what, if it sleeps in one."""
    try:
        with open(f"/proc/{pid}/syscall", "rb") as file:
            words = file.read().split()
    except OSError:
        return ""
    if not words or not words[0].isdigit():
        return ""
    name = NAMES.get(int(words[0]), f"system call {int(words[0])}")
    where = f" in {name}"
    if name in _ON_DESCRIPTORS:
        number = int(words[1], 16)
        try:
            where += f" of descriptor {number} ({os.readlink(f'/proc/{pid}/fd/{number}')})"
        except OSError:
            where += f" of descriptor {number}, which is not open"
    return where
