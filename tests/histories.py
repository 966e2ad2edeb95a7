"""Histories told in sentences, and what the checker makes of them.

story = Story(Fifo())
a, b, _ = story.actors
a.calls(Put(1)); a.returns()
story.holds()
"""

from collections.abc import Sequence
from typing import Any

from harness.check.checker import Checker
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
from harness.relation import Relation
from harness.spec import Model, Op, Process, Reply
from harness.verdict import Outcome, Verdict

MICROSECOND = 1_000
LONG = 1_000_000_000
"""Nanoseconds for which sleepers were watched, so that their sleep is certain."""


class Actor:
    """One process of a story; its sentences become events."""

    def __init__(self, story: "Story", who: Process) -> None:
        self.story = story
        self.who = who
        self.began = 0

    def calls(self, op: Op) -> None:
        self.story.tell(Invoke(self.story.passes(), self.who, op))
        self.began = self.story.now

    def returns(self, reply: Reply = None, began: int | None = None) -> None:
        began = self.began if began is None else began
        self.story.tell(Return(self.story.passes(), self.who, reply, began))

    def does(self, op: Op, reply: Reply = None) -> None:
        """It calls, and returns at once."""
        self.calls(op)
        self.returns(reply)

    def sleeps_in(self, op: Op) -> None:
        """It calls, and is seen asleep in its call, for certain."""
        self.calls(op)
        self.story.tell(Asleep(self.story.passes(), self.who, "futex"))
        self.story.asleep.add(self.who)
        self.story.rests()

    def wakes(self, reply: Reply = None) -> None:
        """It returns from a call that it slept in."""
        self.story.asleep.discard(self.who)
        self.returns(reply)

    def is_sent_kill(self) -> None:
        self.story.asleep.discard(self.who)
        self.story.tell(Killing(self.story.passes(), self.who))

    def is_dead(self, cause: str = "SIGKILL") -> None:
        self.story.asleep.discard(self.who)
        self.story.tell(Died(self.story.passes(), self.who, cause))

    def is_killed(self) -> None:
        """It is sent SIGKILL and found dead."""
        self.is_sent_kill()
        self.is_dead()

    def is_stopped(self) -> None:
        self.story.asleep.discard(self.who)
        self.story.tell(Stopped(self.story.passes(), self.who))

    def is_continued(self) -> None:
        self.story.tell(Continued(self.story.passes(), self.who))

    def is_signalled(self, restart: bool = False) -> None:
        """A handler runs, which was installed with SA_RESTART or without."""
        self.story.tell(Signalled(self.story.passes(), self.who, restart))


class Story:
    """What happens to one object, and to the actors A, B, C and the keeper who use it."""

    def __init__(self, model: Model[Any], actors: int = 3) -> None:
        self.model = model
        self.processes = actors + 1
        self.events: list[Event] = []
        self.now = 0
        self.asleep: set[Process] = set()
        everybody = [Actor(self, who) for who in range(self.processes)]
        self.actors: Sequence[Actor] = everybody[:-1]
        self.keeper = everybody[-1]

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def passes(self, seconds: float = 0) -> int:
        """Time passes: so many seconds, or a microsecond. Returns the time then."""
        self.now += round(seconds * 1e9) or MICROSECOND
        return self.now

    def rests(self, *asleep: Actor, held: int = LONG) -> None:
        """Nobody runs; these are asleep, or those who fell asleep and did not wake."""
        sleepers = {actor.who for actor in asleep} or self.asleep
        self.tell(Quiet(self.passes(), tuple(sorted(sleepers)), held))

    def judged(self, limit: int = 200_000, deadlock_allowed: bool = True) -> Verdict:
        """The verdict, which is the same whether the events are shown at once or one by one."""
        at_once, one_by_one = self.checker(limit), self.checker(limit)
        verdict = at_once.feed(self.events)
        same = None
        for event in self.events:
            same = same or one_by_one.feed([event])
        if not is_too_much(verdict) and not is_too_much(same):
            assert blame(verdict) == blame(same)
        return verdict or at_once.verdict(deadlock_allowed)

    def checker(self, limit: int = 200_000) -> Checker:
        return Checker(Relation(self.model, self.processes), limit)

    def holds(self) -> Verdict:
        verdict = self.judged()
        assert verdict.outcome is Outcome.HELD, verdict
        return verdict

    def fails(self, kind: str) -> Verdict:
        """The verdict of a story whose last event nothing explains."""
        verdict = self.judged()
        assert (verdict.outcome, verdict.kind) == (Outcome.VIOLATED, kind), verdict
        assert verdict.event == len(self.events) - 1
        return verdict

    def states(self) -> set[Any]:
        """The states in which it can all have ended."""
        checker = self.checker()
        assert checker.feed(self.events) is None
        return {checker.relation.state(found) for found in checker.explanations()}


def is_too_much(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.outcome is Outcome.UNDECIDED and not verdict.kind


def blame(verdict: Verdict | None) -> object:
    """What is wrong, and with which event."""
    return verdict and (verdict.outcome, verdict.kind, verdict.event, verdict.sentence)
