"""The events of a history, each with what those before it say by themselves."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from harness.history import Continued, Event, Invoke, Killing, Return, Stopped
from harness.spec import Process, Reply

NOBODY: frozenset[Process] = frozenset()


class Past(NamedTuple):
    """What is known after some events, whatever explains them."""

    invoked: tuple[int, ...]
    """When the last call of each process was made."""
    known: dict[Process, Reply]
    """What calls that run will return, where that is known beforehand; what the last call of an
    idle process has returned may be among it."""
    stopped: frozenset[Process] = NOBODY
    killed: frozenset[Process] = NOBODY

    def after(self, event: Any) -> "Past":
        """What is known after one more event."""
        kind = type(event)
        if kind is Invoke:
            return self.called(event, _without(self.known, event.who))
        invoked, known, stopped, killed = self
        if kind is Killing:
            return Past(invoked, _without(known, event.who), stopped, killed | {event.who})
        if kind is Stopped:
            return Past(invoked, known, stopped | {event.who}, killed)
        if kind is Continued:
            return Past(invoked, known, stopped - {event.who}, killed)
        return self

    def called(self, event: Invoke, known: dict[Process, Reply]) -> "Past":
        """What is known after a call, with the replies that are known then."""
        invoked, who = self.invoked, event.who
        invoked = (*invoked[:who], event.time, *invoked[who + 1 :])
        return Past(invoked, known, self.stopped, self.killed)


class Moment(NamedTuple):
    """An event with its number, and what is known right before it."""

    number: int
    event: Any
    """An `Event`, whose attributes depend on its kind."""
    past: Past


def moments(past: Past, first: int, events: Sequence[Event]) -> list[Moment]:
    """These events, the first of which has number ``first``."""
    found = []
    for number, event in enumerate(events, first):
        found.append(Moment(number, event, past))
        past = past.after(event)
    return found


def foreseen(past: Past, first: int, events: Sequence[Any]) -> list[Moment]:
    """As `moments`, but each knows the replies that come later among these events, too."""
    running, called = _replies(events)
    if running:
        past = past._replace(known={**past.known, **running})
    found = []
    for number, event in enumerate(events):
        found.append(Moment(first + number, event, past))
        if number in called:
            past = past.called(event, {**past.known, event.who: called[number]})
        elif type(event) is not Return:
            past = past.after(event)
    return found


def _replies(events: Sequence[Any]) -> tuple[dict[Process, Reply], dict[int, Reply]]:
    """The replies of calls that run already, and of those made among these events, by the number
    of their invocation."""
    running: dict[Process, Reply] = {}
    called: dict[int, Reply] = {}
    made: dict[Process, int] = {}
    for number, event in enumerate(events):
        kind = type(event)
        if kind is Invoke:
            made[event.who] = number
        elif kind is Return:
            begun = made.pop(event.who, None)
            if begun is None:
                running.setdefault(event.who, event.reply)
            else:
                called[begun] = event.reply
    return running, called


def _without(known: dict[Process, Reply], who: Process) -> dict[Process, Reply]:
    if who not in known:
        return known
    return {one: reply for one, reply in known.items() if one != who}
