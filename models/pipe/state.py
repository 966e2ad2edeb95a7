"""The state of a pipe and of the processes that hold it, and what wakes whom.

Follows fs/pipe.c of Linux 6.18. Sleepers stand in two lines, one of readers and one of writers,
and waits are exclusive: a wake-up reaches the first in line only, who passes it on if something
is left. Who is woken and finds nothing goes back to the end of the line.
"""

from typing import NamedTuple

from harness.spec import Op, Process
from models.pipe.buffer import Pages

Line = tuple[tuple[Process, Op], ...]
"""Sleepers with the calls that they sleep in, the first to be woken first."""

Holders = frozenset[Process]


class State(NamedTuple):
    """A pipe, its two open file descriptions, and its processes."""

    pages: Pages
    slots: int
    readers: Holders
    """Who has the read end open."""
    writers: Holders
    nonblocking_reads: bool = False
    """O_NONBLOCK of the read end's file description."""
    nonblocking_writes: bool = False
    packets: bool = False
    """O_DIRECT of the write end's file description."""
    polled: bool = False
    """Whether the pipe has ever been polled: writes then wake a reader needlessly."""
    reading: Line = ()
    writing: Line = ()
    woken: Line = ()
    """Who was woken and has not run since."""
    ignoring: Holders = frozenset()
    """Whose SIGPIPE is ignored; that of the others has its default action."""
    blocking: Holders = frozenset()
    """Who blocks SIGPIPE."""
    pending: Holders = frozenset()
    """Who blocks SIGPIPE and has it pending."""


def holders(state: State, end: str) -> Holders:
    """Who has this end open, ``"r"`` or ``"w"``."""
    return state.readers if end == "r" else state.writers


def wake_reader(state: State) -> State:
    """Wake the first reader in line, if there is one."""
    if not state.reading:
        return state
    first, *others = state.reading
    return state._replace(reading=tuple(others), woken=(*state.woken, first))


def wake_writer(state: State) -> State:
    """Wake the first writer in line, if there is one."""
    if not state.writing:
        return state
    first, *others = state.writing
    return state._replace(writing=tuple(others), woken=(*state.woken, first))


def release(state: State, who: Process, end: str) -> State:
    """``who`` closes an end. If that leaves one end only, everybody is woken."""
    if end == "r":
        state = state._replace(readers=state.readers - {who})
    else:
        state = state._replace(writers=state.writers - {who})
    if bool(state.readers) == bool(state.writers):
        return state
    woken = (*state.woken, *state.reading, *state.writing)
    return state._replace(reading=(), writing=(), woken=woken)


def leave(state: State, who: Process) -> State:
    """``who`` neither sleeps any more nor is woken."""
    return state._replace(
        reading=_without(state.reading, who),
        writing=_without(state.writing, who),
        woken=_without(state.woken, who),
    )


def sleeping_in(state: State, who: Process) -> Op | None:
    """The call in which ``who`` sleeps, or was woken and has not run since."""
    for line in (state.woken, state.reading, state.writing):
        for sleeper, op in line:
            if sleeper == who:
                return op
    return None


def _without(line: Line, who: Process) -> Line:
    return tuple(entry for entry in line if entry[0] != who)
