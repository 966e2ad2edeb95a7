"""What must hold of pipes: random programs, and literal examples of how bytes get through."""

from pathlib import Path

from harness.spec import Errno
from harness.testing import ASLEEP, Unsupported, conformance
from models.pipe import (
    PAGE,
    Close,
    GetSize,
    PipeSetup,
    Poll,
    Read,
    SetFlags,
    SetSize,
    Unread,
    Write,
    content,
)
from properties.kernel.children import is_above_limits
from properties.pipe import EVERYTHING, PIPE
from properties.pipe_scenarios import ALL, READER, WRITER, A, B, C, D, bytes_lost_with_the_dying
from properties.scenarios import InSandbox, MakeScenario

EAGAIN, EBADF, EBUSY, EPERM = map(Errno, ("EAGAIN", "EBADF", "EBUSY", "EPERM"))

test_pipe_follows_its_model = conformance(PIPE)


class TestEnds:
    def test_closing_the_last_writer_wakes_all_readers(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, WRITER, actors=4)
        assert [run.call(who, Read(10)) for who in (B, C, D)] == [ASLEEP] * 3
        assert run.call(A, Close("w")) is None
        assert [run.answer(who) for who in (B, C, D)] == [b""] * 3

    def test_buffered_bytes_outlive_the_last_writer(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, WRITER)
        run.call(A, Write(0, 3))
        run.call(A, Close("w"))
        assert run.call(B, Read(10)) == b"a0a"
        assert run.call(B, Read(10)) == b""
        run.call(B, SetFlags("r", nonblocking=True))
        assert run.call(B, Read(10)) == b""

    def test_the_wrong_end_or_a_closed_one_fails_with_ebadf(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL)
        assert run.call(A, Read(1, "w")) == EBADF
        assert run.call(A, Write(0, 1, "r")) == EBADF
        run.call(A, Close("w"))
        assert run.call(A, Write(0, 0)) == EBADF
        assert run.call(A, Close("w")) == EBADF
        assert run.call(B, Write(0, 1)) == 1

    def test_o_nonblock_belongs_to_the_shared_description(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL)
        run.call(A, SetFlags("r", nonblocking=True))
        assert run.call(B, Read(1)) == EAGAIN
        run.call(B, SetFlags("r"))
        assert run.call(A, Read(1)) is ASLEEP

    def test_calls_of_zero_bytes_return_at_once(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, READER)
        assert run.call(A, Read(0)) == b""
        assert run.call(B, Write(0, PAGE)) == PAGE
        assert run.call(B, Write(1, 0)) == 0
        assert run.call(A, Unread()) == PAGE
        run.call(A, Close("r"))
        assert run.call(B, Write(1, 0)) == 0


