"""The row of the POSIX message queue: its model, the kernel's queue, and the calls to draw."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from harness.mechanism import Mechanism
from harness.spec import Op, Process
from models.posix_mq import (
    MALFORMED,
    NO_SIGNAL,
    PRIORITIES,
    Close,
    GetAttributes,
    Notify,
    Open,
    Poll,
    PosixMessageQueue,
    QueueSetup,
    ReadStatus,
    Receive,
    Send,
    SetAttributes,
    State,
    StopNotifying,
    TakeNotification,
    Unlink,
)
from models.posix_mq.state import queue_at
from properties.kernel.posix_mq import NAMES, PosixMqAdapter

BLOCKING = Open()
NONBLOCKING = Open(nonblock=True)
SHORT = 0.003
"""Seconds: a deadline that runs out if the program waits for it."""
LONG = 60.0
"""Seconds: a deadline that never runs out in a program."""

LIMITS = ("queues_max", "msg_max", "msgsize_max", "msg_default", "msgsize_default")

BENCH_SETUP = QueueSetup(capacity=4, opened=(BLOCKING, NONBLOCKING))


def exchange(setup: QueueSetup, number: int) -> list[Op]:
    """Sends and receives by every descriptor, with priorities."""
    text = f"m{number}"
    ops: list[Op] = []
    for descriptor in range(len(setup.opened) + setup.shared):
        ops += [
            Send(text, descriptor=descriptor),
            Receive(descriptor=descriptor),
            Send(text, 1, descriptor=descriptor),
            Receive(descriptor=descriptor),
            Send(text, 2, descriptor=descriptor),
        ]
    return ops


def basics(_setup: QueueSetup, number: int) -> list[Op]:
    """As little as brings a queue to life, where other calls matter more."""
    return [Send(f"m{number}"), Receive(), Send(f"m{number}", 1), Receive(timeout=0.0)]


def timeouts(_setup: QueueSetup, number: int) -> list[Op]:
    text = f"m{number}"
    return [
        Receive(timeout=0.0),
        Send(text, timeout=0.0),
        Receive(timeout=SHORT),
        Send(text, timeout=SHORT),
        Receive(timeout=LONG),
        Send(text, 1, timeout=LONG),
    ]


def refusals(setup: QueueSetup, number: int) -> list[Op]:
    """Calls at, and just past, the edge of what is allowed."""
    text, last = f"m{number}", len(setup.opened) + setup.shared - 1
    return [
        Send(""),
        Send("x" * setup.message_size, PRIORITIES - 1),
        Send("x" * (setup.message_size + 1)),
        Send(text, PRIORITIES),
        Send(text, timeout=MALFORMED),
        Receive(size=setup.message_size - 1, descriptor=last),
        Receive(size=setup.message_size, descriptor=last),
        Receive(timeout=MALFORMED),
        Send(text, descriptor=5),
        Receive(descriptor=5),
    ]


def attributes(_setup: QueueSetup, _number: int) -> list[Op]:
    return [
        GetAttributes(),
        SetAttributes(nonblock=True),
        SetAttributes(nonblock=False),
        SetAttributes(nonblock=True, maxmsg=7),
        SetAttributes(nonblock=False, other_flags=True),
        GetAttributes(descriptor=5),
        SetAttributes(nonblock=True, descriptor=5),
    ]


def polls(_setup: QueueSetup, _number: int) -> list[Op]:
    return [
        Poll("POLLIN", timeout=0.0),
        Poll("POLLOUT", timeout=0.0),
        Poll("POLLIN"),
        Poll("POLLOUT"),
        Poll("POLLIN", timeout=SHORT),
        Poll("POLLOUT", timeout=LONG),
        Poll("POLLIN", descriptor=5),
        ReadStatus(),
    ]


def notification(_setup: QueueSetup, number: int) -> list[Op]:
    return [
        Notify(number),
        TakeNotification(),
        Notify(number, descriptor=1),
        TakeNotification(),
        ReadStatus(),
        Notify(number, kind="none"),
        StopNotifying(),
        Close(1),
        BLOCKING,
    ]


def notification_refusals(_setup: QueueSetup, number: int) -> list[Op]:
    return [
        Notify(number, kind="unknown"),
        Notify(number, signal=NO_SIGNAL),
        Notify(number, descriptor=5),
        StopNotifying(descriptor=5),
        ReadStatus(descriptor=5),
        ReadStatus(descriptor=1),
    ]


def names(_setup: QueueSetup, number: int) -> list[Op]:
    """Opening, closing and unlinking, so that one name stands for several queues in turn."""
    ops: list[Op] = [
        BLOCKING,
        Unlink(),
        Close(),
        Close(1),
        Open(create=True, maxmsg=1),
        Unlink(),
        Send(f"m{number}", descriptor=1),
        Receive(timeout=0.0, descriptor=1),
        GetAttributes(descriptor=1),
    ]
    for name in NAMES:
        ops += [
            Open(name, create=True, exclusive=True, maxmsg=2, nonblock=True),
            Open(name, mode="r", create=True),
            Open(name, mode="w"),
            Unlink(name),
        ]
    return ops


def name_refusals(setup: QueueSetup, _number: int) -> list[Op]:
    bad = ("q", "/", "/q/q", "/" + "q" * 256)
    return [
        *(Open(name, create=True) for name in bad),
        *(Unlink(name) for name in bad),
        Open("/r", create=True, maxmsg=0),
        Open("/r", create=True, maxmsg=1, msgsize=0),
        Open("/r", create=True, maxmsg=setup.msg_max + 1),
        Open("/r", create=True, maxmsg=1, msgsize=setup.msgsize_max + 1),
        Close(5),
    ]


TOPICS: Mapping[str, Callable[[QueueSetup, int], list[Op]]] = {
    function.__name__: function
    for function in (
        exchange,
        basics,
        timeouts,
        refusals,
        attributes,
        polls,
        notification,
        notification_refusals,
        names,
        name_refusals,
    )
}


@lru_cache(maxsize=4096)
def menu(setup: QueueSetup, number: int) -> tuple[Op, ...]:
    return tuple(op for topic in setup.topics for op in TOPICS[topic](setup, number))


def calls(setup: QueueSetup, _state: State, _who: Process, number: int) -> Sequence[Op]:
    return menu(setup, number)


def fill(_setup: QueueSetup, _state: State, number: int) -> Op | None:
    return Send(f"m{number}")


def audit(_setup: QueueSetup, state: State) -> Sequence[Op]:
    """Takes out everything by the keeper's own descriptor, then looks at every other queue that
    has a name."""
    keeper = len(state.files.descriptors) - 1
    own = state.files.descriptions[state.files.descriptors[keeper][0] or 0]
    assert own is not None, "the keeper never closes its descriptor"
    queue = queue_at(state, own.queue)
    ops: list[Op] = [ReadStatus()]
    ops += [Receive(timeout=0.0)] * (len(queue.messages) + len(queue.senders) + 1)
    for place, (name, _) in enumerate(state.files.names, start=1):
        ops += [Open(name, nonblock=True), GetAttributes(place), Receive(descriptor=place)]
    return ops


def limits(setup: QueueSetup) -> Mapping[str, int]:
    """All limits of the namespace, if the calls can come upon them."""
    if "names" not in setup.topics:
        return {}
    return {f"fs.mqueue.{name}": getattr(setup, name) for name in LIMITS}


POSIX_MQ = Mechanism(
    name="posix-mq",
    reference="properties.posix_mq:POSIX_MQ",
    model=lru_cache(maxsize=64)(PosixMessageQueue),
    adapter=PosixMqAdapter,
    setups=(
        QueueSetup(topics=("exchange", "timeouts")),
        QueueSetup(capacity=1, topics=("exchange", "timeouts", "polls")),
        BENCH_SETUP,
        QueueSetup(opened=(Open(mode="w"), Open(mode="r")), topics=("exchange", "refusals")),
        QueueSetup(shared=True, opened=(), topics=("exchange", "attributes", "timeouts")),
        QueueSetup(
            capacity=1, opened=(BLOCKING, BLOCKING), topics=("basics", "notification", "basics")
        ),
        QueueSetup(
            opened=(BLOCKING, Open(mode="w")),
            topics=("basics", "notification", "notification_refusals"),
        ),
        QueueSetup(topics=("basics", "names")),
        QueueSetup(
            topics=("basics", "names", "name_refusals"),
            queues_max=2,
            msg_max=4,
            msgsize_max=256,
            msg_default=3,
            msgsize_default=512,
        ),
    ),
    calls=calls,
    fill=fill,
    audit=audit,
    limits=limits,
)
