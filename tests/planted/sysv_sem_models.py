"""Wrong models of System V semaphore sets.

A wrong rule stands for a wrong kernel: the harness must see that the two disagree.
"""

from collections.abc import Iterator
from typing import cast

from harness.spec import Exit, Move, Op, Process, Wait
from models.sysv_sem import Get, Semop, Setval, State, Steps, SysvSem
from models.sysv_sem.state import Sleeper, Woken, with_record


class ForgetsUndo(SysvSem):
    """SEM_UNDO makes no difference to a death."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        if isinstance(op, Exit):
            state = state._replace(undo=with_record(state.undo, who, None))
        return super().moves(state, who, op)


class SetvalKeepsOwnUndo(SysvSem):
    """SETVAL clears the undo of all processes but the one that calls it."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if isinstance(op, Setval):
                after = cast(State, move.after)
                undo = with_record(after.undo, who, state.undo[who])
                yield move._replace(after=after._replace(undo=undo))
            else:
                yield move


class LastComeFirstServed(SysvSem):
    def wait(self, state: State, who: Process, op: Op) -> Wait:
        wait = super().wait(state, who, op)
        if wait.asleep is None:
            return wait
        after = cast(State, wait.asleep.after)
        mine = [sleeper for sleeper in after.line if sleeper.who == who]
        others = [sleeper for sleeper in after.line if sleeper.who != who]
        after = after._replace(line=(*mine, *others))
        return wait._replace(asleep=wait.asleep._replace(after=after))


class NobodyPasses(SysvSem):
    """A sleeper that comes after one that cannot go on sleeps on."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if move.rule != "served-before-an-earlier":
                yield move


class CountsAtEverySemaphore(SysvSem):
    """As Linux did before 3.16: an array counts at every semaphore that it names."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if isinstance(op, Get) and move.rule in ("getncnt", "getzcnt"):
                sleepers = (*state.line, *state.watchers)
                zero = move.rule == "getzcnt"
                count = sum(_names(sleeper.steps, op.sem, zero) for sleeper in sleepers)
                yield move._replace(reply=count)
            else:
                yield move


def _names(steps: Steps, sem: int, zero: bool) -> bool:
    return any(step.sem == sem and (not step.change if zero else step.change < 0) for step in steps)


class ARaiseServesEveryTaker(SysvSem):
    """What one raise brings is given to every taker of one unit."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if move.rule == "raise" and isinstance(op, Semop):
                after = cast(State, move.after)
                if len(after.line) < len(state.line):
                    yield move._replace(after=_all_served(after, op.steps[0].sem))
                    continue
            yield move


def _all_served(state: State, sem: int) -> State:
    def is_served(sleeper: Sleeper) -> bool:
        (first, *more) = sleeper.steps
        return not more and (first.sem, first.change) == (sem, -1)

    served = [sleeper for sleeper in state.line if is_served(sleeper)]
    woken = [Woken(sleeper.who, "served-take-by-semop", None) for sleeper in served]
    line = tuple(sleeper for sleeper in state.line if not is_served(sleeper))
    return state._replace(line=line, woken=(*state.woken, *woken))


class UndoBelowZeroIsSkipped(SysvSem):
    """An undo that would make a value negative leaves it as it is."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if isinstance(op, Exit) and move.rule == "exit-undo-clamped-to-0":
                yield move._replace(after=state._replace(undo=cast(State, move.after).undo))
            else:
                yield move
