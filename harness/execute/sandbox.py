"""The place in which a run's processes live: namespaces of their own, as far as there are any.

The launcher calls `enter`, which returns in another process: the first one of a new PID
namespace, with its own mounts, IPC objects and network, all of which the kernel removes when that
process ends. Where namespaces are not to be had, the launcher stays behind as a sentinel instead:
it outlives the controller for as long as it takes to kill what the run started and to sweep what
it made. Follows namespaces(7), pid_namespaces(7), PR_SET_PDEATHSIG(2const).
"""

import os
import signal
from typing import NamedTuple

from harness.errors import BadInput, Broken
from harness.execute import launcher, mounts, registry, sysctls
from harness.execute.namespaces import (
    CLONE,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    Missing,
    clear_capabilities,
    prctl,
)
from harness.execute.sysctls import Value

NAMESPACES = tuple(CLONE)
SWITCH = "IPC_HARNESS_SANDBOX"
MOST_USERS = 8


class Wanted(NamedTuple):
    """What a run asks for."""

    controller: int
    """The process id of the controller, which must be the caller's parent."""
    namespaces: tuple[str, ...] = NAMESPACES
    users: int = 2
    """How many other user ids, at most 8; only root can have any."""


class Sandbox(NamedTuple):
    """What a run obtained: plain data."""

    namespaces: tuple[str, ...]
    missing: dict[str, Missing]
    """What was not obtained and why, by its name: a namespace, ``"proc"``, ``"shm"``,
    ``"mqueue"``, ``"scratch"``, ``"loopback"``, ``"users"``."""
    limits: tuple[str, ...]
    """The sysctls that `write_limit` can write."""
    scratch: str
    """A directory for FIFOs, sockets and files, which ends with the run."""
    mqueue: str | None
    """Where the file system of POSIX message queues is mounted."""
    users: tuple[int, ...]
    """User ids, and group ids of the same numbers, that `become` can take on. No other sandbox
    has them, so what the kernel counts by user is this run's own."""
    owner: str
    """The run's token in the registry, empty if all that it makes is private."""

    @property
    def private(self) -> bool:
        """Whether nothing that the run makes can be seen outside, and the kernel ends it all."""
        return "pid" in self.namespaces and not self.owner


class _Context:
    """The sandbox that this process lives in; inherited by fork."""

    sandbox: Sandbox | None = None


def current() -> Sandbox:
    """The sandbox that this process lives in."""
    if _Context.sandbox is None:
        raise Broken("this process is in no sandbox; only processes of a run may ask for it")
    return _Context.sandbox


def write_limit(name: str, value: Value) -> Value:
    """Set a sysctl that belongs to a namespace of this run, and return its old value.

    Raises BadInput for any other sysctl, or a value that the kernel refuses; Unsupported where
    the run has no such namespace of its own.
    """
    return sysctls.write(name, value, current().namespaces)


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when ``parent`` ends, which must have forked it."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def become(user: int) -> None:
    """Change to another user of the sandbox for good, with no privilege left."""
    users = current().users
    if user not in users:
        raise BadInput(f"user {user} does not exist in this sandbox; it has {users or 'no others'}")
    parent = os.getppid()
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # A change of user makes /proc unreadable for the controller, and forgets PR_SET_PDEATHSIG.
    prctl(PR_SET_DUMPABLE, 1)
    die_with_parent(parent)


def drop_capabilities() -> None:
    """Give up for good the capabilities that a sandbox has over its own namespaces, so that the
    permission bits of objects count; works for every user."""
    clear_capabilities()


def pid_behind(pidfd: int) -> int:
    """The process id, as the caller sees it, of the process that a pidfd refers to."""
    with open(f"/proc/self/fdinfo/{pidfd}") as file:
        for line in file:
            if line.startswith("Pid:"):
                return int(line[4:])
    raise BadInput(f"descriptor {pidfd} is not a pidfd; get one with os.pidfd_open()")


def enter(wanted: Wanted) -> Sandbox:
    """Become the launcher of a run. Returns only in the run's first process, which keeps the
    descriptors, the signal mask and the handlers of the caller.

    The launcher itself exits with the exit code of the first process, or 128 plus the number of
    the signal that ended it. It must have been started by the main thread of the controller:
    PR_SET_PDEATHSIG tells the end of a thread. Raises Broken, in the launcher, where no run is
    possible, and BadInput for a wish that has no meaning.
    """
    kinds, missing = _switched(wanted)
    welcome = launcher.launch(wanted.controller, kinds, wanted.users)
    given = welcome.given
    furnished = mounts.furnish(given.namespaces, given.root)
    missing |= given.missing | furnished.missing
    private = registry.Private("ipc" in given.namespaces, "shm" not in missing)
    if private.ipc and private.shm and furnished.scratch:
        run, scratch = None, furnished.scratch
        welcome.finish()
    else:
        run = welcome.open_registry()
        scratch = furnished.scratch or run.scratch
    registry.adopt(run, private, scratch)
    _Context.sandbox = Sandbox(
        namespaces=given.namespaces,
        missing=missing,
        limits=sysctls.writable(given.namespaces),
        scratch=scratch,
        mqueue=furnished.mqueue,
        users=given.users,
        owner=run.owner if run else "",
    )
    return _Context.sandbox


def _switched(wanted: Wanted) -> tuple[tuple[str, ...], dict[str, Missing]]:
    """The namespaces to try for, and why not the others."""
    unknown = [kind for kind in wanted.namespaces if kind not in CLONE]
    if unknown or not 0 <= wanted.users <= MOST_USERS:
        raise BadInput(
            f"{wanted} cannot be had; choose namespaces of {', '.join(NAMESPACES)}, and at most "
            f"{MOST_USERS} users"
        )
    switch = os.environ.get(SWITCH) or "on"
    if switch not in ("on", "off"):
        raise BadInput(f"{SWITCH} is {switch!r}; set it to on or off, or unset it")
    if switch == "on":
        return wanted.namespaces, {}
    off = Missing(f"the environment variable {SWITCH} is off", f"unset {SWITCH}")
    return (), dict.fromkeys(wanted.namespaces, off)
