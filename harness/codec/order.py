"""Whether events can have come in this order: nobody returns from a call that was not made."""

from harness.history import (
    Asleep,
    Died,
    Event,
    History,
    Invoke,
    Quiet,
    Return,
    Signalled,
)
from harness.spec import Process

LATEST = 1 << 62
"""Nanoseconds; no clock of the kernel's gets there."""


def disorder(history: History) -> str:
    """What is wrong with the first event that cannot have come then, empty if nothing is. What a
    correct kernel would not do is none of its business."""
    inside: set[Process] = set()
    dead: set[Process] = set()
    for number, event in enumerate(history):
        wrong = _wrong(event, inside, dead)
        if wrong:
            return f"event {number} says that {wrong}"
        if isinstance(event, Invoke):
            inside.add(event.who)
        elif isinstance(event, Return):
            inside.discard(event.who)
        elif isinstance(event, Died):
            inside.discard(event.who)
            dead.add(event.who)
    return ""


def _wrong(event: Event, inside: set[Process], dead: set[Process]) -> str:
    if not 0 <= event.time < LATEST:
        return f"it happened at {event.time} ns"
    if isinstance(event, Quiet):
        idle = set(event.asleep) - inside
        return f"process {min(idle)} sleeps in a call that it has not made" if idle else ""
    if event.who in dead:
        return f"process {event.who} is alive, which had died"
    match event:
        case Invoke() if event.who in inside:
            return f"process {event.who} makes a call inside another"
        case Return() | Asleep() | Signalled() if event.who not in inside:
            return f"process {event.who} is inside a call that it has not made"
    return ""
