"""What the end of a process, a thread or a PID namespace does to POSIX message queues.

Every public function runs in a process of its own inside the sandbox and says what it saw.
"""

import ctypes
import os
import signal
import threading
from pathlib import Path

from harness.errors import Unsupported
from harness.spec import Reply
from models.posix_mq_operations import NOTIFICATION_SIGNAL, Notify, ReadStatus, Receive, Send
from properties.kernel.children import Child, await_fact, sleep_for_ever
from properties.kernel.posix_mq import PosixMqAdapter
from properties.kernel.posix_mq_cases import queue

CLONE_NEWPID = 0x20000000
PR_SET_CHILD_SUBREAPER = 36
SYS_EXIT = {"x86_64": 60}.get(os.uname().machine, 93)
REGISTERED = (0, 0, NOTIFICATION_SIGNAL, None)
"""The status of an empty queue with a registration from outside the program."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def register_and_wait(own: PosixMqAdapter) -> None:
    own.perform(Notify())
    sleep_for_ever()


def await_registration(own: PosixMqAdapter) -> None:
    await_fact(lambda: own.perform(ReadStatus()) == REGISTERED, "a registration")


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def kill_the_registered() -> dict[str, Reply]:
    """What another's registration gets, and the state of the dead one, before it is reaped."""
    with queue() as own, Child(lambda: register_and_wait(own)) as child:
        await_registration(own)
        before = own.perform(Notify())
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        return {"before": before, "state": state_of(child.pid), "after": own.perform(Notify())}


def end_threads() -> dict[str, Reply]:
    """The registered process loses its first thread, and then is killed."""
    with queue() as own:

        def body() -> None:
            own.perform(Notify())
            threading.Thread(target=sleep_for_ever).start()
            _LIBC.syscall(SYS_EXIT, 0)

        with Child(body) as child:
            child.reaches("Z")
            first = own.perform(Notify())
            child.kill()
            return {"first thread ended": first, "killed": own.perform(Notify())}


def leave_an_orphan() -> dict[str, Reply]:
    """The parent of the registered process is killed."""
    _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with queue() as own:
        told, tell = os.pipe()

        def parent() -> None:
            child = os.fork()
            if child == 0:
                register_and_wait(own)
            os.write(tell, str(child).encode())
            sleep_for_ever()

        with Child(parent) as middle:
            orphan = int(os.read(told, 20))
            await_registration(own)
            middle.kill()
            parent_now = int(Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[1])
            found: dict[str, Reply] = {
                "adopted": parent_now == os.getpid(),
                "orphan lives": own.perform(Notify()),
            }
            os.kill(orphan, signal.SIGKILL)
            os.waitpid(orphan, 0)
            return found | {"orphan killed": own.perform(Notify())}


def end_a_pid_namespace() -> dict[str, Reply]:
    """The first process of a PID namespace is killed, in which another one is registered."""
    with queue() as own:
        told, tell = os.pipe()

        def first() -> None:
            with Child(lambda: register_and_wait(own)):
                await_registration(own)
                os.write(tell, b"x")
                sleep_for_ever()

        def outside() -> int:
            if _LIBC.unshare(CLONE_NEWPID) != 0:
                return -1
            with Child(first) as init:
                os.read(told, 1)
                return init.kill()

        with Child(outside) as child:
            if child.answer() == -1:
                raise Unsupported("no PID namespace can be made; run in a user namespace")
        free = own.perform(Notify(3))
        own.perform(Send("x"))
        return {"free": free, "left": own.perform(Receive())}
