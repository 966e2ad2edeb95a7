"""The actors of a test worker from one program to the next: those that were not harmed go on."""

import select
from collections.abc import Mapping
from time import monotonic
from typing import Any

from harness.adapter import Adapter
from harness.errors import BadInput, Broken
from harness.execute import wire
from harness.execute.attachment import set_up, tear_down
from harness.execute.lockstep import Session
from harness.execute.pool import START_BOUND, Actor, Pool
from harness.execute.syscalls import NUMBERS


class Crew:
    """Runs programs, one after another, on the actors of one pool."""

    def __init__(self, cpu: int) -> None:
        self.pool = Pool(cpu)
        self._actors: list[Actor] = []
        self._keeper: Actor | None = None
        self._shared: Any = None

    def begin(
        self, adapter: type[Adapter], setup: Any, limits: Mapping[str, int], actors: int
    ) -> Session:
        """Make the object and have every process reach it. Raises BadInput for an adapter that
        makes no sense."""
        reference = f"{adapter.__module__}:{adapter.__qualname__}"
        if self.pool.load(reference):
            require_sense(adapter)
        self._actors = [one for one in self._actors if one.serial in self.pool.alive]
        if self._keeper is None or self._keeper.serial not in self.pool.alive:
            self._keeper = self.pool.take()
        missing = actors - len(self._actors)
        if missing > 0:
            self.pool.order(missing)
            self._actors += [self.pool.take() for _ in range(missing)]
        crew = [*self._actors[:actors], self._keeper]
        self._shared = set_up(self.pool, crew, reference, setup, limits)
        return Session(self.pool, crew, adapter.sleeps_in)

    def end(self, session: Session) -> bool:
        """Bring the actors of a program back, and remove its object. Says whether all is well; if
        not, the worker must be closed."""
        return tear_down(self.pool, session.crew, session.end(), self._shared)

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


def require_sense(adapter: type[Adapter]) -> None:
    """Raises BadInput for what an adapter says that cannot be meant."""
    for name in ("create", "attach", "perform", "detach", "destroy"):
        if not callable(getattr(adapter, name, None)):
            raise BadInput(
                f"the adapter {adapter.__qualname__} has no method {name!r}: expected create, "
                "attach, perform, detach and destroy; see harness.adapter.Adapter"
            )
    declared: Mapping[type, Any] = adapter.sleeps_in
    for op, calls in declared.items():
        unknown = {calls} if isinstance(calls, str) else set(calls) - NUMBERS.keys()
        if unknown:
            raise BadInput(
                f"sleeps_in of {adapter.__qualname__} has {min(unknown)!r} for {op.__name__}: "
                f"expected a set of system calls, of {', '.join(sorted(NUMBERS))}"
            )
