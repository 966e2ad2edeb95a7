"""POSIX message queues: attributes, the status line, and notification of an arrival.

Follows mq_getattr(3), mq_notify(3), mq_overview(7) and ipc/mqueue.c (__do_notify). A message
admitted from a sleeping sender notifies nobody, even into a queue of one slot.
"""

from collections.abc import Iterator

from harness.spec import Errno, Move, Process
from models.posix_mq.operations import (
    NO_SIGNAL,
    GetAttributes,
    Notify,
    ReadStatus,
    SetAttributes,
    StopNotifying,
)
from models.posix_mq.state import (
    Message,
    Notification,
    Registration,
    State,
    description_of,
    insert,
    queue_at,
    with_queue,
)

SIGEV_NOTIFY = {"signal": 0, "none": 1}
EBADF = Errno("EBADF")
EBUSY = Errno("EBUSY")
EINVAL = Errno("EINVAL")


def arrival(state: State, who: Process, number: int, message: Message) -> Move:
    """A message comes into a queue with room, for which somebody is registered."""
    queue = queue_at(state, number)
    registration, notifications = queue.registration, state.notifications
    assert registration is not None
    after = queue._replace(messages=insert(queue.messages, message))
    if queue.messages:
        rule = "send-not-first-unnotified"
    else:
        after = after._replace(registration=None)
        rule = "send-uses-up-silent-registration"
        if registration.kind == "signal":
            rule = "send-notifies"
            notice = Notification(registration.owner, who, registration.value)
            notifications = tuple(
                sorted((*notifications, notice), key=lambda waiting: waiting.owner)
            )
    queues = with_queue(state, number, after)
    return Move(rule, State(queues, state.served, notifications, state.files), None)


def notify(state: State, who: Process, op: Notify) -> Iterator[Move]:
    description = description_of(state, who, op.descriptor)
    if op.kind not in SIGEV_NOTIFY:
        yield Move("notify-unknown-kind", state, EINVAL)
    elif op.kind == "signal" and op.signal >= NO_SIGNAL:
        yield Move("notify-bad-signal", state, EINVAL)
    elif description is None:
        yield Move("notify-closed-descriptor", state, EBADF)
    elif queue_at(state, description.queue).registration is not None:
        yield Move("notify-busy", state, EBUSY)
    else:
        rule = "notify-by-signal" if op.kind == "signal" else "notify-silently"
        registration = Registration(who, op.kind, op.signal, op.value)
        yield Move(rule, registered(state, description.queue, registration), None)


def stop_notifying(state: State, who: Process, op: StopNotifying) -> Iterator[Move]:
    description = description_of(state, who, op.descriptor)
    if description is None:
        yield Move("stop-notifying-closed-descriptor", state, EBADF)
    elif is_owner(state, who, description.queue):
        yield Move("stop-notifying", registered(state, description.queue, None), None)
    else:
        yield Move("stop-notifying-not-registered", state, None)


def take_notification(state: State, who: Process) -> Iterator[Move]:
    waiting = state.notifications
    for notice in waiting:
        if notice.owner == who:
            left = tuple(other for other in waiting if other is not notice)
            reply = ("SI_MESGQ", notice.sender, notice.value)
            yield Move("take-notification", state._replace(notifications=left), reply)
            return


def is_owner(state: State, who: Process, number: int) -> bool:
    """Whether ``who`` is registered with the queue."""
    registration = queue_at(state, number).registration
    return registration is not None and registration.owner == who


def registered(state: State, number: int, registration: Registration | None) -> State:
    queue = queue_at(state, number)._replace(registration=registration)
    return state._replace(queues=with_queue(state, number, queue))


def get_attributes(state: State, who: Process, op: GetAttributes) -> Iterator[Move]:
    attributes = _attributes(state, who, op.descriptor)
    if attributes is None:
        yield Move("getattr-closed-descriptor", state, EBADF)
    else:
        yield Move("getattr", state, attributes)


def set_attributes(state: State, who: Process, op: SetAttributes) -> Iterator[Move]:
    attributes = _attributes(state, who, op.descriptor)
    if op.other_flags:
        yield Move("setattr-other-flags", state, EINVAL)
    elif attributes is None:
        yield Move("setattr-closed-descriptor", state, EBADF)
    else:
        files = state.files
        number = files.descriptors[who][op.descriptor]
        assert number is not None
        descriptions = tuple(
            description._replace(nonblock=op.nonblock)
            if place == number and description is not None
            else description
            for place, description in enumerate(files.descriptions)
        )
        after = state._replace(files=files._replace(descriptions=descriptions))
        rule = "setattr-nonblock" if op.nonblock else "setattr-block"
        yield Move(rule, after, attributes)


def _attributes(state: State, who: Process, descriptor: int) -> tuple[bool, int, int, int] | None:
    description = description_of(state, who, descriptor)
    if description is None:
        return None
    queue = queue_at(state, description.queue)
    return description.nonblock, queue.maxmsg, queue.msgsize, len(queue.messages)


def read_status(state: State, who: Process, op: ReadStatus) -> Iterator[Move]:
    description = description_of(state, who, op.descriptor)
    if description is None:
        yield Move("status-closed-descriptor", state, EBADF)
    elif not description.reads:
        yield Move("status-write-only", state, EBADF)
    else:
        queue = queue_at(state, description.queue)
        size = sum(len(text) for text, _ in queue.messages)
        registration = queue.registration
        if registration is None:
            yield Move("status", state, (size, 0, 0, None))
        else:
            owner, kind, signal, _ = registration
            shown = signal if kind == "signal" else 0
            yield Move("status-registered", state, (size, SIGEV_NOTIFY[kind], shown, owner))
