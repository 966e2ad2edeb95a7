"""Starts the runs that the tests of the sandbox look at, and hears from them."""

import os
import pickle
import select
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from harness.execute import sandbox
from harness.execute.sandbox import Sandbox, Wanted

BOUND = 20
"""Seconds after which what has not ended is taken for left behind."""

Body = Callable[[Sandbox, socket.socket], None]


class Run(NamedTuple):
    """A run, as its test sees it."""

    child: int
    """The process that this one forked: the launcher, or the controller."""
    channel: socket.socket

    def receive(self) -> Any:
        message = self.channel.recv(1 << 20)
        assert message, "the run ended without a word"
        return pickle.loads(message)

    def receive_process(self) -> int:
        """A pidfd that the run sends."""
        message, pidfds, _, _ = socket.recv_fds(self.channel, 1, 1)
        assert message, "the run ended without a word"
        return pidfds[0]

    def code(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def tell(channel: socket.socket, value: Any) -> None:
    channel.send(pickle.dumps(value))


def show_process(channel: socket.socket, pid: int) -> None:
    pidfd = os.pidfd_open(pid)
    socket.send_fds(channel, [b"p"], [pidfd])
    os.close(pidfd)


def has_ended(pidfd: int, seconds: float = BOUND / 2) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def start(body: Body, wanted: Callable[[int], Wanted] = Wanted) -> Run:
    """Start a run whose controller is this process, and whose first process does ``body``."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    controller = os.getpid()
    child = os.fork()
    if child == 0:
        near.close()
        _be_launcher(wanted(controller), body, far)
    far.close()
    return Run(child, near)


def start_controller(body: Body) -> Run:
    """Start a controller, which starts a run and waits for it. The first two processes that can
    be received are the launcher and what ``body`` shows."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        near.close()
        controller = os.getpid()
        started = os.fork()
        if started == 0:
            _be_launcher(Wanted(controller), body, far)
        show_process(far, started)
        far.close()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(started, 0)[1]) & 0xFF)
    far.close()
    return Run(child, near)


def _be_launcher(wanted: Wanted, body: Body, channel: socket.socket) -> NoReturn:
    code = 70
    try:
        body(sandbox.enter(wanted), channel)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def sleep_forever() -> NoReturn:
    while True:
        signal.pause()


def reap_all() -> int:
    """Wait for the end of every process below this one; says how many there were."""
    reaped = 0
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return reaped
        reaped += 1
