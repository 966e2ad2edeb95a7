"""The checker: just-in-time linearization over a model's relation.

Follows Wing & Gong 1993, Lowe 2017 and Horn & Kroening 2015, and adds crash, quiescence,
time-outs and calls that go on (`harness.relation`). It carries every configuration that explains
the history so far, places a call only when an event needs it, and is bounded: past the bound
the verdict is undecided. It never raises the alarm on quiescence that was seen only for a
moment; the supervisor must have watched the sleepers for `STABLE`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.check.explain import TooMany, explain_stuck, trail_of, waits_for
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
    Next,
    Relation,
    Slot,
    after,
    with_slot,
)
from harness.spec import Process, Reply
from harness.verdict import Outcome, Verdict

STABLE = 20_000_000
"""Nanoseconds for which sleepers must not have run before their sleep counts as a lost wake-up,
whatever the supervisor's own bound."""
OVERDUE = 5_000_000_000
"""Nanoseconds after its time is up at which a sleeper is taken to have been forgotten."""
CLOCKS = 1_000_000
"""Nanoseconds by which the clocks of the kernel (real time, monotonic) may differ over a call."""

_PROGRESS = (
    "configurations",
    "events",
    "history",
    "rejected",
    "_invoked",
    "_known",
    "_killed",
    "_stopped",
    "_unread",
)
"""What a checker has come to know, which another that judges anew takes over."""

Trail = tuple[Any, ...] | None
Configurations = dict[Configuration, Trail]