class TestRoom:
    def test_a_small_non_blocking_write_is_all_or_nothing(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(slots=2, nonblocking=True, keeper="rw"))
        assert run.call(A, Write(0, PAGE)) == PAGE
        assert run.call(A, Write(1, 1)) == 1
        assert run.call(A, Write(2, PAGE)) == EAGAIN
        assert run.call(A, Unread()) == PAGE + 1
        assert run.call(A, Write(3, PAGE - 1)) == PAGE - 1

    def test_a_large_non_blocking_write_may_be_partial(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(slots=2, nonblocking=True, keeper="rw"))
        assert run.call(A, Write(0, 3 * PAGE)) == 2 * PAGE
        assert run.call(A, Write(1, 3 * PAGE)) == EAGAIN
        assert run.call(B, Read(EVERYTHING)) == content(0, 0, 2 * PAGE)

    def test_a_slot_is_freed_only_by_its_last_byte(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(slots=2, nonblocking=True, keeper="rw"))
        run.call(A, Write(0, 2 * PAGE))
        run.call(B, Read(1))
        assert run.call(A, Write(1, 1)) == EAGAIN
        assert run.call(A, Poll("w")) == ()
        run.call(B, Read(PAGE - 1))
        assert run.call(A, Poll("w")) == ("POLLOUT",)
        assert run.call(A, Write(1, 1)) == 1

    def test_a_write_succeeds_where_poll_reports_no_room(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(nonblocking=True, keeper="rw"))
        run.call(A, Write(0, 1))
        assert run.call(A, Poll("w")) == ()
        assert run.call(A, Write(1, 1)) == 1

    def test_what_exceeds_whole_pages_goes_first(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(nonblocking=True, keeper="rw"))
        run.call(A, Write(0, 1))
        assert run.call(A, Write(1, PAGE + 2)) == 2
        assert run.call(B, Read(EVERYTHING)) == b"ab0"

    def test_a_smaller_pipe_keeps_its_bytes_and_a_larger_one_is_rounded_up(
        self, scenario: MakeScenario
    ) -> None:
        run = scenario(PIPE, PipeSetup(slots=4, nonblocking=True, keeper="rw"))
        run.call(A, Write(0, 3 * PAGE))
        assert run.call(A, SetSize(2 * PAGE)) == EBUSY
        for number in range(2):
            run.call(B, Read(PAGE - 1))
            assert run.call(A, SetSize(PAGE)) == EBUSY
            run.call(B, Read(1))
            assert run.call(A, SetSize(2 * PAGE)) == 2 * PAGE, number
        assert run.call(A, SetSize(0)) == PAGE
        assert run.call(B, GetSize("r")) == PAGE
        assert run.call(B, Read(EVERYTHING)) == content(0, 2 * PAGE, 3 * PAGE)
        assert run.call(A, SetSize(2 * PAGE + 1)) == 4 * PAGE
        assert run.call(A, SetSize((1 << 31) + 1)) == Errno("EINVAL")

    def test_a_pipe_is_not_shrunk_below_its_slots_in_use_however_few_bytes_they_hold(
        self, scenario: MakeScenario
    ) -> None:
        run = scenario(PIPE, PipeSetup(slots=4, packets=True, keeper="rw"))
        assert [run.call(A, Write(number, 1)) for number in range(3)] == [1] * 3
        assert run.call(A, SetSize(2 * PAGE)) == EBUSY
        assert run.call(A, GetSize()) == 4 * PAGE
        assert run.call(B, Unread()) == 3

    def test_growing_beyond_the_maximum_needs_a_capability(
        self, scenario: MakeScenario, in_sandbox: InSandbox
    ) -> None:
        if in_sandbox(is_above_limits):
            raise Unsupported(
                "CAP_SYS_RESOURCE lifts fs.pipe-max-size; run without it, or with namespaces"
            )
        most = int(Path("/proc/sys/fs/pipe-max-size").read_text())
        run = scenario(PIPE, ALL)
        assert run.call(A, SetSize(2 * most)) == EPERM
        assert run.call(A, GetSize()) == PAGE

    def test_a_larger_pipe_lets_a_sleeping_writer_go_on(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL)
        assert run.call(A, Write(0, 2 * PAGE)) is ASLEEP
        assert run.call(B, SetSize(2 * PAGE)) == 2 * PAGE
        assert run.answer(A) == 2 * PAGE


