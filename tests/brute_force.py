"""The plainest possible judge of a history, which the checker must agree with.

Between two events it lets everybody do everything, in every order, and keeps every world that
this leads to; an event then keeps the worlds that it fits. It follows `harness.spec` and
`harness.history` to the letter, takes models as they are, and shares nothing with the checker:
no search that is directed at an event, no table of transitions, no replies known beforehand.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from typing import Any, NamedTuple

from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.spec import Dies, Exit, Later, Model, Op, Process, Reply, Wait

LONG_OVERDUE = 5_000_000_000
"""Nanoseconds after which a sleeper whose time is up has been forgotten."""


class Phase(Enum):
    IDLE = auto()
    CALLING = auto()
    SIGNALLED = auto()
    """A signal with a handler has come: whatever it can do it does, but it sleeps no more."""
    STOPPING = auto()
    """SIGSTOP has come: likewise."""
    SUSPENDED = auto()
    """It left its call when it was stopped, and starts it again when it is continued."""
    FINISHED = auto()
    """Its call has a reply, which it has not been seen to return with."""
    KILLED = auto()
    """SIGKILL has come: its call takes effect, in part or in whole or not, and then it exits."""
    EXITING = auto()
    GONE = auto()


class Standing(NamedTuple):
    """Where one process stands."""

    phase: Phase = Phase.IDLE
    op: Op = None
    """What its call, or its death, goes on as."""
    first: Op = None
    """What it called."""
    reply: Reply = None
    restart: bool = False


World = tuple[Any, ...]
"""A state of the model, and the standing of every process."""
Step = tuple[Any, Standing]
"""The state and the standing of one process after something that it did."""

IN_CALL = {Phase.CALLING, Phase.SIGNALLED, Phase.STOPPING}
EXITING = Standing(Phase.EXITING, Exit())
GONE = Standing(Phase.GONE)


class Doings(NamedTuple):
    """What a process can do, and what it does ``after`` so many nanoseconds in its call."""

    now: tuple[Step, ...] = ()
    after: int | None = None
    late: Step | None = None


class BruteForce:
    """Judges histories of one model. What a process can do in a state is remembered, since
    models are pure; nothing else is."""

    def __init__(self, model: Model[Any], processes: int) -> None:
        self.model = model
        self.processes = processes
        self._doings: dict[tuple[Any, Process, Standing], Doings] = {}
        self._filters: dict[type, Callable[[Any, set[World]], Iterable[World]]] = {
            Invoke: self._invoke,
            Return: self._return,
            Quiet: self._quiet,
            Killing: self._killing,
            Died: self._died,
            Stopped: self._stopped,
            Continued: self._continued,
            Signalled: self._signalled,
        }
        self._since: dict[Process, int] = {}
        self._halted: set[Process] = set()
        self._killed: set[Process] = set()

    def first_unexplained(self, history: Iterable[Event], patient: bool = False) -> int | None:
        """The number of the first event after which no world is left, if there is one. Whoever
        is ``patient`` passes over rest that was seen for a moment only."""
        worlds: set[World] = {(self.model.start(), *[Standing()] * self.processes)}
        self._since, self._halted, self._killed = {}, set(), set()
        for number, event in enumerate(history):
            if type(event) is Asleep:
                continue
            left = set(self._filters[type(event)](event, worlds))
            if not left and patient and isinstance(event, Quiet) and not event.held:
                continue
            if not left:
                return number
            worlds = left
        return None

    def doings(self, state: Any, who: Process, at: Standing) -> Doings:
        """What ``who`` can do."""
        key = (state, who, at)
        found = self._doings.get(key)
        if found is None:
            found = self._doings[key] = self._work_out(state, who, at)
        return found

    def _work_out(self, state: Any, who: Process, at: Standing) -> Doings:
        if at.phase is Phase.FINISHED and isinstance(at.reply, Dies):
            return Doings(((state, EXITING._replace(reply=at.reply)),))
        if at.phase is Phase.EXITING or at.phase in IN_CALL:
            moves = tuple(self._moves(state, who, at))
            if moves or at.phase is Phase.EXITING:
                return Doings(moves)
            return self._waits(state, at, self.model.wait(state, who, at.op))
        if at.phase is Phase.KILLED:
            moves = tuple(self._moves(state, who, at))
            if not moves:
                asleep = self.model.wait(state, who, at.op).asleep
                moves = () if asleep is None else ((asleep.after, gone_on(at, asleep.reply)),)
            return Doings((*moves, (state, EXITING)))
        return Doings()

    def _moves(self, state: Any, who: Process, at: Standing) -> Iterator[Step]:
        for move in self.model.moves(state, who, at.op):
            yield move.after, gone_on(at, move.reply)

    def _waits(self, state: Any, at: Standing, wait: Wait) -> Doings:
        if wait.would_block is not None:
            return Doings(((state, finished(wait.would_block)),))
        if wait.asleep is not None:
            return Doings(((wait.asleep.after, gone_on(at, wait.asleep.reply)),))
        left = state if wait.withdrawn is None else wait.withdrawn
        after = None if wait.timeout is None else round(wait.timeout * 1e9)
        late = left, finished(wait.timed_out)
        if at.phase is Phase.CALLING:
            return Doings((), after, late)
        if at.phase is Phase.STOPPING:
            again = Standing(Phase.SUSPENDED, at.first)
            ended = again if wait.stopped is None else finished(wait.stopped)
        elif at.restart and wait.restarts:
            ended = Standing(Phase.CALLING, at.first, at.first)
        else:
            ended = finished(wait.interrupted)
        return Doings(((left, ended),), after, late)

    def everything(self, worlds: Iterable[World], now: int | None) -> set[World]:
        """Every world that can be reached by ``now``; where that is ``None``, without anybody's
        time being up."""
        reached = set(worlds)
        todo = list(reached)
        while todo:
            world = todo.pop()
            for who in range(self.processes):
                doings = self.doings(world[0], who, world[who + 1])
                steps = doings.now
                if doings.after is not None and now is not None:
                    assert doings.late is not None
                    if now >= self._since[who] + doings.after:
                        steps = (*steps, doings.late)
                for state, standing in steps:
                    after = replaced((state, *world[1:]), who, standing)
                    if after not in reached:
                        reached.add(after)
                        todo.append(after)
        return reached

    def _invoke(self, event: Invoke, worlds: set[World]) -> Iterator[World]:
        self._since[event.who] = event.time
        calling = Standing(Phase.CALLING, event.op, event.op)
        for world in worlds:
            yield replaced(world, event.who, calling)

    def _return(self, event: Return, worlds: set[World]) -> Iterator[World]:
        who = event.who
        self._since[who] = max(self._since.get(who, 0), event.began - 1_000_000)
        for world in self.everything(worlds, event.time):
            at = world[who + 1]
            if at.phase is Phase.FINISHED and at.reply == event.reply:
                yield replaced(world, who, Standing())

    def _killing(self, event: Killing, worlds: set[World]) -> Iterator[World]:
        self._killed.add(event.who)
        for world in self.everything(worlds, event.time):
            at = world[event.who + 1]
            if at.phase in IN_CALL:
                yield replaced(world, event.who, Standing(Phase.KILLED, at.op))
            elif at.phase in (Phase.KILLED, Phase.EXITING, Phase.GONE):
                yield world
            else:
                yield replaced(world, event.who, EXITING)

    def _died(self, event: Died, worlds: set[World]) -> Iterator[World]:
        for world in self.everything(worlds, event.time):
            if world[event.who + 1].phase is Phase.GONE and self._caused(event, world):
                yield world

    def _caused(self, event: Died, world: World) -> bool:
        ending = world[event.who + 1].reply
        return event.who in self._killed or ending == Dies(event.cause)

    def _signalled(self, event: Signalled, worlds: set[World]) -> Iterator[World]:
        for world in self.everything(worlds, event.time):
            at = world[event.who + 1]
            if at.phase is Phase.CALLING:
                at = at._replace(phase=Phase.SIGNALLED, restart=event.restart)
            elif at.phase is Phase.SIGNALLED:
                at = at._replace(restart=at.restart and event.restart)
            yield replaced(world, event.who, at)

    def _stopped(self, event: Stopped, worlds: set[World]) -> Iterator[World]:
        who = event.who
        self._halted.add(who)
        stopping = self._stops(who, self.everything(worlds, event.time))
        for world in self.everything(stopping, event.time):
            if world[who + 1].phase not in IN_CALL:
                yield world

    def _stops(self, who: Process, worlds: Iterable[World]) -> Iterator[World]:
        for world in worlds:
            at = world[who + 1]
            if at.phase in IN_CALL:
                at = Standing(Phase.STOPPING, at.op, at.first)
            yield replaced(world, who, at)

    def _continued(self, event: Continued, worlds: set[World]) -> Iterator[World]:
        self._halted.discard(event.who)
        for world in worlds:
            at = world[event.who + 1]
            if at.phase is Phase.SUSPENDED:
                at = Standing(Phase.CALLING, at.op, at.op)
            yield replaced(world, event.who, at)

    def _quiet(self, event: Quiet, worlds: set[World]) -> Iterator[World]:
        for world in self.everything(worlds, None):
            if all(self._rests(world, who, event) for who in range(self.processes)):
                yield world

    def _rests(self, world: World, who: Process, event: Quiet) -> bool:
        at = world[who + 1]
        doings = self.doings(world[0], who, at)
        if doings.now:
            return False
        if who in event.asleep:
            due = None if doings.after is None else self._since[who] + doings.after
            in_time = due is None or event.time <= due + LONG_OVERDUE
            return at.phase is Phase.CALLING and in_time
        halted = at.phase in (Phase.SUSPENDED, Phase.FINISHED) and who in self._halted
        return at.phase in (Phase.IDLE, Phase.GONE) or halted


def finished(reply: Reply) -> Standing:
    return Standing(Phase.FINISHED, reply=reply)


def gone_on(at: Standing, reply: Reply) -> Standing:
    """Where a process stands after a move with this reply."""
    if isinstance(reply, Later):
        return at._replace(op=reply.op)
    if at.phase is Phase.KILLED:
        return EXITING
    return GONE._replace(reply=at.reply) if at.phase is Phase.EXITING else finished(reply)


def replaced(world: World, who: Process, standing: Standing) -> World:
    return (*world[: who + 1], standing, *world[who + 2 :])
