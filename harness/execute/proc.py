"""What the kernel says of a process: its state, and the system call that it is inside.

Follows proc_pid_stat(5) and proc_pid_syscall(5). The kernel answers the second only for a
process that is off the CPU in a stable sleep; one that runs, or is about to, is ``running``.
"""

import errno
import os

from harness.errors import Broken
from harness.execute.syscalls import NAMES, NUMBERS


class Watch:
    """Open files on one process's ``/proc`` entry, so that a look costs one pread each.

    ``idle`` is how the line in ``/proc/PID/syscall`` begins while it waits for a command.
    """

    def __init__(self, pid: int, idle: bytes = b"") -> None:
        self.pid = pid
        self._idle = idle
        self._stat = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._syscall = os.open(f"/proc/{pid}/syscall", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            os.close(self._stat)
            missing = error.errno == errno.ENOENT
            remedy = (
                "a kernel with CONFIG_HAVE_ARCH_TRACEHOOK is needed"
                if missing
                else "raise the limit of open files (`ulimit -n`)"
            )
            raise Broken(
                f"/proc/{pid}/syscall cannot be opened: {error.strerror}; {remedy}"
            ) from error

    def state(self) -> str:
        """``S`` asleep, ``T`` stopped, ``R`` running or ready, ``Z`` or ``X`` dead, …"""
        try:
            text = os.pread(self._stat, 512, 0)
        except ProcessLookupError:
            return "X"
        return chr(text[text.rindex(b")") + 2])

    def syscall(self) -> str | None:
        """The name of the system call that it sleeps in; ``None`` if it runs, or is idle."""
        try:
            text = os.pread(self._syscall, 64, 0)
        except ProcessLookupError:
            return None
        except PermissionError as error:
            raise Broken(
                f"/proc/{self.pid}/syscall cannot be read: {error.strerror}; the supervisor must "
                "be allowed to trace its own children (see kernel.yama.ptrace_scope)"
            ) from error
        if self._idle and text.startswith(self._idle):
            return None
        number = text.split(b" ", 1)[0]
        if not number.isdigit():
            return None
        return NAMES.get(int(number), f"system call {int(number)}")

    def switches(self) -> tuple[int, int]:
        """How often it has left the CPU, of its own will and not: unchanged if it never ran."""
        found = [0, 0]
        try:
            with open(f"/proc/{self.pid}/status", "rb") as file:
                for line in file:
                    if line.startswith(b"voluntary_ctxt"):
                        found[0] = int(line.split()[1])
                    elif line.startswith(b"nonvoluntary_ctxt"):
                        found[1] = int(line.split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return -1, -1
        return found[0], found[1]

    @staticmethod
    def waiting_in_read(descriptor: int) -> bytes:
        """How the line begins for a process that waits in read(2) on this descriptor."""
        return f"{NUMBERS['read']} {descriptor:#x} ".encode()

    def close(self) -> None:
        os.close(self._stat)
        os.close(self._syscall)
