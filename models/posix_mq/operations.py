"""POSIX message queues: the operations, and how a queue is set up.

The vocabulary that the model, the adapter and the row share. Follows mq_overview(7) and the
mq_* pages of section 3. Payloads are text; one character is one byte.
"""

from dataclasses import dataclass
from typing import Final

PRIORITIES: Final = 32768
"""MQ_PRIO_MAX of Linux: priorities are 0 to 32767."""

LARGEST_BUFFER: Final = 8192
"""The most that msgsize_max allows where nobody raised it, so a buffer that always suffices."""

MALFORMED: Final = -1.0
"""In place of a timeout: a deadline whose tv_nsec is a whole second."""

NOTIFICATION_SIGNAL: Final = 40
"""A real-time signal, blocked in every process, so that it waits to be taken."""

NO_SIGNAL: Final = 65
"""The number after the last signal of Linux."""


@dataclass(frozen=True, slots=True)
class Send:
    """mq_send(3), or with ``timeout`` (seconds from now; 0: already past) mq_timedsend(3)."""

    message: str
    priority: int = 0
    timeout: float | None = None
    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class Receive:
    """mq_receive(3) or mq_timedreceive(3) into ``size`` bytes: replies (message, priority)."""

    timeout: float | None = None
    size: int = LARGEST_BUFFER
    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """poll(2) for one event, POLLIN or POLLOUT; the timeout is in seconds. Replies the events."""

    event: str = "POLLIN"
    timeout: float | None = None
    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class GetAttributes:
    """mq_getattr(3): replies (O_NONBLOCK set, mq_maxmsg, mq_msgsize, mq_curmsgs)."""

    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """mq_setattr(3): replies the attributes from before, as `GetAttributes` does."""

    nonblock: bool
    maxmsg: int = 0
    other_flags: bool = False
    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class ReadStatus:
    """read(2) of the line that the mqueue file system shows: replies (QSIZE, NOTIFY, SIGNO,
    process registered for notification)."""

    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class Notify:
    """mq_notify(3) with SIGEV_SIGNAL ("signal"), SIGEV_NONE ("none") or an unknown kind."""

    value: int = 0
    kind: str = "signal"
    signal: int = NOTIFICATION_SIGNAL
    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class StopNotifying:
    """mq_notify(3) with a null pointer."""

    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class TakeNotification:
    """sigtimedwait(2) for zero seconds: replies (si_code, sender, value)."""


@dataclass(frozen=True, slots=True)
class Open:
    """mq_open(3): replies the new descriptor, the lowest number that this process has free.

    ``mode`` is "r", "w" or "rw"; without ``maxmsg`` no attributes are passed.
    """

    name: str = "/q"
    mode: str = "rw"
    nonblock: bool = False
    create: bool = False
    exclusive: bool = False
    maxmsg: int | None = None
    msgsize: int = 8


@dataclass(frozen=True, slots=True)
class Close:
    """mq_close(3)."""

    descriptor: int = 0


@dataclass(frozen=True, slots=True)
class Unlink:
    """mq_unlink(3)."""

    name: str = "/q"


@dataclass(frozen=True, slots=True)
class AwaitMessage:
    """A receive that sleeps in the line of ``queue``, or was handed a message and has not run."""

    queue: int
    timeout: float | None


@dataclass(frozen=True, slots=True)
class AwaitRoom:
    """A send that sleeps in the line of ``queue``, or was admitted and has not run."""

    queue: int
    timeout: float | None


Operation = (
    Send
    | Receive
    | Poll
    | GetAttributes
    | SetAttributes
    | ReadStatus
    | Notify
    | StopNotifying
    | TakeNotification
    | Open
    | Close
    | Unlink
    | AwaitMessage
    | AwaitRoom
)


@dataclass(frozen=True)
class QueueSetup:
    """How the queue "/q" is made, what each actor has open, and which calls are drawn."""

    capacity: int = 2
    """mq_maxmsg."""
    message_size: int = 8
    """mq_msgsize, bytes."""
    shared: bool = False
    """Whether descriptor 0 of everybody is the keeper's, passed on: one open description."""
    opened: tuple[Open, ...] = (Open(),)
    """What every actor opens before the program starts."""
    topics: tuple[str, ...] = ("exchange",)
    """The groups of calls to draw from."""
    queues_max: int = 256
    """fs.mqueue.queues_max."""
    msg_max: int = 10
    """fs.mqueue.msg_max."""
    msgsize_max: int = 8192
    """fs.mqueue.msgsize_max, bytes."""
    msg_default: int = 10
    """fs.mqueue.msg_default."""
    msgsize_default: int = 8192
    """fs.mqueue.msgsize_default, bytes."""
