"""Mechanisms made of small models, for what needs no real object: drawing programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.adapter import Adapter
from harness.mechanism import Mechanism
from harness.spec import Model, Op, Process, Reply
from tests.small_models import (
    Count,
    Fifo,
    Get,
    Hall,
    Items,
    Post,
    Put,
    Receive,
    Semaphore,
    Send,
    Take,
    Value,
)

SHORT = 0.01
"""Seconds of a time-out that a program waits for."""


class Nowhere(Adapter):
    """There is no real object behind these mechanisms, so nothing is ever performed."""

    sleeps_in: Mapping[type, frozenset[str]] = {}

    def create(self, setup: Any) -> tuple[Any, Sequence[int]]:
        raise AssertionError("nothing is ever made")

    def attach(
        self,
        setup: Any,
        who: Process,
        shared: Any,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        raise AssertionError("nothing is ever reached")

    def perform(self, op: Op) -> Reply:
        raise AssertionError("nothing is ever performed")

    def detach(self) -> None:
        raise AssertionError("nothing is ever left")

    def destroy(self, shared: Any) -> None:
        raise AssertionError("nothing is ever removed")


@dataclass(frozen=True)
class FifoSetup:
    capacity: int = 2


def fifo_calls(setup: FifoSetup, state: Items, who: Process, number: int) -> Sequence[Op]:
    return [Get(), Put(number), Get(SHORT), Put(number, 0), Get(0)]


def fill_fifo(setup: FifoSetup, state: Items, number: int) -> Op | None:
    return Put(number)


def audit_fifo(setup: FifoSetup, state: Items) -> Sequence[Op]:
    return [Get(0) for _ in range(len(state) + 1)]


def fifo(setup: FifoSetup, processes: int) -> Model[Any]:
    return Fifo(setup.capacity)


FIFO = Mechanism(
    name="fifo",
    reference="tests.small_mechanisms:FIFO",
    model=fifo,
    adapter=Nowhere,
    setups=(FifoSetup(), FifoSetup(1), FifoSetup(5)),
    calls=fifo_calls,
    fill=fill_fifo,
    audit=audit_fifo,
)


@dataclass(frozen=True)
class PostSetup: ...


def post_calls(setup: PostSetup, state: Hall, who: Process, number: int) -> Sequence[Op]:
    return [Receive(), Send(number), Receive(SHORT), Count()]


def post(setup: PostSetup, processes: int) -> Model[Any]:
    return Post()


POST = Mechanism(
    name="post",
    reference="tests.small_mechanisms:POST",
    model=post,
    adapter=Nowhere,
    setups=(PostSetup(),),
    calls=post_calls,
)


@dataclass(frozen=True)
class SemaphoreSetup:
    units: int = 1


def semaphore_calls(setup: SemaphoreSetup, state: Any, who: Process, number: int) -> Sequence[Op]:
    return [Take(), Take(2, SHORT), Take(1, 0), Value()]


def semaphore(setup: SemaphoreSetup, processes: int) -> Model[Any]:
    return Semaphore(setup.units, processes)


SEMAPHORE = Mechanism(
    name="semaphore",
    reference="tests.small_mechanisms:SEMAPHORE",
    model=semaphore,
    adapter=Nowhere,
    setups=(SemaphoreSetup(), SemaphoreSetup(3)),
    calls=semaphore_calls,
)

MECHANISMS = [FIFO, POST, SEMAPHORE]
