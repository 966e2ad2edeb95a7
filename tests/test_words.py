"""Values and steps in words."""

from typing import NamedTuple

import pytest

from harness.history import Asleep, Continued, Died, Event, Quiet, Return, Signalled
from harness.program import CallThenKill, Continue, Elapse, Kill, Signal
from harness.program import Step as ProgramStep
from harness.spec import Dies, Errno, Later
from harness.words import cut, duration, event_text, printable, show, step_text
from tests.report_examples import Acquire, Release, Write


class Step(NamedTuple):
    number: int
    change: int = 0
    nowait: bool = False


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Errno("EAGAIN"), "EAGAIN"),
        (Dies("SIGPIPE"), "death by SIGPIPE"),
        (Later(Release()), "goes on as Release()"),
        (Acquire(), "Acquire()"),
        (Acquire(0.5), "Acquire(0.5)"),
        (Write(b"x"), "Write(b'x')"),
        (Write("a\n", "b"), "Write('a\\n', 'b')"),
        (Step(1, -1), "Step(1, -1)"),
        (Step(1, 0, True), "Step(1, nowait=True)"),
        ((Step(1), Release()), "(Step(1), Release())"),
        ((1,), "(1,)"),
        ((), "()"),
        (None, "None"),
        ("1", "'1'"),
        (1, "1"),
    ],
)
def test_a_value_is_shown_as_short_as_it_stays_exact(value: object, text: str) -> None:
    assert show(value) == text


def test_long_data_is_cut_in_the_middle_and_says_its_size() -> None:
    shown = show(b"a" * 5_000 + b"z" * 5_000)
    assert shown.startswith("b'aaaa")
    assert "zzz'" in shown
    assert "…" in shown
    assert shown.endswith("(10000 bytes)")
    assert len(shown) < 250


def test_what_fits_is_not_cut() -> None:
    assert cut("x" * 20, 20) == "x" * 20
    assert len(cut("x" * 21, 20)) == 20


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Kill(0), "kill A"),
        (Continue(1), "continue B"),
        (Elapse(2), "wait until the time of C is up"),
        (Signal(0), "signal A (handler without SA_RESTART)"),
        (Signal(0, True), "signal A (handler with SA_RESTART)"),
        (CallThenKill(0, Release(), 1), "A: Release(), and kill B before it runs again"),
    ],
)
def test_a_step_is_a_line(step: ProgramStep, text: str) -> None:
    assert step_text(step, 3) == text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Return(0, 3, 5, 0), "keeper returns 5"),
        (Asleep(0, 0, "read"), "A is asleep in read"),
        (Died(0, 1, "exit 3"), "B is dead: exit 3"),
        (Continued(0, 1), "B is sent SIGCONT"),
        (Signalled(0, 1, True), "B is sent a signal, handler with SA_RESTART"),
        (Quiet(0, ()), "nobody runs; asleep in a call: nobody"),
        (Quiet(0, (0, 2), 10**9), "nobody runs; asleep in a call: A, C, none of them ran for 1 s"),
    ],
)
def test_an_event_is_a_line(event: Event, text: str) -> None:
    assert event_text(event, 3) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0 ns"), (1_500, "1.5 µs"), (2_000_000, "2 ms"), (61_000_000_000, "61 s")],
)
def test_times_have_a_unit(nanoseconds: int, text: str) -> None:
    assert duration(nanoseconds) == text


def test_text_that_no_file_can_hold_is_escaped() -> None:
    assert printable("a\ud800b") == "a\\ud800b"
