"""What signals and stops do to those that sleep in the model's pipe."""

import pytest

from harness.spec import Errno
from models.pipe import PAGE, SetFlags
from tests.model_alone import ASLEEP
from tests.pipe_alone import shared

EAGAIN, EINTR = map(Errno, ("EAGAIN", "EINTR"))


@pytest.mark.parametrize("restart", [True, False])
def test_a_write_that_moved_some_bytes_returns_their_count_after_any_handler(restart: bool) -> None:
    _, a, _, _, _ = shared()
    assert a.writes(0, PAGE + 1) is ASLEEP
    assert a.gets_a_signal(restart=restart) == PAGE


def test_a_write_that_moved_nothing_is_interrupted_or_starts_again() -> None:
    _, a, b, _, _ = shared()
    b.writes(0, PAGE)
    assert a.writes(1, 1 + PAGE) is ASLEEP
    assert a.gets_a_signal(restart=True) is ASLEEP
    assert a.gets_a_signal(restart=False) == EINTR


@pytest.mark.parametrize("restart", [True, False])
def test_o_nonblock_set_meanwhile_counts_before_the_signal(restart: bool) -> None:
    _, a, b, _, _ = shared()
    b.writes(0, PAGE)
    assert a.writes(1, 1 + PAGE) is ASLEEP
    b.calls(SetFlags("w", nonblocking=True))
    assert a.gets_a_signal(restart=restart) == EAGAIN


def test_a_handler_with_sa_restart_costs_a_reader_its_place() -> None:
    _, a, b, c, _ = shared()
    assert [a.reads(), b.reads()] == [ASLEEP, ASLEEP]
    assert a.gets_a_signal(restart=True) is ASLEEP
    c.writes(0, 1)
    assert [a.answer, b.answer] == [ASLEEP, b"a"]


def test_a_stopped_reader_takes_nothing_and_reads_on() -> None:
    _, a, b, c, _ = shared()
    assert a.reads() is ASLEEP
    a.is_stopped()
    b.writes(0, 1)
    assert c.reads() == b"a"
    a.goes_on()
    assert a.answer is ASLEEP
