"""What this machine offers to runs, and what follows where it does not: ``ipc-harness doctor``.

Facts are tried out in a sandbox that is made for that and thrown away, rather than concluded
from versions or from who the user is: root may lack a capability, and a container may refuse
what the kernel has.
"""

import os
import pickle
import platform
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.errors import Broken
from harness.execute import syscalls, sysctls
from harness.execute.namespaces import (
    CAP_SYS_NICE,
    CAP_SYS_PTRACE,
    CAP_SYS_RESOURCE,
    Missing,
    has_capability,
    setting,
)
from harness.execute.proc import Watch
from harness.execute.sandbox import NAMESPACES, Sandbox, pid_behind

BOUND = 30.0
"""Seconds that the probing may take."""

_ROOT = str(Path(__file__).parents[2])
_PROGRAM = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); from harness.execute.probes import main; "
    "main(int(sys.argv[1]), int(sys.argv[2]))"
)


@dataclass(frozen=True)
class Facility:
    """One thing that a machine may offer."""

    group: str
    """``"sandbox"``, ``"objects"``, ``"control"``, ``"limits"`` or ``"machine"``."""
    name: str
    available: bool
    reason: str
    """What was found; why it is not available."""
    consequence: str = ""
    """What runs do without, if it is not available."""
    remedy: str = ""
    """What would make it available."""
    required: bool = False
    """Whether no run can be made without it."""


class Found(NamedTuple):
    """What the probing process reported, and what could be seen of it from outside."""

    sandbox: Sandbox
    refused: dict[str, str]
    unreadable: str | None
    """Why its /proc entry did not show that it sleeps."""
    realtime: str | None
    """Why it could not be given a real-time priority."""
    seconds: float
    """How long it took until the sandbox was there."""


def doctor() -> list[Facility]:
    """Everything that runs depend on, the sandbox first. Takes about a tenth of a second.

    Raises Broken if not even a process could be started and asked.
    """
    found = probe()
    return [
        *_sandbox(found),
        *_objects(found),
        *_control(found),
        *_limits(found.sandbox),
        *_machine(),
    ]


