"""What must hold of pipes where signals come: SIGPIPE, handlers, stops."""

import pytest

from harness.spec import Errno
from harness.testing import ASLEEP, DIED
from models.pipe import (
    PAGE,
    Close,
    PipeSetup,
    Read,
    SetFlags,
    Sigaction,
    Sigmask,
    Sigtimedwait,
    Unread,
    Write,
)
from properties.pipe import PIPE
from properties.pipe_scenarios import ALL, WRITER, A, B, C
from properties.scenarios import MakeScenario

EAGAIN, EINTR, EPIPE = map(Errno, ("EAGAIN", "EINTR", "EPIPE"))


class TestSigpipe:
    @pytest.mark.parametrize("sigpipe", ["ignored", "blocked"])
    def test_a_write_without_readers_fails_with_epipe(
        self, scenario: MakeScenario, sigpipe: str
    ) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe=sigpipe))
        run.call(A, Close("r"))
        assert run.call(B, Write(0, 1)) == EPIPE
        assert run.call(B, Write(0, 2)) == EPIPE
        assert run.call(B, Sigtimedwait()) == ("SIGPIPE" if sigpipe == "blocked" else EAGAIN)
        assert run.call(B, Sigtimedwait()) == EAGAIN

    def test_sigpipe_ends_a_writer_by_default(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe="default"))
        run.call(A, Close("r"))
        assert run.call(B, Write(0, 1)) is DIED

    def test_a_writer_that_blocks_sigpipe_lives_on(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe="default"))
        run.call(A, Close("r"))
        assert run.call(B, Sigmask(block=True)) is None
        assert run.call(B, Write(0, 1)) == EPIPE
        assert run.call(B, Sigtimedwait()) == "SIGPIPE"
        assert run.call(B, Sigmask(block=False)) is None

    def test_the_last_reader_going_wakes_a_writer(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe="blocked"), actors=3)
        run.call(B, Write(0, PAGE))
        assert run.call(B, Write(1, 1 + PAGE)) is ASLEEP
        assert run.call(C, Write(2, PAGE)) is ASLEEP
        run.kill(A)
        assert (run.answer(B), run.answer(C)) == (EPIPE, EPIPE)
        assert run.call(B, Sigtimedwait()) == "SIGPIPE"

    @pytest.mark.parametrize("sigpipe", ["ignored", "blocked"])
    def test_a_write_that_is_cut_short_returns_its_count_and_sends_sigpipe(
        self, scenario: MakeScenario, sigpipe: str
    ) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe=sigpipe))
        assert run.call(B, Write(0, PAGE + 1)) is ASLEEP
        run.call(A, Close("r"))
        assert run.answer(B) == PAGE
        assert run.call(B, Sigtimedwait()) == ("SIGPIPE" if sigpipe == "blocked" else EAGAIN)

    def test_a_write_that_is_cut_short_ends_its_writer_by_default(
        self, scenario: MakeScenario
    ) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe="default"))
        assert run.call(B, Write(0, PAGE + 1)) is ASLEEP
        run.call(A, Close("r"))
        assert run.dead(B)

    def test_a_pending_sigpipe_ends_the_process_that_unblocks_it(
        self, scenario: MakeScenario
    ) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe="blocked"))
        run.call(A, Close("r"))
        run.call(B, Write(0, 1))
        assert run.call(B, Sigmask(block=False)) is DIED

    def test_ignoring_a_pending_sigpipe_discards_it(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, PipeSetup(sole="r", keeper="", sigpipe="blocked"))
        run.call(A, Close("r"))
        run.call(B, Write(0, 1))
        run.call(B, Sigaction(ignore=True))
        assert run.call(B, Sigtimedwait()) == EAGAIN
        run.call(B, Write(0, 1))
        run.call(B, Sigmask(block=False))
        run.call(B, Sigaction(ignore=False))
        assert not run.dead(B)


class TestSignals:
    def test_a_write_that_moved_nothing_is_interrupted(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL)
        run.call(A, Write(0, PAGE))
        assert run.call(A, Write(1, 1 + PAGE)) is ASLEEP
        run.signal(A)
        assert run.answer(A) == EINTR
        assert run.call(B, Unread()) == PAGE

    @pytest.mark.parametrize("restart", [False, True])
    def test_a_write_that_moved_some_bytes_returns_their_count(
        self, scenario: MakeScenario, restart: bool
    ) -> None:
        run = scenario(PIPE, ALL)
        assert run.call(A, Write(0, PAGE + 1)) is ASLEEP
        run.signal(A, restart=restart)
        assert run.answer(A) == PAGE

    @pytest.mark.parametrize("restart", [False, True])
    def test_o_nonblock_set_meanwhile_counts_before_the_signal(
        self, scenario: MakeScenario, restart: bool
    ) -> None:
        run = scenario(PIPE, ALL)
        run.call(A, Write(0, PAGE))
        assert run.call(A, Write(1, 1 + PAGE)) is ASLEEP
        run.call(B, SetFlags("w", nonblocking=True))
        run.signal(A, restart=restart)
        assert run.answer(A) == EAGAIN

    def test_with_sa_restart_a_reader_takes_a_new_place_in_line(
        self, scenario: MakeScenario
    ) -> None:
        run = scenario(PIPE, ALL, actors=3)
        assert run.call(A, Read(1)) is ASLEEP
        assert run.call(B, Read(1)) is ASLEEP
        run.signal(A, restart=True)
        run.call(C, Write(0, 1))
        assert run.answer(B) == b"a"
        assert run.asleep(A)

    def test_a_stopped_reader_takes_nothing_and_reads_on(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, ALL, actors=3)
        assert run.call(A, Read(1)) is ASLEEP
        run.stop(A)
        run.call(B, Write(0, 1))
        assert run.call(C, Read(1)) == b"a"
        run.resume(A)
        assert run.asleep(A)
        run.call(B, Write(1, 1))
        assert run.answer(A) == b"b"

    def test_a_stopped_process_keeps_its_end_open(self, scenario: MakeScenario) -> None:
        run = scenario(PIPE, WRITER)
        assert run.call(B, Read(1)) is ASLEEP
        run.stop(A)
        assert run.asleep(B)
        run.kill(A)
        assert run.answer(B) == b""
