"""An actor: a small real process that carries out, through an adapter, the calls it is given.

It waits for a command in read(2) on its command socket, so that the supervisor can tell this
sleep from the sleep in a call. Runs in the process that the zygote forked.
"""

import contextlib
import os
import pickle
import signal
import socket
import traceback
from collections.abc import Callable, Mapping
from time import monotonic_ns
from typing import Any

from harness.adapter import Adapter
from harness.execute import wire
from harness.execute.limits import lower_resource_limits, lower_sysctls
from harness.references import resolve
from harness.spec import Op

MOST_KEPT = 4096
"""Calls that an actor remembers, so that it need not unpickle them again."""
LONGEST_TOLD = 2_000
"""Characters of an error's text that are told."""


def _nothing(number: int, frame: Any) -> None:
    """The handler of the signals that only interrupt."""


class Actor:
    """The state of one actor between commands."""

    def __init__(self, serial: int, commands: socket.socket, answers: socket.socket) -> None:
        self.serial = serial
        self.commands = commands
        self.answers = answers
        self.reference = ""
        self.adapter: Adapter
        self.limits = contextlib.ExitStack()
        self.handlers: Mapping[bytes, Callable[[Any], Any]] = {
            wire.CREATE: self.create,
            wire.ATTACH: self.attach,
            wire.DETACH: self.detach,
            wire.DESTROY: self.destroy,
            wire.RUN: self.run,
        }

    def serve(self) -> None:
        """Carry out commands until the supervisor closes the socket."""
        source, answers, serial = self.commands.fileno(), self.answers.fileno(), self.serial
        calls: dict[bytes, Op] = {}
        while message := os.read(source, wire.LARGEST_COMMAND):
            kind = message[:1]
            try:
                if kind == wire.CALL:
                    value = calls.get(message)
                    if value is None:
                        if len(calls) == MOST_KEPT:
                            calls.clear()
                        value = calls[message] = pickle.loads(message[1:])
                    began = monotonic_ns()
                    reply = self.adapter.perform(value)
                    ended = monotonic_ns()
                elif kind == wire.CALL_THEN_KILL:
                    op, victim = pickle.loads(message[1:])
                    began = monotonic_ns()
                    reply = self.adapter.perform(op)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                    ended = monotonic_ns()
                else:
                    began = ended = 0
                    reply = self.handlers[kind](pickle.loads(message[1:]))
                answer = wire.pack(serial, wire.ANSWER, began, ended, reply)
            except BaseException as error:
                # Also SystemExit: an actor that ended itself would be taken for the kernel's doing.
                told = (type(error).__name__, str(error)[:LONGEST_TOLD], traceback.format_exc())
                answer = wire.pack(serial, wire.FAILED, 0, 0, told)
            os.write(answers, answer)

    def use(self, reference: str) -> None:
        """Have an instance of this adapter."""
        if reference != self.reference:
            self.adapter = resolve(reference)()
            self.reference = reference

    def create(self, value: Any) -> Any:
        """Make the object, whose descriptors go out on the command socket, and attach to it."""
        reference, packed, who, processes, limits = value
        self.use(reference)
        lower_sysctls(limits, self.limits)
        setup = wire.unpacked_setup(packed)
        shared, descriptors = self.adapter.create(setup)
        if descriptors:
            socket.send_fds(self.commands, [b"fds"], list(descriptors))
        lower_resource_limits(limits, self.limits)
        self.adapter.attach(setup, who, shared, descriptors, processes)
        return shared, len(descriptors)

    def attach(self, value: Any) -> None:
        reference, packed, who, processes, limits, shared, count = value
        descriptors: list[int] = []
        if count:
            _, descriptors, _, _ = socket.recv_fds(self.commands, 16, count)
        self.use(reference)
        lower_resource_limits(limits, self.limits)
        self.adapter.attach(wire.unpacked_setup(packed), who, shared, descriptors, processes)

    def detach(self, value: None) -> None:
        self.adapter.detach()
        self.limits.close()

    def destroy(self, shared: Any) -> None:
        self.detach(None)
        self.adapter.destroy(shared)

    def run(self, value: Any) -> Any:
        function, arguments = value
        return resolve(function)(*arguments)


def main(serial: int, commands: socket.socket, answers: socket.socket) -> None:
    """The life of an actor, in the forked process."""
    signal.signal(signal.SIGUSR1, _nothing)
    signal.signal(signal.SIGUSR2, _nothing)
    signal.siginterrupt(signal.SIGUSR2, False)
    Actor(serial, commands, answers).serve()
