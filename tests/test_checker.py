"""What the checker makes of returns, pending calls and sleep: one behaviour a test."""

from harness.verdict import Outcome
from tests.histories import Story
from tests.small_models import (
    EAGAIN,
    EPERM,
    ETIMEDOUT,
    Acquire,
    Bag,
    Channel,
    Count,
    Fifo,
    Get,
    Give,
    Locks,
    Post,
    Put,
    Read,
    Receive,
    Release,
    Semaphore,
    Send,
    Take,
    Write,
)

# Returns.


def test_a_call_takes_effect_before_it_returns() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.does(Put(1))
    b.does(Get(), 1)
    story.holds()


def test_a_call_takes_effect_after_it_is_made() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    b.calls(Get())
    b.returns(1)
    a.calls(Put(1))
    assert story.judged().event == 1


def test_calls_that_follow_each_other_take_effect_in_their_order() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.does(Put(1))
    a.does(Put(2))
    b.does(Get(), 2)
    story.fails("reply")


def test_calls_that_overlap_take_effect_in_either_order() -> None:
    for first in (1, 2):
        story = Story(Fifo())
        a, b, c = story.actors
        a.calls(Put(1))
        b.calls(Put(2))
        a.returns()
        b.returns()
        c.does(Get(), first)
        c.does(Get(), 3 - first)
        story.holds()


def test_a_call_can_take_effect_long_before_it_returns() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.calls(Put(1))
    b.does(Get(), 1)
    c.does(Get(0), EAGAIN)
    a.returns()
    story.holds()


def test_a_reply_may_need_several_others_first() -> None:
    story = Story(Fifo(1))
    a, b, c = story.actors
    a.calls(Put(1))
    b.calls(Get())
    c.does(Put(2))
    story.rests(held=0)
    assert story.judged().outcome is Outcome.UNDECIDED
    story.events.pop()
    a.returns()
    b.returns(1)
    story.holds()


def test_where_the_specification_is_free_every_choice_holds() -> None:
    for first in (1, 2):
        story = Story(Bag())
        a, b, _ = story.actors
        a.does(Put(1))
        a.does(Put(2))
        b.does(Get(), first)
        story.holds()
        b.does(Get(), first)
        story.fails("reply")


def test_an_error_that_a_rule_gives_is_a_reply() -> None:
    story = Story(Locks())
    a, b, _ = story.actors
    a.does(Acquire())
    b.does(Release(), EPERM)
    story.holds()
    a.does(Release(), EPERM)
    story.fails("reply")


def test_a_call_that_does_not_wait_fails_only_where_it_would_wait() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.does(Get(0), EAGAIN)
    b.does(Put(1))
    story.holds()
    a.does(Get(0), EAGAIN)
    story.fails("reply")


def test_the_keeper_is_a_process_like_any_other() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    story.keeper.does(Put(1))
    a.does(Get(), 1)
    story.keeper.does(Get(0), EAGAIN)
    story.holds()


def test_a_long_call_takes_effect_bit_by_bit() -> None:
    story = Story(Channel(room=2))
    a, b, _ = story.actors
    a.calls(Write(b"abc"))
    b.does(Read(3), b"ab")
    b.does(Read(3), b"c")
    a.returns(3)
    story.holds()


def test_a_long_call_does_not_return_before_its_last_bit() -> None:
    story = Story(Channel(room=2))
    a, _, _ = story.actors
    a.does(Write(b"abc"), 3)
    story.fails("reply")


def test_a_history_without_clocks_is_judged_all_the_same() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    story.passes = lambda seconds=0: 0  # type: ignore[method-assign]
    a.does(Put(1))
    a.does(Get(), 1)
    a.does(Get(0), EAGAIN)
    story.holds()


# Pending at the end.


def test_a_call_without_a_return_may_have_taken_effect() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Put(1))
    b.does(Get(), 1)
    story.holds()


def test_a_call_without_a_return_may_not_have_taken_effect() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Put(1))
    b.does(Get(0), EAGAIN)
    story.holds()


# Sleep.


