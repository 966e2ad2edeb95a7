"""Saved runs of the lock of `tests.subjects`, as data: what the tests of the command line read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.codec import Record, dump
from harness.history import Asleep, Died, Event, History, Invoke, Killing, Quiet, Return
from harness.program import Call, Kill, Program, Step
from tests.subjects import Acquire, Release, Setup

A, B = 0, 1
MECHANISM = "tests.subjects:TOKEN_LOCK"
STEPS: tuple[Step, ...] = (
    Call(A, Acquire()),
    Call(B, Acquire()),
    Call(A, Release()),
)
TAKEN_IN_TURN: History = (
    Invoke(1_000, A, Acquire()),
    Return(2_000, A, None, 1_500),
    Invoke(3_000, B, Acquire()),
    Asleep(4_000, B, "read"),
    Quiet(4_500, (B,)),
    Invoke(5_000, A, Release()),
    Return(6_000, A, None, 5_500),
    Return(7_000, B, None, 3_500),
)
TAKEN_TWICE: History = (
    *TAKEN_IN_TURN[:3],
    Return(4_000, B, None, 3_500),
)
GONE_WITH_ITS_HOLDER: tuple[Event, ...] = (
    *TAKEN_IN_TURN[:2],
    Killing(3_000, A),
    Died(4_000, A, "SIGKILL"),
    Invoke(5_000, B, Acquire()),
    Asleep(6_000, B, "read"),
)
BOTH_ASLEEP: History = (
    *TAKEN_IN_TURN[:5],
    Invoke(5_000, A, Acquire()),
    Asleep(6_000, A, "read"),
    Quiet(6_500, (A, B)),
)
LOST = (*GONE_WITH_ITS_HOLDER, Quiet(2_000_000_000, (B,), 1_000_000_000))
UNSURE = (*GONE_WITH_ITS_HOLDER, Quiet(7_000, (B,), 0))


def record(
    history: History = TAKEN_IN_TURN,
    steps: tuple[Step, ...] = STEPS,
    mechanism: str = MECHANISM,
    **more: Any,
) -> Record:
    return Record(Program(mechanism, Setup(), 2, steps), history, "as it was said then", **more)


def killed(history: History) -> Record:
    """A record of the program in which the holder dies."""
    return record(history, (Call(A, Acquire()), Kill(A), Call(B, Acquire())))


def write(path: Path, saved: Record, change: Callable[[Any], Any] | None = None) -> Path:
    """Write a record's file, with a change to its JSON data."""
    data = json.loads(dump(saved))
    if change is not None:
        change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path
