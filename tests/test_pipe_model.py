"""The model of the pipe, one behaviour a test, without any kernel."""

import os
from typing import Any

import pytest

from harness.errors import Unsupported
from harness.spec import Errno
from models.pipe import (
    PAGE,
    Close,
    GetSize,
    Pipe,
    PipeSetup,
    Poll,
    Read,
    SetFlags,
    SetSize,
    Sigaction,
    Sigmask,
    Sigtimedwait,
    Unread,
    Write,
    content,
)
from models.pipe.operations import Reading, Writing
from properties.kernel import pipe_cases
from properties.kernel.pipe import KernelPipe
from tests.model_alone import ASLEEP, Actor, ModelAlone

EAGAIN, EBADF, EBUSY, EINTR = map(Errno, ("EAGAIN", "EBADF", "EBUSY", "EINTR"))
EINVAL, EPERM, EPIPE = map(Errno, ("EINVAL", "EPERM", "EPIPE"))
ALL = 1 << 20
"""More bytes than a pipe of these tests holds."""


class User(Actor):
    def reads(self, size: int = ALL) -> Any:
        return self.calls(Read(size))

    def writes(self, tag: int, size: int) -> Any:
        return self.calls(Write(tag, size))


def made(setup: PipeSetup) -> tuple[ModelAlone, User, User, User, User]:
    """A pipe, three actors and the keeper."""
    pipe = ModelAlone(Pipe(setup, 4))
    a, b, c, keeper = (User(pipe, who) for who in range(4))
    return pipe, a, b, c, keeper


def shared(**setup: Any) -> tuple[ModelAlone, User, User, User, User]:
    """A pipe of which everybody holds both ends."""
    return made(PipeSetup(keeper="rw", **setup))


# Room


def test_a_small_write_goes_in_as_a_whole_or_not_at_all() -> None:
    _, a, b, _, _ = shared(slots=2, nonblocking=True)
    assert [a.writes(0, PAGE), a.writes(1, 1)] == [PAGE, 1]
    assert a.writes(2, PAGE) == EAGAIN
    assert b.calls(Unread()) == PAGE + 1
    assert a.writes(3, PAGE - 1) == PAGE - 1


def test_a_small_write_that_waits_has_put_in_nothing() -> None:
    pipe, a, b, c, _ = shared()
    a.writes(0, 1)
    assert b.writes(1, PAGE) is ASLEEP
    assert c.calls(Unread()) == 1
    assert c.reads() == b"a"
    assert b.answer == PAGE
    assert c.reads() == content(1, 0, PAGE)
    assert pipe.rules.count("write-finishes") == 1


def test_a_large_write_puts_in_what_fits_and_others_write_in_between() -> None:
    pipe, a, b, c, _ = shared()
    assert a.writes(0, 3 * PAGE) is ASLEEP
    assert b.writes(1, 2 * PAGE) is ASLEEP
    assert [c.reads(PAGE)[:1] for _ in range(5)] == [b"a", b"a", b"b", b"a", b"b"]
    assert [a.answer, b.answer] == [3 * PAGE, 2 * PAGE]
    assert {"write-part", "write-sleeps", "write-finishes"} <= set(pipe.rules)


def test_a_write_of_three_pages_into_one_slot_goes_on_part_by_part() -> None:
    pipe, a, b, _, _ = shared()
    assert a.writes(0, 3 * PAGE) is ASLEEP
    assert [b.reads() for _ in range(3)] == [
        content(0, at, at + PAGE) for at in (0, PAGE, 2 * PAGE)
    ]
    assert a.answer == 3 * PAGE
    assert "write-goes-on" in pipe.rules


def test_a_large_non_blocking_write_returns_the_count_that_has_fitted() -> None:
    _, a, b, _, _ = shared(slots=2, nonblocking=True)
    assert a.writes(0, 3 * PAGE) == 2 * PAGE
    assert a.writes(1, 3 * PAGE) == EAGAIN
    assert b.reads() == content(0, 0, 2 * PAGE)


def test_writes_are_merged_into_a_slot_if_they_fit_there_as_a_whole() -> None:
    pipe, a, _, _, _ = shared(slots=2, nonblocking=True)
    a.writes(0, PAGE - 2)
    assert a.writes(1, 2) == 2
    assert pipe.rules[-1] == "write-merge"
    assert len(pipe.state.pages) == 1
    a.writes(2, PAGE - 2)
    assert len(pipe.state.pages) == 2
    assert a.writes(3, 3) == EAGAIN


def test_what_exceeds_whole_pages_goes_first_behind_the_last_page() -> None:
    _, a, b, _, _ = shared(nonblocking=True)
    a.writes(0, 1)
    assert a.writes(1, PAGE + 2) == 2
    assert b.reads() == b"ab0"


