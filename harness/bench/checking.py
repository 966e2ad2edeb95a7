"""The checker alone: events a second on histories of truly overlapping calls."""

from collections.abc import Sequence
from random import Random
from time import process_time

from harness.bench.throughput import queue
from harness.check.checker import Checker
from harness.history import Event, Invoke, Return
from harness.relation import DONE, Relation, after, with_slot

PROCESSES = 4
EVENTS = 400
"""Events of one history."""


def overlapping(relation: Relation, random: Random) -> list[Event]:
    """A history of 4 processes that call and return as they please, made from the model."""
    mechanism = queue()
    setup = mechanism.setups[0]
    configuration = relation.start
    events: list[Event] = []
    while len(events) < EVENTS:
        who = random.randrange(PROCESSES)
        now, slot = 1_000 * len(events), configuration[who + 1]
        if slot is None:
            menu = mechanism.calls(setup, relation.state(configuration), who, len(events))
            op = random.choice(menu)
            events.append(Invoke(now, who, op))
            configuration = with_slot(configuration, who, relation.called(op))
        elif slot[0] == DONE:
            events.append(Return(now, who, slot[1], now - 500))
            configuration = with_slot(configuration, who, None)
        elif steps := relation.steps(configuration[0], who, slot).ready:
            configuration = after(configuration, who, random.choice(steps))
        elif _all_asleep(relation, configuration):
            break
    return events


def _all_asleep(relation: Relation, configuration: tuple[object, ...]) -> bool:
    return all(
        slot is not None
        and slot[0] != DONE  # type: ignore[index]
        and not relation.steps(configuration[0], who, slot).ready  # type: ignore[arg-type]
        for who, slot in enumerate(configuration[1 : PROCESSES + 1])
    )


def checker_events(histories: int) -> float:
    """Events a second of CPU time, over so many histories."""
    mechanism = queue()
    model = mechanism.model(mechanism.setups[0], PROCESSES + 1)
    random = Random(0)
    made: Sequence[list[Event]] = [
        overlapping(Relation(model, PROCESSES + 1), random) for _ in range(histories)
    ]
    begun = process_time()
    for events in made:
        verdict = Checker(Relation(model, PROCESSES + 1)).feed(events)
        assert verdict is None, verdict
    return sum(map(len, made)) / (process_time() - begun)
