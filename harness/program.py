"""A program: what Hypothesis generates and the engine carries out. Plain data.

Steps name processes by number. A step that cannot be taken when its turn comes (its actor is
dead, stopped, or still inside a call) is passed over, so any part of a program is a program.
"""

from dataclasses import dataclass
from typing import Any

from harness.spec import Op, Process


@dataclass(frozen=True, slots=True)
class Call:
    """``who`` makes a call, which returns or falls asleep before the next step."""

    who: Process
    op: Op


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL to ``who``, idle or asleep in a call; the next step comes after its death."""

    who: Process


@dataclass(frozen=True, slots=True)
class CallThenKill:
    """``who`` makes a call and, before anybody that it woke can run, kills ``victim``, which is
    asleep in a call: woken, and then killed before it runs."""

    who: Process
    op: Op
    victim: Process


@dataclass(frozen=True, slots=True)
class Stop:
    """SIGSTOP to ``who``, idle or asleep in a call."""

    who: Process


@dataclass(frozen=True, slots=True)
class Continue:
    """SIGCONT to ``who``, which is stopped."""

    who: Process


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal with a handler to ``who``, which is asleep in a call; the handler was installed
    with SA_RESTART if ``restart``."""

    who: Process
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Elapse:
    """Wait until the timed call that ``who`` is asleep in has ended."""

    who: Process


MOST_ACTORS = 26
"""Actors of a program: each has a letter for its name."""

Step = Call | Kill | CallThenKill | Stop | Continue | Signal | Elapse
STEPS: tuple[type[Step], ...] = (Call, Kill, CallThenKill, Stop, Continue, Signal, Elapse)


@dataclass(frozen=True, slots=True)
class Program:
    """Steps for ``actors`` processes and a keeper, whose number is ``actors``."""

    mechanism: str
    """Where the mechanism can be imported: ``"module:attribute"``."""
    setup: Any
    actors: int
    steps: tuple[Step, ...]

    @property
    def keeper(self) -> Process:
        return self.actors

    @property
    def processes(self) -> int:
        return self.actors + 1


def name_of(who: Process, actors: int) -> str:
    """A, B, C, … for the actors, ``keeper`` for the process that made the object."""
    return "keeper" if who == actors else chr(ord("A") + who)
