"""What those that die take with them and leave in the model's pipe."""

import pytest

from harness.spec import Errno
from models.pipe import PAGE, PipeSetup, Read, Unread, Write, content
from models.pipe.operations import Reading, Writing
from tests.model_alone import ASLEEP
from tests.pipe_alone import made, shared

EPIPE = Errno("EPIPE")


def test_a_killed_reader_takes_nothing() -> None:
    _, a, b, c, _ = shared()
    assert a.reads() is ASLEEP
    a.is_killed()
    b.writes(0, 1)
    assert c.reads() == b"a"


def test_a_writer_killed_in_a_large_write_leaves_its_beginning() -> None:
    _, a, b, _, _ = made(PipeSetup(slots=2, sole="w"))
    assert a.writes(0, 3 * PAGE) is ASLEEP
    a.is_killed()
    assert [b.reads(), b.reads()] == [content(0, 0, 2 * PAGE), b""]


def test_a_writer_killed_in_a_small_write_leaves_nothing() -> None:
    _, a, b, _, _ = made(PipeSetup(sole="w"))
    a.writes(0, PAGE)
    assert a.writes(1, 3) is ASLEEP
    a.is_killed()
    assert [b.reads(), b.reads()] == [content(0, 0, PAGE), b""]


def test_a_writer_woken_and_then_killed_may_complete_its_write_or_not() -> None:
    pipe, a, b, _, _ = shared()
    b.writes(0, PAGE)
    assert a.writes(1, 3) is ASLEEP
    b.calls_before_others_go_on(Read(PAGE))
    a.is_put(pipe.relation.killed(a.slot))
    assert [step.rule for _, step in pipe.ready()] == ["write-finishes", "killed"]


@pytest.mark.parametrize("op", [Reading(5), Writing(1, 3, 0)], ids=["reader", "writer"])
def test_the_dying_that_nobody_woke_look_once_more(op: Reading | Writing) -> None:
    pipe, a, _, c, keeper = shared()
    if isinstance(op, Reading):
        assert [c.reads(5), a.reads(5)] == [ASLEEP, ASLEEP]
        keeper.calls_before_others_go_on(Write(0, 3))
        expected, left = "exit-reads", 0
    else:
        keeper.writes(0, PAGE)
        assert [c.writes(2, 3), a.writes(1, 3)] == [ASLEEP, ASLEEP]
        keeper.calls_before_others_go_on(Read(PAGE))
        expected, left = "exit-writes", 3
    assert keeper.answer in (3, content(0, 0, PAGE))
    a.is_killed()
    assert expected in pipe.rules
    assert c.answer is ASLEEP
    assert keeper.calls(Unread()) == left


def test_the_death_of_the_last_who_holds_an_end_closes_it() -> None:
    _, a, b, _, _ = made(PipeSetup(sole="r", keeper=""))
    a.is_killed()
    assert b.writes(0, 1) == EPIPE
