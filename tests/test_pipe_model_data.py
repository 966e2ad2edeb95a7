"""What the model of the pipe lets in, and how it is read: slots, pages, parts and packets."""

from harness.spec import Errno
from models.pipe import PAGE, Close, PipeSetup, SetFlags, Unread, content
from tests.model_alone import ASLEEP
from tests.pipe_alone import made, shared

EAGAIN = Errno("EAGAIN")


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


# What the bytes are


def test_bytes_tell_their_write_and_their_page() -> None:
    assert content(0, 0, 5) == b"a0a1a"
    assert content(1, 3, 6) == b"1b2"
    pages = {content(tag, at * PAGE, (at + 1) * PAGE) for tag in range(4) for at in range(31)}
    assert len(pages) == 4 * 31
