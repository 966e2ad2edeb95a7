"""Processes for cases that need their own: forked, waited for by facts, always reaped; and what
ends or moves the process that asks for it."""

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, NoReturn

from harness.errors import Unseen, Unsupported
from harness.execute import namespaces
from harness.execute.proc import Watch
from properties.kernel.libc import LIBC

BOUND = 30.0
"""Seconds after which what is awaited counts as never coming: less than the harness waits for a
whole case, so that the case can say what it was."""
_SYS_EXIT = {"x86_64": 60}.get(os.uname().machine, 93)
"""The number of _exit(2) as one thread calls it (include/uapi/asm-generic/unistd.h)."""


class Child:
    """A forked process that does ``body`` and hands its result to its parent.

    As a context manager it is killed, if it still lives, and reaped.
    """

    def __init__(self, body: Callable[[], object]) -> None:
        self._result, ours = os.pipe()
        self.status: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _carry_out(body, ours)
        os.close(ours)

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.status is None:
            self.kill()
        os.close(self._result)

    def answer(self) -> Any:
        """What ``body`` returned. Raises the Unsupported that it raised, and for anything else
        AssertionError with its traceback."""
        with open(self._result, "rb", closefd=False) as file:
            data = file.read()
        self.end()
        assert data, f"the child ended without an answer, with {self.status}"
        returned, value = pickle.loads(data)
        if isinstance(value, Unsupported):
            raise value
        assert returned, value
        return value

    def end(self) -> int:
        """Its exit code, minus a signal's number, once it has ended."""
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def kill(self) -> int:
        """Its exit code, which is that of SIGKILL unless it had ended before."""
        os.kill(self.pid, signal.SIGKILL)
        return self.end()

    def becomes_a_zombie(self) -> str:
        """Kill it, and leave it unreaped: its state then."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return state_of(self.pid)

    def falls_asleep(self, *calls: str) -> None:
        """Wait until it sleeps inside one of these system calls."""
        watch = Watch(self.pid)
        try:
            await_fact(lambda: watch.syscall() in calls, f"a sleep in {' or '.join(calls)}")
        finally:
            watch.close()

    def reaches(self, states: str) -> None:
        """Wait until it is in one of these states: ``"S"`` asleep, ``"Z"`` a zombie."""
        await_fact(lambda: state_of(self.pid) in states, f"a state of {states}")


def _carry_out(body: Callable[[], object], result: int) -> NoReturn:
    code = 1
    try:
        value: tuple[bool, object] = (True, body())
        code = 0
    except Unsupported as missing:
        value = (False, missing)
    except BaseException:
        value = (False, traceback.format_exc())
    try:
        with open(result, "wb") as file:
            file.write(pickle.dumps(value))
    finally:
        os._exit(code)


def await_fact(fact: Callable[[], bool], what: str) -> None:
    """Give way to others until ``fact`` holds."""
    deadline = monotonic() + BOUND
    while not fact():
        os.sched_yield()
        assert monotonic() < deadline, f"{what} did not come within {BOUND:g} s"


def unseen(what: str, chances: str) -> Unseen:
    """For a case that shows only what the scheduler lets it see, and has not seen it."""
    return Unseen(
        f"{what} was never seen in {chances}, so that nothing is shown; let the machine come to "
        "rest, and run it again"
    )


def sleep_for_ever() -> NoReturn:
    while True:
        signal.pause()


def state_of(process: int) -> str:
    """The state of a process in /proc: ``"R"``, ``"S"``, ``"Z"``…"""
    return _stat(process)[0]


def parent_of(process: int) -> int:
    return int(_stat(process)[1])


def _stat(process: int) -> list[str]:
    """What follows the name in /proc/PID/stat (proc_pid_stat(5))."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def end_this_thread() -> None:
    """End the calling thread only, be it the first one of its process."""
    LIBC.syscall(_SYS_EXIT, 0)


def adopt_orphans() -> None:
    """Become the parent of the children that descendants leave behind."""
    namespaces.prctl(namespaces.PR_SET_CHILD_SUBREAPER, 1)


def leave_namespace(kind: str) -> None:
    """Leave the namespace of this kind (``"ipc"``, ``"pid"``) for a new one; raises Unsupported
    where there is none to be had."""
    try:
        namespaces.unshare((kind,))
    except OSError as error:
        why = namespaces.refusal(kind, error.errno or 0)
        raise Unsupported(f"no {kind} namespace of its own: {why}") from error


def is_above_limits() -> bool:
    """Whether this process has CAP_SYS_RESOURCE where it lifts limits: in the initial user
    namespace (capabilities(7), user_namespaces(7))."""
    initial = Path("/proc/self/uid_map").read_text().split() == ["0", "0", str((1 << 32) - 1)]
    return initial and namespaces.has_capability(namespaces.CAP_SYS_RESOURCE)
