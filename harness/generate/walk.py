"""A walk on the model, which tells the generator what a program has led to so far.

Only a guess where the model leaves the kernel free: the walk then takes the first move. What
is drawn stays meaningful anyhow, since steps that cannot be taken are passed over.
"""

from typing import Any

from harness.errors import Broken
from harness.program import Call, CallThenKill, Continue, Elapse, Kill, Signal, Step, Stop
from harness.relation import (
    AT_REST,
    DEAD,
    DONE,
    LIVE,
    Configuration,
    Next,
    Relation,
    after,
    with_slot,
)
from harness.spec import EngineRule, Op, Process

MOST_STEPS = 10_000
"""Steps in a row of one call, which is taken for one that never comes to its end."""
SHORT = 0.1
"""Seconds: a time-out up to this is short enough to be waited for."""


def _takes_effect(step: Next) -> bool:
    return step.slot is not None and step.slot[0] == DONE and step.rule != EngineRule.WOULD_BLOCK


class Walk:
    """Where the program stands, by the model: who is idle, asleep, stopped or dead."""

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self.configuration: Configuration = relation.start
        self.stopped: set[Process] = set()

    @property
    def state(self) -> Any:
        return self.relation.state(self.configuration)

    def is_idle(self, who: Process) -> bool:
        return self.configuration[who + 1] is None and who not in self.stopped

    def is_asleep(self, who: Process) -> bool:
        slot = self.configuration[who + 1]
        return slot is not None and slot[0] == LIVE and who not in self.stopped

    def is_dead(self, who: Process) -> bool:
        return bool(self.configuration[who + 1] == (DEAD,))

    def is_timed(self, who: Process) -> bool:
        """Whether it is asleep in a call that soon times out."""
        slot = self.configuration[who + 1]
        if not self.is_asleep(who):
            return False
        timer = self.relation.steps(self.configuration[0], who, slot).timer
        return timer is not None and timer.after <= SHORT * 1e9

    def returns(self, who: Process, op: Op) -> bool:
        """Whether this call would be carried out at once, neither asleep nor turned away."""
        steps = self.relation.steps(self.configuration[0], who, self.relation.called(op)).ready
        return bool(steps) and _takes_effect(steps[0])

    def wakes(self, who: Process, op: Op, victim: Process) -> bool:
        """Whether this call would let ``victim`` go on and return itself."""
        slot = self.relation.called(op)
        steps = self.relation.steps(self.configuration[0], who, slot).ready
        if not steps or not _takes_effect(steps[0]):
            return False
        sleeper = self.configuration[victim + 1]
        return bool(self.relation.steps(steps[0].state, victim, sleeper).ready)

    def take(self, step: Step) -> None:
        """Take any step; one that cannot be taken now is passed over, as in a run."""
        match step:
            case Call(who, op) if self.is_idle(who):
                self.call(who, op)
            case CallThenKill(who, op, victim) if self.is_idle(who) and self.is_asleep(victim):
                self.call_then_kill(who, op, victim)
            case Kill(who) if not self.is_dead(who):
                self.kill(who)
            case Stop(who) if not self.is_dead(who) and who not in self.stopped:
                self.stop(who)
            case Continue(who) if who in self.stopped:
                self.resume(who)
            case Signal(who, restart) if self.is_asleep(who):
                self.signal(who, restart)
            case Elapse(who) if self.is_asleep(who):
                self.elapse(who)

    def call(self, who: Process, op: Op) -> None:
        self._put(who, self.relation.called(op))

    def call_then_kill(self, who: Process, op: Op, victim: Process) -> None:
        """The call takes effect, and ``victim`` dies before it can run."""
        self.configuration = with_slot(self.configuration, who, self.relation.called(op))
        while steps := self._ready(who):
            self.configuration = after(self.configuration, who, steps[0])
        self.kill(victim)

    def _ready(self, who: Process) -> tuple[Next, ...]:
        return self.relation.steps(self.configuration[0], who, self.configuration[who + 1]).ready

    def kill(self, who: Process) -> None:
        self.stopped.discard(who)
        slot = self.relation.killed(self.configuration[who + 1])
        if slot is not None and slot[0] != DEAD:
            self._put(who, slot, dying=who)

    def stop(self, who: Process) -> None:
        self.stopped.add(who)
        self._put(who, self.relation.stopped(self.configuration[who + 1]))

    def resume(self, who: Process) -> None:
        self.stopped.discard(who)
        self._put(who, self.relation.continued(self.configuration[who + 1]))

    def signal(self, who: Process, restart: bool) -> None:
        self._put(who, self.relation.hit(self.configuration[who + 1], restart))

    def elapse(self, who: Process) -> None:
        slot = self.configuration[who + 1]
        timer = self.relation.steps(self.configuration[0], who, slot).timer
        if timer is not None:
            self.configuration = after(self.configuration, who, timer.step)
            self._settle()

    def _put(self, who: Process, slot: Any, dying: Process | None = None) -> None:
        self.configuration = with_slot(self.configuration, who, slot)
        if dying is not None:
            self._finish(dying)
        self._settle()

    def _finish(self, who: Process) -> None:
        """Let a dying process die, its call not having taken effect any more."""
        while steps := self._ready(who):
            self.configuration = after(self.configuration, who, steps[-1])

    def _settle(self) -> None:
        """Take first steps until nobody has one; calls that are done have returned."""
        configuration, steps = self.configuration, self.relation.steps
        moved, taken = True, 0
        while moved:
            moved = False
            taken += 1
            if taken > MOST_STEPS:
                raise Broken(
                    f"the model never comes to rest: after {MOST_STEPS} steps a call still goes on "
                    f"in the state {self.relation.state(configuration)!r:.200}; have it reply, or "
                    "sleep, at last"
                )
            for who in range(self.relation.processes):
                slot = configuration[who + 1]
                if slot is None:
                    continue
                if slot[0] == DONE and who not in self.stopped:
                    configuration = with_slot(configuration, who, None)
                elif slot[0] < AT_REST:
                    ready = steps(configuration[0], who, slot).ready
                    if ready:
                        configuration = after(configuration, who, ready[0])
                        moved = True
        self.configuration = configuration