def test_a_call_without_a_move_sleeps() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    story.holds()


def test_a_sleeper_that_can_go_on_must() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    b.does(Put(1))
    story.rests()
    verdict = story.fails("lost wake-up")
    assert verdict.sentence == 'A: Get() is still asleep, though by rule "get" it can go on'
    assert verdict.allowed == ("A: Get() returns 1",)


def test_a_sleep_seen_for_a_moment_only_decides_nothing() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    b.does(Put(1))
    story.rests(held=0)
    assert story.judged().outcome is Outcome.UNDECIDED


def test_an_undecided_sleep_is_explained_by_what_comes_next() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    b.does(Put(1))
    checker = story.checker()
    assert checker.feed(story.events) is None
    story.events.clear()
    story.rests(held=0)
    a.wakes(1)
    story.rests(held=0)
    undecided = checker.feed(story.events)
    assert undecided is not None
    assert undecided.outcome is Outcome.UNDECIDED
    assert checker.feed([]) is None
    assert checker.verdict().outcome is Outcome.HELD
    assert checker.rejected is None


def test_after_an_undecided_sleep_the_story_goes_on() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    checker = story.checker()
    a.calls(Get())
    c.calls(Get(0))
    b.does(Put(1))
    c.returns(1)
    b.does(Put(2))
    story.rests(a, held=0)
    undecided = checker.feed(story.events)
    assert undecided is not None
    assert undecided.sentence.startswith("A: Get() is still asleep")
    story.events.clear()
    a.returns(2)
    a.does(Put(3))
    a.does(Put(4))
    b.does(Get(), 3)
    c.does(Get(), 4)
    story.rests()
    assert checker.feed(story.events) is None
    a.does(Get(), 4)
    verdict = checker.feed(story.events[-2:])
    assert verdict is not None
    assert verdict.sentence == "A: Get() returned 4, where the model allows only sleep"


def test_of_two_that_could_go_on_one_item_wakes_one() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.sleeps_in(Get())
    b.sleeps_in(Get())
    c.does(Put(1))
    b.wakes(1)
    story.rests()
    story.holds()


def test_the_first_in_line_is_woken_first() -> None:
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive())
    b.sleeps_in(Receive())
    c.does(Send(1))
    b.wakes(1)
    story.fails("reply")


def test_sleepers_can_be_seen_by_others() -> None:
    story = Story(Post())
    a, b, c = story.actors
    a.sleeps_in(Receive())
    b.sleeps_in(Receive())
    c.does(Count(), 2)
    story.holds()


def test_a_call_that_does_not_wait_never_sleeps() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0))
    verdict = story.fails("sleep")
    assert verdict.sentence == "A: Get(0) sleeps, where the model has it return EAGAIN"


def test_whoever_has_no_step_left_is_asleep() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    b.calls(Get())
    story.rests(a)
    story.fails("sleep")


def test_nobody_is_asleep_outside_a_call() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    story.rests(a)
    verdict = story.fails("sleep")
    assert verdict.sentence == "A is asleep, though it is inside no call"


def test_a_call_of_several_units_sleeps_until_all_are_there() -> None:
    story = Story(Semaphore(1))
    a, b, _ = story.actors
    a.sleeps_in(Take(2))
    story.holds()
    b.does(Give())
    story.rests()
    story.fails("lost wake-up")


def test_a_sleeper_may_be_woken_by_a_death() -> None:
    story = Story(Locks(robust=True))
    a, b, _ = story.actors
    a.does(Acquire())
    b.sleeps_in(Acquire())
    a.is_killed()
    b.wakes()
    story.holds()


def test_a_death_that_frees_nothing_wakes_nobody() -> None:
    story = Story(Locks(robust=False))
    a, b, _ = story.actors
    a.does(Acquire())
    b.sleeps_in(Acquire())
    a.is_killed()
    story.rests()
    story.holds()
    b.wakes()
    story.fails("reply")


def test_a_reply_for_nobody_is_no_explanation() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.returns(ETIMEDOUT)
    story.fails("reply")
