"""Numbers of the system calls that calls sleep in, as ``/proc/PID/syscall`` gives them.

Source: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

import platform

from harness.execute.namespaces import Missing

_X86_64 = {
    "read": 0,
    "write": 1,
    "poll": 7,
    "readv": 19,
    "writev": 20,
    "select": 23,
    "nanosleep": 35,
    "connect": 42,
    "accept": 43,
    "sendto": 44,
    "recvfrom": 45,
    "sendmsg": 46,
    "recvmsg": 47,
    "wait4": 61,
    "semop": 65,
    "msgsnd": 69,
    "msgrcv": 70,
    "fcntl": 72,
    "flock": 73,
    "rt_sigtimedwait": 128,
    "futex": 202,
    "restart_syscall": 219,
    "semtimedop": 220,
    "clock_nanosleep": 230,
    "epoll_wait": 232,
    "mq_timedsend": 242,
    "mq_timedreceive": 243,
    "openat": 257,
    "pselect6": 270,
    "ppoll": 271,
    "splice": 275,
    "tee": 276,
    "accept4": 288,
}
_GENERIC = {
    "fcntl": 25,
    "flock": 32,
    "openat": 56,
    "read": 63,
    "write": 64,
    "readv": 65,
    "writev": 66,
    "pselect6": 72,
    "ppoll": 73,
    "splice": 76,
    "tee": 77,
    "futex": 98,
    "nanosleep": 101,
    "clock_nanosleep": 115,
    "restart_syscall": 128,
    "rt_sigtimedwait": 137,
    "mq_timedsend": 182,
    "mq_timedreceive": 183,
    "msgrcv": 188,
    "msgsnd": 189,
    "semtimedop": 192,
    "semop": 193,
    "accept": 202,
    "connect": 203,
    "sendto": 206,
    "recvfrom": 207,
    "sendmsg": 211,
    "recvmsg": 212,
    "accept4": 242,
    "wait4": 260,
}
_TABLES = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC}

NUMBERS = _TABLES.get(platform.machine(), {})
"""Number by name on this machine; empty on one whose table is not known (`lack`)."""
NAMES = {number: name for name, number in NUMBERS.items()}


def lack() -> Missing | None:
    """Why nobody could be seen asleep in a call on this machine; ``None`` if that can be seen."""
    machine = platform.machine()
    if machine in _TABLES:
        return None
    return Missing(
        f"the numbers of the system calls are not known for {machine!r}, only for "
        f"{', '.join(_TABLES)}",
        "run on one of those, or add its table to harness/execute/syscalls.py",
    )
