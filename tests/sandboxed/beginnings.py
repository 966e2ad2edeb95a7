"""How a run begins, and what its launcher, controller and first process have to do with each
other from then on."""

import os
import signal
import socket
import sys
from typing import Any

from harness.execute import sandbox
from harness.execute.sandbox import Sandbox, Wanted
from tests.sandboxed.runs import has_ended, show_process, sleep_forever, start, tell


def keep_mask_and_handlers() -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        tell(channel, ([int(number) for number in mask], signal.getsignal(signal.SIGUSR2).__name__))  # type: ignore[union-attr]

    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1])
    signal.signal(signal.SIGUSR2, _handler)
    mask, handler = start(body).receive()
    return {"mask": mask, "handler": handler}


def _handler(*_: object) -> None:
    """A handler that can be recognised by its name."""


def hear_the_end_of_the_first_process() -> dict[str, Any]:
    """The launcher must not keep descriptors of the run open."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        channel.close()
        sleep_forever()

    run = start(body)
    heard = run.channel.recv(1) == b""
    os.kill(run.child, signal.SIGTERM)
    return {"heard": heard, "code": run.code()}


def join_a_session() -> dict[str, Any]:
    """Whether what a terminal sends to its processes passes the run by."""
    run = start(lambda box, channel: tell(channel, channel.recv(1)))
    while os.getsid(run.child) != run.child and not has_ended(os.pidfd_open(run.child), 0):
        os.sched_yield()
    own = os.getsid(run.child) == run.child
    run.channel.close()
    return {"own": own}


def end_with(how: str) -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        show_process(channel, os.getpid())
        if how == "exit":
            sys.exit(7)
        sleep_forever()

    run = start(body)
    first = run.receive_process()
    if how == "killed":
        signal.pidfd_send_signal(first, signal.SIGKILL)
    elif how == "terminated":
        os.kill(run.child, signal.SIGTERM)
    return {"code": run.code(), "ended": has_ended(first)}


def start_for_a_stranger() -> dict[str, Any]:
    """The process that is named as the controller is not the one that started the launcher."""
    run = start(lambda box, channel: tell(channel, "entered"), lambda _: Wanted(1))
    return {"word": run.channel.recv(100).decode("latin-1"), "code": run.code()}


def want(namespaces_wanted: list[str], users: int) -> dict[str, Any]:
    """What is said of a wish without meaning."""
    try:
        sandbox.enter(Wanted(os.getppid(), tuple(namespaces_wanted), users))
    except Exception as error:
        return {"error": type(error).__name__, "text": str(error)}
    raise AssertionError("this should have been refused")
