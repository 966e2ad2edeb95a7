"""The actors of a test worker from one program to the next: those that were not harmed go on."""

import select
from collections.abc import Mapping
from time import monotonic
from typing import Any

from harness.adapter import Adapter
from harness.errors import Broken
from harness.execute import wire
from harness.execute.lockstep import Session
from harness.execute.pool import START_BOUND, Actor, Pool


class Crew:
    """Runs programs, one after another, on the actors of one pool."""

    def __init__(self, cpu: int) -> None:
        self.pool = Pool(cpu)
        self._actors: list[Actor] = []
        self._keeper: Actor | None = None

    def begin(
        self, adapter: type[Adapter], setup: Any, limits: Mapping[str, int], actors: int
    ) -> Session:
        """Make the object and have every process reach it."""
        self.pool.load(f"{adapter.__module__}:{adapter.__qualname__}")
        self._actors = [one for one in self._actors if one.serial in self.pool.alive]
        if self._keeper is None or self._keeper.serial not in self.pool.alive:
            self._keeper = self.pool.take()
        missing = actors - len(self._actors)
        if missing > 0:
            self.pool.order(missing)
            self._actors += [self.pool.take() for _ in range(missing)]
        return Session(self.pool, [*self._actors[:actors], self._keeper], adapter, setup, limits)

    def run(self, function: str, *arguments: Any) -> Any:
        """Run a module's function, ``"module:name"``, in a new process of the sandbox."""
        actor = self.pool.take()
        try:
            actor.tell(wire.RUN, (function, arguments))
            answer = self._answer_of(actor, function)
            _, kind, _, _, value = answer
            if kind == wire.FAILED and value[0] == "AssertionError":
                raise AssertionError(f"{value[1]}\n{value[2]}")
            return wire.result(answer)
        finally:
            self.pool.discard(actor)

    def _answer_of(self, actor: Actor, function: str) -> wire.Answer:
        """What it answers. Others may do so as well, late: actors of earlier programs."""
        deadline = monotonic() + START_BOUND
        poll = select.poll()
        poll.register(self.pool.answers, select.POLLIN)
        poll.register(actor.pidfd, select.POLLIN)
        while poll.poll(max(0.0, deadline - monotonic()) * 1000):
            dead = actor.is_dead()
            for answer in self.pool.received():
                if answer[0] == actor.serial:
                    return answer
            if dead:
                raise Broken(f"{function} was ended by {self.pool.cause_of_death(actor)}")
        raise Broken(f"{function} did not end within {START_BOUND:g} s")

    def close(self) -> None:
        """End every process of this worker."""
        self.pool.close()
