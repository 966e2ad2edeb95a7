"""Ways in which the checker can be wrong, made from outside: in the events that it is shown, in
the model that it follows, in what it says of it all."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from types import ModuleType
from typing import Any

import pytest

from harness.check import checker, explain, search
from harness.check.checker import Checker
from harness.check.search import Search
from harness.history import (
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
from harness.spec import Dies, Exit, Later, Model, Move, Op, Process, Wait
from harness.verdict import Outcome, Verdict
from tests.executions import LONG_WATCHED
from tests.small_models import ETIMEDOUT

Mutant = Callable[[pytest.MonkeyPatch], None]
Held = dict[Process, Invoke]
"""Calls that a checker has not been shown yet."""


# Events.


@dataclass
class Lens:
    """What one checker is shown instead of the events."""

    origins: list[int] = field(default_factory=list)
    """The number of the event that each event shown comes from."""
    events: int = 0
    held: Held = field(default_factory=dict)


def shows(change: Callable[[Event, Held], Iterable[Event]]) -> Mutant:
    """A checker that is shown other events than there were. It still blames the old ones."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        feed = Checker.feed
        lenses: dict[Checker, Lens] = {}

        def feed_changed(checker: Checker, events: Sequence[Event]) -> Verdict | None:
            lens = lenses.setdefault(checker, Lens())
            shown: list[Event] = []
            for event in events:
                others = list(change(event, lens.held))
                shown += others
                lens.origins += [lens.events] * len(others)
                lens.events += 1
            verdict = feed(checker, shown)
            if verdict is None or verdict.event is None:
                return verdict
            return replace(verdict, event=lens.origins[verdict.event])

        patch.setattr(Checker, "feed", feed_changed)

    return mutate


def without(*kinds: type) -> Mutant:
    return shows(lambda event, _: [] if isinstance(event, kinds) else [event])


def _only_when_it_returns(event: Event, held: Held) -> Iterator[Event]:
    match event:
        case Invoke():
            held[event.who] = event
            return
        case Return() | Killing() | Died() | Signalled() | Stopped():
            if event.who in held:
                yield held.pop(event.who)
        case Quiet():
            yield from held.values()
            held.clear()
    yield event


def _for_certain(event: Event, held: Held) -> Iterator[Event]:
    yield replace(event, held=LONG_WATCHED) if isinstance(event, Quiet) else event


def _never_restarting(event: Event, held: Held) -> Iterator[Event]:
    yield replace(event, restart=False) if isinstance(event, Signalled) else event


# Models.


class Changed(Model[Any]):
    """A model with something changed."""

    def __init__(self, model: Model[Any]) -> None:
        self.model = model

    def start(self) -> Any:
        return self.model.start()

    def moves(self, state: Any, who: Process, op: Op) -> Iterator[Move]:
        return self.model.moves(state, who, op)

    def wait(self, state: Any, who: Process, op: Op) -> Wait:
        return self.model.wait(state, who, op)

    def partners(self, state: Any, who: Process, op: Op) -> frozenset[Process] | None:
        return self.model.partners(state, who, op)


