"""Damaged histories: something is changed that might, or might not, still be explained."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random

from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    History,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.spec import Process
from tests.executions import LONG_WATCHED, TICK
from tests.small_models import EAGAIN, EINTR, ETIMEDOUT

AGES = 6_000_000_000
"""Nanoseconds after which a sleeper whose time is up has been forgotten."""


def damaged(random: Random, history: History) -> History:
    """The history with one or two things changed."""
    for _ in range(random.choice((1, 1, 2))):
        history = random.choice(DAMAGES)(random, history)
    return history


def another_reply(random: Random, history: History) -> History:
    """A reply becomes that of another call, or an error."""
    number = one_of(random, history, Return)
    if number is None:
        return history
    replies = [event.reply for event in history if isinstance(event, Return)]
    return changed(history, number, reply=random.choice([*replies, None, EAGAIN, ETIMEDOUT, EINTR]))


def swapped_replies(random: Random, history: History) -> History:
    numbers = [number for number, event in enumerate(history) if isinstance(event, Return)]
    if len(numbers) < 2:
        return history
    one, two = random.sample(numbers, 2)
    first, second = history[one], history[two]
    assert isinstance(first, Return)
    assert isinstance(second, Return)
    return changed(changed(history, one, reply=second.reply), two, reply=first.reply)


def lost_return(random: Random, history: History) -> History:
    """A call does not return any more, so its process does nothing any more."""
    number = one_of(random, history, Return)
    if number is None:
        return history
    who = who_of(history[number])
    return (*history[:number], *(event for event in history[number:] if who_of(event) != who))


def moved_return(random: Random, history: History) -> History:
    """A return or a death comes earlier or later, as far as its process allows."""
    number = one_of(random, history, Return, Died)
    if number is None:
        return history
    who = who_of(history[number])
    own = [place for place, event in enumerate(history) if who_of(event) == who]
    before = max((place for place in own if place < number), default=0)
    after = min((place for place in own if place > number), default=len(history))
    rest = [*history[:number], *history[number + 1 :]]
    rest.insert(random.randrange(before + 1, max(after, before + 2)), history[number])
    return in_time(rest)


def inserted_quiet(random: Random, history: History) -> History:
    """All that are inside a call are said to be asleep, or all but one."""
    number = random.randrange(len(history) + 1)
    asleep = sorted(inside(history[:number]))
    if asleep and random.random() < 0.2:
        asleep.pop()
    event = Quiet(0, tuple(asleep), random.choice((0, LONG_WATCHED)))
    return in_time([*history[:number], event, *history[number:]])


def other_sleepers(random: Random, history: History) -> History:
    number = one_of(random, history, Quiet)
    if number is None:
        return history
    event = history[number]
    assert isinstance(event, Quiet)
    asleep = set(event.asleep) ^ {random.randrange(2)}
    return changed(history, number, asleep=tuple(sorted(asleep)))


def other_times(random: Random, history: History) -> History:
    """From some event on all is later: by a few events' time, or by ages."""
    number = random.randrange(len(history) + 1)
    late = random.choice((TICK, 3 * TICK, 10 * TICK, AGES))
    moved = (replace(event, time=event.time + late) for event in history[number:])
    return in_time([*history[:number], *moved])


def other_handler(random: Random, history: History) -> History:
    number = one_of(random, history, Signalled)
    if number is None:
        return history
    event = history[number]
    assert isinstance(event, Signalled)
    return changed(history, number, restart=not event.restart)


def untold(random: Random, history: History) -> History:
    """A signal is not told of, or sleepers are not."""
    number = one_of(random, history, Signalled, Quiet, Asleep)
    return history if number is None else (*history[:number], *history[number + 1 :])


DAMAGES: list[Callable[[Random, History], History]] = [
    *[another_reply] * 4,
    *[moved_return] * 3,
    *[inserted_quiet] * 2,
    swapped_replies,
    lost_return,
    other_sleepers,
    other_times,
    other_handler,
    untold,
]


def one_of(random: Random, history: History, *kinds: type) -> int | None:
    """The number of a random event of these kinds."""
    found = [number for number, event in enumerate(history) if isinstance(event, kinds)]
    return random.choice(found) if found else None


def changed(history: History, number: int, **values: object) -> History:
    """The history with other values in one event."""
    event: Event = replace(history[number], **values)  # type: ignore[arg-type]
    return (*history[:number], event, *history[number + 1 :])


def who_of(event: Event) -> Process | None:
    return None if isinstance(event, Quiet) else event.who


def in_time(events: Sequence[Event]) -> History:
    """Events with times that fit their order, a call's own clock included."""
    return tuple(_in_time(events))


def _in_time(events: Sequence[Event]) -> Iterator[Event]:
    now = 0
    began: dict[Process, int] = {}
    for event in events:
        now = max(now, event.time)
        if isinstance(event, Invoke):
            began[event.who] = now
        if isinstance(event, Return):
            yield replace(event, time=now, began=began.get(event.who, now))
        else:
            yield replace(event, time=now)


def inside(history: Sequence[Event]) -> set[Process]:
    """Who is inside a call, neither stopped nor dying."""
    calling: set[Process] = set()
    halted: set[Process] = set()
    for event in history:
        match event:
            case Invoke():
                calling.add(event.who)
            case Return() | Died() | Killing():
                calling.discard(event.who)
            case Stopped():
                halted.add(event.who)
            case Continued():
                halted.discard(event.who)
    return calling - halted