class Checker:
    """Judges one history, event by event.

    ``relation`` is the model's; ``limit`` bounds the configurations carried or visited at one
    event. Feed it the events in order; `configurations` are those that explain them all. With
    ``look_ahead``, replies that come later in what is fed at once prune the search.
    """

    def __init__(
        self, relation: Relation, limit: int = 200_000, *, look_ahead: bool = True
    ) -> None:
        self.relation = relation
        self.limit = limit
        self.configurations: Configurations = {relation.start: None}
        self.events = 0
        self.history: list[Event] = []
        self.rejected: Event | None = None
        """The event that could not be explained, or was too much, which `history` lacks."""
        self._invoked = [0] * relation.processes
        self._look_ahead = look_ahead
        self._unread: list[Event] = []
        """What came behind a moment of rest that is not certain yet."""
        self._pruned = False
        self._known: dict[Process, Reply] = {}
        self._stopped: set[Process] = set()
        self._killed: set[Process] = set()
        self._handlers: dict[type, Callable[[Any], Configurations]] = {
            Invoke: self._invoke,
            Return: self._return,
            Quiet: self._quiet,
            Killing: self._killing,
            Died: self._died,
            Stopped: self._stop,
            Continued: self._continue,
            Signalled: self._signal,
        }

    def feed(self, events: Sequence[Event]) -> Verdict | None:
        """Extend the history. Returns a verdict as soon as it is not explained any more, or is
        too large; the checker then stands before the event that could not be explained."""
        self.rejected = None
        events, self._unread = [*self._unread, *events], []
        replies = self._replies(events) if self._look_ahead else {}
        for number, event in enumerate(events):
            kind = type(event)
            if kind is Asleep:
                self._accept(event, self.configurations)
                continue
            if isinstance(event, Invoke) and number in replies:
                self._known[event.who] = replies[number]
            try:
                found = self._handlers[kind](event)
            except TooMany:
                return self._too_many(event)
            if not found:
                return self._stuck(event, events[number + 1 :])
            self._accept(event, found)
        return None

    def _stuck(self, event: Event, rest: Sequence[Event]) -> Verdict | None:
        """Nothing explains ``event``. Where looking ahead has pruned the search, judge anew
        without, so that the event that is wrong gets the blame, not one that it contradicts."""
        if self._pruned:
            plain = Checker(self.relation, self.limit, look_ahead=False)
            verdict = plain.feed([*self.history, event, *rest])
            if verdict is None or verdict.kind:
                for name in _PROGRESS:
                    setattr(self, name, getattr(plain, name))
                return verdict
        self.rejected = event
        if isinstance(event, Quiet) and event.held < STABLE:
            self._unread = list(rest)
        return explain_stuck(self, event, STABLE)

    def _too_many(self, event: Event) -> Verdict:
        self.rejected = event
        sentence = (
            f"more than {self.limit} configurations could explain the history; raise the limit, "
            "or check a shorter one"
        )
        return Verdict(Outcome.UNDECIDED, sentence, event=self.events)

    def verdict(self, deadlock_allowed: bool = True, explained: bool = True) -> Verdict:
        """The verdict on a history that is explained to its end. The steps of the explanation
        of one that held, which cost more than the checking, come only if ``explained``."""
        configuration, trail = next(iter(self.configurations.items()))
        graph = waits_for(self, configuration)
        outcome, sentence, kind = Outcome.HELD, "the model allows what happened", ""
        if graph and all(map(self._deadlocked, self.configurations)):
            names = "all that could let them go on are asleep themselves, or dead"
            kind = "deadlock"
            sentence = f"deadlock: {len(graph)} asleep for ever, since {names}"
            outcome = Outcome.HELD if deadlock_allowed else Outcome.VIOLATED
        steps = trail_of(self, trail) if explained or outcome is not Outcome.HELD else ()
        return Verdict(outcome, sentence, kind, trail=steps, waits_for=graph)

    def dead(self) -> frozenset[Process]:
        """Who is dead, by the history so far."""
        return frozenset(event.who for event in self.history if type(event) is Died)

    def _deadlocked(self, configuration: Configuration) -> bool:
        """Whether somebody sleeps, nobody of them can time out, and all who could let one of
        them go on are asleep themselves, or dead."""
        graph = waits_for(self, configuration)
        stuck = [edge for edge in graph if not self._can_time_out(configuration, edge.who)]
        ends = {edge.who for edge in stuck} | self.dead()
        return bool(stuck) and all(set(edge.whom) <= ends for edge in stuck)

    def _can_time_out(self, configuration: Configuration, who: Process) -> bool:
        steps = self.relation.steps(configuration[0], who, configuration[who + 1])
        return steps.timer is not None

    def _accept(self, event: Event, found: Configurations) -> None:
        self.configurations = found
        self.history.append(event)
        self.events += 1

    def _replies(self, events: Sequence[Event]) -> dict[int, Reply]:
        """The replies that are known beforehand, by the number of the invocation."""
        known: dict[int, Reply] = {}
        started: dict[Process, int] = {}
        for number, event in enumerate(events):
            if isinstance(event, Invoke):
                started[event.who] = number
            elif isinstance(event, Return):
                begun = started.pop(event.who, None)
                if begun is None:
                    self._known[event.who] = event.reply
                else:
                    known[begun] = event.reply
        return known

    # What each event does to the configurations.

    def _each(self, who: Process, change: Callable[[Slot], Slot]) -> Configurations:
        return {
            with_slot(configuration, who, change(configuration[who + 1])): trail
            for configuration, trail in self.configurations.items()
        }

    def _invoke(self, event: Invoke) -> Configurations:
        self._invoked[event.who] = event.time
        slot = self.relation.called(event.op)
        return self._each(event.who, lambda _: slot)

    def _return(self, event: Return) -> Configurations:
        who, reply = event.who, event.reply
        self._invoked[who] = max(self._invoked[who], event.began - CLOCKS)
        found: Configurations = {}
        for configuration, trail in self._search(event.time, who):
            slot = configuration[who + 1]
            if slot is not None and slot[0] == DONE and slot[1] == reply:
                found.setdefault(with_slot(configuration, who, None), trail)
        if found:
            self._known.pop(who, None)
        return found

    def _killing(self, event: Killing) -> Configurations:
        self._known.pop(event.who, None)
        self._killed.add(event.who)
        return self._each(event.who, self.relation.killed)

    def _died(self, event: Died) -> Configurations:
        found: Configurations = {}
        for configuration, trail in self._search(event.time, event.who):
            if configuration[event.who + 1] == (DEAD,) and self._explains_cause(event, trail):
                found.setdefault(configuration, trail)
        return found

    def _explains_cause(self, event: Died, trail: Trail) -> bool:
        """Whether it was sent SIGKILL, or ended by the signal that the model names."""
        if event.who in self._killed:
            return True
        while trail is not None:
            trail, _, who, step, slot = trail
            if who == event.who and step.rule == "dies":
                return bool(slot[1].signal == event.cause)
        return False

    def _signal(self, event: Signalled) -> Configurations:
        return self._each(event.who, lambda slot: self.relation.hit(slot, event.restart))

    def _stop(self, event: Stopped) -> Configurations:
        who = event.who
        self._stopped.add(who)
        before = self.configurations
        self.configurations = self._each(who, self.relation.stopped)
        try:
            return dict(self._search(event.time, who))
        finally:
            self.configurations = before

    def _continue(self, event: Continued) -> Configurations:
        self._stopped.discard(event.who)
        found: Configurations = {}
        for configuration, trail in self._search(event.time, event.who):
            slot = self.relation.continued(configuration[event.who + 1])
            found.setdefault(with_slot(configuration, event.who, slot), trail)
        return found

    def _quiet(self, event: Quiet) -> Configurations:
        return {
            configuration: trail
            for configuration, trail in self.at_rest()
            if self.explains(configuration, event)
        }

    def explains(self, configuration: Configuration, event: Quiet) -> bool:
        """Whether a configuration at rest has just these sleepers."""
        for who, slot in enumerate(configuration[1:]):
            asleep = who in event.asleep
            if slot is None or slot[0] == DEAD:
                if asleep:
                    return False
            elif slot[0] == LIVE:
                if not asleep or self._overdue(configuration, who, event.time):
                    return False
            elif asleep or who not in self._stopped or slot[0] not in (DONE, SUSPENDED):
                return False
        return True

    def _overdue(self, configuration: Configuration, who: Process, now: int) -> bool:
        timer = self.relation.steps(configuration[0], who, configuration[who + 1]).timer
        return timer is not None and now > self._invoked[who] + timer.after + OVERDUE

    # The search.

    def at_rest(self) -> Iterator[tuple[Configuration, Trail]]:
        """The configurations in which no process has a step that happens by itself."""
        stack = list(self.configurations.items())
        seen = set(self.configurations)
        steps = self.relation.steps
        while stack:
            configuration, trail = stack.pop()
            rest = True
            for who in range(self.relation.processes):
                slot = configuration[who + 1]
                if slot is None:
                    continue
                for step in steps(configuration[0], who, slot).ready:
                    rest = False
                    reached = after(configuration, who, step)
                    if reached not in seen:
                        self._visit(seen, reached)
                        stack.append((reached, (trail, self.events, who, step, slot)))
            if rest:
                yield configuration, trail

    def _search(self, now: int, target: Process) -> Iterator[tuple[Configuration, Trail]]:
        """Every way of letting calls take effect that ends with the one of ``target``: yields
        where that has no further step (its call is done, it is dead, or it is suspended)."""
        stack = list(self.configurations.items())
        seen = set(self.configurations)
        steps, known, place = self.relation.steps, self._known, target + 1
        while stack:
            configuration, trail = stack.pop()
            slot = configuration[place]
            if slot is None or slot[0] >= AT_REST:
                yield configuration, trail
                continue
            for who, slot in enumerate(configuration[1:]):
                if slot is None or slot[0] >= AT_REST:
                    continue
                ready, timer = steps(configuration[0], who, slot)
                if timer is not None and now >= self._invoked[who] + timer.after:
                    ready = (*ready, timer.step)
                for step in ready:
                    if who in known and self._contradicts(step, known[who]):
                        self._pruned = True
                        continue
                    reached = after(configuration, who, step)
                    if reached not in seen:
                        self._visit(seen, reached)
                        stack.append((reached, (trail, self.events, who, step, slot)))

    def _contradicts(self, step: Next, reply: Reply) -> bool:
        slot = step.slot
        return slot is not None and slot[0] == DONE and slot[1] != reply

    def _visit(self, seen: set[Configuration], reached: Configuration) -> None:
        seen.add(reached)
        if len(seen) > self.limit:
            raise TooMany