def follows(changed: type[Changed]) -> Mutant:
    """A checker that follows a changed model."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        original = Relation.__init__

        def init(relation: Relation, model: Model[Any], processes: int) -> None:
            original(relation, changed(model), processes)

        patch.setattr(Relation, "__init__", init)

    return mutate


def waits(**values: Any) -> Mutant:
    """A checker that takes all waits to be so; only what a wait has can be changed."""

    class Waiting(Changed):
        def wait(self, state: Any, who: Process, op: Op) -> Wait:
            wait = super().wait(state, who, op)
            had = {name: new for name, new in values.items() if getattr(wait, name) is not None}
            return wait._replace(**had)

    return follows(Waiting)


class OneWay(Changed):
    def moves(self, state: Any, who: Process, op: Op) -> Iterator[Move]:
        return islice(super().moves(state, who, op), 1)


class AllOrNothing(Changed):
    def moves(self, state: Any, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            if isinstance(op, Exit) or not isinstance(move.reply, Later):
                yield move


class Surviving(Changed):
    def moves(self, state: Any, who: Process, op: Op) -> Iterator[Move]:
        for move in super().moves(state, who, op):
            yield move._replace(reply=None) if isinstance(move.reply, Dies) else move


class WithoutTrace(Changed):
    def moves(self, state: Any, who: Process, op: Op) -> Iterator[Move]:
        if isinstance(op, Exit):
            yield Move("exit", state, None)
        else:
            yield from super().moves(state, who, op)


class Impatient(Changed):
    def moves(self, state: Any, who: Process, op: Op) -> Iterator[Move]:
        yield from super().moves(state, who, op)
        if getattr(op, "seconds", None):
            yield Move("gives up", state, ETIMEDOUT)


# Steps and verdicts.


def killed_calls_never_took_effect(patch: pytest.MonkeyPatch) -> None:
    killed = Relation.killed
    patch.setattr(Relation, "killed", lambda relation, slot: killed(relation, None))


def never_goes_back(patch: pytest.MonkeyPatch) -> None:
    ways = Search.ways
    patch.setattr(Search, "ways", lambda *arguments: islice(ways(*arguments), 1))


def holds_past_the_bound(patch: pytest.MonkeyPatch) -> None:
    feed = Checker.feed

    def feed_changed(checker: Checker, events: Sequence[Event]) -> Verdict | None:
        verdict = feed(checker, events)
        too_much = verdict is not None and verdict.outcome is Outcome.UNDECIDED
        return None if too_much and not (verdict and verdict.kind) else verdict

    patch.setattr(Checker, "feed", feed_changed)


def sets(module: ModuleType, name: str, value: int) -> Mutant:
    """A checker with another constant."""
    return lambda patch: patch.setattr(module, name, value)


def nobody_is_dead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(explain, "dead_by", lambda history: frozenset())


NOTICED_BY_BRUTE_FORCE: list[tuple[str, Mutant, str]] = [
    ("forgets quiescence", without(Quiet), "fifo"),
    ("forgets replies", without(Return), "semaphore"),
    ("forgets deaths", without(Killing, Died), "semaphore"),
    ("forgets signals", without(Signalled), "post"),
    ("forgets stops", without(Stopped, Continued), "fifo"),
    ("forgets that a handler lets a call restart", shows(_never_restarting), "post"),
    ("never places another call first", shows(_only_when_it_returns), "fifo"),
    ("forgets that a killed call may have taken effect", killed_calls_never_took_effect, "fifo"),
    ("forgets what death does", follows(WithoutTrace), "robust locks"),
    ("forgets that a call may end its process", follows(Surviving), "channel"),
    ("takes a long call for one step", follows(AllOrNothing), "channel"),
    ("takes the first of several ways", follows(OneWay), "bag"),
    ("never goes back", never_goes_back, "bag"),
    ("lets a time-out come early", waits(timeout=0.0), "locks"),
    ("lets no time-out come", waits(timeout=None), "semaphore"),
    ("lets a call time out that could go on", follows(Impatient), "robust locks"),
    ("lets a call wait that does not", waits(would_block=None), "locks"),
    ("does not withdraw a sleeper", waits(withdrawn=None), "post"),
    ("does not let a sleeper line up", waits(asleep=None), "post"),
    ("restarts a stopped call that its stop has ended", waits(stopped=None), "semaphore"),
    ("never takes a sleeper for forgotten", sets(search, "OVERDUE", 10**15), "fifo"),
]
NOTICED_BY_A_SENTENCE: list[tuple[str, Mutant, str]] = [
    (
        "accepts everything past its bound",
        holds_past_the_bound,
        "test_checker_verdicts:test_past_its_bound_the_checker_decides_nothing",
    ),
    (
        "takes a sleep of a moment for certain",
        shows(_for_certain),
        "test_checker:test_a_sleep_seen_for_a_moment_only_decides_nothing",
    ),
    (
        "takes no sleep for certain",
        sets(checker, "STABLE", 10**15),
        "test_checker:test_a_sleeper_that_can_go_on_must",
    ),
    (
        "expects help from the dead",
        nobody_is_dead,
        "test_checker_verdicts:test_whoever_waits_for_the_dead_is_deadlocked",
    ),
    (
        "forgets when the caller itself began",
        sets(search, "CLOCKS", 10**15),
        "test_checker_timeouts:test_time_counts_from_when_the_caller_itself_began",
    ),
]
