"""POSIX message queues: the state, and the few ways in which it changes.

Queues and open descriptions are numbered; a freed number is used again. Descriptors are the
numbers that a process gave its opens, the lowest free one each time.
"""

from typing import NamedTuple, TypeVar

from harness.spec import Process

Item = TypeVar("Item")

Message = tuple[str, int]
"""(payload, priority): what a receive replies."""

Served = tuple[tuple[Process, Message | None], ...]


class Registration(NamedTuple):
    """Who has asked for notification by mq_notify(3), how, and with which value."""

    owner: Process
    kind: str
    signal: int
    value: int


class Queue(NamedTuple):
    maxmsg: int
    msgsize: int
    messages: tuple[Message, ...] = ()
    """In the order in which they will be received."""
    receivers: tuple[Process, ...] = ()
    """Asleep in a receive, the longest-waiting first."""
    senders: tuple[tuple[Process, Message], ...] = ()
    """Asleep in a send, the longest-waiting first."""
    registration: Registration | None = None


class Description(NamedTuple):
    """An open description: what mq_open(3) makes, and passing a descriptor shares."""

    queue: int
    reads: bool
    writes: bool
    nonblock: bool


class Files(NamedTuple):
    names: tuple[tuple[str, int], ...] = ()
    """Linked queues by name, sorted."""
    descriptions: tuple[Description | None, ...] = ()
    descriptors: tuple[tuple[int | None, ...], ...] = ()
    """For every process, the number of the description behind each of its descriptors."""


class Notification(NamedTuple):
    """A notification signal that waits in ``owner``."""

    owner: Process
    sender: Process
    value: int


class State(NamedTuple):
    queues: tuple[Queue | None, ...] = ()
    served: Served = ()
    """Woken calls that have not run yet: a receiver with the message handed to it, a sender
    (whose message is in the queue) with ``None``; sorted by process."""
    notifications: tuple[Notification, ...] = ()
    """In order of arrival for each owner; sorted by owner."""
    files: Files = Files()


def description_of(state: State, who: Process, descriptor: int) -> Description | None:
    """The open description behind a descriptor; ``None``: it is closed."""
    files = state.files
    descriptors = files.descriptors[who]
    if descriptor < len(descriptors):
        number = descriptors[descriptor]
        if number is not None:
            return files.descriptions[number]
    return None


def users(state: State, number: int, *, to_send: bool) -> frozenset[Process]:
    """The processes that have the queue open for sending, or for receiving."""
    return frozenset(
        who
        for who, descriptors in enumerate(state.files.descriptors)
        for descriptor in range(len(descriptors))
        if (found := description_of(state, who, descriptor)) is not None
        and found.queue == number
        and (found.writes if to_send else found.reads)
    )


def queue_at(state: State, number: int) -> Queue:
    queue = state.queues[number]
    assert queue is not None, "an open description keeps its queue alive"
    return queue


def with_queue(state: State, number: int, queue: Queue) -> tuple[Queue | None, ...]:
    queues = state.queues
    if len(queues) == 1:
        return (queue,)
    return (*queues[:number], queue, *queues[number + 1 :])


def insert(messages: tuple[Message, ...], message: Message) -> tuple[Message, ...]:
    """Behind the messages of the same and of higher priority (mq_send(3))."""
    priority = message[1]
    if not messages or messages[-1][1] >= priority:
        return (*messages, message)
    place = sum(1 for other in messages if other[1] >= priority)
    return (*messages[:place], message, *messages[place:])


def serve(state: State, who: Process, message: Message | None) -> Served:
    """``who`` has been woken with what it waited for."""
    if not state.served:
        return ((who, message),)
    return tuple(sorted((*state.served, (who, message)), key=lambda entry: entry[0]))


def leave_line(state: State, who: Process, number: int) -> State:
    """The sleeper gives up its place."""
    maxmsg, msgsize, messages, receivers, senders, registration = queue_at(state, number)
    queue = Queue(
        maxmsg,
        msgsize,
        messages,
        tuple(other for other in receivers if other != who),
        tuple(entry for entry in senders if entry[0] != who),
        registration,
    )
    return State(with_queue(state, number, queue), *state[1:])


def lowest_free(numbers: tuple[object | None, ...]) -> int:
    """The lowest index that holds nothing."""
    return numbers.index(None) if None in numbers else len(numbers)


def placed(
    items: tuple[Item | None, ...], number: int, item: Item | None
) -> tuple[Item | None, ...]:
    """``items`` with ``item`` at ``number``, and without empty places at the end."""
    changed = [*items[:number], item, *items[number + 1 :]]
    while changed and changed[-1] is None:
        changed.pop()
    return tuple(changed)
