"""Child processes for cases that need their own: forked, waited for by facts, always reaped."""

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from harness.errors import Unsupported
from harness.execute.namespaces import CAP_SYS_RESOURCE, has_capability
from harness.execute.proc import Watch

BOUND = 60.0
"""Seconds after which what is awaited counts as never coming."""


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
            os.kill(self.pid, signal.SIGKILL)
            self.end()
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
        os.kill(self.pid, signal.SIGKILL)
        return self.end()

    def falls_asleep(self, *calls: str) -> None:
        """Wait until it sleeps inside one of these system calls."""
        watch = Watch(self.pid)
        try:
            await_fact(lambda: watch.syscall() in calls, f"a sleep in {' or '.join(calls)}")
        finally:
            watch.close()

    def reaches(self, state: str) -> None:
        """Wait until it is in one of these states: ``"T"`` stopped, ``"Z"`` a zombie."""
        watch = Watch(self.pid)
        try:
            await_fact(lambda: watch.state() in state, f"state {state}")
        finally:
            watch.close()


def _carry_out(body: Callable[[], object], result: int) -> None:
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


def sleep_for_ever() -> None:
    while True:
        signal.pause()


def is_above_limits() -> bool:
    """Whether this process has CAP_SYS_RESOURCE where it lifts limits: in the initial user
    namespace (capabilities(7), user_namespaces(7))."""
    initial = Path("/proc/self/uid_map").read_text().split() == ["0", "0", str((1 << 32) - 1)]
    return initial and has_capability(CAP_SYS_RESOURCE)
