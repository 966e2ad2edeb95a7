"""The zygote: a small process inside the sandbox that actors are forked from.

It is started afresh, imports the adapters and little else, so a fork costs some 0.3 ms, and
answers on its control socket: fork an actor, load a module, say how a child ended.
"""

import contextlib
import gc
import json
import os
import pickle
import signal
import socket
import sys
from typing import Any

from harness.errors import BadInput, Broken
from harness.execute import actor, sandbox, wire
from harness.references import resolve


class Zygote:
    """What the zygote knows: its sockets, and how its children have ended."""

    def __init__(self, control: socket.socket, answers: socket.socket) -> None:
        self.control = control
        self.answers = answers
        self.serial = 0
        self.ended: dict[int, int] = {}
        self.me = os.getpid()

    def serve(self) -> None:
        """Answer until the supervisor closes the control socket; then all of this ends."""
        while message := self.control.recv(wire.LARGEST):
            kind, value = message[:1], message[1:]
            self._reap()
            if kind == wire.FORK:
                self._fork()
            elif kind == wire.LOAD:
                self._load(pickle.loads(value))
            elif kind == wire.REAPED:
                self._tell(self._how_ended(pickle.loads(value)))

    def _tell(self, value: Any) -> None:
        self.control.send(pickle.dumps(value, 5))

    def _fork(self) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.serial += 1
        pid = os.fork()
        if pid == 0:
            self._be_an_actor(theirs)
        pidfd = os.pidfd_open(pid)
        hello = pickle.dumps((self.serial, pid, theirs.fileno()), 5)
        socket.send_fds(self.control, [hello], [mine.fileno(), pidfd])
        os.close(pidfd)
        mine.close()
        theirs.close()

    def _be_an_actor(self, commands: socket.socket) -> None:
        status = 1
        try:
            sandbox.die_with_parent(self.me)
            self.control.close()
            actor.main(self.serial, commands, self.answers)
            status = 0
        finally:
            os._exit(status)

    def _load(self, reference: str) -> None:
        try:
            resolve(reference)
        except Exception as error:
            self._tell(f"{type(error).__name__}: {error}")
            return
        gc.collect()
        gc.freeze()
        self._tell(None)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended[pid] = os.waitstatus_to_exitcode(status)

    def _how_ended(self, pid: int) -> str | None:
        """The signal that ended a child, or ``exit N``, once it has ended; ``None`` if there is no
        such child."""
        if pid not in self.ended:
            try:
                _, status = os.waitpid(pid, 0)
            except ChildProcessError:
                return None
            self.ended[pid] = os.waitstatus_to_exitcode(status)
        code = self.ended.pop(pid)
        return signal.Signals(-code).name if code < 0 else f"exit {code}"


def main() -> None:
    """Enter the sandbox and serve. The one argument is JSON: see `harness.execute.pool`."""
    arguments = json.loads(sys.argv[1])
    control = socket.socket(fileno=arguments["control"])
    answers = socket.socket(fileno=arguments["answers"])
    os.sched_setaffinity(0, {arguments["cpu"]})
    # An actor that another one wakes must not run before its waker has come to rest.
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        box = sandbox.enter(sandbox.Wanted(controller=arguments["controller"]))
    except (BadInput, Broken) as error:
        control.send(pickle.dumps(str(error), 5))
        sys.exit(2)
    gc.disable()
    control.send(pickle.dumps(tuple(box), 5))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        Zygote(control, answers).serve()
