"""What the end of a process, a thread or a whole namespace does to the pipes that it holds.

Each public function runs in a fresh process of the sandbox and says what it saw, as plain data.
"""

import ctypes
import os
import resource
import signal
import threading

from harness.errors import Unsupported
from properties.kernel.pipe_cases import forked, look, sleep_for_ever, state_of

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWPID = 0x20000000
_SYS_EXIT = {"x86_64": 60}.get(os.uname().machine, 93)


def kill_writers(times: int) -> set[tuple[str, str]]:
    """The state of killed writers before they are reaped, and what their readers find then."""
    found = set()
    for _ in range(times):
        reader, writer = os.pipe()
        child = forked(sleep_for_ever)
        os.close(writer)
        assert look(reader) == "nothing"
        os.kill(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        found.add((state_of(child), look(reader)))
        os.waitpid(child, 0)
        os.close(reader)
    return found


def end_threads(last_how: str) -> dict[str, str]:
    """A writer's first thread ends, and then its last one."""
    reader, writer = os.pipe()
    wait, go_on = os.pipe()

    def last() -> None:
        os.read(wait, 1)
        os._exit(0)

    def body() -> None:
        threading.Thread(target=last).start()
        _LIBC.syscall(_SYS_EXIT, 0)

    child = forked(body)
    os.close(writer)
    while state_of(child) != "Z":
        os.sched_yield()
    after_first = look(reader)
    if last_how == "killed":
        os.kill(child, signal.SIGKILL)
    else:
        os.write(go_on, b"x")
    os.waitpid(child, 0)
    return {"first": after_first, "last": look(reader)}


def orphan() -> dict[str, str | bool]:
    """A process that holds both ends of a pipe loses its parent."""
    reader, writer = os.pipe()
    wait, go_on = os.pipe()
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def child() -> None:
        def grandchild() -> None:
            os.read(wait, 1)
            os.write(writer, b"new parent" if os.getppid() == me else b"other parent")

        forked(grandchild)

    me = os.getpid()
    parent = forked(child)
    os.close(writer)
    os.waitpid(parent, 0)
    untouched = look(reader)
    os.write(go_on, b"x")
    os.waitpid(-1, 0)
    return {"untouched": untouched, "told": look(reader), "last": look(reader)}


def kill_the_first_process_of_a_namespace() -> str:
    """What a reader finds when the first process of the writer's PID namespace was killed."""
    reader, writer = os.pipe()
    told, tell = os.pipe()
    if _LIBC.unshare(_CLONE_NEWPID) < 0:
        raise Unsupported(
            "PID namespaces are not to be had here: allow user namespaces, or be root"
        )

    def first() -> None:
        def holder() -> None:
            os.write(tell, b"x")
            sleep_for_ever()

        forked(holder)
        os.close(writer)
        sleep_for_ever()

    child = forked(first)
    os.close(writer)
    os.read(told, 1)
    assert look(reader) == "nothing"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return look(reader)


def use_up_the_processor_limit() -> tuple[str, str]:
    """What ends a writer that runs for longer than it may, and what its reader finds then."""
    reader, writer = os.pipe()

    def spin() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
        while True:
            pass

    child = forked(spin)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    return signal.Signals(os.WTERMSIG(status)).name, look(reader)