def test_a_slot_is_freed_by_its_last_byte_and_its_room_is_not_used_again() -> None:
    _, a, b, _, _ = shared(nonblocking=True)
    a.writes(0, PAGE)
    b.reads(PAGE - 1)
    assert a.writes(1, 1) == EAGAIN
    assert b.reads(1) == content(0, PAGE - 1, PAGE)
    assert a.writes(1, 1) == 1


def test_a_read_takes_what_is_there_from_several_slots() -> None:
    pipe, a, b, _, _ = shared(slots=4)
    a.writes(0, 2 * PAGE + 3)
    assert b.reads(5) == content(0, 0, 5)
    assert b.reads(PAGE - 5) == content(0, 5, PAGE)
    assert b.reads(2 * PAGE) == content(0, PAGE, 2 * PAGE + 3)
    assert pipe.rules[-3:] == ["read-part", "read-slot", "read-several"]


def test_calls_of_no_bytes_return_at_once() -> None:
    _, a, b, _, _ = made(PipeSetup(sole="r", keeper=""))
    assert a.reads(0) == b""
    b.writes(0, PAGE)
    assert b.writes(1, 0) == 0
    a.calls(Close("r"))
    assert b.writes(1, 0) == 0


# F_SETPIPE_SZ


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


# Ends


def test_the_last_writer_gone_is_the_end_of_file_once_all_is_read() -> None:
    _, a, b, c, _ = made(PipeSetup(sole="w", keeper=""))
    a.writes(0, 3)
    a.calls(Close("w"))
    assert [b.reads(), b.reads(), c.reads()] == [b"a0a", b"", b""]


def test_the_last_writer_gone_wakes_all_readers() -> None:
    _, a, b, c, _ = made(PipeSetup(sole="w", keeper=""))
    assert [b.reads(), c.reads()] == [ASLEEP, ASLEEP]
    a.calls(Close("w"))
    assert [b.answer, c.answer] == [b"", b""]


def test_an_end_that_another_holds_is_not_gone() -> None:
    pipe, a, b, c, _ = shared()
    assert a.calls(Close("w")) is None
    assert pipe.rules[-1] == "close"
    assert b.reads() is ASLEEP
    assert c.writes(0, 1) == 1
    assert b.answer == b"a"


def test_a_wrong_or_a_closed_end_fails_with_ebadf() -> None:
    _, a, b, _, _ = shared()
    assert a.calls(Read(1, "w")) == EBADF
    assert a.calls(Write(0, 1, "r")) == EBADF
    a.calls(Close("w"))
    assert [a.writes(0, 0), a.calls(Close("w"))] == [EBADF, EBADF]
    assert b.writes(0, 1) == 1


def test_o_nonblock_belongs_to_the_end_that_all_share() -> None:
    _, a, b, _, _ = shared()
    a.calls(SetFlags("r", nonblocking=True))
    assert b.reads() == EAGAIN
    b.calls(SetFlags("r"))
    assert a.reads() is ASLEEP


# SIGPIPE


def broken_pipe(sigpipe: str) -> tuple[ModelAlone, User]:
    """A pipe without readers, and one that can write to it."""
    pipe, a, b, _, _ = made(PipeSetup(sole="r", keeper="", sigpipe=sigpipe))
    a.calls(Close("r"))
    return pipe, b


def test_a_write_without_readers_fails_with_epipe_where_sigpipe_is_ignored() -> None:
    _, b = broken_pipe("ignored")
    assert [b.writes(0, 1), b.calls(Sigtimedwait())] == [EPIPE, EAGAIN]


def test_a_write_without_readers_leaves_a_blocked_sigpipe_pending_once() -> None:
    _, b = broken_pipe("blocked")
    assert [b.writes(0, 1), b.writes(0, 1)] == [EPIPE, EPIPE]
    assert [b.calls(Sigtimedwait()), b.calls(Sigtimedwait())] == ["SIGPIPE", EAGAIN]


def test_a_write_without_readers_ends_its_writer_by_default() -> None:
    pipe, b = broken_pipe("default")
    b.becomes(pipe.relation.called(Write(0, 1)))
    assert b.is_dead
    assert "write-epipe-dies" in pipe.rules


def test_a_pending_sigpipe_ends_who_unblocks_it_and_is_discarded_by_who_ignores_it() -> None:
    pipe, b = broken_pipe("blocked")
    b.writes(0, 1)
    b.calls(Sigaction(ignore=True))
    assert b.calls(Sigtimedwait()) == EAGAIN
    b.calls(Sigaction(ignore=False))
    b.writes(0, 1)
    b.becomes(pipe.relation.called(Sigmask(block=False)))
    assert b.is_dead


@pytest.mark.parametrize("sigpipe", ["ignored", "blocked", "default"])
def test_a_write_that_is_cut_short_returns_its_count_if_sigpipe_lets_it(sigpipe: str) -> None:
    _, a, b, _, _ = made(PipeSetup(sole="r", keeper="", sigpipe=sigpipe))
    assert b.writes(0, PAGE + 1) is ASLEEP
    a.calls(Close("r"))
    if sigpipe == "default":
        assert b.is_dead
    else:
        assert b.answer == PAGE
        assert b.calls(Sigtimedwait()) == ("SIGPIPE" if sigpipe == "blocked" else EAGAIN)


