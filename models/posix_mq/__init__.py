"""The POSIX message queue: how one is made, what is done to it, and its model."""

from models.posix_mq.model import PosixMessageQueue
from models.posix_mq.operations import (
    LARGEST_BUFFER,
    MALFORMED,
    NO_SIGNAL,
    NOTIFICATION_SIGNAL,
    PRIORITIES,
    Close,
    GetAttributes,
    Notify,
    Open,
    Poll,
    QueueSetup,
    ReadStatus,
    Receive,
    Send,
    SetAttributes,
    StopNotifying,
    TakeNotification,
    Unlink,
)
from models.posix_mq.rules import RULES
from models.posix_mq.state import State

__all__ = [
    "LARGEST_BUFFER",
    "MALFORMED",
    "NOTIFICATION_SIGNAL",
    "NO_SIGNAL",
    "PRIORITIES",
    "RULES",
    "Close",
    "GetAttributes",
    "Notify",
    "Open",
    "Poll",
    "PosixMessageQueue",
    "QueueSetup",
    "ReadStatus",
    "Receive",
    "Send",
    "SetAttributes",
    "State",
    "StopNotifying",
    "TakeNotification",
    "Unlink",
]
