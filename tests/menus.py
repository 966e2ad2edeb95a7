"""The small models that random histories are made of, each with calls to choose from.

The number of a call makes what it sends distinct.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.spec import Model, Op
from tests.small_models import (
    Acquire,
    Bag,
    Channel,
    Close,
    Count,
    Fifo,
    Get,
    Give,
    Locks,
    Post,
    Put,
    Read,
    Receive,
    Release,
    Semaphore,
    Send,
    Take,
    Value,
    Write,
)

SHORT = 5e-6
"""Seconds of a short wait: about five events."""


@dataclass(frozen=True)
class Subject:
    """A model by name, and the calls that are made of it."""

    name: str
    model: Callable[[int], Model[Any]]
    menu: Callable[[int], list[Op]]


def queue_calls(number: int) -> list[Op]:
    return [Put(number), Put(number), Get(), Get(), Put(number, 0), Get(0), Get(SHORT)]


def semaphore_calls(number: int) -> list[Op]:
    return [Take(), Take(2), Take(2, SHORT), Take(1, 0), Give(), Give(), Value()]


def lock_calls(number: int) -> list[Op]:
    return [Acquire(), Acquire(1), Acquire(0, 0), Acquire(0, SHORT), Release(), Release(1)]


def channel_calls(number: int) -> list[Op]:
    text = b"%d" % (100 + number)
    writes = [Write(text), Write(text[1:]), Write(text, 0), Write(text, SHORT)]
    return [*writes, Read(2), Read(1), Read(3), Close()]


def post_calls(number: int) -> list[Op]:
    receives = [Receive(), Receive(), Receive(SHORT), Receive(0)]
    return [Send(number), Send(number), *receives, Count()]


SUBJECTS = [
    Subject("fifo", lambda _: Fifo(), queue_calls),
    Subject("bag", lambda _: Bag(), queue_calls),
    Subject("semaphore", lambda processes: Semaphore(2, processes), semaphore_calls),
    Subject("locks", lambda _: Locks(2), lock_calls),
    Subject("robust locks", lambda _: Locks(2, robust=True), lock_calls),
    Subject("channel", lambda _: Channel(), channel_calls),
    Subject("post", lambda _: Post(), post_calls),
]
