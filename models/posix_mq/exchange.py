"""POSIX message queues: sending, receiving, and the lines of those who sleep.

A message goes straight to the receiver that has waited longest, past the queue; a receive from
a full queue admits the sender that has waited longest, in the same step. Follows mq_send(3),
mq_receive(3), and pipelined_send, pipelined_receive and wq_sleep in ipc/mqueue.c.
"""

from collections.abc import Iterator

from harness.spec import Errno, Later, Move, Process, Wait
from models.posix_mq.notification import arrival
from models.posix_mq.operations import PRIORITIES, AwaitMessage, AwaitRoom, Poll, Receive, Send
from models.posix_mq.state import (
    Queue,
    State,
    description_of,
    insert,
    queue_at,
    serve,
    with_queue,
)

EAGAIN = Errno("EAGAIN")
EBADF = Errno("EBADF")
EINVAL = Errno("EINVAL")
EMSGSIZE = Errno("EMSGSIZE")
ETIMEDOUT = Errno("ETIMEDOUT")


def send(state: State, who: Process, op: Send) -> Iterator[Move]:
    timeout, text, priority = op.timeout, op.message, op.priority
    description = description_of(state, who, op.descriptor)
    if timeout is not None and timeout < 0:
        yield Move("send-malformed-deadline", state, EINVAL)
    elif priority >= PRIORITIES:
        yield Move("send-priority-too-high", state, EINVAL)
    elif description is None:
        yield Move("send-closed-descriptor", state, EBADF)
    elif not description.writes:
        yield Move("send-read-only", state, EBADF)
    else:
        number = description.queue
        queue = queue_at(state, number)
        maxmsg, msgsize, messages, receivers, senders, registration = queue
        message = (text, priority)
        if len(text) > msgsize:
            yield Move("send-message-too-long", state, EMSGSIZE)
        elif receivers:
            first, *others = receivers
            after = Queue(maxmsg, msgsize, messages, tuple(others), senders, registration)
            queues, served = with_queue(state, number, after), serve(state, first, message)
            rule = "send-hands-over" if registration is None else "send-hands-over-unnotified"
            yield Move(rule, State(queues, served, *state[2:]), None)
        elif len(messages) < maxmsg:
            if registration is not None:
                yield arrival(state, who, number, message)
                return
            after = Queue(maxmsg, msgsize, insert(messages, message), (), senders, None)
            overtakes = messages and messages[-1][1] < priority
            rule = "send-overtakes" if overtakes else "send"
            yield Move(rule, State(with_queue(state, number, after), *state[1:]), None)


def receive(state: State, who: Process, op: Receive) -> Iterator[Move]:
    timeout = op.timeout
    description = description_of(state, who, op.descriptor)
    if timeout is not None and timeout < 0:
        yield Move("receive-malformed-deadline", state, EINVAL)
    elif description is None:
        yield Move("receive-closed-descriptor", state, EBADF)
    elif not description.reads:
        yield Move("receive-write-only", state, EBADF)
    else:
        number = description.queue
        queue = queue_at(state, number)
        maxmsg, msgsize, messages, receivers, senders, registration = queue
        if op.size < msgsize:
            yield Move("receive-buffer-too-small", state, EMSGSIZE)
        elif messages and senders:
            (first, message), *others = senders
            left = insert(messages[1:], message)
            after = Queue(maxmsg, msgsize, left, receivers, tuple(others), registration)
            queues, served = with_queue(state, number, after), serve(state, first, None)
            yield Move("receive-admits-sender", State(queues, served, *state[2:]), messages[0])
        elif messages:
            after = Queue(maxmsg, msgsize, messages[1:], receivers, (), registration)
            queues = with_queue(state, number, after)
            yield Move("receive", State(queues, *state[1:]), messages[0])


def woken(state: State, who: Process) -> Iterator[Move]:
    for entry in state.served:
        if entry[0] == who:
            served = tuple(other for other in state.served if other is not entry)
            rule = "send-admitted" if entry[1] is None else "receive-handed-over"
            yield Move(rule, State(state.queues, served, *state[2:]), entry[1])


def poll(state: State, who: Process, op: Poll) -> Iterator[Move]:
    description = description_of(state, who, op.descriptor)
    if description is None:
        yield Move("poll-closed-descriptor", state, ("POLLNVAL",))
        return
    queue = queue_at(state, description.queue)
    if op.event == "POLLIN" and queue.messages:
        yield Move("poll-readable", state, ("POLLIN",))
    elif op.event == "POLLOUT" and len(queue.messages) < queue.maxmsg:
        yield Move("poll-writable", state, ("POLLOUT",))


def fall_asleep(state: State, who: Process, op: Send | Receive) -> Wait:
    """At the end of the line of the queue, unless the call does not wait."""
    description = description_of(state, who, op.descriptor)
    assert description is not None, "a call on a closed descriptor does not wait"
    if description.nonblock:
        return Wait(would_block=EAGAIN)
    if op.timeout == 0:
        return Wait(would_block=ETIMEDOUT)
    number = description.queue
    queue = queue_at(state, number)
    if isinstance(op, Send):
        senders = (*queue.senders, (who, (op.message, op.priority)))
        rule, queue = "send-sleeps", queue._replace(senders=senders)
        sleeps_as: AwaitRoom | AwaitMessage = AwaitRoom(number, op.timeout)
    else:
        rule, queue = "receive-sleeps", queue._replace(receivers=(*queue.receivers, who))
        sleeps_as = AwaitMessage(number, op.timeout)
    after = State(with_queue(state, number, queue), *state[1:])
    return Wait(timeout=op.timeout, asleep=Move(rule, after, Later(sleeps_as)))
