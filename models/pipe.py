"""A pipe between processes that hold one or both of its ends.

Follows pipe(7), pipe2(2), write(2), fcntl(2), and fs/pipe.c of Linux 6.18 (contract ``linux``).
Leaves out splice and tee, and what can come between a step and the wake-up that belongs to
it, which only calls that truly overlap could show.
"""

from collections.abc import Iterator
from typing import assert_never

from harness.spec import Dies, Errno, Exit, Later, Model, Move, Process, Reply, Wait
from models.pipe_buffer import PAGE, Piece, put, take, unread
from models.pipe_operations import (
    Close,
    GetSize,
    PipeOp,
    PipeSetup,
    Poll,
    Read,
    Reading,
    SetFlags,
    SetSize,
    Sigaction,
    Sigmask,
    Sigtimedwait,
    Unread,
    Write,
    Writing,
)
from models.pipe_rules import RULES
from models.pipe_state import (
    State,
    holders,
    leave,
    release,
    sleeping_in,
    wake_reader,
    wake_writer,
)

MAX_SIZE = 1 << 20
"""Bytes of the largest pipe without privilege, where fs.pipe-max-size was left as it is."""

EAGAIN = Wait(would_block=Errno("EAGAIN"))
EBADF = Errno("EBADF")


class Pipe(Model[State]):
    """The pipe of a setup, among ``processes`` of which the last is the keeper."""

    rules = RULES

    def __init__(self, setup: PipeSetup, processes: int) -> None:
        self.setup = setup
        self.processes = frozenset(range(processes))

    def start(self) -> State:
        setup, keeper = self.setup, frozenset({len(self.processes) - 1})
        first, actors = frozenset({0}), self.processes - keeper
        readers = {"r": first, "w": actors - first}.get(setup.sole, actors)
        writers = {"w": first, "r": actors - first}.get(setup.sole, actors)
        return State(
            pages=(),
            slots=setup.slots,
            readers=readers | keeper if "r" in setup.keeper else readers,
            writers=writers | keeper if "w" in setup.keeper else writers,
            nonblocking_reads=setup.nonblocking,
            nonblocking_writes=setup.nonblocking,
            packets=setup.packets,
            ignoring=self.processes,
        )

    def moves(self, state: State, who: Process, op: PipeOp) -> Iterator[Move]:
        match op:
            case Read() | Write() | Close() | SetFlags() | SetSize() | GetSize() | Unread() if (
                who not in holders(state, op.end)
            ):
                yield Move("closed", state, EBADF)
            case Read(size, end):
                yield from _read(state, size, end)
            case Write(tag, size, end):
                yield from _write(state, who, tag, size, end)
            case Reading():
                yield from _go_on_reading(state, who, op)
            case Writing():
                yield from _go_on_writing(state, who, op)
            case Close(end):
                yield _close(state, who, end)
            case SetFlags(end, nonblocking, packets):
                yield _set_flags(state, end, nonblocking, packets)
            case SetSize(size):
                yield from _set_size(state, size)
            case GetSize():
                yield Move("get-size", state, state.slots * PAGE)
            case Unread():
                yield Move("unread", state, unread(state.pages))
            case Poll(end):
                yield _poll(state, who, end)
            case Sigaction(ignore):
                yield _sigaction(state, who, ignore)
            case Sigmask(block):
                yield _sigmask(state, who, block)
            case Sigtimedwait():
                if who in state.pending:
                    after = state._replace(pending=state.pending - {who})
                    yield Move("sigtimedwait", after, "SIGPIPE")
            case Exit():
                yield from _exit(state, who)
            case _:
                assert_never(op)

    def wait(self, state: State, who: Process, op: PipeOp) -> Wait:
        match op:
            case Read(size) if not state.nonblocking_reads:
                sleeping: Reading | Writing = Reading(size)
                after = state._replace(reading=(*state.reading, (who, sleeping)))
                return Wait(asleep=Move("read-sleeps", after, Later(sleeping)))
            case Write(tag, size) if not state.nonblocking_writes:
                sleeping = Writing(tag, size, 0)
                after = state._replace(writing=(*state.writing, (who, sleeping)))
                return Wait(asleep=Move("write-sleeps", after, Later(sleeping)))
            case Writing(done=done) if done:
                left = leave(state, who)
                return Wait(interrupted=done, restarts=False, stopped=done, withdrawn=left)
            case Reading() | Writing():
                return Wait(withdrawn=leave(state, who))
            case _:
                return EAGAIN

    def partners(self, state: State, who: Process, op: PipeOp) -> frozenset[Process]:
        """A reader waits for bytes or for the last writer to go; a writer for room, which also
        a larger pipe gives, or for the last reader to go."""
        if isinstance(op, Writing):
            return (state.readers | state.writers) - {who}
        return state.writers - {who}


