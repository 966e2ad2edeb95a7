"""The limits that a sandbox may change: sysctls that belong to one of its own namespaces.

Trap: a process that is root outside may write *any* sysctl from inside a user namespace, for the
whole machine. So only what is listed here is ever written, and only where the namespace that it
belongs to is the sandbox's own. Follows ipc_namespaces(7), network_namespaces(7), proc_sys(5).
"""

import errno
import os
from typing import NamedTuple

from harness.errors import BadInput, Unsupported

Value = int | tuple[int, ...]


class Belongs(NamedTuple):
    """The namespace that has its own copy of a sysctl, from this version of Linux on."""

    namespace: str
    since: tuple[int, int] = (3, 19)


ALLOWED: dict[str, Belongs] = {
    **{
        f"fs.mqueue.{name}": Belongs("ipc")
        for name in ("msg_max", "msgsize_max", "queues_max", "msg_default", "msgsize_default")
    },
    **{
        f"kernel.{name}": Belongs("ipc")
        for name in (
            *("msgmni", "msgmnb", "msgmax", "msg_next_id", "sem", "sem_next_id"),
            *("shmmni", "shmall", "shmmax", "shm_rmid_forced", "shm_next_id"),
        )
    },
    "kernel.pid_max": Belongs("pid", (6, 14)),
    "net.unix.max_dgram_qlen": Belongs("network"),
    "net.core.somaxconn": Belongs("network"),
    "net.ipv4.tcp_retries2": Belongs("network", (4, 7)),
    "net.ipv4.tcp_fin_timeout": Belongs("network", (4, 7)),
    "net.ipv4.ip_local_port_range": Belongs("network"),
}
SEM_FIELDS = ("semmsl", "semmns", "semopm", "semmni")
"""The four numbers of ``kernel.sem``, each also to be had by itself: ``"kernel.sem.semopm"``."""


def path(name: str) -> str:
    return "/proc/sys/" + name.replace(".", "/")


def kernel_version() -> tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(digit for digit in minor if digit.isdigit()) or 0)


def writable(namespaces: tuple[str, ...]) -> tuple[str, ...]:
    """The sysctls that a process with these namespaces of its own can really write."""
    version = kernel_version()
    return tuple(
        name
        for name, belongs in ALLOWED.items()
        if belongs.namespace in namespaces and version >= belongs.since and _opens(name)
    )


def _opens(name: str) -> bool:
    """access(2) would not do: it leaves capabilities out of account."""
    try:
        os.close(os.open(path(name), os.O_WRONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def write(name: str, value: Value, namespaces: tuple[str, ...]) -> Value:
    """Set a sysctl, and return its old value. Numbers: as many as the sysctl has.

    Raises BadInput for a name that is not allowed and a value that the kernel does not take,
    Unsupported where the machine does not let this sandbox have its own copy of the sysctl.
    """
    whole, _, field = name.partition(".sem.")
    if field in SEM_FIELDS and whole == "kernel":
        return _write_field(field, value, namespaces)
    _check(name, namespaces)
    wanted = (value,) if isinstance(value, int) else value
    try:
        descriptor = os.open(path(name), os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Unsupported(
            f"{name} cannot be written here: {error.strerror}; `ipc-harness doctor` lists the "
            "limits that can"
        ) from error
    try:
        old = _read(descriptor)
        _set(descriptor, name, wanted)
    finally:
        os.close(descriptor)
    return old if len(old) > 1 else old[0]


def _set(descriptor: int, name: str, wanted: tuple[int, ...]) -> None:
    text = "\t".join(map(str, wanted))
    try:
        os.pwrite(descriptor, text.encode(), 0)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise Unsupported(
                f"{name} cannot be set to {text!r}: {error.strerror}; run as another user"
            ) from error
        raise BadInput(
            f"{name} cannot be set to {text!r}: {error.strerror}; give a value that this kernel "
            "takes (proc_sys(5))"
        ) from error
    taken = _read(descriptor)
    if taken != wanted:
        raise BadInput(
            f"{name} was set to {text!r}, but is {taken} now; give as many numbers as it has, "
            "within the bounds of this kernel (proc_sys(5))"
        )


def _read(descriptor: int) -> tuple[int, ...]:
    return tuple(int(number) for number in os.pread(descriptor, 256, 0).split())


def _check(name: str, namespaces: tuple[str, ...]) -> None:
    belongs = ALLOWED.get(name)
    if belongs is None:
        raise BadInput(
            f"{name!r} is not a limit that a run may change, for it would change on the whole "
            f"machine; choose one of {', '.join(sorted(ALLOWED))}"
        )
    if belongs.namespace not in namespaces:
        raise Unsupported(
            f"{name} would change on the whole machine, since this run has no {belongs.namespace} "
            "namespace of its own; `ipc-harness doctor` says why and what helps"
        )
    if kernel_version() < belongs.since:
        raise Unsupported(
            f"{name} belongs to the whole machine before Linux {belongs.since[0]}."
            f"{belongs.since[1]}, and this is {os.uname().release}; use a newer kernel"
        )


def _write_field(field: str, value: Value, namespaces: tuple[str, ...]) -> Value:
    if not isinstance(value, int):
        raise BadInput(f"kernel.sem.{field} is one number, not {value}")
    _check("kernel.sem", namespaces)
    with open(path("kernel.sem")) as file:
        numbers = [int(number) for number in file.read().split()]
    place = SEM_FIELDS.index(field)
    old, numbers[place] = numbers[place], value
    write("kernel.sem", tuple(numbers), namespaces)
    return old