def probe() -> Found:
    """Start a process in a sandbox of its own, ask it what it may do, and look at it."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    began = time.monotonic()
    with near:
        near.settimeout(BOUND)
        with far, _started(far.fileno()) as process:
            far.close()
            try:
                return _look(near, began)
            except (OSError, EOFError) as error:
                process.kill()
                complaint = (process.stderr.read() if process.stderr else b"").decode().strip()
                raise Broken(f"no sandbox could be set up: {complaint or error}") from error
            finally:
                near.close()


def _started(descriptor: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(os.getpid()), str(descriptor)]
    try:
        return subprocess.Popen(
            command,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise Broken(f"{sys.executable} could not be started: {error.strerror}") from error


def _look(channel: socket.socket, began: float) -> Found:
    message, pidfds, _, _ = socket.recv_fds(channel, 1 << 20, 1)
    seconds = time.monotonic() - began
    if not message:
        raise EOFError("it ended without a word")
    found = pickle.loads(message)
    if isinstance(found, str):
        raise Broken(found)
    box, refused = found
    if not pidfds:
        lost = "there is no pidfd to find the process with"
        return Found(Sandbox(*box), refused, lost, lost, seconds)
    pid = pid_behind(pidfds[0])
    os.close(pidfds[0])
    return Found(Sandbox(*box), refused, _unreadable(pid), _no_realtime(pid), seconds)


def _unreadable(pid: int) -> str | None:
    """Why it cannot be seen that a process which waits in recv(2) does so; ``None`` if it can."""
    try:
        watch = Watch(pid)
    except Broken as error:
        return str(error)
    limit = time.monotonic() + BOUND
    try:
        while time.monotonic() < limit:
            seen = watch.syscall()
            if seen is not None and watch.state() == "S":
                return None
            os.sched_yield()
    except Broken as error:
        return str(error)
    finally:
        watch.close()
    return "a process that waits in recv(2) is shown in no system call"


def _no_realtime(pid: int) -> str | None:
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
    except OSError as error:
        return error.strerror
    return None


_WITHOUT = {
    "user": "an ordinary user has no other namespace either",
    "ipc": "POSIX queues and System V objects are made on the plain machine and swept afterwards; "
    "the limits fs.mqueue.* and kernel.* cannot be lowered",
    "pid": "a sentinel process kills what a run started, instead of the kernel",
    "mount": "FIFOs and sockets are made in a temporary directory and swept afterwards",
    "network": "the limits net.* cannot be lowered, and ports are shared with the machine",
    "uts": "the host name is the machine's",
    "proc": "/proc shows the machine's processes",
    "shm": "POSIX shared memory and semaphores are made on the plain machine and swept afterwards",
    "scratch": "FIFOs and sockets are made in a temporary directory and swept afterwards",
    "mqueue": "queues cannot be looked at as files",
    "loopback": "no TCP and UDP inside the sandbox",
    "guard": "nothing keeps a subject that runs as root from the machine's own sysctls",
    "users": "what concerns other users is reported as unsupported",
}
_OWN = {
    "proc": "private /proc",
    "shm": "private /dev/shm",
    "scratch": "scratch directory",
    "mqueue": "message queue file system",
    "loopback": "loopback interface",
    "guard": "guarded sysctls",
    "users": "other user ids",
}


def _sandbox(found: Found) -> list[Facility]:
    box = found.sandbox
    names = {**{kind: f"{kind} namespace" for kind in NAMESPACES}, **_OWN}
    facilities = []
    for key, name in names.items():
        lack = box.missing.get(key)
        if lack is None:
            facilities.append(Facility("sandbox", name, True, _extra(key, box)))
        else:
            facilities.append(_lacking("sandbox", name, lack, _WITHOUT[key]))
    return [*facilities, _isolation(found)]


def _isolation(found: Found) -> Facility:
    can = found.sandbox.private
    what = "nothing" if can else "some of what"
    return Facility(
        "sandbox",
        "isolation",
        can,
        f"{what} {'that ' if can else ''}a run makes can be seen outside; set up in "
        f"{found.seconds * 1000:.0f} ms",
        "if even the sentinel is killed, what is left stays until the next run sweeps it",
        "see the namespaces above",
    )


def _extra(key: str, box: Sandbox) -> str:
    return {
        "scratch": box.scratch,
        "mqueue": f"mounted at {box.mqueue}",
        "users": f"{len(box.users)} of them",
        "guard": "the machine's own cannot be written",
    }.get(key, "the run's own")


def _lacking(group: str, name: str, lack: Missing, consequence: str) -> Facility:
    return Facility(group, name, False, lack.cause, consequence, lack.remedy)


def _objects(found: Found) -> list[Facility]:
    names = {
        "posix_mq": ("POSIX message queues", "CONFIG_POSIX_MQUEUE"),
        "posix_shm": ("POSIX shared memory", "a tmpfs on /dev/shm"),
        "sysv_sem": ("System V semaphores", "CONFIG_SYSVIPC"),
        "sysv_msg": ("System V message queues", "CONFIG_SYSVIPC"),
        "sysv_shm": ("System V shared memory", "CONFIG_SYSVIPC"),
    }
    return [
        Facility(
            "objects",
            name,
            key not in found.refused,
            found.refused.get(key, "one was made and removed"),
            f"the properties of {name} are reported as unsupported",
            f"use a kernel, or a container, with {needed}",
        )
        for key, (name, needed) in names.items()
    ]


def _control(found: Found) -> list[Facility]:
    unknown = syscalls.lack()
    return [
        _tried(
            "/proc of actors",
            found.unreadable,
            "no run is possible: whether an actor sleeps in its call cannot be seen",
            _ptrace_remedy(),
            required=True,
        ),
        _tried(
            "system call numbers",
            unknown.cause if unknown else None,
            "no run is possible: in which system call an actor sleeps cannot be told",
            unknown.remedy if unknown else "",
            required=True,
        ),
        _tried(
            "pidfd",
            found.refused.get("pidfd"),
            "no run is possible: actors cannot be told from processes that reuse their ids",
            "use Linux 5.3 or later",
            required=True,
        ),
        _tried(
            "SCHED_BATCH",
            found.refused.get("batch"),
            "an actor that is woken may run before its waker has come to rest",
            "allow sched_setscheduler in the container's seccomp profile",
        ),
        _tried(
            "SCHED_FIFO",
            found.realtime,
            "killing an actor that was woken before it runs is not certain, but tried repeatedly",
            "grant CAP_SYS_NICE, or raise RLIMIT_RTPRIO",
        ),
        *_capabilities(),
    ]


def _tried(
    name: str, refusal: str | None, consequence: str, remedy: str, required: bool = False
) -> Facility:
    can, reason = refusal is None, refusal or "works"
    return Facility("control", name, can, reason, consequence, remedy, required)


def _ptrace_remedy() -> str:
    scope = setting("kernel.yama.ptrace_scope")
    if scope in ("2", "3"):
        return f"kernel.yama.ptrace_scope is {scope}: set it to 1"
    return "let this process trace its own children (seccomp profile, security module)"


def _capabilities() -> list[Facility]:
    wanted = {
        "CAP_SYS_RESOURCE": (
            CAP_SYS_RESOURCE,
            "pipes and queues above the machine's limits are reported as unsupported",
        ),
        "CAP_SYS_NICE": (CAP_SYS_NICE, "no real-time priorities, unless RLIMIT_RTPRIO allows them"),
        "CAP_SYS_PTRACE": (
            CAP_SYS_PTRACE,
            "only processes of the same user can be looked into, which is enough for actors",
        ),
    }
    return [
        Facility(
            "control",
            name,
            has_capability(number),
            "in effect" if has_capability(number) else "not in effect for this process",
            consequence,
            f"run as root, in a container that keeps it (docker: --cap-add={name[4:]})",
        )
        for name, (number, consequence) in wanted.items()
    ]


def _limits(box: Sandbox) -> list[Facility]:
    facilities = [_sysctls(box, namespace) for namespace in ("ipc", "pid", "network")]
    for name in ("NOFILE", "NPROC", "MSGQUEUE", "SIGPENDING", "MEMLOCK", "RTPRIO"):
        soft, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
        reason = f"soft {_amount(soft)}, hard {_amount(hard)}"
        facilities.append(Facility("limits", f"RLIMIT_{name}", True, reason))
    return facilities


def _sysctls(box: Sandbox, namespace: str) -> Facility:
    """The machine's values of the limits of which a run can have its own, and whether it can."""
    names = [name for name, its in sysctls.ALLOWED.items() if its.namespace == namespace]
    values = ", ".join(f"{name} {' '.join((setting(name) or '-').split())}" for name in names)
    fixed = [name for name in names if name not in box.limits]
    cannot = f"; a run cannot change {'any' if fixed == names else ', '.join(fixed)}"
    return Facility(
        "limits",
        f"sysctls of the {namespace} namespace",
        not fixed,
        values + (cannot if fixed else ""),
        "programs that change such a limit are reported as unsupported",
        f"see the {namespace} namespace above; or use a newer kernel",
    )


def _amount(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)


def _machine() -> list[Facility]:
    cpus, usable = os.cpu_count() or 1, len(os.sched_getaffinity(0))
    facts = {
        "kernel": f"{platform.system()} {platform.release()} on {platform.machine()}",
        "C library": os.confstr("CS_GNU_LIBC_VERSION") or "not glibc",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "user": f"{os.geteuid()}, {'root' if os.geteuid() == 0 else 'an ordinary user'}",
        "kernel.yama.ptrace_scope": setting("kernel.yama.ptrace_scope") or "no such module",
    }
    return [
        *(Facility("machine", name, True, fact) for name, fact in facts.items()),
        Facility(
            "machine",
            "CPUs",
            usable > 1,
            f"{usable} of {cpus} may be used",
            "test workers share one CPU, and nothing runs truly in parallel",
            "give this process more than one CPU (taskset, container limits)",
        ),
    ]
