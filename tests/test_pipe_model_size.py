"""The size of the model's pipe, F_SETPIPE_SZ, and the one size of pages that it is right for."""

import os

import pytest

from harness.errors import Unsupported
from harness.spec import Errno
from models.pipe import PAGE, GetSize, PipeSetup, Read, SetSize, content
from properties.kernel import pipe_cases
from properties.kernel.pipe import KernelPipe
from tests.model_alone import ASLEEP
from tests.pipe_alone import shared

EBUSY, EINVAL, EPERM = map(Errno, ("EBUSY", "EINVAL", "EPERM"))


@pytest.mark.parametrize(
    ("asked", "slots"), [(0, 1), (PAGE, 1), (PAGE + 1, 2), (3 * PAGE, 4), (4 * PAGE, 4)]
)
def test_a_size_is_rounded_up_to_a_power_of_two_of_pages(asked: int, slots: int) -> None:
    _, a, b, _, _ = shared(slots=2)
    assert a.calls(SetSize(asked)) == slots * PAGE
    assert b.calls(GetSize("r")) == slots * PAGE


def test_a_pipe_is_not_shrunk_below_its_slots_in_use_however_few_bytes_they_hold() -> None:
    pipe, a, b, _, _ = shared(slots=4, packets=True)
    for tag in range(3):
        a.writes(tag, 1)
    before = pipe.state
    assert a.calls(SetSize(2 * PAGE)) == EBUSY
    assert pipe.state == before
    b.reads()
    assert a.calls(SetSize(2 * PAGE)) == 2 * PAGE
    assert [b.reads(), b.reads()] == [b"b", b"c"]


def test_growing_may_be_refused_and_beyond_the_maximum_it_is() -> None:
    pipe, a, _, _, _ = shared()
    a.is_put(pipe.relation.called(SetSize(2 * PAGE)))
    assert [step.rule for _, step in pipe.ready()] == ["grow", "grow-refused"]
    a.is_put(None)
    assert a.calls(SetSize(2 << 20)) == EPERM
    assert a.calls(GetSize()) == PAGE
    assert a.calls(SetSize((1 << 31) + 1)) == EINVAL


def test_a_larger_pipe_lets_a_sleeping_writer_go_on() -> None:
    _, a, b, c, _ = shared()
    assert [a.writes(0, 2 * PAGE), c.writes(1, PAGE)] == [ASLEEP, ASLEEP]
    assert b.calls(SetSize(4 * PAGE)) == 4 * PAGE
    assert [a.answer, c.answer] == [2 * PAGE, PAGE]


def test_a_read_wakes_a_writer_only_if_all_slots_were_in_use() -> None:
    pipe, a, b, _, keeper = shared()
    keeper.writes(0, PAGE)
    assert [a.writes(1, PAGE), b.writes(2, PAGE)] == [ASLEEP, ASLEEP]
    keeper.calls_before_others_go_on(SetSize(2 * PAGE))
    assert keeper.answer == 2 * PAGE
    keeper.calls_before_others_go_on(Read(PAGE))
    assert [who for who, _ in pipe.state.woken] == [a.who]


def test_a_part_that_a_write_puts_in_wakes_a_reader() -> None:
    _, a, b, _, _ = shared()
    assert b.reads() is ASLEEP
    assert a.writes(0, 2 * PAGE) == 2 * PAGE
    assert b.answer == content(0, 0, PAGE)


@pytest.mark.parametrize("size", [1 << 14, 1 << 16])
def test_a_machine_with_other_pages_is_unsupported(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGESIZE": size}.__getitem__)
    with pytest.raises(Unsupported) as raised:
        KernelPipe().create(PipeSetup())
    assert f"pages have {size} bytes here" in str(raised.value)
    assert f"run on a kernel with pages of {PAGE} bytes" in str(raised.value)
    with pytest.raises(Unsupported):
        pipe_cases.fill(PAGE)
