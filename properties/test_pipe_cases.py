"""What must hold of pipes beyond one pipe among a few processes: default capacity, exec, users,
limits, threads, and every way in which a process ends."""

import os

import pytest

from models.pipe import PAGE
from properties.kernel import pipe_cases, pipe_deaths
from properties.scenarios import InSandbox


@pytest.mark.parametrize(
    ("size", "writes", "of_the_next"),
    [
        pytest.param(PAGE, 16, 0, id="16 pages"),
        pytest.param(1, 65536, 0, id="single bytes are merged"),
        pytest.param(PAGE - 1, 16, 0, id="4095 bytes take a slot each"),
        pytest.param(PAGE // 2 + 1, 16, 0, id="2049 bytes waste nearly half of each slot"),
        pytest.param(PAGE + 1, 10, PAGE, id="4097 bytes take two slots and one in turn"),
    ],
)
def test_a_new_pipe_takes(in_sandbox: InSandbox, size: int, writes: int, of_the_next: int) -> None:
    assert in_sandbox(pipe_cases.fill, size) == (writes, of_the_next)


def test_sizes_are_rounded_up_to_a_power_of_two_of_pages(in_sandbox: InSandbox) -> None:
    asked = [0, 1, PAGE, PAGE + 1, 3 * PAGE, (1 << 31) + 1]
    assert in_sandbox(pipe_cases.sizes, asked) == [PAGE, PAGE, PAGE, 2 * PAGE, 4 * PAGE, "EINVAL"]


def test_a_user_beyond_its_share_of_pages_gets_pipes_of_two_slots(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_cases.exceed_the_users_share) == {
        "first": 16 * PAGE,
        "beyond": 2 * PAGE,
        "growing": "EPERM",
    }


@pytest.mark.parametrize("size", [10, PAGE // 2 + 1, PAGE])
def test_parallel_writes_up_to_pipe_buf_are_never_torn(in_sandbox: InSandbox, size: int) -> None:
    assert in_sandbox(pipe_cases.write_in_parallel, size, 200) == 0


def test_nothing_is_reserved_for_a_writer_that_was_woken(in_sandbox: InSandbox) -> None:
    found = in_sandbox(pipe_cases.take_the_room_of_a_woken_writer)
    assert found == ("S", "c", "b")


@pytest.mark.parametrize(("flags", "found"), [(os.O_CLOEXEC, "end of file"), (0, "nothing")])
def test_o_cloexec_closes_an_end_when_a_program_begins(
    in_sandbox: InSandbox, flags: int, found: str
) -> None:
    assert in_sandbox(pipe_cases.run_a_program, flags) == found


def test_an_end_opened_through_proc_is_another_reader_with_its_own_flags(
    in_sandbox: InSandbox,
) -> None:
    assert in_sandbox(pipe_cases.reopen) == {
        "own flags": True,
        "read": "still read",
        "then": "EPIPE",
    }


def test_pipes_cannot_seek(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_cases.seek) == {"ESPIPE"}


@pytest.mark.parametrize("room", [0, 1])
def test_pipe_at_the_descriptor_limit_fails_and_leaks_nothing(
    in_sandbox: InSandbox, room: int
) -> None:
    assert in_sandbox(pipe_cases.make_at_the_descriptor_limit, room) == ("EMFILE", True)


def test_pipe2_refuses_unknown_flags(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_cases.make_with_unknown_flag) == "EINVAL"


def test_only_pipes_have_a_pipe_size(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_cases.ask_the_size_of_a_file) == {"EBADF"}


def test_tee_copies_and_splice_moves(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_cases.tee_and_splice) == {"teed": "ab", "spliced": "ab", "left": "c"}


def test_a_zombie_holds_no_end(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_deaths.kill_writers, 100) == {("Z", "end of file")}


@pytest.mark.parametrize("last", ["killed", "exits"])
def test_ends_stay_until_the_last_thread_has_ended(in_sandbox: InSandbox, last: str) -> None:
    assert in_sandbox(pipe_deaths.end_threads, last) == {"first": "nothing", "last": "end of file"}


def test_an_orphan_gets_a_new_parent_and_keeps_its_pipe(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_deaths.orphan) == {
        "adopted": True,
        "untouched": "nothing",
        "told": "still written",
        "last": "end of file",
    }


def test_all_of_a_pid_namespace_dies_with_its_first_process(in_sandbox: InSandbox) -> None:
    found = in_sandbox(pipe_deaths.kill_the_first_process_of_a_namespace)
    assert found == "end of file"


def test_the_kernel_itself_kills_with_the_same_effect(in_sandbox: InSandbox) -> None:
    assert in_sandbox(pipe_deaths.use_up_the_processor_limit) == ("SIGXCPU", "end of file")
