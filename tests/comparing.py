"""The checker beside brute force, on the same history."""

from collections.abc import Iterator
from random import Random

from harness.check.checker import Checker
from harness.history import History
from harness.relation import Relation
from harness.verdict import Outcome
from harness.words import event_text
from tests.brute_force import BruteForce
from tests.damages import damaged
from tests.executions import at_random
from tests.menus import Subject


class Comparison:
    """The two judges of one model, used by so many actors and a keeper."""

    def __init__(self, subject: Subject, actors: int) -> None:
        self.subject = subject
        self.actors = actors
        model = subject.model(actors + 1)
        self.brute_force = BruteForce(model, actors + 1)
        self.relation = Relation(model, actors + 1)

    def histories(self, random: Random) -> Iterator[History]:
        """A good history of up to six calls, and three damaged ones."""
        calls = random.randrange(2, 7)
        good = at_random(self.brute_force, self.subject.menu, random, calls)
        yield good
        for _ in range(3):
            yield damaged(random, good)

    def first_unexplained(self, history: History, at_once: bool) -> int | None:
        """The number of the event that the checker does not explain. It is shown the history
        either at once or event by event, which must make no difference."""
        checker = Checker(self.relation)
        for events in [history] if at_once else [[event] for event in history]:
            verdict = checker.feed(events)
            if verdict is not None:
                return verdict.event
        return None

    def first_unexplained_live(self, history: History) -> int | None:
        """As `first_unexplained`, but shown a few events at a time, and going on where rest was
        seen for a moment only, as the engine does while a program runs."""
        checker, random = Checker(self.relation), Random(len(history))
        left = list(history)
        while left:
            size = random.randrange(1, 7)
            verdict = checker.feed(left[:size])
            del left[:size]
            while verdict is not None and verdict.outcome is Outcome.UNDECIDED:
                verdict = checker.feed([])
            if verdict is not None:
                return next(n for n, event in enumerate(history) if event is checker.rejected)
        return None

    def differences(self, history: History) -> list[str]:
        """Where the judges disagree, in words."""
        expected = self.brute_force.first_unexplained(history)
        expected_live = self.brute_force.first_unexplained(history, patient=True)
        found = [
            (f"shown {how}", self.first_unexplained(history, at_once), expected)
            for how, at_once in (("at once", True), ("event by event", False))
        ]
        found.append(("shown live", self.first_unexplained_live(history), expected_live))
        return [
            f"{how}: {number} is unexplained, expected {wanted}"
            for how, number, wanted in found
            if number != wanted
        ]

    def require_agreement(self, history: History) -> None:
        differences = self.differences(history)
        if differences:
            lines = [f"{n}: {event_text(event, self.actors)}" for n, event in enumerate(history)]
            raise AssertionError("\n".join([self.subject.name, *differences, *lines]))
