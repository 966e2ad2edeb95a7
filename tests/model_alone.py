"""Processes whose calls a model carries out alone, one by one, without any kernel."""

from random import Random
from typing import Any

from harness.mechanism import Mechanism
from harness.relation import (
    AT_REST,
    DEAD,
    DONE,
    LIVE,
    SUSPENDED,
    Configuration,
    Next,
    Relation,
    Slot,
    after,
    with_slot,
)
from harness.spec import Model, Op, Process, Reply

ASLEEP: Any = "asleep"
"""In place of the reply of a call that sleeps."""
GOES_ON, IS_HARMED = 0.7, 0.1
"""How likely somebody who can go on does; and one that is chosen inside a call is killed, stopped
or interrupted."""


class ModelAlone:
    """Actors and a keeper in the hands of one model. Who can go on does, the lowest first."""

    def __init__(self, model: Model[Any], actors: int = 3) -> None:
        self.relation = Relation(model, actors + 1)
        self.configuration: Configuration = self.relation.start
        self.rules: list[str] = []
        """By which rules the steps were taken that have been taken, in order."""
        self.processes = [Actor(self, who) for who in range(actors + 1)]
        self.actors = self.processes[:-1]

    @property
    def state(self) -> Any:
        return self.relation.state(self.configuration)

    def ready(self) -> list[tuple[Process, Next]]:
        """Who can go on, and how."""
        state, slots = self.configuration[0], self.configuration[1:]
        return [
            (who, step)
            for who, slot in enumerate(slots)
            for step in self.relation.steps(state, who, slot).ready
        ]

    def advance(self, who: Process, step: Next) -> None:
        self.rules.append(step.rule)
        self.configuration = after(self.configuration, who, step)

    def settle(self) -> None:
        """Everybody who can go on does."""
        while ready := self.ready():
            self.advance(*ready[0])


class Actor:
    """One of the processes. What happens to it has its effects before the next thing does."""

    def __init__(self, alone: ModelAlone, who: Process) -> None:
        self.alone = alone
        self.who = who

    @property
    def slot(self) -> Slot:
        slot: Slot = self.alone.configuration[self.who + 1]
        return slot

    def is_put(self, slot: Slot) -> None:
        """Only where its call stands changes, as yet without any effect."""
        self.alone.configuration = with_slot(self.alone.configuration, self.who, slot)

    def becomes(self, slot: Slot) -> None:
        self.is_put(slot)
        self.alone.settle()

    def calls(self, op: Op) -> Any:
        """Its reply, or `ASLEEP`."""
        assert self.slot is None, f"process {self.who} is inside a call"
        self.becomes(self.alone.relation.called(op))
        return self.answer

    def calls_before_others_go_on(self, op: Op) -> None:
        """What lets others go on happens, but they do not run yet."""
        self.is_put(self.alone.relation.called(op))
        while mine := [step for who, step in self.alone.ready() if who == self.who]:
            self.alone.advance(self.who, mine[0])

    @property
    def answer(self) -> Any:
        """The reply of its last call, or `ASLEEP`."""
        slot = self.slot
        assert slot is not None
        if slot[0] == LIVE:
            return ASLEEP
        assert slot[0] == DONE, f"process {self.who} has no reply, it is {slot}"
        self.is_put(None)
        return slot[1]

    def runs_out_of_time(self) -> Reply:
        timer = self.alone.relation.steps(self.alone.configuration[0], self.who, self.slot).timer
        assert timer is not None, f"the call of process {self.who} has no timeout"
        self.alone.advance(self.who, timer.step)
        self.alone.settle()
        reply: Reply = self.answer
        return reply

    def gets_a_signal(self, *, restart: bool) -> Any:
        """The reply, or `ASLEEP`, after a handler that was installed with SA_RESTART or not."""
        self.becomes(self.alone.relation.hit(self.slot, restart))
        return self.answer

    def is_stopped(self) -> None:
        self.becomes(self.alone.relation.stopped(self.slot))
        assert self.slot is not None
        assert self.slot[0] == SUSPENDED

    def goes_on(self) -> None:
        self.becomes(self.alone.relation.continued(self.slot))

    def is_killed(self) -> None:
        self.becomes(self.alone.relation.killed(self.slot))

    @property
    def is_dead(self) -> bool:
        return self.slot is not None and self.slot[0] == DEAD


def rules_not_met(mechanism: Mechanism, rounds: int = 100, steps: int = 10_000) -> set[str]:
    """The rules that random calls do not come upon, in so many rounds of so many steps."""
    random = Random(1)
    models = [(setup, mechanism.model(setup, 4)) for setup in mechanism.setups]
    missing = set(models[0][1].rules)
    for _ in range(rounds):
        for setup, model in models:
            alone = ModelAlone(model)
            for number in range(steps // len(models)):
                if all(actor.is_dead for actor in alone.actors):
                    missing.difference_update(alone.rules)
                    alone = ModelAlone(model)
                _random_step(alone, mechanism, setup, number, random)
            missing.difference_update(alone.rules)
        if not missing:
            break
    return missing


def _random_step(
    alone: ModelAlone, mechanism: Mechanism, setup: Any, number: int, random: Random
) -> None:
    """Somebody who can goes on, or a process calls, gives up, is stopped or killed."""
    ready = alone.ready()
    if ready and random.random() < GOES_ON:
        alone.advance(*random.choice(ready))
        return
    actor = random.choice(alone.actors)
    slot, relation = actor.slot, alone.relation
    if slot is None or slot[0] == DONE:
        ops = mechanism.calls(setup, alone.state, actor.who, number)
        actor.is_put(relation.called(random.choice(ops)))
    elif slot[0] == SUSPENDED:
        actor.is_put(relation.continued(slot))
    elif slot[0] < AT_REST and random.random() < IS_HARMED:
        harms = (relation.killed, relation.stopped, lambda mine: relation.hit(mine, restart=True))
        actor.is_put(random.choice(harms)(slot))
