"""What the checker makes of signals and stops: one behaviour a test."""

import pytest

from harness.spec import Reply
from harness.verdict import Outcome
from tests.histories import Story
from tests.small_models import (
    EAGAIN,
    EINTR,
    ETIMEDOUT,
    Channel,
    Count,
    Fifo,
    Get,
    Give,
    Post,
    Put,
    Read,
    Receive,
    Semaphore,
    Send,
    Take,
    Write,
)

# Signals.


def test_a_handler_interrupts_a_sleeper() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.is_signalled()
    a.wakes(EINTR)
    story.holds()


def test_nothing_else_interrupts_a_sleeper() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.wakes(EINTR)
    story.fails("reply")


def test_an_interrupted_sleeper_does_not_sleep_on() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.is_signalled()
    story.rests()
    verdict = story.fails("sleep")
    assert verdict.sentence == "A: Get() sleeps, where the model has it return EINTR"


def test_a_handler_that_restarts_lets_a_sleeper_sleep_on() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    a.is_signalled(restart=True)
    story.rests()
    b.does(Put(1))
    a.wakes(1)
    story.holds()


def test_a_handler_that_restarts_does_not_interrupt() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.is_signalled(restart=True)
    a.wakes(EINTR)
    story.fails("reply")


def test_a_call_that_is_never_restarted_is_interrupted_by_any_handler() -> None:
    story = Story(Semaphore(0))
    a, _, _ = story.actors
    a.sleeps_in(Take())
    a.is_signalled(restart=True)
    a.wakes(EINTR)
    story.holds()


def test_the_second_signal_interrupts_what_the_first_restarted() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.is_signalled(restart=True)
    a.is_signalled(restart=False)
    a.wakes(EINTR)
    story.holds()


@pytest.mark.parametrize("reply", [1, EINTR])
def test_an_item_and_a_signal_race(reply: Reply) -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.sleeps_in(Get())
    b.calls(Put(1))
    a.is_signalled()
    a.wakes(reply)
    b.returns()
    c.does(Get(0), EAGAIN if reply == 1 else 1)
    story.holds()


def test_an_item_that_was_there_before_the_signal_is_taken() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Get())
    b.does(Put(1))
    a.is_signalled()
    a.returns(EINTR)
    story.fails("reply")


@pytest.mark.parametrize("reply", [ETIMEDOUT, EINTR])
def test_a_time_out_and_a_signal_race(reply: Reply) -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0.01))
    story.passes(0.01)
    a.is_signalled()
    a.wakes(reply)
    story.holds()


def test_an_interrupted_sleeper_leaves_the_line() -> None:
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive())
    b.sleeps_in(Receive())
    a.is_signalled()
    a.wakes(EINTR)
    c.does(Count(), 1)
    c.does(Send(1))
    b.wakes(1)
    story.holds()


def test_a_sleeper_was_in_line_until_the_signal_came() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.calls(Receive())
    b.calls(Count())
    a.is_signalled()
    a.returns(EINTR)
    b.returns(1)
    story.holds()


@pytest.mark.parametrize(("restart", "first"), [(True, "b"), (False, "a")])
def test_whoever_starts_again_is_the_last_in_line(restart: bool, first: str) -> None:
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive())
    b.sleeps_in(Receive())
    if restart:
        a.is_signalled(restart=True)
        story.rests()
    c.does(Send(1))
    {"a": a, "b": b}[first].wakes(1)
    story.rests()
    story.holds()


def test_a_long_call_returns_how_far_it_has_come_when_interrupted() -> None:
    story = Story(Channel(room=2))
    a, _, _ = story.actors
    a.sleeps_in(Write(b"abc"))
    a.is_signalled()
    a.wakes(2)
    story.holds()


def test_a_long_call_that_has_begun_is_not_restarted() -> None:
    story = Story(Channel(room=2))
    a, b, _ = story.actors
    a.sleeps_in(Write(b"abc"))
    a.is_signalled(restart=True)
    a.wakes(2)
    b.does(Read(3), b"ab")
    story.holds()


# Stops.


def test_a_stopped_sleeper_takes_nothing() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.sleeps_in(Get())
    a.is_stopped()
    b.does(Put(1))
    c.does(Get(0), 1)
    story.holds()
    c.does(Get(0), 1)
    story.fails("reply")


def test_what_a_stopped_sleeper_could_have_taken_is_still_there() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.sleeps_in(Get())
    a.is_stopped()
    b.does(Put(1))
    c.does(Get(0), EAGAIN)
    story.fails("reply")


def test_a_stopped_sleeper_need_not_be_asleep() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    a.is_stopped()
    b.sleeps_in(Get())
    story.holds()


def test_a_stopped_process_is_not_asleep_in_a_call() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.is_stopped()
    story.rests(a)
    story.fails("sleep")


def test_a_continued_call_starts_again() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    a.is_stopped()
    b.does(Put(1))
    a.is_continued()
    a.wakes(1)
    story.holds()


def test_a_continued_call_is_not_interrupted_where_it_starts_again() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.is_stopped()
    a.is_continued()
    a.wakes(EINTR)
    story.fails("reply")


def test_a_continued_call_may_end_with_what_its_stop_gave_it() -> None:
    story = Story(Semaphore(0))
    a, b, _ = story.actors
    a.sleeps_in(Take())
    a.is_stopped()
    b.does(Give())
    a.is_continued()
    a.wakes(EINTR)
    story.holds()


def test_a_call_that_its_stop_has_ended_does_not_start_again() -> None:
    story = Story(Semaphore(0))
    a, b, _ = story.actors
    a.sleeps_in(Take())
    a.is_stopped()
    b.does(Give())
    a.is_continued()
    a.wakes()
    story.fails("reply")


def test_a_stopped_sleeper_loses_its_place_in_line() -> None:
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive())
    b.sleeps_in(Receive())
    a.is_stopped()
    c.does(Count(), 1)
    a.is_continued()
    story.rests(a, b)
    c.does(Count(), 2)
    c.does(Send(1))
    b.wakes(1)
    story.holds()


def test_a_stop_may_find_a_call_that_was_just_woken() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.sleeps_in(Receive())
    b.does(Send(1))
    a.is_stopped()
    a.is_continued()
    a.wakes(1)
    story.holds()


@pytest.mark.parametrize("reply", [EAGAIN, EINTR])
def test_a_time_out_and_a_stop_race(reply: Reply) -> None:
    story = Story(Semaphore(0))
    a, _, _ = story.actors
    a.sleeps_in(Take(1, 0.01))
    story.passes(0.01)
    a.is_stopped()
    a.is_continued()
    a.wakes(reply)
    story.holds()


def test_time_goes_on_while_a_call_is_stopped() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0.01))
    a.is_stopped()
    story.passes(0.02)
    a.is_continued()
    a.wakes(ETIMEDOUT)
    story.holds()


def test_an_idle_process_that_is_stopped_can_be_continued() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.is_stopped()
    a.is_continued()
    a.does(Put(1))
    story.holds()


def test_a_stopped_sleeper_can_be_killed() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.sleeps_in(Receive())
    a.is_stopped()
    a.is_killed()
    b.does(Count(), 0)
    b.does(Send(1))
    b.does(Receive(), 1)
    assert story.holds().outcome is Outcome.HELD
