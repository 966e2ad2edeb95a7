"""POSIX message queues that are wrong: kernels at the adapter's seam, and the list of all."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.mechanism import Mechanism
from harness.spec import Errno, Op, Reply
from models.posix_mq import (
    Close,
    GetAttributes,
    Notify,
    Open,
    Poll,
    PosixMessageQueue,
    QueueSetup,
    Receive,
    Send,
    SetAttributes,
    TakeNotification,
    Unlink,
)
from properties.kernel.posix_mq import PosixMqAdapter
from properties.posix_mq import POSIX_MQ
from tests.planted.bug import Bug
from tests.planted.posix_mq_models import (
    AdmissionNotifies,
    CloseKeepsRegistration,
    DeadSendersStayInLine,
    NewestReceiverFirst,
    RegistrationSurvives,
    SendersByPriority,
)

EAGAIN, EINTR, ETIMEDOUT = Errno("EAGAIN"), Errno("EINTR"), Errno("ETIMEDOUT")


def succeeded(reply: Reply) -> bool:
    return not isinstance(reply, Errno)


class ForgetsPriority(PosixMqAdapter):
    def perform(self, op: Op) -> Reply:
        return super().perform(replace(op, priority=0) if isinstance(op, Send) else op)


class TruncatesLongMessages(PosixMqAdapter):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, Send) and reply == Errno("EMSGSIZE"):
            return super().perform(replace(op, message=op.message[:-1]))
        return reply


class SkipsEmptyMessages(PosixMqAdapter):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        while isinstance(op, Receive) and reply == ("", 0):
            reply = super().perform(op)
        return reply


class SleepsDespiteNonblock(PosixMqAdapter):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, Receive) and reply == EAGAIN:
            super().perform(SetAttributes(nonblock=False, descriptor=op.descriptor))
            reply = super().perform(op)
            super().perform(SetAttributes(nonblock=True, descriptor=op.descriptor))
        return reply


class RetriesWhenInterrupted(PosixMqAdapter):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        while isinstance(op, Send | Receive) and reply == EINTR:
            reply = super().perform(op)
        return reply


class LosesWhatItHandsOver(PosixMqAdapter):
    """A receiver that had to sleep drops its message and sleeps on."""

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Receive) and op.timeout is None:
            reply = super().perform(replace(op, timeout=0.0))
            if reply != ETIMEDOUT:
                return reply
            super().perform(op)
        return super().perform(op)


class HandsOverLate(PosixMqAdapter):
    """A receiver sleeps until there is a message, and only then takes it."""

    sleeps_in: Mapping[type, frozenset[str]] = {
        **PosixMqAdapter.sleeps_in,
        Receive: frozenset({"poll", "ppoll", "mq_timedreceive"}),
    }

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Receive) and op.timeout is None:
            reply = super().perform(replace(op, timeout=0.0))
            if reply != ETIMEDOUT:
                return reply
            reply = super().perform(Poll("POLLIN", descriptor=op.descriptor))
            if isinstance(reply, Errno):
                return reply
        return super().perform(op)


class ForgetsWhatWaits(PosixMqAdapter):
    """The message of a sender that had to sleep comes without its content."""

    def perform(self, op: Op) -> Reply:
        if isinstance(op, Send) and op.timeout is None:
            reply = super().perform(replace(op, timeout=0.0))
            if reply != ETIMEDOUT:
                return reply
            return super().perform(replace(op, message=""))
        return super().perform(op)


class HasOneSlotTooMany(PosixMqAdapter):
    def create(self, setup: QueueSetup) -> tuple[str, Any]:
        return super().create(replace(setup, capacity=setup.capacity + 1))

    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        match op, reply:
            case GetAttributes() | SetAttributes(), (nonblock, int(maxmsg), msgsize, curmsgs):
                return nonblock, maxmsg - 1, msgsize, curmsgs
        return reply


class SwallowsAfterTimeout(PosixMqAdapter):
    """A receive that ran out of time still takes the next message that comes."""

    owed: Receive | None = None

    def perform(self, op: Op) -> Reply:
        if self.owed is not None and succeeded(super().perform(replace(self.owed, timeout=0.0))):
            self.owed = None
        reply = super().perform(op)
        if isinstance(op, Receive) and reply == ETIMEDOUT:
            self.owed = op
        return reply

    def detach(self) -> None:
        self.owed = None
        super().detach()


class SendsAfterTimeout(PosixMqAdapter):
    """A send that ran out of time still puts its message in, once there is room."""

    owed: Send | None = None

    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if self.owed is not None and super().perform(replace(self.owed, timeout=0.0)) is None:
            self.owed = None
        if isinstance(op, Send) and reply == ETIMEDOUT:
            self.owed = op
        return reply

    def detach(self) -> None:
        self.owed = None
        super().detach()


class EmptiesWhenUnlinked(PosixMqAdapter):
    def perform(self, op: Op) -> Reply:
        if isinstance(op, Unlink):
            opened = super().perform(Open(op.name, nonblock=True))
            if isinstance(opened, int):
                while succeeded(super().perform(Receive(descriptor=opened))):
                    pass
                super().perform(Close(opened))
        return super().perform(op)


class NotifiesForEver(PosixMqAdapter):
    """Whoever takes a notification is registered again."""

    last = Notify()

    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, Notify):
            self.last = op
        if isinstance(op, TakeNotification) and succeeded(reply):
            super().perform(self.last)
        return reply


def _planted(constant: str, **wrong: Any) -> Mechanism:
    name = "posix-mq-" + constant.lower().replace("_", "-")
    reference = f"tests.planted.posix_mq:{constant}"
    return replace(POSIX_MQ, name=name, reference=reference, **wrong)


def _with_adapter(constant: str, adapter: type[PosixMqAdapter]) -> Mechanism:
    return _planted(constant, adapter=adapter)


def _with_model(constant: str, model: type[PosixMessageQueue]) -> Mechanism:
    return _planted(constant, model=model)


FORGETS_PRIORITY = _with_adapter("FORGETS_PRIORITY", ForgetsPriority)
TRUNCATES_LONG_MESSAGES = _with_adapter("TRUNCATES_LONG_MESSAGES", TruncatesLongMessages)
SKIPS_EMPTY_MESSAGES = _with_adapter("SKIPS_EMPTY_MESSAGES", SkipsEmptyMessages)
SLEEPS_DESPITE_NONBLOCK = _with_adapter("SLEEPS_DESPITE_NONBLOCK", SleepsDespiteNonblock)
RETRIES_WHEN_INTERRUPTED = _with_adapter("RETRIES_WHEN_INTERRUPTED", RetriesWhenInterrupted)
LOSES_WHAT_IT_HANDS_OVER = _with_adapter("LOSES_WHAT_IT_HANDS_OVER", LosesWhatItHandsOver)
FORGETS_WHAT_WAITS = _with_adapter("FORGETS_WHAT_WAITS", ForgetsWhatWaits)
HAS_ONE_SLOT_TOO_MANY = _with_adapter("HAS_ONE_SLOT_TOO_MANY", HasOneSlotTooMany)
SWALLOWS_AFTER_TIMEOUT = _with_adapter("SWALLOWS_AFTER_TIMEOUT", SwallowsAfterTimeout)
SENDS_AFTER_TIMEOUT = _with_adapter("SENDS_AFTER_TIMEOUT", SendsAfterTimeout)
HANDS_OVER_LATE = _with_adapter("HANDS_OVER_LATE", HandsOverLate)
EMPTIES_WHEN_UNLINKED = _with_adapter("EMPTIES_WHEN_UNLINKED", EmptiesWhenUnlinked)
NOTIFIES_FOR_EVER = _with_adapter("NOTIFIES_FOR_EVER", NotifiesForEver)
NEWEST_RECEIVER_FIRST = _with_model("NEWEST_RECEIVER_FIRST", NewestReceiverFirst)
SENDERS_BY_PRIORITY = _with_model("SENDERS_BY_PRIORITY", SendersByPriority)
ADMISSION_NOTIFIES = _with_model("ADMISSION_NOTIFIES", AdmissionNotifies)
CLOSE_KEEPS_REGISTRATION = _with_model("CLOSE_KEEPS_REGISTRATION", CloseKeepsRegistration)
REGISTRATION_SURVIVES = _with_model("REGISTRATION_SURVIVES", RegistrationSurvives)
DEAD_SENDERS_STAY_IN_LINE = _with_model("DEAD_SENDERS_STAY_IN_LINE", DeadSendersStayInLine)

BUGS: tuple[Bug, ...] = (
    Bug(
        "forgets-priority",
        FORGETS_PRIORITY,
        "The queue delivers every message with priority 0, in the order of sending.",
    ),
    Bug(
        "truncates-long-messages",
        TRUNCATES_LONG_MESSAGES,
        "A message that is one byte too long is cut instead of refused.",
    ),
    Bug(
        "skips-empty-messages",
        SKIPS_EMPTY_MESSAGES,
        "A receive passes over messages without content.",
    ),
    Bug(
        "sleeps-despite-nonblock",
        SLEEPS_DESPITE_NONBLOCK,
        "A receive from an empty queue sleeps although O_NONBLOCK is set.",
    ),
    Bug(
        "retries-when-interrupted",
        RETRIES_WHEN_INTERRUPTED,
        "A call that a signal ends starts again by itself.",
    ),
    Bug(
        "loses-what-it-hands-over",
        LOSES_WHAT_IT_HANDS_OVER,
        "A message handed to a sleeping receiver gets lost, and the receiver sleeps on.",
    ),
    Bug(
        "forgets-what-waits",
        FORGETS_WHAT_WAITS,
        "The message of a sender that had to wait for room comes without its content.",
        needs=frozenset({"full"}),
    ),
    Bug(
        "has-one-slot-too-many",
        HAS_ONE_SLOT_TOO_MANY,
        "The queue takes one message more than mq_maxmsg.",
        needs=frozenset({"full"}),
    ),
    Bug(
        "swallows-after-timeout",
        SWALLOWS_AFTER_TIMEOUT,
        "A receive that ran out of time takes a later message, which nobody gets.",
        needs=frozenset({"timeout"}),
    ),
    Bug(
        "sends-after-timeout",
        SENDS_AFTER_TIMEOUT,
        "The message of a send that ran out of time comes all the same, later.",
        hard=True,
        needs=frozenset({"full", "timeout"}),
    ),
    Bug(
        "empties-when-unlinked",
        EMPTIES_WHEN_UNLINKED,
        "Unlinking a queue throws its messages away.",
    ),
    Bug(
        "notifies-for-ever",
        NOTIFIES_FOR_EVER,
        "A registration stays in place after its notification.",
        hard=True,
    ),
    Bug(
        "newest-receiver-first",
        NEWEST_RECEIVER_FIRST,
        "The receiver that came last is served first.",
        hard=True,
        needs=frozenset({"three actors"}),
    ),
    Bug(
        "senders-by-priority",
        SENDERS_BY_PRIORITY,
        "Sleeping senders are let in by the priority of their messages.",
        hard=True,
        needs=frozenset({"full", "three actors"}),
    ),
    Bug(
        "admission-notifies",
        ADMISSION_NOTIFIES,
        "A message let into a queue of one slot from a sleeping sender uses up the registration.",
        hard=True,
        needs=frozenset({"full"}),
    ),
    Bug(
        "close-keeps-registration",
        CLOSE_KEEPS_REGISTRATION,
        "Closing the queue does not end the registration of a process.",
    ),
    Bug(
        "registration-survives",
        REGISTRATION_SURVIVES,
        "The registration of a dead process keeps others out.",
        needs=frozenset({"death"}),
    ),
    Bug(
        "hands-over-late",
        HANDS_OVER_LATE,
        "A receiver waits for a message and then takes it, in two steps, of which a handler or a "
        "death leaves the second undone.",
    ),
    Bug(
        "dead-senders-stay-in-line",
        DEAD_SENDERS_STAY_IN_LINE,
        "A sender killed in its sleep still has its message let in.",
        hard=True,
        needs=frozenset({"death", "full"}),
    ),
)
