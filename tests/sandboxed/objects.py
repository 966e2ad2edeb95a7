"""One kernel object of every kind that a run may make, registered as adapters do."""

import ctypes
import os
import socket
from pathlib import Path
from typing import Any

from harness.execute import registry
from tests.sandboxed.libc import LIBC, made

Objects = list[tuple[str, Any, Any]]
"""Kind, name or number, and for a System V object what tells it from others."""
EXCLUSIVE = 0o3600
"""The flags of semget, msgget and shmget for a new object."""


def make_objects() -> Objects:
    """One of each kind that a run may make, registered as adapters do."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    found: Objects = []
    LIBC.sem_open.restype = ctypes.c_void_p
    for kind in ("posix_mq", "posix_sem", "posix_shm"):
        name = registry.unique_name(kind)
        registry.register(kind, name)
        found.append((kind, name, None))
        if kind == "posix_mq":
            os.close(made("mq_open", name.encode(), flags, 0o600, None))
        elif kind == "posix_shm":
            os.close(made("shm_open", name.encode(), flags, 0o600))
        else:
            assert LIBC.sem_open(name.encode(), flags, 0o600, 0)
    for kind, size in (("sem", [1]), ("msg", []), ("shm", [4096])):
        key = registry.unique_key()
        registry.register(f"sysv_{kind}_key", key)
        keyed = made(f"{kind}get", key, *size, EXCLUSIVE)
        private = made(f"{kind}get", 0, *size, EXCLUSIVE)
        registry.register(f"sysv_{kind}", private)
        what = f"sysv_{kind}"
        found += [
            (what, number, registry.maker(what, number, os.geteuid()))
            for number in (keyed, private)
        ]
    make_files()
    return found


def make_files() -> None:
    os.mkfifo(registry.unique_name("fifo"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(registry.unique_name("socket"))
    hidden = registry.unique_name("directory")
    os.mkdir(hidden)
    Path(hidden, "file").touch()
    os.chmod(hidden, 0)


def still_there(objects: Objects) -> list[str]:
    """Which of these objects exist, as far as this process can see."""
    found = []
    for kind, name, maker in objects:
        if kind == "posix_mq":
            descriptor = LIBC.mq_open(name.encode(), os.O_RDONLY)
            exists = descriptor >= 0
            if exists:
                os.close(descriptor)
        elif maker is None:
            prefix = "sem." if kind == "posix_sem" else ""
            exists = os.path.exists(f"/dev/shm/{prefix}{name[1:]}")
        else:
            exists = registry.maker(kind, name, os.geteuid()) == maker
        if exists:
            found.append(f"{kind} {name}")
    return found
