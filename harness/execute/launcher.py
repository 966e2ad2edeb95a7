"""The process that starts a run and stays behind until all of it has ended.

It forks a process that takes new namespaces, gives it its user ids from outside, and becomes,
as a subreaper, the parent of the run's first process. From then on it waits: for that process,
or for the end of the controller. With a PID namespace the kernel does the killing; without one,
this process kills whatever descends from it. Follows user_namespaces(7), pid_namespaces(7),
PR_SET_CHILD_SUBREAPER(2const).
"""

import contextlib
import errno
import os
import pickle
import signal
import socket
from typing import Any, NamedTuple, NoReturn

from harness.execute import registry
from harness.execute.namespaces import (
    NO_USERS,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_PDEATHSIG,
    Missing,
    can_change_user,
    obtainable,
    prctl,
    refusal,
    unshare,
    write_maps,
)

_FIRST_USER = 1_879_100_000
"""User ids from here on are nobody's: above those that systemd gives to containers."""

_AWAITED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LONGEST = 1 << 16
"""Bytes of the longest message between the launcher and the first process."""


class Given(NamedTuple):
    """What the launcher has for the first process of a run."""

    namespaces: tuple[str, ...]
    missing: dict[str, Missing]
    users: tuple[int, ...]
    root: bool
    """Whether the run is root's outside."""


class Welcome(NamedTuple):
    """What the first process of a run starts with."""

    given: Given
    channel: socket.socket

    def finish(self) -> None:
        """Let the launcher know that nothing which the run makes can be seen outside."""
        with self.channel as channel:
            channel.send(pickle.dumps(False))

    def open_registry(self) -> registry.Run:
        """Let the launcher know that others can see what the run makes, and have it keep an entry
        in the registry."""
        with self.channel as channel:
            channel.send(pickle.dumps(True))
            run: registry.Run = _received(channel)
        return run


def launch(controller: int, kinds: tuple[str, ...], users: int) -> Welcome:
    """Start a run in as many of the namespaces as are to be had. Returns in its first process."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    # If it were ignored, the kernel would reap children unseen.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with contextlib.suppress(PermissionError):
        os.setsid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != controller:
        os._exit(1)
    registry.sweep()
    launcher = _Launcher(users)
    welcome = launcher.start(kinds)
    if welcome is None:
        launcher.watch()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return welcome


class _Launcher:
    """The launcher's knowledge of its run."""

    def __init__(self, users: int) -> None:
        first = _FIRST_USER + 8 * os.getpid()
        self.users = tuple(range(first, first + users))
        self.missing: dict[str, Missing] = {}
        self.first = 0
        self.run: registry.Run | None = None
        self.kernel_kills = False

    def start(self, kinds: tuple[str, ...]) -> Welcome | None:
        """Fork the run's first process, where this returns what it needs, and settle it."""
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if child == 0:
            near.close()
            return _first_process(kinds, far)
        far.close()
        with near:
            less = self._admit(child, kinds, near)
            if less is None:
                self._settle(child, kinds, near)
                return None
        os.waitpid(child, 0)
        return self.start(less)

    def _admit(
        self, child: int, kinds: tuple[str, ...], near: socket.socket
    ) -> tuple[str, ...] | None:
        """Give a process that took namespaces its user ids. If that, or the taking, is refused:
        returns the namespaces to do without it."""
        refused: int = _received(near)
        if refused:
            less, missing = obtainable(kinds)
            if less == kinds:
                # Each by itself was granted, and yet not all together.
                less, missing = (), {kind: refusal(kind, refused) for kind in kinds}
            self.missing.update(missing)
            return less
        if "user" not in kinds:
            return None
        try:
            lack = write_maps(child, self.users)
        except OSError as error:
            self.missing["user"] = refusal("user", error.errno or errno.EPERM)
            return tuple(kind for kind in kinds if kind != "user")
        if lack is not None:
            self.missing["users"], self.users = lack, ()
        return None

    def _settle(self, child: int, kinds: tuple[str, ...], near: socket.socket) -> None:
        near.send(pickle.dumps(None))
        self.first = _received(near)
        if self.first != child:
            os.waitpid(child, 0)
        if "user" not in kinds and self.users and not can_change_user():
            self.missing["users"], self.users = NO_USERS, ()
        near.send(pickle.dumps(Given(kinds, self.missing, self.users, os.geteuid() == 0)))
        exposed: bool = _received(near)
        if exposed:
            self.run = registry.begin()
            near.send(pickle.dumps(self.run))
        self.kernel_kills = "pid" in kinds and not exposed

    def watch(self) -> NoReturn:
        """Wait for the end of the run or of the controller, see that all of it ends, and exit."""
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and not (self.run and int(name) == self.run.lock):
                with contextlib.suppress(OSError):
                    os.close(int(name))
        code = self._await_end()
        end_descendants()
        if self.run is not None:
            registry.finish(self.run)
        os._exit(code)

    def _await_end(self) -> int:
        if self.kernel_kills:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        while True:
            number = signal.sigwait(_AWAITED)
            if number != signal.SIGCHLD:
                return 128 + number
            ended = -1
            while ended not in (0, self.first):
                ended, status = os.waitpid(-1, os.WNOHANG)
                if ended == self.first:
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code


def _first_process(kinds: tuple[str, ...], far: socket.socket) -> Welcome:
    """Take the namespaces; where there is a new PID namespace, go on in its first process."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        if kinds:
            unshare(kinds)
    except OSError as error:
        far.send(pickle.dumps(error.errno))
        os._exit(0)
    far.send(pickle.dumps(0))
    _received(far)
    child = os.fork() if "pid" in kinds else os.getpid()
    if child != 0:
        far.send(pickle.dumps(child))
        if "pid" in kinds:
            os._exit(0)
    given = _received(far)
    # Only now: the process that forked this one has ended, and the launcher is its parent.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(BlockingIOError):
        if not far.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
            os._exit(1)
    return Welcome(given, far)


def end_descendants() -> None:
    """Kill and reap every process below this one. Orphans come to it, since it is a subreaper."""
    me = os.getpid()
    while True:
        found = children(me) or scan_children(me)
        for child in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            for child in found or [-1]:
                os.waitpid(child, 0)
        except ChildProcessError:
            if not found:
                return


def children(parent: int) -> list[int]:
    """The children of a process with one thread; perhaps not all, and none on some kernels."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []


def scan_children(parent: int) -> list[int]:
    """The children of a process, all of them."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                if int(file.read().rpartition(b")")[2].split()[1]) == parent:
                    found.append(int(name))
    return found


def _received(channel: socket.socket) -> Any:
    """The next message; ends this process if the other end is gone."""
    message = channel.recv(_LONGEST)
    if not message:
        os._exit(1)
    return pickle.loads(message)
