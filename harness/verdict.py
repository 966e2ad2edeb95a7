"""A verdict: what the checker says of a history, with the reason in words. Plain data."""

from dataclasses import dataclass
from enum import StrEnum

from harness.spec import Op, Process, Reply


class Outcome(StrEnum):
    """Exit codes of the command line: held 0, violated 1, broken and unsupported 2, undecided 3."""

    HELD = "held"
    VIOLATED = "violated"
    UNDECIDED = "undecided"
    BROKEN = "broken"
    UNSUPPORTED = "unsupported"


EXIT_CODES = {
    Outcome.HELD: 0,
    Outcome.VIOLATED: 1,
    Outcome.BROKEN: 2,
    Outcome.UNSUPPORTED: 2,
    Outcome.UNDECIDED: 3,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of the explanation: at event number ``event``, ``who`` took ``rule``."""

    event: int
    who: Process
    op: Op
    rule: str
    reply: Reply
    """What the call will return or has returned; a `Later` where it goes on."""
    state: str
    """The model's state after it, printed."""


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """An edge of the wait-for graph: ``who``, asleep in ``op``, could be let go on by ``whom``."""

    who: Process
    op: Op
    whom: tuple[Process, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of judging one history."""

    outcome: Outcome
    sentence: str
    kind: str = ""
    """Of a violation: ``reply``, ``lost wake-up``, ``sleep``, ``deadlock``, ``death``,
    ``time-out``, or ``model``: an event of another kind that nothing explains."""
    event: int | None = None
    """Of a violation: the number of the event that nothing explains."""
    observed: str = ""
    allowed: tuple[str, ...] = ()
    """What the model would have allowed instead, by the last explanations that survived."""
    trail: tuple[Taken, ...] = ()
    """The longest explained prefix: one explanation of all events before `event`."""
    waits_for: tuple[WaitsFor, ...] = ()
    """The wait-for graph at the end, where somebody is asleep."""
