"""Pipes as they are not: models with one wrong rule, which is the same as a wrong kernel."""

from collections.abc import Iterator

from harness.spec import Exit, Move, Op, Process, Wait
from models.pipe import PAGE, Close, Pipe, Poll, State
from models.pipe.buffer import Page
from models.pipe.operations import Writing
from models.pipe.state import leave, sleeping_in


def after(move: Move) -> State:
    assert isinstance(move.after, State)
    return move.after


class EndsSurviveDeath(Pipe):
    """A dead process still holds its ends."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        if isinstance(op, Exit):
            yield Move("exit", leave(state, who), None)
        else:
            yield from super().moves(state, who, op)


class DeadWritersTakeAllBack(Pipe):
    """What a killed writer had put in of a large write goes with it."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        sleeping = sleeping_in(state, who)
        if isinstance(op, Exit) and isinstance(sleeping, Writing):
            state = state._replace(
                pages=tuple(page for page in state.pages if not _has(page, sleeping.tag))
            )
        yield from super().moves(state, who, op)


def _has(page: Page, tag: int) -> bool:
    return any(piece.tag == tag for piece in page.pieces)


class NewestReaderFirst(Pipe):
    """Readers are woken in the reverse order."""

    def wait(self, state: State, who: Process, op: Op) -> Wait:
        wait = super().wait(state, who, op)
        if wait.asleep is None or not after(wait.asleep).reading:
            return wait
        *others, newest = after(wait.asleep).reading
        line = (newest, *others)
        return wait._replace(
            asleep=wait.asleep._replace(after=after(wait.asleep)._replace(reading=line))
        )


class NewestWriterFirst(Pipe):
    """Writers are woken in the reverse order."""

    def wait(self, state: State, who: Process, op: Op) -> Wait:
        wait = super().wait(state, who, op)
        if wait.asleep is None or not after(wait.asleep).writing:
            return wait
        *others, newest = after(wait.asleep).writing
        line = (newest, *others)
        return wait._replace(
            asleep=wait.asleep._replace(after=after(wait.asleep)._replace(writing=line))
        )


class CloseWakesOneReader(Pipe):
    """Closing the last write end wakes the first reader only."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if isinstance(op, Close) and move.rule == "close-last-writer" and state.reading:
                forgotten = state.reading[1:]
                woken = tuple(one for one in after(move).woken if one not in forgotten)
                changed = after(move)._replace(woken=woken, reading=forgotten)
                yield move._replace(after=changed)
            else:
                yield move


class PollsForRoom(Pipe):
    """The write end is reported writable wherever a byte would fit."""

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if op == Poll("w") and move.rule == "poll" and move.reply == ():
                last = state.pages[-1]
                room = not last.packet and last.end < PAGE
                yield move._replace(reply=("POLLOUT",) if room else ())
            else:
                yield move
