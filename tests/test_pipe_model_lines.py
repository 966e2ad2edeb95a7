"""The lines in which readers and writers of the model's pipe sleep, and whom they wait for."""

from models.pipe import PAGE, PipeSetup, Read, SetSize, Write
from models.pipe.operations import Reading, Writing
from tests.model_alone import ASLEEP
from tests.pipe_alone import ALL, made, shared


def test_readers_and_writers_are_woken_in_the_order_of_their_coming() -> None:
    _, a, b, c, keeper = shared()
    assert [c.reads(2), a.reads(2), b.reads(2)] == [ASLEEP] * 3
    keeper.writes(0, 3)
    assert [c.answer, a.answer, b.answer] == [b"a0", b"a", ASLEEP]
    keeper.writes(1, 2)
    assert b.answer == b"b0"
    keeper.writes(2, PAGE)
    assert [c.writes(3, PAGE), a.writes(4, PAGE)] == [ASLEEP, ASLEEP]
    keeper.reads()
    assert [c.answer, a.answer] == [PAGE, ASLEEP]


def test_a_reader_that_was_woken_in_vain_goes_to_the_end_of_the_line() -> None:
    pipe, a, b, _, keeper = shared()
    assert [a.reads(), b.reads()] == [ASLEEP, ASLEEP]
    keeper.calls_before_others_go_on(Write(0, 1))
    assert keeper.answer == 1
    assert pipe.state.woken == ((a.who, Reading(ALL)),)
    keeper.calls_before_others_go_on(Read(1))
    assert keeper.answer == b"a"
    pipe.settle()
    assert pipe.rules[-1] == "read-requeues"
    assert keeper.writes(1, 1) == 1
    assert [a.answer, b.answer] == [ASLEEP, b"b"]


def test_a_writer_that_was_woken_in_vain_goes_to_the_end_of_the_line() -> None:
    pipe, a, b, _, keeper = shared()
    keeper.writes(0, PAGE)
    assert [a.writes(1, PAGE), b.writes(2, PAGE)] == [ASLEEP, ASLEEP]
    assert keeper.calls(SetSize(PAGE)) == PAGE
    assert pipe.state.writing == ((b.who, Writing(2, PAGE, 0)), (a.who, Writing(1, PAGE, 0)))
    keeper.reads()
    assert [a.answer, b.answer] == [ASLEEP, PAGE]


def test_a_reader_waits_for_writers() -> None:
    pipe, a, b, _, _ = made(PipeSetup(sole="w", keeper="r"))
    assert pipe.relation.model.partners(pipe.state, b.who, Reading(1)) == frozenset({a.who})


def test_a_writer_waits_for_readers_and_for_writers_that_may_make_the_pipe_larger() -> None:
    pipe, a, b, c, keeper = made(PipeSetup(sole="r", keeper="w"))
    others = frozenset({a.who, c.who, keeper.who})
    assert pipe.relation.model.partners(pipe.state, b.who, Writing(0, 1, 0)) == others