def test_the_last_reader_gone_wakes_all_writers() -> None:
    _, a, b, c, _ = made(PipeSetup(sole="r", keeper=""))
    b.writes(0, PAGE)
    assert [b.writes(1, PAGE), c.writes(2, PAGE)] == [ASLEEP, ASLEEP]
    a.is_killed()
    assert [b.answer, c.answer] == [EPIPE, EPIPE]


# Packets


def test_a_read_returns_one_packet_and_loses_what_it_has_no_room_for() -> None:
    pipe, a, b, _, _ = shared(slots=4, packets=True)
    a.writes(0, 2)
    a.writes(1, 5)
    a.writes(2, PAGE + 1)
    assert [b.reads(10), b.reads(3)] == [b"a0", b"b0b"]
    assert pipe.rules[-2:] == ["read-packet", "read-packet-cut"]
    assert [b.reads(), b.reads()] == [content(2, 0, PAGE), content(2, PAGE, PAGE + 1)]


def test_every_packet_takes_a_slot() -> None:
    _, a, b, _, _ = shared(slots=2, packets=True, nonblocking=True)
    assert [a.writes(tag, 1) for tag in range(3)] == [1, 1, EAGAIN]
    assert b.reads() == b"a"
    assert a.writes(2, 1) == 1


def test_a_packet_goes_behind_bytes_that_are_none() -> None:
    _, a, b, _, _ = shared()
    a.writes(0, 1)
    a.calls(SetFlags("w", packets=True))
    assert a.writes(1, 1) == 1
    assert b.reads() == b"ab"


def test_nothing_goes_behind_a_packet() -> None:
    _, a, b, _, _ = shared()
    a.calls(SetFlags("w", packets=True))
    a.writes(0, 1)
    a.calls(SetFlags("w"))
    assert a.writes(1, 1) is ASLEEP
    assert b.reads() == b"a"
    assert a.answer == 1


# Lines


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


# Signals and stops


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


# Death


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


# poll(2) and FIONREAD


def test_poll_tells_of_bytes_and_of_free_slots_whatever_room_the_last_page_has() -> None:
    _, a, b, _, _ = shared()
    assert [b.calls(Poll("r")), a.calls(Poll("w"))] == [(), ("POLLOUT",)]
    a.writes(0, 1)
    assert [b.calls(Poll("r")), a.calls(Poll("w"))] == [("POLLIN",), ()]
    assert [a.calls(Unread("w")), b.calls(Unread("r"))] == [1, 1]


def test_poll_tells_of_the_end_of_the_other_side() -> None:
    _, a, b, c, _ = made(PipeSetup(sole="w", keeper=""))
    a.writes(0, 1)
    a.calls(Close("w"))
    assert b.calls(Poll("r")) == ("POLLIN", "POLLHUP")
    b.reads()
    assert c.calls(Poll("r")) == ("POLLHUP",)
    assert c.calls(Poll("w")) == ("POLLNVAL",)
    _, b = broken_pipe("ignored")
    assert b.calls(Poll("w")) == ("POLLOUT", "POLLERR")


def test_after_a_poll_a_write_wakes_a_reader_even_if_there_were_bytes() -> None:
    pipe, a, b, _, keeper = shared()
    assert [a.reads(1), b.reads(1)] == [ASLEEP, ASLEEP]
    keeper.calls(Poll("r"))
    keeper.calls_before_others_go_on(Write(0, 1))
    assert keeper.answer == 1
    keeper.calls_before_others_go_on(Write(1, 1))
    assert [who for who, _ in pipe.state.woken] == [a.who, b.who]


# The wait-for graph, and what the bytes are


def test_a_reader_waits_for_writers() -> None:
    pipe, a, b, _, _ = made(PipeSetup(sole="w", keeper="r"))
    assert pipe.relation.model.partners(pipe.state, b.who, Reading(1)) == frozenset({a.who})


def test_a_writer_waits_for_readers_and_for_writers_that_may_make_the_pipe_larger() -> None:
    pipe, a, b, c, keeper = made(PipeSetup(sole="r", keeper="w"))
    others = frozenset({a.who, c.who, keeper.who})
    assert pipe.relation.model.partners(pipe.state, b.who, Writing(0, 1, 0)) == others


def test_bytes_tell_their_write_and_their_page() -> None:
    assert content(0, 0, 5) == b"a0a1a"
    assert content(1, 3, 6) == b"1b2"
    pages = {content(tag, at * PAGE, (at + 1) * PAGE) for tag in range(4) for at in range(31)}
    assert len(pages) == 4 * 31


# Where the model is right


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
