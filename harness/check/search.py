"""The ways in which one configuration can go on so that it explains the next event.

Follows Wing & Gong 1993, Lowe 2017 and Horn & Kroening 2015: a call is placed only when an event
needs it (just-in-time linearization). Crash, quiescence, time-outs, stops and calls that go on
come from `harness.relation`. Ways are found one at a time, the likeliest first: the call that the
event is about is placed before any other, where that will do.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from harness.check.moments import Moment
from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.relation import (
    AT_REST,
    DEAD,
    DONE,
    LIVE,
    SUSPENDED,
    Configuration,
    Relation,
    Timer,
    after,
    with_slot,
)
from harness.spec import EngineRule, Process

OVERDUE = 5_000_000_000
"""Nanoseconds after its time is up at which a sleeper is taken to have been forgotten."""
CLOCKS = 1_000_000
"""Nanoseconds by which the clocks of the kernel (real time, monotonic) may differ over a call."""

Trail = tuple[Any, ...] | None
"""The steps of an explanation, the last one first: ``(earlier steps, number of the event, process,
step, slot before it)``."""
Way = tuple[Configuration, Trail]


class TooMany(Exception):
    """The search has passed its bound."""


class Search:
    """Finds ways on the steps of one relation, through at most ``limit`` configurations from one
    `renew` to the next."""

    def __init__(self, relation: Relation, limit: int) -> None:
        self.relation = relation
        self.limit = limit
        self._left = limit
        everybody = range(relation.processes)
        self._target_first = [(who, *(one for one in everybody if one != who)) for who in everybody]
        self._everybody_else = relation.processes - 1
        self._handlers: dict[type[Event], Callable[..., Iterable[Way]]] = {
            Invoke: self._invoke,
            Return: self._return,
            Asleep: self._asleep,
            Quiet: self._quiet,
            Killing: self._killing,
            Died: self._died,
            Stopped: self._stop,
            Continued: self._continue,
            Signalled: self._signal,
        }

    def renew(self) -> None:
        """Have the whole bound to use."""
        self._left = self.limit

    def ways(self, moment: Moment, at: Configuration, trail: Trail) -> Iterable[Way]:
        """Every configuration reached from this one in which the moment's event has happened,
        with the steps to it; a tuple where there is at most one. Raises TooMany past the bound,
        now or while they are taken."""
        return self._handlers[type(moment.event)](moment, at, trail)

    # What each event asks of a configuration.

    def _invoke(self, moment: Moment, at: Configuration, trail: Trail) -> Iterable[Way]:
        event = moment.event
        return ((with_slot(at, event.who, self.relation.called(event.op)), trail),)

    def _return(self, moment: Moment, at: Configuration, trail: Trail) -> Iterable[Way]:
        event = moment.event
        who, reply = event.who, event.reply
        slot = at[who + 1]
        if slot is not None and slot[0] == DONE:
            return ((with_slot(at, who, None), trail),) if slot[1] == reply else ()
        if at.count(None) == self._everybody_else:
            # Nothing else can happen: the plainest case by far, and the most frequent.
            ready, timer = self.relation.steps(at[0], who, slot)
            if timer is None and len(ready) == 1 and ready[0].slot == (DONE, reply):
                reached = with_slot(after(at, who, ready[0]), who, None)
                return ((reached, (trail, moment.number, who, ready[0], slot)),)
        return self._returns(moment, at, trail)

    def _returns(self, moment: Moment, at: Configuration, trail: Trail) -> Iterator[Way]:
        event = moment.event
        who, done = event.who, (DONE, event.reply)
        for configuration, steps in self.placing(who, moment, at, trail):
            if configuration[who + 1] == done:
                yield with_slot(configuration, who, None), steps

    def _asleep(self, _moment: Moment, at: Configuration, trail: Trail) -> Iterable[Way]:
        return ((at, trail),)

    def _killing(self, moment: Moment, at: Configuration, trail: Trail) -> Iterable[Way]:
        who = moment.event.who
        return ((with_slot(at, who, self.relation.killed(at[who + 1])), trail),)

    def _died(self, moment: Moment, at: Configuration, trail: Trail) -> Iterator[Way]:
        who = moment.event.who
        for configuration, steps in self.placing(who, moment, at, trail):
            if configuration[who + 1] == (DEAD,) and _explains_cause(moment, steps):
                yield configuration, steps

    def _signal(self, moment: Moment, at: Configuration, trail: Trail) -> Iterable[Way]:
        event = moment.event
        slot = self.relation.hit(at[event.who + 1], event.restart)
        return ((with_slot(at, event.who, slot), trail),)

    def _stop(self, moment: Moment, at: Configuration, trail: Trail) -> Iterator[Way]:
        who = moment.event.who
        at = with_slot(at, who, self.relation.stopped(at[who + 1]))
        return self.placing(who, moment, at, trail)

    def _continue(self, moment: Moment, at: Configuration, trail: Trail) -> Iterator[Way]:
        who = moment.event.who
        for configuration, steps in self.placing(who, moment, at, trail):
            slot = self.relation.continued(configuration[who + 1])
            yield with_slot(configuration, who, slot), steps

    def _quiet(self, moment: Moment, at: Configuration, trail: Trail) -> Iterator[Way]:
        for configuration, steps in self.at_rest(moment.number, at, trail):
            if self._has_sleepers(configuration, moment):
                yield configuration, steps

    def _has_sleepers(self, configuration: Configuration, moment: Moment) -> bool:
        """Whether a configuration at rest has just the sleepers that were seen."""
        event = moment.event
        for who, slot in enumerate(configuration[1:]):
            asleep = who in event.asleep
            if slot is None or slot[0] == DEAD:
                if asleep:
                    return False
            elif slot[0] == LIVE:
                if not asleep or self.overdue(configuration, who, moment):
                    return False
            elif asleep or who not in moment.past.stopped or slot[0] not in (DONE, SUSPENDED):
                return False
        return True

    def overdue(self, configuration: Configuration, who: Process, moment: Moment) -> bool:
        """Whether ``who`` sleeps on long after its time was up."""
        timer = self.relation.steps(configuration[0], who, configuration[who + 1]).timer
        if timer is None:
            return False
        slept = moment.event.time - moment.past.invoked[who]
        return bool(slept > timer.after + OVERDUE)

    # The search.

    def at_rest(self, number: int, at: Configuration, trail: Trail) -> Iterator[Way]:
        """The configurations reached at event ``number`` in which no process has a step that
        happens by itself."""
        steps = self.relation.steps
        stack = [(at, trail)]
        seen = {at}
        while stack:
            configuration, trail = stack.pop()
            self.visit()
            rest = True
            for who, slot in enumerate(configuration[1:]):
                if slot is None or slot[0] >= AT_REST:
                    continue
                for step in steps(configuration[0], who, slot).ready:
                    rest = False
                    reached = after(configuration, who, step)
                    if reached not in seen:
                        seen.add(reached)
                        stack.append((reached, (trail, number, who, step, slot)))
            if rest:
                yield configuration, trail

    def placing(
        self, target: Process, moment: Moment, at: Configuration, trail: Trail
    ) -> Iterator[Way]:
        """Every way of letting calls take effect that ends with the one of ``target``: where that
        has no further step (its call is done, it is dead, or it is suspended). Those with the
        fewest steps come first."""
        slot = at[target + 1]
        if slot is None or slot[0] >= AT_REST:
            yield at, trail
            return
        number, _, past = moment
        steps, known, order = self.relation.steps, past.known, self._target_first[target]
        found = [(at, trail)]
        seen = {at}
        for configuration, trail in found:
            self.visit()
            for who in order:
                slot = configuration[who + 1]
                if slot is None or slot[0] >= AT_REST:
                    continue
                ready, timer = steps(configuration[0], who, slot)
                if timer is not None and _is_over(timer, who, moment):
                    ready = (*ready, timer.step)
                for step in ready:
                    new = step.slot
                    if new is not None and new[0] == DONE and new[1] != known.get(who, new[1]):
                        continue  # It will return something else.
                    reached = after(configuration, who, step)
                    before = len(seen)
                    seen.add(reached)
                    if len(seen) == before:
                        continue
                    way = reached, (trail, number, who, step, slot)
                    if who == target and (new is None or new[0] >= AT_REST):
                        yield way
                    else:
                        found.append(way)

    def visit(self) -> None:
        """Count one configuration. Raises TooMany past the bound."""
        self._left -= 1
        if self._left < 0:
            raise TooMany


def _is_over(timer: Timer, who: Process, moment: Moment) -> bool:
    """Whether the time of a sleeper is up."""
    made, event = moment.past.invoked[who], moment.event
    if type(event) is Return and event.who == who:
        # The caller itself knows best when its call began.
        made = max(made, event.began - CLOCKS)
    return bool(event.time >= made + timer.after)


def _explains_cause(moment: Moment, trail: Trail) -> bool:
    """Whether it was sent SIGKILL, or ended by the signal that the model names."""
    event: Any = moment.event
    if event.who in moment.past.killed:
        return True
    while trail is not None:
        trail, _, who, step, slot = trail
        if who == event.who and step.rule == EngineRule.DIES:
            return bool(slot[1].signal == event.cause)
    return False