def _read(state: State, size: int, end: str) -> Iterator[Move]:
    if end == "w":
        yield Move("wrong-end", state, EBADF)
    elif size == 0:
        yield Move("read-zero", state, b"")
    elif state.pages:
        yield _take(state, size, slept=False)
    elif not state.writers:
        yield Move("read-eof", state, b"")


def _go_on_reading(state: State, who: Process, op: Reading) -> Iterator[Move]:
    if (who, op) not in state.woken:
        return
    state = leave(state, who)
    if state.pages:
        yield _take(state, op.size, slept=True)
    elif not state.writers:
        yield Move("read-eof", state, b"")
    else:
        after = state._replace(reading=(*state.reading, (who, op)))
        yield Move("read-requeues", after, Later(op))


def _take(state: State, size: int, slept: bool) -> Move:
    data, left, freed, split, packet = take(state.pages, size)
    after = state._replace(pages=left)
    if freed and len(state.pages) == state.slots:
        after = wake_writer(after)
    if slept and left:
        after = wake_reader(after)
    if packet:
        rule = "read-packet-cut" if split else "read-packet"
    elif not freed:
        rule = "read-part"
    else:
        rule = "read-several" if freed + split > 1 else "read-slot"
    return Move(rule, after, data)


def _write(state: State, who: Process, tag: int, size: int, end: str) -> Iterator[Move]:
    if end == "r":
        yield Move("wrong-end", state, EBADF)
    elif size == 0:
        yield Move("write-zero", state, 0)
    elif not state.readers:
        yield _sigpipe(state, who, 0)
    else:
        yield from _put(state, who, tag, size)


def _put(state: State, who: Process, tag: int, size: int) -> Iterator[Move]:
    """The first step of a write; none where nothing goes in."""
    pages, done = put(state.pages, state.slots, Piece(tag, 0, size), state.packets, merge=True)
    if not done:
        return
    if done < size and not state.nonblocking_writes:
        yield _sleep_for_the_rest("write-part", state, who, pages, Writing(tag, size, done))
        return
    if done < size:
        rule = "write-short"
    elif len(pages) == len(state.pages):
        rule = "write-merge"
    elif state.packets:
        rule = "write-packet" if size <= PAGE else "write-packets"
    else:
        rule = "write-slot" if size <= PAGE else "write-large"
    yield Move(rule, _with_more(state, pages), done)


def _go_on_writing(state: State, who: Process, op: Writing) -> Iterator[Move]:
    if (who, op) not in state.woken:
        return
    tag, size, done = op.tag, op.size, op.done
    state = leave(state, who)
    if not state.readers:
        yield _sigpipe(state, who, done)
        return
    pages, reached = put(
        state.pages, state.slots, Piece(tag, done, size), state.packets, merge=False
    )
    if reached == done:
        after = state._replace(writing=(*state.writing, (who, op)))
        yield Move("write-requeues", after, Later(op))
    elif reached == size:
        yield Move("write-finishes", _wake_next_writer(_with_more(state, pages)), size)
    elif state.nonblocking_writes:
        yield Move("write-short", _with_more(state, pages), reached)
    else:
        goes_on = Writing(tag, size, reached)
        yield _sleep_for_the_rest("write-goes-on", state, who, pages, goes_on)
