"""The messages between the supervisor, the zygote and the actors: one datagram each.

Commands to an actor start with one of the letters below, followed by a pickle; every answer is
a header, followed by a pickle. All actors share one answer socket, on which messages are whole
or not at all, also when their sender is killed.
"""

import pickle
import struct
from typing import Any

CALL = b"C"
CALL_THEN_KILL = b"K"
CREATE = b"N"
ATTACH = b"A"
DETACH = b"D"
DESTROY = b"X"
RUN = b"F"
FORK = b"f"
LOAD = b"l"
REAPED = b"r"

LARGEST = 1 << 20
"""Bytes of the largest message."""

HEADER = struct.Struct("<IBqq")
"""Serial number of the actor, kind of answer, monotonic nanoseconds before and after."""
ANSWER = 0
FAILED = 1


def pack(serial: int, kind: int, began: int, ended: int, value: Any) -> bytes:
    return HEADER.pack(serial, kind, began, ended) + pickle.dumps(value, 5)


def unpack(message: bytes) -> tuple[int, int, int, int, Any]:
    serial, kind, began, ended = HEADER.unpack_from(message)
    return serial, kind, began, ended, pickle.loads(message[HEADER.size :])
