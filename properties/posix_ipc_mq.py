"""The row of the package posix_ipc's message queues: the kernel's model, and the package's calls.

Leaves out what the package cannot say: deadlines with O_NONBLOCK, small buffers, attributes left
to the kernel, polls, notification.
"""

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType

from harness.mechanism import Mechanism
from harness.spec import Op, Process
from models.posix_mq import (
    RULES,
    Close,
    GetAttributes,
    Open,
    PosixMessageQueue,
    QueueSetup,
    Receive,
    Send,
    State,
    Unlink,
)
from models.posix_mq.state import queue_at
from properties.kernel.posix_ipc_mq import PosixIpcMqAdapter
from properties.posix_mq import BLOCKING, NONBLOCKING, exchange, fill, timeouts

REACHED = (
    *("send", "send-overtakes", "send-hands-over", "send-sleeps", "send-admitted"),
    *("send-closed-descriptor", "send-read-only", "send-message-too-long"),
    *("receive", "receive-admits-sender", "receive-sleeps", "receive-handed-over"),
    *("receive-closed-descriptor", "receive-write-only", "getattr", "getattr-closed-descriptor"),
    *("open", "open-creates", "open-ignores-attributes", "open-exists", "open-missing"),
    *("close", "close-frees", "close-closed-descriptor"),
    *("unlink-while-open", "unlink-frees", "unlink-missing"),
    *("exit-leaves-line", "exit-frees", "exit"),
)


class PackageQueue(PosixMessageQueue):
    """The same rules, of which the package's calls come upon a part."""

    rules = MappingProxyType({name: RULES[name] for name in REACHED})


@lru_cache(maxsize=4096)
def menu(setup: QueueSetup, number: int) -> tuple[Op, ...]:
    ops = [*exchange(setup, number), *timeouts(setup, number), GetAttributes(), GetAttributes(1)]
    ops += [
        Close(1),
        Send("x" * (setup.message_size + 1)),
        BLOCKING,
        NONBLOCKING,
        Open(create=True, exclusive=True, maxmsg=1),
        Open("/r", create=True, maxmsg=1),
        Unlink(),
        Unlink("/r"),
    ]
    return tuple(ops)


def calls(setup: QueueSetup, _state: State, _who: Process, number: int) -> Sequence[Op]:
    return menu(setup, number)


def audit(_setup: QueueSetup, state: State) -> Sequence[Op]:
    queue = queue_at(state, 0)
    takes: list[Op] = [Receive(timeout=0.0)] * (len(queue.messages) + len(queue.senders) + 1)
    return (GetAttributes(), *takes)


POSIX_IPC_MQ = Mechanism(
    name="posix-ipc-mq",
    reference="properties.posix_ipc_mq:POSIX_IPC_MQ",
    model=lru_cache(maxsize=64)(PackageQueue),
    adapter=PosixIpcMqAdapter,
    setups=(
        QueueSetup(),
        QueueSetup(capacity=1, opened=(BLOCKING, NONBLOCKING)),
        QueueSetup(opened=(BLOCKING, Open(mode="w"))),
        QueueSetup(opened=(BLOCKING, Open(mode="r"))),
    ),
    calls=calls,
    fill=fill,
    audit=audit,
)
