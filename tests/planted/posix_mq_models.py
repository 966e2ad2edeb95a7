"""Wrong models of the POSIX message queue.

A wrong rule stands for a wrong kernel: the harness must see that the two disagree.
"""

from collections.abc import Iterator
from typing import Any

from harness.spec import Exit, Move, Op, Process, Wait
from models.posix_mq import PosixMessageQueue, Receive, State
from models.posix_mq.state import Queue, Registration, description_of


def _changed(state: State, number: int, **fields: Any) -> State:
    queue = state.queues[number]
    assert queue is not None
    changed = list(state.queues)
    changed[number] = queue._replace(**fields)
    return state._replace(queues=tuple(changed))


class NewestReceiverFirst(PosixMessageQueue):
    def wait(self, state: State, who: Process, op: Op) -> Wait:
        wait = super().wait(state, who, op)
        if not isinstance(op, Receive) or wait.asleep is None:
            return wait
        description = description_of(state, who, op.descriptor)
        assert description is not None
        queue = state.queues[description.queue]
        assert queue is not None
        after = _changed(state, description.queue, receivers=(who, *queue.receivers))
        return wait._replace(asleep=wait.asleep._replace(after=after))


class SendersByPriority(PosixMessageQueue):
    def moves(self, state: State, who: Process, op: Any) -> Iterator[Move]:
        if isinstance(op, Receive):
            queues = tuple(queue and self._sorted(queue) for queue in state.queues)
            state = state._replace(queues=queues)
        return super().moves(state, who, op)

    def _sorted(self, queue: Queue) -> Queue:
        senders = sorted(queue.senders, key=lambda entry: -entry[1][1])
        return queue._replace(senders=tuple(senders))


class AdmissionNotifies(PosixMessageQueue):
    """A message admitted from a sleeping sender ends a registration, as any other."""

    def moves(self, state: State, who: Process, op: Any) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            after: Any = move.after
            if move.rule == "receive-admits-sender":
                for number, queue in enumerate(after.queues):
                    if queue is not None and queue.maxmsg == 1:
                        after = _changed(after, number, registration=None)
            yield move._replace(after=after)


class CloseKeepsRegistration(PosixMessageQueue):
    """Only death ends the registration of a process, not its closing the queue."""

    def moves(self, state: State, who: Process, op: Any) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            after: Any = move.after
            if move.rule == "close-drops-registration":
                for number, queue in enumerate(after.queues):
                    before = state.queues[number]
                    if queue is not None and before is not None:
                        after = _changed(after, number, registration=before.registration)
            yield move._replace(after=after)


class RegistrationSurvives(PosixMessageQueue):
    """Death leaves a registration in place, as that of nobody."""

    def moves(self, state: State, who: Process, op: Any) -> Iterator[Move]:
        if isinstance(op, Exit):
            nobody = Registration(self.keeper, "none", 0, 0)
            for number, queue in enumerate(state.queues):
                if queue and queue.registration and queue.registration.owner == who:
                    state = _changed(state, number, registration=nobody)
        return super().moves(state, who, op)


class DeadSendersStayInLine(PosixMessageQueue):
    """The message of a sender killed in its sleep is let in when its turn comes."""

    def moves(self, state: State, who: Process, op: Any) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            after: Any = move.after
            if move.rule == "exit-leaves-line":
                for number, queue in enumerate(state.queues):
                    mine = [e for e in queue.senders if e[0] == who] if queue is not None else []
                    if queue is not None and mine:
                        ghosts = tuple(
                            (self.keeper if entry in mine else entry[0], entry[1])
                            for entry in queue.senders
                        )
                        after = _changed(after, number, senders=ghosts)
            yield move._replace(after=after)
