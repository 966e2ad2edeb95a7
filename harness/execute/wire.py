"""The messages between the supervisor, the zygote and the actors: one datagram each.

Commands to an actor start with one of the letters below, followed by a pickle; every answer is
a header, followed by a pickle. All actors share one answer socket, on which messages are whole
or not at all, also when their sender is killed.
"""

import pickle
import struct
from functools import lru_cache
from typing import Any

from harness.errors import BadInput, Broken, Unseen, Unsupported
from harness.spec import Op

CALL = b"C"
CALL_THEN_KILL = b"K"
CREATE = b"N"
"""Make the object, and attach to it."""
ATTACH = b"A"
DETACH = b"D"
DESTROY = b"X"
"""Detach from the object, and remove it."""
RUN = b"F"
FORK = b"f"
LOAD = b"l"
REAPED = b"r"

LARGEST = 1 << 20
"""Bytes of the largest message."""
LARGEST_ANSWER = 1 << 17
"""Bytes of the largest value in an answer: less than a socket takes at once (net.core.wmem_max)."""
LARGEST_COMMAND = 1 << 16
"""Bytes of the largest command; small, since room for it is made at every read."""

HEADER = struct.Struct("<IBqq")
"""What an `Answer` begins with."""
ANSWER = 0
FAILED = 1


def pack(serial: int, kind: int, began: int, ended: int, value: Any) -> bytes:
    """An answer. Raises BadInput for a value that is no plain data, or too large."""
    try:
        data = pickle.dumps(value, 5)
    except Exception as error:
        raise BadInput(
            f"a reply of class {type(value).__qualname__} cannot be sent ({error}); an adapter "
            "must return plain data: None, a number, text, bytes, a tuple of these, or an Errno"
        ) from error
    if len(data) > LARGEST_ANSWER:
        raise BadInput(
            f"a reply of {len(data)} bytes is too large: at most {LARGEST_ANSWER}; return its "
            "size and a digest of it"
        )
    return HEADER.pack(serial, kind, began, ended) + data


def command(kind: bytes, value: Any) -> bytes:
    """A command to an actor. Raises BadInput for one that is too large to be read whole."""
    message = kind + pickle.dumps(value, 5)
    if len(message) > LARGEST_COMMAND:
        raise BadInput(
            f"a call of {len(message)} bytes is too large: at most {LARGEST_COMMAND}; say large "
            "data by its size and a pattern"
        )
    return message


@lru_cache(maxsize=4096)
def packed_call(op: Op) -> bytes:
    """The command to make a call. Pickling a frozen dataclass costs more than all the rest."""
    return command(CALL, op)


@lru_cache(maxsize=256)
def packed_setup(setup: Any) -> bytes:
    """A setup, pickled once for all programs that have it."""
    return pickle.dumps(setup, 5)


@lru_cache(maxsize=256)
def unpacked_setup(packed: bytes) -> Any:
    """The setup again."""
    return pickle.loads(packed)


Answer = tuple[int, int, int, int, Any]
"""Serial number of the actor, kind of answer, monotonic nanoseconds before and after, value."""


def unpack(message: bytes | memoryview) -> Answer:
    serial, kind, began, ended = HEADER.unpack_from(message)
    return serial, kind, began, ended, pickle.loads(message[HEADER.size :])


def result(answer: Answer) -> Any:
    """The value of an answer. Raises what went wrong in the actor."""
    _, kind, _, _, value = answer
    if kind == ANSWER:
        return value
    name, text, trace = value
    for known in (Unsupported, Unseen, BadInput):
        if name == known.__name__:
            raise known(text)
    raise Broken(f"{name} in an actor: {text}\n{trace}")
