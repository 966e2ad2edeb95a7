"""What the checker makes of time-outs: one behaviour a test."""

from harness.check.search import OVERDUE
from tests.histories import Story
from tests.small_models import (
    ETIMEDOUT,
    Count,
    Fifo,
    Get,
    Post,
    Put,
    Receive,
    Send,
)


def test_a_call_times_out_when_its_time_is_up() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0.01))
    story.passes(0.01)
    a.wakes(ETIMEDOUT)
    story.holds()


def test_a_call_does_not_time_out_early() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0.01))
    story.passes(0.005)
    a.wakes(ETIMEDOUT)
    verdict = story.fails("time-out")
    assert verdict.sentence == "A: Get(0.01) returned ETIMEDOUT before its time was up"
    assert verdict.allowed == ("A: Get(0.01) sleeps",)


def test_time_counts_from_when_the_caller_itself_began() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.calls(Get(0.01))
    began = story.passes(0.005)
    story.passes(0.006)
    a.returns(ETIMEDOUT, began)
    story.fails("time-out")


def test_clocks_may_differ_a_little() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.calls(Get(0.01))
    began = story.passes(0.0005)
    story.passes(0.0096)
    a.returns(ETIMEDOUT, began)
    story.holds()


def test_a_call_that_could_go_on_all_the_while_does_not_time_out() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    b.does(Put(1))
    a.calls(Get(0.01))
    story.passes(0.02)
    a.returns(ETIMEDOUT)
    story.fails("reply")


def test_a_call_that_could_go_on_for_a_while_only_may_time_out() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.calls(Get(0.01))
    b.does(Put(1))
    c.does(Get(), 1)
    story.passes(0.02)
    a.returns(ETIMEDOUT)
    story.holds()


def test_a_time_out_may_come_before_the_return_of_another_that_it_explains() -> None:
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive(0.01))
    b.sleeps_in(Receive())
    story.passes(0.02)
    c.does(Count(), 1)
    c.does(Send(1))
    b.wakes(1)
    a.wakes(ETIMEDOUT)
    story.holds()


def test_a_time_out_explains_nothing_before_it_is_due() -> None:
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive(0.01))
    b.sleeps_in(Receive())
    c.does(Send(1))
    b.wakes(1)
    story.fails("reply")


def test_whoever_times_out_leaves_the_line() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.sleeps_in(Receive(0.01))
    story.passes(0.01)
    a.wakes(ETIMEDOUT)
    b.does(Count(), 1)
    story.fails("reply")


def test_what_was_handed_over_in_time_is_received() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.sleeps_in(Receive(0.01))
    b.does(Send(1))
    story.passes(0.02)
    a.wakes(ETIMEDOUT)
    story.fails("reply")


def test_a_sleeper_may_oversleep_a_little() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0.01))
    story.passes(1)
    story.rests()
    story.holds()


def test_a_sleeper_whose_time_was_up_long_ago_was_forgotten() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0.01))
    story.passes(0.01 + OVERDUE / 1e9)
    story.rests()
    verdict = story.fails("time-out")
    assert verdict.sentence == "A: Get(0.01) sleeps on though its time was up"


def test_a_call_killed_when_its_time_was_up_leaves_the_line() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.sleeps_in(Receive(0.01))
    story.passes(0.02)
    a.is_killed()
    b.does(Count(), 0)
    story.holds()
