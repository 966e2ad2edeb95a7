"""Small specifications, each with one thing that a checker must get right.

They follow no kernel: they are as short as the thing that they show allows. A wait of ``None``
seconds lasts for ever, one of 0 seconds is refused at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.spec import Dies, Errno, Exit, Later, Model, Move, Op, Process, Reply, Wait

EAGAIN, EINTR, EPERM = Errno("EAGAIN"), Errno("EINTR"), Errno("EPERM")
ETIMEDOUT = Errno("ETIMEDOUT")
FREE = -1

Seconds = float | None


def patience(seconds: Seconds, **about: Any) -> Wait:
    """The wait of a call that gives up after so many seconds."""
    if seconds == 0:
        return Wait(would_block=EAGAIN)
    return Wait(timeout=seconds, **about)


@dataclass(frozen=True, slots=True)
class Put:
    value: int
    seconds: Seconds = None


@dataclass(frozen=True, slots=True)
class Get:
    seconds: Seconds = None


Items = tuple[int, ...]


class Fifo(Model[Items]):
    """A bounded queue: first in, first out. A stopped sleeper starts again."""

    rules: Mapping[str, str] = {
        "put": "one more item, where there is room",
        "get": "the oldest item, or any of them",
        "exit": "death changes nothing",
    }

    def __init__(self, capacity: int = 2) -> None:
        self.capacity = capacity

    def start(self) -> Items:
        return ()

    def moves(self, state: Items, who: Process, op: Op) -> Iterator[Move]:
        match op:
            case Put(value) if len(state) < self.capacity:
                yield Move("put", (*state, value), None)
            case Get() if state:
                yield from self.taken(state)
            case Exit():
                yield Move("exit", state, None)

    def taken(self, state: Items) -> Iterator[Move]:
        yield Move("get", state[1:], state[0])

    def wait(self, state: Items, who: Process, op: Op) -> Wait:
        assert isinstance(op, Put | Get)
        return patience(op.seconds)


class Bag(Fifo):
    """A bounded collection: which item is handed out is free."""

    def taken(self, state: Items) -> Iterator[Move]:
        for place, item in enumerate(state):
            yield Move("get", (*state[:place], *state[place + 1 :]), item)


@dataclass(frozen=True, slots=True)
class Take:
    count: int = 1
    seconds: Seconds = None


@dataclass(frozen=True, slots=True)
class Give:
    count: int = 1


@dataclass(frozen=True, slots=True)
class Value: ...


class Units(NamedTuple):
    value: int
    taken: tuple[int, ...]


class Semaphore(Model[Units]):
    """What a process took and did not give back is undone by its death. A sleeper is never
    restarted: any signal and any stop ends its call."""

    rules: Mapping[str, str] = {
        "take": "so many units at once",
        "give": "so many units",
        "value": "the units that are there",
        "undo": "death gives back what was taken",
    }

    def __init__(self, units: int = 1, processes: int = 4) -> None:
        self.units = units
        self.processes = processes

    def start(self) -> Units:
        return Units(self.units, (0,) * self.processes)

    def moves(self, state: Units, who: Process, op: Op) -> Iterator[Move]:
        match op:
            case Take(count) if count <= state.value:
                yield Move("take", self.moved(state, who, count), None)
            case Give(count):
                yield Move("give", self.moved(state, who, -count), None)
            case Value():
                yield Move("value", state, state.value)
            case Exit():
                yield Move("undo", self.moved(state, who, -state.taken[who]), None)

    def moved(self, state: Units, who: Process, count: int) -> Units:
        """The state with ``count`` units in the hands of ``who`` instead of the semaphore."""
        taken = state.taken
        after = (*taken[:who], max(0, taken[who] + count), *taken[who + 1 :])
        return Units(state.value - count, after)

    def wait(self, state: Units, who: Process, op: Op) -> Wait:
        assert isinstance(op, Take)
        return patience(op.seconds, timed_out=EAGAIN, restarts=False, stopped=EINTR)


@dataclass(frozen=True, slots=True)
class Acquire:
    lock: int = 0
    seconds: Seconds = None


@dataclass(frozen=True, slots=True)
class Release:
    lock: int = 0


Owners = tuple[Process, ...]


class Locks(Model[Owners]):
    """Locks with an owner, whom a waiter waits for. Death frees them only if ``robust``."""

    rules: Mapping[str, str] = {
        "acquire": "a free lock",
        "release": "one's own lock",
        "not the owner": "another's lock stays as it is",
        "exit": "locks stay locked, unless they are robust",
    }

    def __init__(self, locks: int = 1, robust: bool = False) -> None:
        self.locks = locks
        self.robust = robust

    def start(self) -> Owners:
        return (FREE,) * self.locks

    def moves(self, state: Owners, who: Process, op: Op) -> Iterator[Move]:
        match op:
            case Acquire(lock) if state[lock] == FREE:
                yield Move("acquire", owned(state, lock, who), None)
            case Release(lock) if state[lock] == who:
                yield Move("release", owned(state, lock, FREE), None)
            case Release():
                yield Move("not the owner", state, EPERM)
            case Exit():
                kept = tuple(FREE if owner == who and self.robust else owner for owner in state)
                yield Move("exit", kept, None)

    def wait(self, state: Owners, who: Process, op: Op) -> Wait:
        assert isinstance(op, Acquire)
        return patience(op.seconds)

    def partners(self, state: Owners, who: Process, op: Op) -> frozenset[Process]:
        assert isinstance(op, Acquire)
        return frozenset({state[op.lock]})


def owned(state: Owners, lock: int, owner: Process) -> Owners:
    return (*state[:lock], owner, *state[lock + 1 :])


@dataclass(frozen=True, slots=True)
class Write:
    data: bytes
    seconds: Seconds = None
    done: int = 0
    """Bytes that this call has written before."""


@dataclass(frozen=True, slots=True)
class Read:
    size: int


@dataclass(frozen=True, slots=True)
class Close: ...


@dataclass(frozen=True, slots=True)
class Closing: ...


class Bytes(NamedTuple):
    data: bytes = b""
    readable: bool = True


class Channel(Model[Bytes]):
    """A byte stream with little room: a long write goes on bit by bit. Its writers die once
    nobody can read it any more."""

    rules: Mapping[str, str] = {
        "write": "all of it",
        "write a part": "what there is room for",
        "read": "what is there",
        "close": "nobody can read any more",
        "broken": "what is written then ends the writer",
        "last word": "a death is two steps: the first leaves a mark, where there is room",
        "exit": "the second one leaves nothing",
    }

    def __init__(self, room: int = 2) -> None:
        self.room = room

    def start(self) -> Bytes:
        return Bytes()

    def moves(self, state: Bytes, who: Process, op: Op) -> Iterator[Move]:
        data, readable = state
        match op:
            case Write() if not readable:
                yield Move("broken", state, Dies("SIGPIPE"))
            case Write(new, seconds, done) if len(data) < self.room:
                fits = self.room - len(data)
                reply: Reply = done + len(new)
                if fits < len(new):
                    reply = Later(Write(new[fits:], seconds, done + fits))
                rule = "write a part" if fits < len(new) else "write"
                yield Move(rule, Bytes(data + new[:fits]), reply)
            case Read(size) if data:
                yield Move("read", Bytes(data[size:], readable), data[:size])
            case Close():
                yield Move("close", Bytes(data, False), None)
            case Exit():
                said = Bytes((data + b"!")[: self.room], readable)
                yield Move("last word", said, Later(Closing()))
            case Closing():
                yield Move("exit", state, None)

    def wait(self, state: Bytes, who: Process, op: Op) -> Wait:
        if isinstance(op, Read):
            return Wait()
        assert isinstance(op, Write)
        if op.seconds == 0:
            return Wait(would_block=op.done or EAGAIN)
        return Wait(
            timeout=op.seconds,
            timed_out=op.done or ETIMEDOUT,
            interrupted=op.done or EINTR,
            restarts=not op.done,
            stopped=op.done or None,
        )


@dataclass(frozen=True, slots=True)
class Send:
    value: int


@dataclass(frozen=True, slots=True)
class Receive:
    seconds: Seconds = None


@dataclass(frozen=True, slots=True)
class InLine:
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Count: ...


class Hall(NamedTuple):
    items: Items = ()
    line: tuple[Process, ...] = ()
    handed: tuple[tuple[Process, int], ...] = ()

    def without(self, who: Process) -> "Hall":
        line = tuple(other for other in self.line if other != who)
        return Hall(self.items, line, tuple(pair for pair in self.handed if pair[0] != who))


class Post(Model[Hall]):
    """Receivers wait in a line that others can count; what is sent is handed to the first, and
    is lost if it dies before it takes it. Whoever starts again is the last in line."""

    rules: Mapping[str, str] = {
        "send": "an item for whoever comes",
        "hand over": "an item for the first in line",
        "full": "nobody waits, and there is an item already",
        "receive": "the oldest item",
        "line up": "whoever finds nothing waits in line",
        "handed": "takes what it was handed",
        "count": "how many wait in line",
        "exit": "a dead one waits no more",
    }

    def start(self) -> Hall:
        return Hall()

    def moves(self, state: Hall, who: Process, op: Op) -> Iterator[Move]:
        items, line, handed = state
        match op:
            case Send(value) if line:
                yield Move("hand over", Hall(items, line[1:], (*handed, (line[0], value))), None)
            case Send(value) if not items:
                yield Move("send", Hall((value,), line, handed), None)
            case Send():
                yield Move("full", state, EAGAIN)
            case Receive() if items:
                yield Move("receive", Hall(items[1:], line, handed), items[0])
            case InLine() if who in dict(handed):
                yield Move("handed", state.without(who), dict(handed)[who])
            case Count():
                yield Move("count", state, len(line))
            case Exit():
                yield Move("exit", state.without(who), None)

    def wait(self, state: Hall, who: Process, op: Op) -> Wait:
        if isinstance(op, InLine):
            return Wait(timeout=op.seconds, withdrawn=state.without(who))
        assert isinstance(op, Receive)
        lined_up = Move(
            "line up", state._replace(line=(*state.line, who)), Later(InLine(op.seconds))
        )
        return patience(op.seconds, asleep=lined_up)
