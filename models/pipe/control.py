"""What is done to a pipe besides reading and writing: ends, flags, size, SIGPIPE, death.

Follows pipe_release(), pipe_poll() and pipe_set_size() in fs/pipe.c, and kernel/signal.c, of
Linux 6.18.
"""

from collections.abc import Iterator

from harness.spec import Dies, Errno, Exit, Later, Move, Process
from models.pipe.buffer import PAGE
from models.pipe.state import State, holders, leave, release, sleeping_in, wake_writer
from models.pipe.transfer import look_once_more

LARGEST = 1 << 20
"""Bytes up to which a pipe grows without privilege, if fs.pipe-max-size is as it is by default."""


def close(state: State, who: Process, end: str) -> Move:
    """close(2) of an end that ``who`` holds."""
    after = release(state, who, end)
    if holders(after, end) or not (after.readers or after.writers):
        return Move("close", after, None)
    return Move("close-last-reader" if end == "r" else "close-last-writer", after, None)


def set_flags(state: State, end: str, nonblocking: bool, packets: bool) -> Move:
    """fcntl(2) F_SETFL. Only writes look at O_DIRECT."""
    if end == "r":
        return Move("set-flags", state._replace(nonblocking_reads=nonblocking), None)
    after = state._replace(nonblocking_writes=nonblocking, packets=packets)
    return Move("set-flags", after, None)


def set_size(state: State, size: int) -> Iterator[Move]:
    """fcntl(2) F_SETPIPE_SZ."""
    if size > 1 << 31:
        yield Move("resize-invalid", state, Errno("EINVAL"))
        return
    slots = 1 << (max(size - 1, 0) // PAGE).bit_length()
    resized = Move(
        "grow" if slots > state.slots else "resize",
        wake_writer(state._replace(slots=slots)),
        slots * PAGE,
    )
    refused = Move("grow-refused", state, Errno("EPERM"))
    if slots < len(state.pages):
        yield Move("resize-busy", state, Errno("EBUSY"))
    elif slots <= state.slots:
        yield resized
    else:
        yield from (resized, refused) if size <= LARGEST else (refused, resized)


def poll(state: State, who: Process, end: str) -> Move:
    """poll(2) for POLLIN and POLLOUT with a timeout of 0."""
    if who not in holders(state, end):
        return Move("poll-nval", state, ("POLLNVAL",))
    after = state._replace(polled=True)
    if end == "r":
        reported = ("POLLIN",) if state.pages else ()
        if state.writers:
            return Move("poll", after, reported)
        return Move("poll-hup", after, (*reported, "POLLHUP"))
    reported = ("POLLOUT",) if len(state.pages) < state.slots else ()
    if state.readers:
        return Move("poll", after, reported)
    return Move("poll-err", after, (*reported, "POLLERR"))


def sigaction(state: State, who: Process, ignore: bool) -> Move:
    """sigaction(2) of SIGPIPE."""
    if not ignore:
        return Move("sigaction", state._replace(ignoring=state.ignoring - {who}), None)
    after = state._replace(ignoring=state.ignoring | {who}, pending=state.pending - {who})
    return Move("sigaction-discards" if who in state.pending else "sigaction", after, None)


def sigmask(state: State, who: Process, block: bool) -> Move:
    """sigprocmask(2) of SIGPIPE."""
    if block:
        return Move("sigmask", state._replace(blocking=state.blocking | {who}), None)
    after = state._replace(blocking=state.blocking - {who}, pending=state.pending - {who})
    if who not in state.pending:
        return Move("sigmask", after, None)
    if who in state.ignoring:
        return Move("sigmask-discards", after, None)
    return Move("sigmask-dies", after, Dies("SIGPIPE"))


def exit_step(state: State, who: Process) -> Iterator[Move]:
    """The next step of the death of ``who``. Which end goes first is a matter of its
    descriptors' numbers, which this specification does not know."""
    op = sleeping_in(state, who)
    if op is not None:
        state = leave(state, who)
        found = look_once_more(state, op)
        if found is not None:
            yield Move(*found, Later(Exit()))
            return
    ends = [end for end in "rw" if who in holders(state, end)]
    for end in ends:
        yield Move("exit-closes", release(state, who, end), Later(Exit()))
    if not ends:
        after = state._replace(
            ignoring=state.ignoring - {who},
            blocking=state.blocking - {who},
            pending=state.pending - {who},
        )
        yield Move("exit", after, None)