class TestOrder:
    def test_readers_are_woken_in_the_order_in_which_they_fell_asleep(
        self, scenario: MakeScenario
    ) -> None:
        run = scenario(PIPE, ALL, actors=4)
        for who in (C, A, B):
            assert run.call(who, Read(2)) is ASLEEP
        run.call(D, Write(0, 3))
        assert (run.answer(C), run.answer(A), run.asleep(B)) == (b"a0", b"a", True)

    def test_a_reader_that_was_woken_in_vain_goes_to_the_end_of_the_line(
        self, scenario: MakeScenario
    ) -> None:
        with bytes_lost_with_the_dying(scenario) as run:
            assert run.call(D, Write(1, 1)) == 1
            assert run.answer(C) == b"b"
            assert run.asleep(A)

    def test_a_writer_that_was_woken_in_vain_goes_to_the_end_of_the_line(
        self, scenario: MakeScenario
    ) -> None:
        run = scenario(PIPE, ALL, actors=3)
        run.call(C, Write(0, PAGE))
        assert run.call(A, Write(1, PAGE)) is ASLEEP
        assert run.call(B, Write(2, PAGE)) is ASLEEP
        run.call(C, SetSize(PAGE))
        assert run.call(C, Read(PAGE)) == content(0, 0, PAGE)
        assert run.answer(B) == PAGE
        assert run.asleep(A)

    def test_large_writes_interleave_page_by_page(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL, actors=3)
        assert run.call(A, Write(0, 2 * PAGE + 1)) is ASLEEP
        assert run.call(B, Write(1, 2 * PAGE)) is ASLEEP
        read = [run.call(C, Read(PAGE)) for _ in range(5)]
        assert [bytes(data[:1]) for data in read if isinstance(data, bytes)] == [
            *(b"a", b"a", b"b", b"a", b"b")
        ]
        assert (run.answer(A), run.answer(B)) == (2 * PAGE + 1, 2 * PAGE)

    def test_small_writes_overtake_a_sleeping_large_one(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL, actors=3)
        run.call(A, Write(0, 1))
        assert run.call(B, Write(1, PAGE)) is ASLEEP
        assert run.call(C, Write(2, 1)) == 1
        assert run.asleep(B)
        assert run.call(C, Read(2)) == b"ac"
        assert run.answer(B) == PAGE


class TestPackets:
    def test_a_read_returns_one_packet_and_loses_its_tail(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(slots=4, packets=True, keeper="rw"))
        run.call(A, Write(0, 2))
        run.call(A, Write(1, 5))
        run.call(A, Write(2, PAGE + 1))
        assert run.call(B, Read(10)) == b"a0"
        assert run.call(B, Read(3)) == b"b0b"
        assert run.call(B, Read(EVERYTHING)) == content(2, 0, PAGE)
        assert run.call(B, Read(EVERYTHING)) == content(2, PAGE, PAGE + 1)

    def test_every_packet_takes_a_slot(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(slots=16, packets=True, nonblocking=True, keeper="rw"))
        assert [run.call(A, Write(number, 1)) for number in range(16)] == [1] * 16
        assert run.call(A, Write(16, 1)) == EAGAIN
        assert run.call(B, Read(10)) == b"a"
        assert run.call(A, Write(17, 0)) == 0
        assert run.call(A, Write(17, 1)) == 1

    def test_a_packet_is_put_behind_bytes_that_are_none(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL)
        run.call(A, Write(0, 1))
        run.call(A, SetFlags("w", packets=True))
        run.call(A, Write(1, 1))
        assert run.call(B, Read(10)) == b"ab"


class TestPoll:
    def test_the_read_end_hangs_up_with_the_last_writer(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, WRITER)
        run.call(A, Write(0, 1))
        run.call(A, Close("w"))
        assert run.call(B, Poll("r")) == ("POLLIN", "POLLHUP")
        assert run.call(B, Unread("r")) == 1
        run.call(B, Read(1))
        assert run.call(B, Poll("r")) == ("POLLHUP",)

    def test_the_write_end_is_in_error_without_readers(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, READER)
        run.call(A, Close("r"))
        assert run.call(B, Poll("w")) == ("POLLOUT", "POLLERR")
        assert run.call(B, Poll("r")) == ("POLLNVAL",)

    def test_a_full_pipe_without_readers_is_only_in_error(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, READER)
        run.call(B, Write(0, PAGE))
        run.call(A, Close("r"))
        assert run.call(B, Poll("w")) == ("POLLERR",)
        assert run.call(B, Unread("w")) == PAGE
