"""What one end of the model's pipe notices of the other: its closing, SIGPIPE, poll(2)."""

import pytest

from harness.spec import Errno
from models.pipe import (
    PAGE,
    Close,
    PipeSetup,
    Poll,
    Read,
    SetFlags,
    Sigaction,
    Sigmask,
    Sigtimedwait,
    Unread,
    Write,
)
from tests.model_alone import ASLEEP
from tests.pipe_alone import broken_pipe, made, shared

EAGAIN, EBADF, EPIPE = map(Errno, ("EAGAIN", "EBADF", "EPIPE"))


# Closing


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
