"""What became of each step of a program."""

from harness.history import Asleep, Died, Invoke, Killing, Quiet, Return
from harness.program import Call, CallThenKill, Kill, Program, Step
from harness.report.outcomes import outcomes
from harness.spec import Errno
from tests.report_examples import (
    EVENTS,
    KEEPER,
    STEPS,
    A,
    Acquire,
    B,
    C,
    Release,
    Setup,
    asleep,
    history_of,
    returned,
)


def program(*steps: Step) -> Program:
    return Program("tests.report_examples:LOCK", Setup(), 3, steps)


def test_each_step_has_what_came_of_it() -> None:
    assert outcomes(program(*STEPS), EVENTS) == [
        "returns None",
        "returns None",
        "returns None",
        "done",
        "sleeps in semtimedop, then returns ETIMEDOUT",
        "sleeps in semtimedop, then returns ETIMEDOUT",
        "done",
        "sleeps in semtimedop",
        "sleeps in semtimedop, then returns EINTR",
        "done",
        "is ended by SIGKILL",
    ]


def test_steps_without_effect_were_passed_over_or_not_reached() -> None:
    steps = (Call(A, Acquire()), Call(A, Acquire()), Kill(B), Call(A, Release()), Kill(A))
    events = history_of(*returned(A, Acquire()), *returned(A, Release()))
    assert outcomes(program(*steps), events) == [
        "returns None",
        "passed over",
        "passed over",
        "returns None",
        "not taken",
    ]


def test_calls_of_the_keeper_are_steps_too() -> None:
    events = history_of(*returned(KEEPER, Acquire(), Errno("EPERM")), *returned(A, Acquire()))
    steps = (Call(KEEPER, Acquire()), Call(A, Acquire()))
    assert outcomes(program(*steps), events) == ["returns EPERM", "returns None"]


def test_who_is_killed_in_its_sleep_is_ended_there() -> None:
    events = history_of(*asleep(A, Acquire(), "read"), Killing(0, A), Died(0, A, "SIGKILL"))
    assert outcomes(program(Call(A, Acquire()), Kill(A)), events) == [
        "sleeps in read, then is ended by SIGKILL",
        "is ended by SIGKILL",
    ]


def test_the_kill_of_a_woken_process_is_part_of_its_step() -> None:
    events = history_of(
        *asleep(B, Acquire()),
        *returned(A, Release()),
        Killing(0, B),
        Died(0, B, "SIGKILL"),
        Quiet(0, ()),
        *returned(A, Acquire()),
    )
    steps = (Call(B, Acquire()), CallThenKill(A, Release(), B), Call(A, Acquire()))
    assert outcomes(program(*steps), events) == [
        "sleeps in semtimedop, then is ended by SIGKILL",
        "returns None",
        "returns None",
    ]


def test_that_kill_may_come_many_steps_later() -> None:
    events = history_of(
        *asleep(B, Acquire()),
        *asleep(A, Acquire()),
        Invoke(0, C, Release()),
        Return(0, A, None, 0),
        Killing(0, B),
        Died(0, B, "SIGKILL"),
        Return(0, C, None, 0),
        *returned(C, Acquire()),
    )
    steps = (
        Call(B, Acquire()),
        CallThenKill(A, Acquire(), B),
        Call(C, Release()),
        Call(C, Acquire()),
    )
    assert outcomes(program(*steps), events)[1:] == [
        "sleeps in semtimedop, then returns None",
        "returns None",
        "returns None",
    ]


def test_a_history_that_breaks_off_says_so() -> None:
    assert outcomes(program(Call(A, Acquire())), history_of(Invoke(0, A, Acquire()))) == [
        "no reply was seen"
    ]
    asleep_only = history_of(Invoke(0, A, Acquire()), Asleep(0, A, "futex"))
    assert outcomes(program(Call(A, Acquire())), asleep_only) == ["sleeps in futex"]
