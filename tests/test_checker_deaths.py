"""What the checker makes of death before, after and inside a call: one behaviour a test."""

import pytest

from harness.spec import Reply
from tests.histories import Story
from tests.small_models import (
    EAGAIN,
    Channel,
    Close,
    Fifo,
    Get,
    Post,
    Put,
    Read,
    Receive,
    Semaphore,
    Send,
    Take,
    Value,
    Write,
)


@pytest.mark.parametrize("reply", [1, EAGAIN])
def test_a_call_that_is_killed_has_taken_effect_or_has_not(reply: Reply) -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Put(1))
    a.is_killed()
    b.does(Get(0), reply)
    story.holds()


def test_a_call_that_is_killed_does_not_take_effect_once_its_process_is_dead() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Put(1))
    a.is_killed()
    b.does(Get(0), EAGAIN)
    b.does(Get(0), 1)
    story.fails("reply")


def test_a_call_that_is_killed_takes_effect_once() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Put(1))
    a.is_killed()
    b.does(Get(0), 1)
    b.does(Get(0), 1)
    story.fails("reply")


@pytest.mark.parametrize("got", [b"", b"ab", b"abcd"])
def test_a_long_call_may_be_killed_part_of_the_way(got: bytes) -> None:
    story = Story(Channel(room=2))
    a, b, _ = story.actors
    a.calls(Write(b"abcd"))
    if got == b"abcd":
        b.does(Read(2), b"ab")
    a.is_killed()
    b.does(Read(2), got[-2:] or b"!")
    story.holds()


def test_a_long_call_is_not_killed_between_its_parts_that_are_one_step() -> None:
    story = Story(Channel(room=2))
    a, b, _ = story.actors
    a.calls(Write(b"abcd"))
    a.is_killed()
    b.does(Read(2), b"a!")
    story.fails("reply")


def test_death_undoes() -> None:
    story = Story(Semaphore(1))
    a, b, _ = story.actors
    a.does(Take())
    a.is_killed()
    b.does(Value(), 1)
    story.holds()


def test_death_undoes_before_the_dead_can_be_reaped() -> None:
    story = Story(Semaphore(1))
    a, b, _ = story.actors
    a.does(Take())
    a.is_killed()
    b.does(Value(), 0)
    story.fails("reply")


@pytest.mark.parametrize("value", [0, 1])
def test_between_the_kill_and_the_reaping_death_may_be_seen_or_not(value: int) -> None:
    story = Story(Semaphore(1))
    a, b, _ = story.actors
    a.does(Take())
    a.is_sent_kill()
    b.does(Value(), value)
    a.is_dead()
    story.holds()


def test_what_death_has_undone_stays_undone() -> None:
    story = Story(Semaphore(1))
    a, b, _ = story.actors
    a.does(Take())
    a.is_sent_kill()
    b.does(Value(), 1)
    b.does(Value(), 0)
    story.fails("reply")


def test_a_call_that_took_effect_and_its_undoing_leave_nothing() -> None:
    story = Story(Semaphore(2))
    a, b, _ = story.actors
    a.calls(Take(2))
    a.is_killed()
    b.does(Value(), 2)
    story.holds()
    assert {state.value for state in story.states()} == {2}


def test_a_death_of_two_steps_is_seen_half_done() -> None:
    story = Story(Channel())
    a, b, c = story.actors
    a.is_sent_kill()
    b.does(Read(1), b"!")
    c.calls(Read(1))
    a.is_dead()
    story.rests(c)
    story.holds()


def test_death_takes_along_what_was_handed_to_the_dead() -> None:
    """Woken, and killed before it runs."""
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive())
    b.calls(Send(1))
    b.returns()
    a.is_killed()
    c.does(Receive(0), EAGAIN)
    story.holds()
    c.does(Receive(0), 1)
    story.fails("reply")


def test_a_woken_call_may_have_ended_before_the_kill_that_follows() -> None:
    for left in (1, EAGAIN):
        story = Story(Fifo())
        a, b, c = story.actors
        a.sleeps_in(Get())
        b.does(Put(1))
        a.is_killed()
        c.does(Get(0), left)
        story.holds()


def test_a_call_may_end_its_process() -> None:
    story = Story(Channel())
    a, b, _ = story.actors
    a.does(Close())
    b.calls(Write(b"a"))
    b.is_dead("SIGPIPE")
    story.holds()


def test_a_call_that_ends_its_process_does_not_return() -> None:
    story = Story(Channel())
    a, b, _ = story.actors
    a.does(Close())
    b.does(Write(b"a"), 1)
    story.fails("reply")


def test_a_process_does_not_die_by_itself() -> None:
    story = Story(Channel())
    _, b, _ = story.actors
    b.calls(Write(b"a"))
    b.is_dead("SIGPIPE")
    verdict = story.fails("death")
    assert verdict.sentence == "B in Write(b'a') was ended by SIGPIPE, which no rule allows"


def test_a_kill_that_hits_a_dying_process_changes_nothing() -> None:
    story = Story(Channel(room=1))
    a, b, c = story.actors
    a.does(Close())
    b.calls(Write(b"a"))
    c.does(Read(1), b"!")
    b.is_killed()
    c.calls(Read(1))
    story.rests(c)
    story.holds()
