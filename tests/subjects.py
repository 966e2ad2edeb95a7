"""A lock made of a pipe with one token in it, and the ways in which a set-up can be broken.

Whoever dies holding the lock takes the token along, which the model does not allow: with kills
there is a bug to be found, without them there is none.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import Unseen, Unsupported
from harness.mechanism import Mechanism
from harness.spec import Exit, Model, Move, Op, Process, Reply


@dataclass(frozen=True, slots=True)
class Acquire: ...


@dataclass(frozen=True, slots=True)
class Release: ...


@dataclass(frozen=True, slots=True)
class Setup:
    colour: str = "green"
    """Makes no difference, but to who cannot have one of them."""


class Lock(Model[Process | None]):
    """Its state is its holder. The death of the holder frees it."""

    rules: Mapping[str, str] = {
        "acquire": "a free lock is taken",
        "release": "its holder frees it",
        "exit": "a holder that dies frees it",
    }

    def start(self) -> Process | None:
        return None

    def moves(self, state: Process | None, who: Process, op: Op) -> Iterator[Move]:
        match op:
            case Acquire() if state is None:
                yield Move("acquire", who, None)
            case Release() if state == who:
                yield Move("release", None, None)
            case Exit():
                yield Move("exit", None if state == who else state, None)


class PickyLock(Lock):
    def moves(self, state: Process | None, who: Process, op: Op) -> Iterator[Move]:
        if isinstance(op, Setup):
            raise ValueError(f"no {op.colour}")
        return super().moves(state, who, op)


class MortalLock(Lock):
    """Whoever dies takes the lock along, as the token in a pipe does."""

    def moves(self, state: Process | None, who: Process, op: Op) -> Iterator[Move]:
        if isinstance(op, Exit):
            yield Move("exit", state, None)
        else:
            yield from super().moves(state, who, op)


class VastLock(Lock):
    """Whether it can be released in one of the states that it may be in, nobody can tell: they
    are too many."""

    def moves(self, state: Process | None, who: Process, op: Op) -> Iterator[Move]:
        if isinstance(op, Acquire) and state is None:
            yield from (Move("acquire", number, None) for number in range(250_000))
        elif isinstance(op, Exit):
            yield Move("exit", state, None)


class TokenPipe:
    sleeps_in: Mapping[type, frozenset[str]] = {Acquire: frozenset({"read"})}
    reader: int
    writer: int

    def create(self, setup: Setup) -> tuple[None, Sequence[int]]:
        reader, writer = os.pipe()
        os.write(writer, b"t")
        return None, (reader, writer)

    def attach(
        self,
        setup: Setup,
        who: Process,
        shared: None,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        self.reader, self.writer = descriptors

    def perform(self, op: Op) -> Reply:
        match op:
            case Acquire():
                os.read(self.reader, 1)
            case Release():
                os.write(self.writer, b"t")
        return None

    def detach(self) -> None:
        os.close(self.reader)
        os.close(self.writer)

    def destroy(self, shared: None) -> None: ...


class CannotCreate(TokenPipe):
    def create(self, setup: Setup) -> tuple[None, Sequence[int]]:
        raise RuntimeError("no pipe today")


class CannotPerform(TokenPipe):
    def perform(self, op: Op) -> Reply:
        raise ValueError("no call today")


class Asserts(TokenPipe):
    def perform(self, op: Op) -> Reply:
        raise AssertionError("the lock is odd")


class Unsendable(TokenPipe):
    def perform(self, op: Op) -> Reply:
        return lambda: None


class Talkative(TokenPipe):
    def perform(self, op: Op) -> Reply:
        return 1_000_000 * "x"


class Leaves(TokenPipe):
    def perform(self, op: Op) -> Reply:
        raise SystemExit(0)


class Loops(TokenPipe):
    def perform(self, op: Op) -> Reply:
        while True:
            pass


class SleepsElsewhere(TokenPipe):
    sleeps_in: Mapping[type, frozenset[str]] = {Acquire: frozenset({"write"})}


class NeverCreated(TokenPipe):
    def create(self, setup: Setup) -> tuple[None, Sequence[int]]:
        reader, _writer = os.pipe()
        os.read(reader, 1)
        raise AssertionError("never reached")


class SleepsNowhere(TokenPipe):
    sleeps_in: Mapping[type, frozenset[str]] = {Acquire: frozenset({"raed"})}


class Chatty(TokenPipe):
    """Its replies are wrong, at once and every time."""

    def perform(self, op: Op) -> Reply:
        super().perform(op)
        return "done"


class Hesitant(TokenPipe):
    """Sleeps a little, and not for the lock, before it releases it."""

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Release):
            time.sleep(0.1)
        return super().perform(op)


class NothingRed(TokenPipe):
    def create(self, setup: Setup) -> tuple[None, Sequence[int]]:
        if setup.colour == "red":
            raise Unsupported("this machine has no red; paint it")
        return super().create(setup)


def calls(setup: Setup, holder: Process | None, who: Process, number: int) -> Sequence[Op]:
    return [Release() if holder == who else Acquire()]


def never_seen() -> None:
    raise Unseen("a black swan was never seen in 5 tries, so that nothing is shown")


def never_release(setup: Setup, holder: Process | None, who: Process, number: int) -> Sequence[Op]:
    return [Acquire()]


def no_such_limit(setup: Setup) -> Mapping[str, int]:
    return {"kernel.no_such_limit": 1}


def no_such_resource(setup: Setup) -> Mapping[str, int]:
    return {"RLIMIT_PATIENCE": 1}


def resource_out_of_range(setup: Setup) -> Mapping[str, int]:
    return {"RLIMIT_NOFILE": 1 << 40}


def limit_out_of_range(setup: Setup) -> Mapping[str, int]:
    return {"fs.mqueue.msg_max": -7}


def _mechanism(name: str, **other: Any) -> Mechanism:
    lock = Mechanism(
        name=name.lower().replace("_", "-"),
        reference=f"{__name__}:{name}",
        model=lambda setup, processes: Lock(),
        adapter=TokenPipe,
        setups=(Setup(),),
        calls=calls,
    )
    return replace(lock, **other)


TOKEN_LOCK = _mechanism("TOKEN_LOCK")
NEVER_RELEASED = _mechanism("NEVER_RELEASED", calls=never_release)
MORTAL = _mechanism("MORTAL", model=lambda setup, processes: MortalLock())
VAST = _mechanism("VAST", model=lambda setup, processes: VastLock())
PICKY = _mechanism("PICKY", model=lambda setup, processes: PickyLock())
CHATTY = _mechanism("CHATTY", adapter=Chatty)
HESITANT = _mechanism("HESITANT", adapter=Hesitant)
CANNOT_CREATE = _mechanism("CANNOT_CREATE", adapter=CannotCreate)
CANNOT_PERFORM = _mechanism("CANNOT_PERFORM", adapter=CannotPerform)
ASSERTS = _mechanism("ASSERTS", adapter=Asserts)
UNSENDABLE = _mechanism("UNSENDABLE", adapter=Unsendable)
TALKATIVE = _mechanism("TALKATIVE", adapter=Talkative)
LEAVES = _mechanism("LEAVES", adapter=Leaves)
LOOPS = _mechanism("LOOPS", adapter=Loops)
SLEEPS_ELSEWHERE = _mechanism("SLEEPS_ELSEWHERE", adapter=SleepsElsewhere)
SLEEPS_NOWHERE = _mechanism("SLEEPS_NOWHERE", adapter=SleepsNowhere)
NEVER_CREATED = _mechanism("NEVER_CREATED", adapter=NeverCreated)
NO_SUCH_LIMIT = _mechanism("NO_SUCH_LIMIT", limits=no_such_limit)
NO_SUCH_RESOURCE = _mechanism("NO_SUCH_RESOURCE", limits=no_such_resource)
RESOURCE_OUT_OF_RANGE = _mechanism("RESOURCE_OUT_OF_RANGE", limits=resource_out_of_range)
LOST = _mechanism("LOST", reference="tests.subjects:TOKEN_LOCK")
LIMIT_OUT_OF_RANGE = _mechanism("LIMIT_OUT_OF_RANGE", limits=limit_out_of_range)
GREEN_OR_RED = _mechanism("GREEN_OR_RED", adapter=NothingRed, setups=(Setup(), Setup("red")))
ALL_RED = _mechanism("ALL_RED", adapter=NothingRed, setups=(Setup("red"),))
