"""What a new sandbox gets inside: its own /proc, shared memory, scratch directory and loopback.

Runs in the first process of a run, whose mount and network namespaces are its own. Whatever
cannot be had is reported, with its reason, and left as it is. Follows mount_namespaces(7),
mq_overview(7), netdevice(7).
"""

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

from harness.execute import sysctls
from harness.execute.namespaces import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    Missing,
    mount,
)

_SAFE = MS_NOSUID | MS_NODEV | MS_NOEXEC
_HOLLOWS = ("/media", "/srv", "/mnt", "/opt", "/sys/fs/pstore", "/sys/kernel/debug")
"""Directories that may be empty, so that a mount there hides nothing."""
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


class Furnished(NamedTuple):
    """What was made."""

    missing: dict[str, Missing]
    scratch: str | None
    mqueue: str | None


def furnish(namespaces: tuple[str, ...], root: bool) -> Furnished:
    """Mount what a run needs, and bring the loopback interface up. ``root``: whether the run is
    root's outside too, and so must be kept from the sysctls of the machine."""
    missing: dict[str, Missing] = {}
    if "network" not in namespaces:
        missing["loopback"] = _lack("network")
    else:
        _attempt(missing, "loopback", _raise_loopback)
    hollow = None
    if "mount" in namespaces and _attempt(missing, "mount", _separate):
        if "pid" in namespaces:
            _attempt(missing, "proc", _mount_proc)
        else:
            missing["proc"] = _lack("pid")
        if root:
            _attempt(missing, "guard", _guard_sysctls)
        _attempt(missing, "shm", _mount_shm)
        hollow = _mount_hollow(missing)
    else:
        names = ("proc", "shm", "scratch", "mqueue", *(("guard",) if root else ()))
        missing.update(dict.fromkeys(names, _lack("mount")))
    scratch = os.path.join(hollow, "files") if hollow else None
    return Furnished(missing, scratch, _mount_mqueue(missing, hollow) if hollow else None)


def _lack(namespace: str) -> Missing:
    return Missing(
        f"there is no {namespace} namespace of the run's own",
        f"see the {namespace} namespace in `ipc-harness doctor`",
    )


def _attempt(missing: dict[str, Missing], name: str, step: Callable[[], None]) -> bool:
    """Whether a step worked; if not, why is noted under its name."""
    try:
        step()
    except OSError as error:
        what = f" ({error.filename})" if error.filename else ""
        missing[name] = Missing(
            f"{name} is refused{what}: {error.strerror}",
            "a container or security module around this process forbids it; run outside of it",
        )
        return False
    return True


def _separate() -> None:
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def _mount_proc() -> None:
    mount("proc", "/proc", "proc", _SAFE)


def _mount_shm() -> None:
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")


def _guard_sysctls() -> None:
    """Root may write every sysctl of the machine, also from here: leave only those writable
    that belong to the run's own namespaces."""
    mount("/proc/sys", "/proc/sys", None, MS_BIND)
    mount("none", "/proc/sys", None, MS_REMOUNT | MS_BIND | MS_RDONLY | _SAFE)
    for path in map(sysctls.path, sysctls.ALLOWED):
        if os.path.exists(path):
            mount(path, path, None, MS_BIND)
            mount("none", path, None, MS_REMOUNT | MS_BIND | _SAFE)


def _mount_hollow(missing: dict[str, Missing]) -> str | None:
    """Mount a private tmpfs where nothing is hidden by it."""
    for path in _HOLLOWS:
        with contextlib.suppress(OSError):
            if not os.listdir(path):
                mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
                os.mkdir(os.path.join(path, "files"))
                os.chmod(os.path.join(path, "files"), 0o1777)
                return path
    missing["scratch"] = Missing(
        f"none of {', '.join(_HOLLOWS)} is an empty directory to mount a private one on",
        "make one of them, empty",
    )
    return None


def _mount_mqueue(missing: dict[str, Missing], hollow: str) -> str | None:
    """Mount the file system that shows the POSIX message queues of the IPC namespace."""
    place = "/dev/mqueue"
    if not os.path.isdir(place):
        place = os.path.join(hollow, "mqueue")
        os.mkdir(place)
    made = _attempt(missing, "mqueue", lambda: mount("mqueue", place, "mqueue", _SAFE))
    return place if made else None


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        fcntl.ioctl(anything, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
