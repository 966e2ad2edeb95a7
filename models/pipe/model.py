"""A pipe between processes that hold one or both of its ends.

Follows pipe(7), pipe2(2), write(2), fcntl(2), and fs/pipe.c of Linux 6.18 (contract ``linux``).
Leaves out splice and tee, and what can come between a step and the wake-up that belongs to
it, which only calls that truly overlap could show.
"""

from collections.abc import Iterator
from typing import assert_never, cast

from harness.spec import Errno, Exit, Later, Model, Move, Op, Process, Wait
from models.pipe.buffer import PAGE, unread
from models.pipe.control import close, exit_step, poll, set_flags, set_size, sigaction, sigmask
from models.pipe.operations import (
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
from models.pipe.rules import RULES
from models.pipe.state import State, holders, leave
from models.pipe.transfer import go_on_reading, go_on_writing, read, write

EAGAIN = Wait(would_block=Errno("EAGAIN"))


class Pipe(Model[State]):
    """The pipe of a setup, among ``processes`` of which the last is the keeper."""

    rules = RULES

    def __init__(self, setup: PipeSetup, processes: int) -> None:
        self.setup = setup
        self.processes = range(processes)

    def start(self) -> State:
        setup, keeper = self.setup, self.processes[-1]
        ends = {who: setup.ends(who, keeper) for who in self.processes}
        everybody = frozenset(self.processes)
        return State(
            pages=(),
            slots=setup.slots,
            readers=frozenset(who for who in self.processes if "r" in ends[who]),
            writers=frozenset(who for who in self.processes if "w" in ends[who]),
            nonblocking_reads=setup.nonblocking,
            nonblocking_writes=setup.nonblocking,
            packets=setup.packets,
            ignoring=everybody if setup.sigpipe == "ignored" else frozenset({keeper}),
            blocking=everybody - {keeper} if setup.sigpipe == "blocked" else frozenset(),
        )

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        call = cast(PipeOp, op)
        match call:
            case Read() | Write() | Close() | SetFlags() | SetSize() | GetSize() | Unread() if (
                who not in holders(state, call.end)
            ):
                yield Move("closed", state, Errno("EBADF"))
            case Read(size, end):
                yield from read(state, size, end)
            case Write(tag, size, end):
                yield from write(state, who, tag, size, end)
            case Reading():
                yield from go_on_reading(state, who, call)
            case Writing():
                yield from go_on_writing(state, who, call)
            case Close(end):
                yield close(state, who, end)
            case SetFlags(end, nonblocking, packets):
                yield set_flags(state, end, nonblocking, packets)
            case SetSize(size):
                yield from set_size(state, size)
            case GetSize():
                yield Move("get-size", state, state.slots * PAGE)
            case Unread():
                yield Move("unread", state, unread(state.pages))
            case Poll(end):
                yield poll(state, who, end)
            case Sigaction(ignore):
                yield sigaction(state, who, ignore)
            case Sigmask(block):
                yield sigmask(state, who, block)
            case Sigtimedwait():
                if who in state.pending:
                    after = state._replace(pending=state.pending - {who})
                    yield Move("sigtimedwait", after, "SIGPIPE")
            case Exit():
                yield from exit_step(state, who)
            case _:
                assert_never(call)

    def wait(self, state: State, who: Process, op: Op) -> Wait:
        match op:
            case Read(size) if not state.nonblocking_reads:
                sleeping: Reading | Writing = Reading(size)
                after = state._replace(reading=(*state.reading, (who, sleeping)))
                return Wait(asleep=Move("read-sleeps", after, Later(sleeping)))
            case Write(tag, size) if not state.nonblocking_writes:
                sleeping = Writing(tag, size, 0)
                after = state._replace(writing=(*state.writing, (who, sleeping)))
                return Wait(asleep=Move("write-sleeps", after, Later(sleeping)))
            case Writing(done=done) if done or state.nonblocking_writes:
                # Looked at before the signal is: O_NONBLOCK may have been set since.
                reply = done or Errno("EAGAIN")
                left = leave(state, who)
                return Wait(interrupted=reply, restarts=False, stopped=reply, withdrawn=left)
            case Reading() | Writing():
                return Wait(withdrawn=leave(state, who))
            case _:
                return EAGAIN

    def partners(self, state: State, who: Process, op: Op) -> frozenset[Process]:
        """A reader waits for bytes or for the last writer to go; a writer for room, which also
        a larger pipe gives, or for the last reader to go."""
        if isinstance(op, Writing):
            return (state.readers | state.writers) - {who}
        return state.writers - {who}
