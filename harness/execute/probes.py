"""What the kernel lets a run do, tried out inside a sandbox by a process made for that.

It is the inner half of `harness.execute.facilities`, and is started afresh. Everything that it
makes is registered first, and removed at once.
"""

import ctypes
import os
import pickle
import socket
from collections.abc import Callable, Iterator

from harness.errors import BadInput, Broken
from harness.execute import registry, sandbox

_IPC_CREAT_EXCL = 0o3000
_libc = ctypes.CDLL(None, use_errno=True)


def _called(name: str, *arguments: object) -> int:
    function = getattr(_libc, name, None)
    if function is None:
        raise OSError(0, f"the C library has no {name}")
    result = int(function(*arguments))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result


def _posix_mq() -> None:
    name = registry.unique_name("posix_mq")
    registry.register("posix_mq", name)
    path = name.encode()
    os.close(_called("mq_open", path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600, None))
    _called("mq_unlink", path)
    registry.forget("posix_mq", name)


def _posix_shm() -> None:
    name = registry.unique_name("posix_shm")
    registry.register("posix_shm", name)
    path = name.encode()
    os.close(_called("shm_open", path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    _called("shm_unlink", path)
    registry.forget("posix_shm", name)


def _system_v(kind: str, *size: int) -> None:
    key = registry.unique_key()
    registry.register(f"sysv_{kind}_key", key)
    number = _called(f"{kind}get", key, *size, _IPC_CREAT_EXCL | 0o600)
    _called(f"{kind}ctl", number, *((0, 0) if kind == "sem" else (0, None)))
    registry.forget(f"sysv_{kind}_key", key)


def _pidfd() -> None:
    os.close(os.pidfd_open(os.getpid()))


def _batch() -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


PROBES: dict[str, Callable[[], None]] = {
    "posix_mq": _posix_mq,
    "posix_shm": _posix_shm,
    "sysv_sem": lambda: _system_v("sem", 1),
    "sysv_msg": lambda: _system_v("msg"),
    "sysv_shm": lambda: _system_v("shm", 4096),
    "pidfd": _pidfd,
    "batch": _batch,
}
"""What is tried, by name; a probe raises OSError if the kernel refuses."""


def _refusals() -> Iterator[tuple[str, str]]:
    for name, probe in PROBES.items():
        try:
            probe()
        except OSError as error:
            yield name, error.strerror or str(error)


def main(controller: int, descriptor: int) -> None:
    """Enter a sandbox, try everything, send what was found, and wait to be looked at."""
    channel = socket.socket(fileno=descriptor)
    try:
        box = sandbox.enter(sandbox.Wanted(controller))
    except (BadInput, Broken) as error:
        channel.send(pickle.dumps(str(error)))
        return
    refused = dict(_refusals())
    pidfds = [] if "pidfd" in refused else [os.pidfd_open(os.getpid())]
    socket.send_fds(channel, [pickle.dumps((tuple(box), refused))], pidfds)
    channel.recv(1)
