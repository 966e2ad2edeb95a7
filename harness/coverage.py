"""What a run has really exercised: rules that the kernel took, and ways in which calls ended.

A property is green only for what happened, so everything that happened is counted; counts of
several test workers add up.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.history import (
    Asleep,
    Died,
    Event,
    Invoke,
    Killing,
    Return,
    Signalled,
    Stopped,
)
from harness.spec import EngineRule, Errno, Op, Process
from harness.verdict import Outcome

SPECIAL = (EngineRule.WOULD_BLOCK, EngineRule.TIMED_OUT, EngineRule.INTERRUPTED)
"""Ways of ending that are no rule of a model's."""


@dataclass
class Counts:
    """Counts of one mechanism."""

    programs: int = 0
    calls: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    endings: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By operation and by way of ending."""
    known: dict[str, str] = field(default_factory=dict)
    """Every rule of the model, with its sentence."""

    def unwitnessed(self) -> list[str]:
        """The rules that no run has seen."""
        return [rule for rule in self.known if not self.rules[rule]]

    def add(self, other: "Counts") -> None:
        self.programs += other.programs
        self.calls += other.calls
        self.verdicts.update(other.verdicts)
        self.rules.update(other.rules)
        self.endings.update(other.endings)
        self.known.update(other.known)

    def to_data(self) -> dict[str, Any]:
        """As JSON data."""
        endings = [[op, ending, n] for (op, ending), n in sorted(self.endings.items())]
        return {
            "programs": self.programs,
            "calls": self.calls,
            "verdicts": dict(self.verdicts),
            "rules": dict(self.rules),
            "endings": endings,
            "known": self.known,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Counts":
        endings = Counter({(op, ending): n for op, ending, n in data["endings"]})
        return cls(
            data["programs"],
            data["calls"],
            Counter(data["verdicts"]),
            Counter(data["rules"]),
            endings,
            dict(data["known"]),
        )


class Coverage:
    """Counts by mechanism."""

    def __init__(self) -> None:
        self.mechanisms: dict[str, Counts] = {}

    def of(self, mechanism: str) -> Counts:
        return self.mechanisms.setdefault(mechanism, Counts())

    def count(
        self,
        mechanism: str,
        known: Mapping[str, str],
        outcome: Outcome,
        history: Iterable[Event],
        steps: Iterable[tuple[Process, str, bool]],
    ) -> None:
        """Count one judged history. ``steps`` are the steps of its explanation, in order: who
        took which rule, and whether that ended a call."""
        counts = self.of(mechanism)
        counts.programs += 1
        counts.verdicts[outcome] += 1
        if not counts.known:
            counts.known.update(known)
        ended: dict[Process, deque[str]] = {}
        for who, rule, ends in steps:
            if rule in known:
                counts.rules[rule] += 1
            if ends:
                ended.setdefault(who, deque()).append(rule)
        _count_endings(counts, history, ended)

    def add(self, other: "Coverage") -> None:
        for name, counts in other.mechanisms.items():
            self.of(name).add(counts)

    def to_data(self) -> dict[str, Any]:
        return {name: counts.to_data() for name, counts in self.mechanisms.items()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Coverage":
        found = cls()
        for name, counts in data.items():
            found.mechanisms[name] = Counts.from_data(counts)
        return found


def _count_endings(
    counts: Counts, history: Iterable[Event], ended: dict[Process, deque[str]]
) -> None:
    calls: dict[Process, Op] = {}
    slept: set[Process] = set()
    killed: set[Process] = set()

    def end(who: Process, how: str) -> None:
        op = calls.pop(who, None)
        if op is not None:
            counts.endings[type(op).__name__, how] += 1
        slept.discard(who)

    for event in history:
        kind, who = type(event), getattr(event, "who", 0)
        if isinstance(event, Invoke):
            counts.calls += 1
            calls[who] = event.op
        elif kind is Asleep:
            slept.add(who)
        elif kind in (Stopped, Signalled) and who in calls:
            how = "stopped" if kind is Stopped else "signalled"
            counts.endings[type(calls[who]).__name__, f"{how} while asleep"] += 1
        elif isinstance(event, Return):
            rule = ended[who].popleft() if ended.get(who) else ""
            end(who, _way(event.reply, who in slept, rule))
        elif kind is Killing:
            killed.add(who)
        elif isinstance(event, Died):
            how = "killed" if who in killed else f"ended by {event.cause}"
            end(who, f"{how} while asleep" if who in slept else f"{how} inside")


def _way(reply: Any, slept: bool, rule: str) -> str:
    how = "slept, then " if slept else ""
    if not isinstance(reply, Errno):
        return f"{how}returned"
    return f"{how}{rule if rule in SPECIAL else 'failed'}: {reply.name}"
