"""POSIX message queues: names, open descriptions, closing, and what a death closes.

A queue lives until it has neither a name nor an open description. Follows mq_open(3),
mq_close(3), mq_unlink(3), mq_overview(7) and prepare_open, mqueue_create_attr,
mqueue_flush_file and mqueue_evict_inode in ipc/mqueue.c. Leaves out permissions.
"""

from collections.abc import Iterator

from harness.spec import Errno, Exit, Later, Move, Process
from models.posix_mq.notification import is_owner, registered
from models.posix_mq.operations import Close, Open, QueueSetup, Unlink
from models.posix_mq.state import (
    Description,
    Files,
    Queue,
    State,
    description_of,
    leave_line,
    lowest_free,
    placed,
)

LONGEST_NAME = 255


def name_refusal(call: str, state: State, name: str) -> Move | None:
    """What a call replies to a name that can be no queue's."""
    if not name.startswith("/"):
        return Move(f"{call}-no-leading-slash", state, Errno("EINVAL"))
    if name == "/":
        return Move(f"{call}-empty-name", state, Errno("ENOENT"))
    if "/" in name[1:]:
        return Move(f"{call}-second-slash", state, Errno("EACCES"))
    if len(name) - 1 > LONGEST_NAME:
        return Move(f"{call}-name-too-long", state, Errno("ENAMETOOLONG"))
    return None


def open_queue(setup: QueueSetup, state: State, who: Process, op: Open) -> Iterator[Move]:
    refusal = name_refusal("open", state, op.name)
    names = dict(state.files.names)
    if refusal is not None:
        yield refusal
    elif op.name not in names:
        yield _create(setup, state, who, op)
    elif op.create and op.exclusive:
        yield Move("open-exists", state, Errno("EEXIST"))
    else:
        rule = "open-ignores-attributes" if op.create else "open"
        yield _opened(rule, state, who, op, names[op.name])


def _create(setup: QueueSetup, state: State, who: Process, op: Open) -> Move:
    if not op.create:
        return Move("open-missing", state, Errno("ENOENT"))
    if len([queue for queue in state.queues if queue is not None]) >= setup.queues_max:
        return Move("open-too-many-queues", state, Errno("ENOSPC"))
    maxmsg, msgsize = op.maxmsg, op.msgsize
    if maxmsg is None:
        maxmsg = min(setup.msg_default, setup.msg_max)
        msgsize = min(setup.msgsize_default, setup.msgsize_max)
        rule = "open-creates-with-defaults"
    elif maxmsg <= 0 or msgsize <= 0:
        return Move("open-attributes-not-positive", state, Errno("EINVAL"))
    elif maxmsg > setup.msg_max or msgsize > setup.msgsize_max:
        return Move("open-attributes-above-limit", state, Errno("EINVAL"))
    else:
        rule = "open-creates"
    number = lowest_free(state.queues)
    files = state.files
    names = tuple(sorted((*files.names, (op.name, number))))
    made = State(
        placed(state.queues, number, Queue(maxmsg, msgsize)),
        state.served,
        state.notifications,
        Files(names, files.descriptions, files.descriptors),
    )
    return _opened(rule, made, who, op, number)


def _opened(rule: str, state: State, who: Process, op: Open, queue: int) -> Move:
    names, descriptions, descriptors = state.files
    number = lowest_free(descriptions)
    description = Description(queue, "r" in op.mode, "w" in op.mode, op.nonblock)
    mine = descriptors[who]
    descriptor = lowest_free(mine)
    files = Files(
        names,
        placed(descriptions, number, description),
        (*descriptors[:who], placed(mine, descriptor, number), *descriptors[who + 1 :]),
    )
    return Move(rule, state._replace(files=files), descriptor)


def unlink(state: State, op: Unlink) -> Iterator[Move]:
    refusal = name_refusal("unlink", state, op.name)
    files = state.files
    names = dict(files.names)
    if refusal is not None:
        yield refusal
    elif op.name not in names:
        yield Move("unlink-missing", state, Errno("ENOENT"))
    else:
        number = names.pop(op.name)
        nameless = state._replace(files=files._replace(names=tuple(sorted(names.items()))))
        after = without_unused(nameless, number)
        freed = len(after.queues) <= number or after.queues[number] is None
        yield Move("unlink-frees" if freed else "unlink-while-open", after, None)


def without_unused(state: State, number: int) -> State:
    """The queue is gone once it has neither a name nor an open description."""
    files = state.files
    named = any(linked == number for _, linked in files.names)
    opened = any(found is not None and found.queue == number for found in files.descriptions)
    if named or opened:
        return state
    return state._replace(queues=placed(state.queues, number, None))


def close(state: State, who: Process, op: Close) -> Iterator[Move]:
    description = description_of(state, who, op.descriptor)
    if description is None:
        yield Move("close-closed-descriptor", state, Errno("EBADF"))
        return
    owner = is_owner(state, who, description.queue)
    after = closed(state, who, op.descriptor)
    if after.queues != state.queues and not owner:
        yield Move("close-frees", after, None)
    else:
        yield Move("close-drops-registration" if owner else "close", after, None)


def closed(state: State, who: Process, descriptor: int) -> State:
    """Closing any descriptor of a queue ends the registration of the process that closes it."""
    names, descriptions, descriptors = state.files
    number = descriptors[who][descriptor]
    description = description_of(state, who, descriptor)
    assert number is not None
    assert description is not None
    if is_owner(state, who, description.queue):
        state = registered(state, description.queue, None)
    left = (
        *descriptors[:who],
        placed(descriptors[who], descriptor, None),
        *descriptors[who + 1 :],
    )
    if not any(number in others for others in left):
        descriptions = placed(descriptions, number, None)
    after = state._replace(files=Files(names, descriptions, left))
    return without_unused(after, description.queue)


def exits(state: State, who: Process) -> Iterator[Move]:
    """A death in the order of do_exit: out of the line, then the flush of every descriptor, then
    the release of what they had open. A step that nobody can see is part of a later one: so is
    the loss of a message that was handed over, since nobody else could get it."""
    held = [
        found.queue
        for descriptor in range(len(state.files.descriptors[who]))
        if (found := description_of(state, who, descriptor)) is not None
    ]
    line = _line_of(state, who, held)
    registrations = [number for number in held if is_owner(state, who, number)]
    if line is not None:
        yield Move("exit-leaves-line", leave_line(state, who, line), Later(Exit()))
    elif registrations:
        after = registered(state, registrations[0], None)
        yield Move("exit-drops-registration", after, Later(Exit()))
    else:
        yield _last_step_of_death(state, who)


def _line_of(state: State, who: Process, held: list[int]) -> int | None:
    for number in held:
        queue = state.queues[number]
        assert queue is not None
        if who in queue.receivers or any(sender == who for sender, _ in queue.senders):
            return number
    return None


def _last_step_of_death(state: State, who: Process) -> Move:
    """Closes descriptors up to the first whose queue goes with it, or all."""
    before = len([queue for queue in state.queues if queue is not None])
    for descriptor, number in enumerate(state.files.descriptors[who]):
        if number is not None:
            state = closed(state, who, descriptor)
            if len([queue for queue in state.queues if queue is not None]) < before:
                return Move("exit-frees", state, Later(Exit()))
    served = tuple(entry for entry in state.served if entry[0] != who)
    notifications = tuple(notice for notice in state.notifications if notice.owner != who)
    return Move("exit", state._replace(served=served, notifications=notifications), None)
