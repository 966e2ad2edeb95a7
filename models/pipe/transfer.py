"""Reads and writes of a pipe, step by step: one step for each time that the pipe is locked.

Follows anon_pipe_read() and anon_pipe_write() in fs/pipe.c of Linux 6.18.
"""

from collections.abc import Iterator

from harness.spec import Dies, Errno, Later, Move, Op, Process
from models.pipe.buffer import PAGE, Pages, Piece, put, take
from models.pipe.operations import Reading, Writing
from models.pipe.state import State, leave, wake_reader, wake_writer


def read(state: State, size: int, end: str) -> Iterator[Move]:
    """A read(2) that begins; no move where it would sleep."""
    if end == "w":
        yield Move("wrong-end", state, Errno("EBADF"))
    elif size == 0:
        yield Move("read-zero", state, b"")
    elif state.pages:
        yield _take(state, size, slept=False)
    elif not state.writers:
        yield Move("read-eof", state, b"")


def go_on_reading(state: State, who: Process, op: Reading) -> Iterator[Move]:
    """A read(2) that sleeps; no move until it is woken."""
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
    return Move(*_taken(state, size, slept))


def _taken(state: State, size: int, slept: bool) -> tuple[str, State, bytes]:
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
    return rule, after, data


def write(state: State, who: Process, tag: int, size: int, end: str) -> Iterator[Move]:
    """A write(2) that begins; no move where it would sleep with nothing written."""
    if end == "r":
        yield Move("wrong-end", state, Errno("EBADF"))
    elif size == 0:
        yield Move("write-zero", state, 0)
    elif not state.readers:
        yield _broken_pipe(state, who, 0)
    else:
        pages, done = put(state.pages, state.slots, Piece(tag, 0, size), state.packets, True)
        if done == size:
            yield Move(_manner(state, pages, size), _with(state, pages), size)
        elif done and state.nonblocking_writes:
            yield Move("write-short", _with(state, pages), done)
        elif done:
            yield _sleep_on("write-part", state, who, pages, Writing(tag, size, done))


def _manner(state: State, pages: Pages, size: int) -> str:
    """The rule by which a write has gone in as a whole and at once."""
    if len(pages) == len(state.pages):
        return "write-merge"
    if state.packets:
        return "write-packet" if size <= PAGE else "write-packets"
    return "write-slot" if size <= PAGE else "write-large"


def go_on_writing(state: State, who: Process, op: Writing) -> Iterator[Move]:
    """A write(2) that sleeps; no move until it is woken."""
    if (who, op) not in state.woken:
        return
    state = leave(state, who)
    if not state.readers:
        yield _broken_pipe(state, who, op.done)
        return
    pages, done = _put_more(state, op)
    if done == op.size:
        yield Move("write-finishes", _finished(state, pages), done)
    elif done == op.done:
        after = state._replace(writing=(*state.writing, (who, op)))
        yield Move("write-requeues", after, Later(op))
    elif state.nonblocking_writes:
        yield Move("write-short", _with(state, pages), done)
    else:
        yield _sleep_on("write-goes-on", state, who, pages, Writing(op.tag, op.size, done))


def _put_more(state: State, op: Writing) -> tuple[Pages, int]:
    piece = Piece(op.tag, op.done, op.size)
    return put(state.pages, state.slots, piece, state.packets, merge=False)


def _with(state: State, pages: Pages) -> State:
    """The state after a write that does not sleep (any more)."""
    after = state._replace(pages=pages)
    return wake_reader(after) if state.polled or not state.pages else after


def _finished(state: State, pages: Pages) -> State:
    """The state after a write that has slept and is done."""
    after = _with(state, pages)
    return wake_writer(after) if len(pages) < state.slots else after


def _sleep_on(rule: str, state: State, who: Process, pages: Pages, op: Writing) -> Move:
    """A part is written, and its writer sleeps for room for the rest."""
    after = state._replace(pages=pages, writing=(*state.writing, (who, op)))
    return Move(rule, after if state.pages else wake_reader(after), Later(op))


def _broken_pipe(state: State, who: Process, done: int) -> Move:
    """Nobody has the read end: SIGPIPE, and EPIPE if nothing was written."""
    rule = "write-cut" if done else "write-epipe"
    reply = done or Errno("EPIPE")
    if who in state.blocking:
        return Move(f"{rule}-pending", state._replace(pending=state.pending | {who}), reply)
    if who in state.ignoring:
        return Move(rule, state, reply)
    return Move(f"{rule}-dies", state, Dies("SIGPIPE"))


def look_once_more(state: State, op: Op) -> tuple[str, State] | None:
    """What a call does that slept, when its process is killed: by which rule, and the state
    after it; ``None``: nothing. ``state`` is without it."""
    if isinstance(op, Reading) and state.pages:
        _, after, _ = _taken(state, op.size, slept=True)
        return "exit-reads", after
    if isinstance(op, Writing) and state.readers:
        pages, done = _put_more(state, op)
        if done > op.done:
            return "exit-writes", _finished(state, pages)
    return None
