"""What the end of a process, a thread or a PID namespace does to POSIX message queues.

Every public function runs in a process of its own inside the sandbox and says what it saw.
"""

import os
import signal
import threading

from harness.spec import Reply
from models.posix_mq import NOTIFICATION_SIGNAL, Notify, ReadStatus, Receive, Send
from properties.kernel.children import (
    Child,
    adopt_orphans,
    await_fact,
    end_this_thread,
    leave_namespace,
    parent_of,
    sleep_for_ever,
)
from properties.kernel.posix_mq import PosixMqAdapter
from properties.kernel.posix_mq_cases import queue

REGISTERED = (0, 0, NOTIFICATION_SIGNAL, None)
"""The status of an empty queue with a registration from outside the program."""


def register_and_wait(own: PosixMqAdapter) -> None:
    own.perform(Notify())
    sleep_for_ever()


def await_registration(own: PosixMqAdapter) -> None:
    await_fact(lambda: own.perform(ReadStatus()) == REGISTERED, "a registration")


def kill_the_registered() -> dict[str, Reply]:
    """What another's registration gets, and the state of the dead one, before it is reaped."""
    with queue() as own, Child(lambda: register_and_wait(own)) as child:
        await_registration(own)
        before = own.perform(Notify())
        state = child.becomes_a_zombie()
        return {"before": before, "state": state, "after": own.perform(Notify())}


def end_threads() -> dict[str, Reply]:
    """The registered process loses its first thread, and then is killed."""
    with queue() as own:

        def body() -> None:
            own.perform(Notify())
            threading.Thread(target=sleep_for_ever).start()
            end_this_thread()

        with Child(body) as child:
            child.reaches("Z")
            first = own.perform(Notify())
            child.kill()
            return {"first thread ended": first, "killed": own.perform(Notify())}


def leave_an_orphan() -> dict[str, Reply]:
    """The parent of the registered process is killed."""
    adopt_orphans()
    with queue() as own:
        told, tell = os.pipe()

        def parent() -> None:
            with Child(lambda: register_and_wait(own)) as child:
                os.write(tell, str(child.pid).encode())
                sleep_for_ever()

        with Child(parent) as middle:
            orphan = int(os.read(told, 20))
            await_registration(own)
            middle.kill()
            found: dict[str, Reply] = {
                "adopted": parent_of(orphan) == os.getpid(),
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
            leave_namespace("pid")
            with Child(first) as init:
                os.read(told, 1)
                return init.kill()

        with Child(outside) as child:
            assert child.answer() == -signal.SIGKILL
        free = own.perform(Notify(3))
        own.perform(Send("x"))
        return {"free": free, "left": own.perform(Receive())}
