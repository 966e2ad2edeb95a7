"""The actors of one test worker, as the supervisor sees them: started, told, watched, replaced.

The supervisor and all actors share one CPU, where a hand-over costs some 10 µs. Actors are
forked ahead of need; one that a program did not harm is used again.
"""

import contextlib
import json
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from harness.errors import Broken
from harness.execute import wire
from harness.execute.proc import Watch
from harness.execute.sandbox import Sandbox, pid_behind

START_BOUND = 60.0
"""Seconds after which a process of the harness's that does not answer is taken for broken."""
_PROGRAM = "import sys; sys.path[:] = {path!r}; from harness.execute.zygote import main; main()"


class Actor:
    """The supervisor's handle on one actor."""

    def __init__(self, hello: tuple[int, int, int], commands: socket.socket, pidfd: int) -> None:
        self.serial, self.inner_pid, reads_from = hello
        self.commands = commands
        self.pidfd = pidfd
        self.watch = Watch(pid_behind(pidfd), Watch.waiting_in_read(reads_from))
        self.poll = select.poll()
        self.poll.register(pidfd, select.POLLIN)

    def tell(self, kind: bytes, value: Any) -> None:
        self.commands.send(wire.command(kind, value))

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def is_dead(self, seconds: float = 0.0) -> bool:
        """Whether it has ended, waiting up to ``seconds`` for that."""
        return bool(self.poll.poll(seconds * 1000))

    def close(self) -> None:
        self.watch.close()
        self.commands.close()
        os.close(self.pidfd)


class Pool:
    """One sandbox with its zygote, and the actors forked from it.

    ``cpu`` is the CPU that the caller runs on and everything here is put on. Raises Broken where
    the sandbox cannot be set up.
    """

    def __init__(self, cpu: int) -> None:
        self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.answers, answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.answers.setblocking(False)
        self._room = memoryview(bytearray(wire.LARGEST))
        """Where answers are received."""
        for end in (control, answers):
            end.set_inheritable(True)
        arguments = json.dumps(
            {
                "control": control.fileno(),
                "answers": answers.fileno(),
                "cpu": cpu,
                "controller": os.getpid(),
            }
        )
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM.format(path=_path()), arguments],
            pass_fds=[control.fileno(), answers.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        control.close()
        answers.close()
        self.control.settimeout(START_BOUND)
        self.sandbox = self._hello()
        self._spares: list[Actor] = []
        self._ordered = 0
        self.alive: dict[int, Actor] = {}
        """Actors that are there, by serial number."""
        self._loaded: set[str] = set()

    def _hello(self) -> Sandbox:
        message = self._receive("the sandbox was not set up")
        if isinstance(message, str):
            raise Broken(message)
        return Sandbox(*message)

    def _receive(self, what: str) -> Any:
        try:
            message = self.control.recv(wire.LARGEST)
        except OSError as error:
            raise Broken(f"{what}: {error}") from error
        if not message:
            code = self.process.wait()
            raise Broken(f"{what}: the zygote ended with code {code}; see its messages above")
        return pickle.loads(message)

    def load(self, reference: str) -> bool:
        """Import an adapter into the zygote, so that the actors forked from now on have it. Says
        whether it is a new one."""
        if reference in self._loaded:
            return False
        self._collect()
        self.control.send(wire.LOAD + pickle.dumps(reference, 5))
        failure = self._receive(f"the zygote did not load {reference}")
        if failure is not None:
            raise Broken(f"the actors cannot import {reference}: {failure}")
        self._loaded.add(reference)
        for actor in list(self.alive.values()):
            self.discard(actor)
        self._spares.clear()
        return True

    def order(self, count: int) -> None:
        """See to it that so many spares are there or being forked, without waiting for them."""
        for _ in range(count - len(self._spares) - self._ordered):
            self.control.send(wire.FORK)
            self._ordered += 1

    def take(self) -> Actor:
        """An actor that nobody uses."""
        if not self._spares:
            if not self._ordered:
                self.order(1)
            self._collect()
        return self._spares.pop()

    def _collect(self) -> None:
        while self._ordered:
            try:
                data, descriptors, _, _ = socket.recv_fds(self.control, wire.LARGEST, 2)
            except OSError as error:
                raise Broken(f"the zygote forked no actor: {error}") from error
            if len(descriptors) != 2:
                raise Broken("the zygote ended; see its messages above")
            self._ordered -= 1
            commands = socket.socket(fileno=descriptors[0])
            actor = Actor(pickle.loads(data), commands, descriptors[1])
            self.alive[actor.serial] = actor
            self._spares.append(actor)

    def receive(self) -> wire.Answer | None:
        """The next answer of any actor; ``None`` if none has come."""
        try:
            size = self.answers.recv_into(self._room)
        except BlockingIOError:
            return None
        return wire.unpack(self._room[:size])

    def received(self) -> Iterator[wire.Answer]:
        """The answers that have come."""
        return iter(self.receive, None)

    def cause_of_death(self, actor: Actor) -> str:
        """The signal that ended it, or ``exit N``."""
        self._collect()
        self.control.send(wire.REAPED + pickle.dumps(actor.inner_pid, 5))
        cause = self._receive("the zygote did not say how an actor ended")
        if cause is None:
            raise Broken(f"process {actor.inner_pid} is no child of the zygote, or was asked about")
        return str(cause)

    def discard(self, actor: Actor) -> None:
        """End an actor and forget it."""
        actor.send_signal(signal.SIGKILL)
        self.alive.pop(actor.serial, None)
        actor.close()

    def close(self) -> None:
        """End everything in the sandbox, and wait until it has ended."""
        for actor in list(self.alive.values()):
            self.discard(actor)
        self.control.close()
        self.answers.close()
        try:
            self.process.wait(START_BOUND)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _path() -> list[str]:
    here = os.getcwd()
    return [entry or here for entry in sys.path] + [here]
