"""The checker alone: events a second on histories of truly overlapping calls."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from time import process_time

from harness.check.checker import Checker
from harness.history import Event, Invoke, Return
from harness.relation import DONE, Configuration, Relation, after, with_slot
from harness.spec import Exit, Model, Move, Op, Process

PROCESSES = 4
CAPACITY = 4
EVENTS = 60
"""Events of one history: as many as a program of 30 calls has."""

Items = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Put:
    item: int


@dataclass(frozen=True, slots=True)
class Get:
    pass


class Queue(Model[Items]):
    """A bounded FIFO queue."""

    def start(self) -> Items:
        return ()

    def moves(self, state: Items, who: Process, op: Op) -> Iterator[Move]:
        match op:
            case Put(item) if len(state) < CAPACITY:
                yield Move("put", (*state, item), None)
            case Get() if state:
                yield Move("get", state[1:], state[0])
            case Exit():
                yield Move("exit", state, None)


def overlapping(relation: Relation, random: Random) -> list[Event]:
    """A history of 4 processes that call and return as they please, made from the model."""
    configuration = relation.start
    events: list[Event] = []
    while len(events) < EVENTS:
        who = random.randrange(PROCESSES)
        now, slot = 1_000 * len(events), configuration[who + 1]
        if slot is None:
            op = _call(relation, configuration, random, len(events))
            events.append(Invoke(now, who, op))
            configuration = with_slot(configuration, who, relation.called(op))
        elif slot[0] == DONE:
            events.append(Return(now, who, slot[1], now - 500))
            configuration = with_slot(configuration, who, None)
        elif steps := relation.steps(configuration[0], who, slot).ready:
            configuration = after(configuration, who, random.choice(steps))
    return events


def _call(relation: Relation, configuration: Configuration, random: Random, number: int) -> Op:
    """A call that lets not all of them fall asleep in the same one."""
    items = len(relation.state(configuration))
    if items >= CAPACITY // 2:
        return Get()
    return Put(number) if items == 0 or random.random() < 0.5 else Get()


def checker_events(histories: int) -> float:
    """Events a second of CPU time, over so many different histories. One relation serves them
    all, as it does the programs of a property; what it must compute for them is in the time."""
    random, relation = Random(0), Relation(Queue(), PROCESSES)
    made = [overlapping(Relation(Queue(), PROCESSES), random) for _ in range(histories)]
    gc.collect()
    gc.freeze()  # Going through all these histories is not the checker's affair.
    try:
        begun = process_time()
        for events in made:
            verdict = Checker(relation).feed(events)
            assert verdict is None, verdict
        return sum(map(len, made)) / (process_time() - begun)
    finally:
        gc.unfreeze()
