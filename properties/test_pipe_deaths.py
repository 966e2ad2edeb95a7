"""What must hold of pipes whose readers and writers are killed."""

from harness.spec import Errno
from harness.testing import ASLEEP
from models.pipe import PAGE, PipeSetup, Read, Unread, Write, content
from properties.pipe import EVERYTHING, PIPE
from properties.pipe_scenarios import (
    ALL,
    READER,
    A,
    B,
    C,
    D,
    bytes_left_by_the_dying,
    bytes_lost_with_the_dying,
)
from properties.scenarios import MakeScenario

EPIPE = Errno("EPIPE")


def test_the_death_of_the_only_reader_breaks_the_pipe(scenario: MakeScenario) -> None:
    run = scenario(PIPE, READER)
    run.kill(A)
    assert run.call(B, Write(0, 1)) == EPIPE


def test_a_killed_reader_takes_nothing(scenario: MakeScenario) -> None:
    run = scenario(PIPE, ALL, actors=3)
    assert run.call(A, Read(10)) is ASLEEP
    run.kill(A)
    run.call(B, Write(0, 1))
    assert run.call(C, Read(10)) == b"a"


def test_a_writer_killed_in_a_large_write_leaves_its_beginning(scenario: MakeScenario) -> None:
    run = scenario(PIPE, PipeSetup(slots=2, sole="w"))
    assert run.call(A, Write(0, 3 * PAGE)) is ASLEEP
    run.kill(A)
    assert run.call(B, Read(EVERYTHING)) == content(0, 0, 2 * PAGE)
    assert run.call(B, Read(1)) == b""


def test_a_writer_killed_in_a_small_write_leaves_nothing(scenario: MakeScenario) -> None:
    run = scenario(PIPE, PipeSetup(sole="w"))
    run.call(A, Write(0, PAGE))
    assert run.call(A, Write(1, PAGE)) is ASLEEP
    run.kill(A)
    assert run.call(B, Read(EVERYTHING)) == content(0, 0, PAGE)
    assert run.call(B, Read(1)) == b""


def test_a_writer_woken_and_then_killed_still_completes_its_write(scenario: MakeScenario) -> None:
    run = scenario(PIPE, ALL)
    run.call(B, Write(0, PAGE))
    assert run.call(A, Write(1, 3)) is ASLEEP
    assert run.call_then_kill(B, Read(PAGE), A) == content(0, 0, PAGE)
    assert run.call(B, Read(EVERYTHING)) == b"b0b"


def test_a_reader_woken_and_then_killed_takes_the_bytes_with_it(scenario: MakeScenario) -> None:
    run = scenario(PIPE, ALL)
    assert run.call(A, Read(2)) is ASLEEP
    assert run.call_then_kill(B, Write(0, 3), A) == 3
    assert run.call(B, Read(10)) == b"a"


def test_a_dying_reader_that_nobody_woke_takes_what_it_finds(scenario: MakeScenario) -> None:
    with bytes_lost_with_the_dying(scenario) as run:
        assert run.asleep(A)
        assert run.call(D, Unread()) == 0


def test_a_dying_writer_that_nobody_woke_uses_the_room_that_it_finds(
    scenario: MakeScenario,
) -> None:
    with bytes_left_by_the_dying(scenario) as run:
        assert run.asleep(A)
        assert run.call(D, Read(EVERYTHING)) == b"c0c"
        assert run.answer(A) == PAGE
