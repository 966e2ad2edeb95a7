"""What the checker says besides yes and no: deadlock, too much to decide, and why not."""

from typing import Any

import pytest

from harness.spec import Later
from harness.verdict import Outcome, WaitsFor
from tests.histories import Story
from tests.small_models import (
    EAGAIN,
    Acquire,
    Channel,
    Fifo,
    Get,
    InLine,
    Locks,
    Owners,
    Post,
    Put,
    Read,
    Receive,
    Send,
    Write,
)

A, B, C, KEEPER = range(4)


# Deadlock.


def is_deadlocked(story: Story) -> bool:
    verdict = story.judged(deadlock_allowed=False)
    assert (verdict.outcome is Outcome.VIOLATED) == (verdict.kind == "deadlock")
    return verdict.kind == "deadlock"


def ring(size: int) -> Story:
    """Everybody holds one lock, and waits for the next one."""
    story = Story(Locks(size))
    for number, actor in enumerate(story.actors[:size]):
        actor.does(Acquire(number))
    for number, actor in enumerate(story.actors[:size]):
        actor.sleeps_in(Acquire((number + 1) % size))
    return story


def test_two_that_wait_for_each_other_are_deadlocked() -> None:
    story = ring(2)
    assert is_deadlocked(story)
    verdict = story.holds()
    assert verdict.waits_for == (
        WaitsFor(A, Acquire(1), (B,)),
        WaitsFor(B, Acquire(0), (A,)),
    )
    assert verdict.sentence.startswith("deadlock: 2 asleep for ever")


def test_a_ring_of_three_is_deadlocked() -> None:
    story = ring(3)
    assert is_deadlocked(story)
    assert [edge.whom for edge in story.holds().waits_for] == [(B,), (C,), (A,)]


def test_two_are_deadlocked_also_where_others_are_not() -> None:
    """One more waits for somebody idle, one for a time, and one for the two."""
    story = Story(Locks(3), actors=6)
    a, b, c, d, e, f = story.actors
    for number, actor in enumerate((a, b, f)):
        actor.does(Acquire(number))
    a.sleeps_in(Acquire(1))
    b.sleeps_in(Acquire(0))
    c.sleeps_in(Acquire(2))
    d.sleeps_in(Acquire(2, 100))
    story.rests()
    assert is_deadlocked(story)
    assert story.holds().sentence.startswith("deadlock: 2 asleep for ever")
    e.sleeps_in(Acquire(0))
    story.rests()
    assert story.holds().sentence.startswith("deadlock: 3 asleep for ever")


def test_whoever_waits_for_the_dead_is_deadlocked() -> None:
    story = Story(Locks())
    a, b, _ = story.actors
    a.does(Acquire())
    b.sleeps_in(Acquire())
    a.is_killed()
    story.rests()
    assert is_deadlocked(story)
    assert story.holds().waits_for == (WaitsFor(B, Acquire(), ()),)


def test_whoever_waits_for_an_idle_process_is_not_deadlocked() -> None:
    story = Story(Locks())
    a, b, _ = story.actors
    a.does(Acquire())
    b.sleeps_in(Acquire())
    assert not is_deadlocked(story)
    assert story.holds().waits_for == (WaitsFor(B, Acquire(), (A,)),)


def test_whoever_waits_for_a_stopped_process_is_not_deadlocked() -> None:
    story = Story(Locks())
    a, b, _ = story.actors
    a.does(Acquire())
    b.sleeps_in(Acquire())
    a.is_stopped()
    assert not is_deadlocked(story)


def test_whoever_waits_for_anybody_is_deadlocked_once_everybody_sleeps() -> None:
    story = Story(Fifo())
    for actor in story.actors:
        assert not is_deadlocked(story)
        actor.sleeps_in(Get())
    assert is_deadlocked(story)


def test_the_keeper_does_not_save_anybody() -> None:
    story = Story(Fifo(), actors=1)
    (a,) = story.actors
    story.keeper.does(Put(1))
    story.keeper.does(Get(), 1)
    a.sleeps_in(Get())
    assert is_deadlocked(story)


def test_a_sleeper_with_a_time_out_is_not_deadlocked() -> None:
    story = Story(Locks())
    a, b, _ = story.actors
    a.does(Acquire())
    b.sleeps_in(Acquire(0, 60.0))
    a.is_killed()
    story.rests()
    assert not is_deadlocked(story)


def test_a_call_that_has_not_come_to_rest_is_not_deadlocked() -> None:
    story = Story(Fifo(), actors=1)
    (a,) = story.actors
    a.does(Put(1))
    a.calls(Get())
    assert not is_deadlocked(story)
    assert story.holds().waits_for == ()


class TwoKeys(Locks):
    """A lock that either of two may turn out to have: which one, nobody sees."""

    def moves(self, state: Owners, who: int, op: Any) -> Any:
        for move in super().moves(state, who, op):
            yield move
            if op == Acquire() and state == (-1, -1):
                yield move._replace(after=(who, -2))

    def partners(self, state: Owners, who: int, op: Any) -> frozenset[int]:
        return frozenset({A, C} if state[1] == -2 else {A})


def test_what_may_be_no_deadlock_is_none() -> None:
    story = Story(TwoKeys(2))
    a, b, _ = story.actors
    a.does(Acquire())
    b.sleeps_in(Acquire())
    a.is_killed()
    story.rests()
    assert len(story.states()) == 2
    assert not is_deadlocked(story)


def test_without_sleepers_there_is_no_deadlock() -> None:
    story = Story(Locks())
    a, b, c = story.actors
    a.does(Acquire())
    for actor in (a, b, c):
        actor.is_killed()
    assert not is_deadlocked(story)


# The bound.


def crowded() -> Story:
    """Many orders of puts that nobody has seen."""
    story = Story(Fifo(capacity=6), actors=6)
    for number, actor in enumerate(story.actors):
        actor.calls(Put(number))
    return story


def test_past_its_bound_the_checker_decides_nothing() -> None:
    story = crowded()
    story.keeper.does(Get(0), EAGAIN)
    story.actors[0].returns()
    story.actors[1].is_killed()
    assert story.judged().outcome is Outcome.HELD
    verdict = story.judged(limit=1)
    assert verdict.outcome is Outcome.UNDECIDED
    assert "more than 1 configurations" in verdict.sentence
    assert verdict.kind == ""


def test_past_its_bound_the_checker_decides_nothing_even_of_nonsense() -> None:
    story = crowded()
    story.keeper.does(Get(0), "nonsense")
    assert story.judged(limit=5).outcome is Outcome.UNDECIDED
    assert story.judged().outcome is Outcome.VIOLATED


def test_an_explanation_that_is_too_much_is_left_out() -> None:
    """What the model would have allowed takes a larger search than what happened."""
    story = crowded()
    story.actors[0].returns()
    story.actors[1].returns(EAGAIN)
    found = [story.judged(limit).outcome for limit in (2, 100, 250, 300, 350, 400, 100_000)]
    assert found[0] is Outcome.UNDECIDED
    assert set(found[1:-1]) <= {Outcome.UNDECIDED, Outcome.VIOLATED}
    assert found[-1] is Outcome.VIOLATED


# Why not.


def test_a_wrong_reply_is_told_with_what_was_allowed() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.does(Put(1))
    b.does(Get(), 2)
    verdict = story.fails("reply")
    assert verdict.sentence == "B: Get() returned 2, where the model allows 1"
    assert verdict.observed == "B: Get() returned 2"
    assert verdict.allowed == ("B: Get() returns 1",)


def test_all_replies_that_were_allowed_are_told() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.calls(Put(1))
    b.calls(Put(2))
    c.does(Get(), 3)
    verdict = story.fails("reply")
    assert set(verdict.allowed) == {"C: Get() returns 1", "C: Get() returns 2"}


def test_a_reply_where_only_sleep_was_allowed_is_told() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.does(Get(), 1)
    verdict = story.fails("reply")
    assert verdict.sentence == "A: Get() returned 1, where the model allows only sleep"
    assert verdict.allowed == ("A: Get() sleeps",)


def test_the_call_whose_reply_is_wrong_is_blamed_and_no_other() -> None:
    """Though whoever sees all replies at once knows early that it will not end well."""
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Get())
    b.calls(Put(1))
    a.returns(1)
    b.returns(EAGAIN)
    verdict = story.fails("reply")
    assert verdict.sentence == "B: Put(1) returned EAGAIN, where the model allows None"


def test_the_trail_explains_everything_before() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.sleeps_in(Receive())
    b.does(Send(1))
    a.wakes(1)
    b.does(Send(2), "nonsense")
    trail = story.fails("reply").trail
    assert [(step.who, step.rule) for step in trail] == [
        (A, "line up"),
        (B, "hand over"),
        (A, "handed"),
    ]
    line_up, hand_over, handed = trail
    assert (line_up.op, line_up.reply) == (Receive(), Later(InLine(None)))
    assert (hand_over.op, hand_over.reply) == (Send(1), None)
    assert (handed.op, handed.reply) == (InLine(None), 1)
    assert line_up.state == "Hall(items=(), line=(0,), handed=())"
    assert [step.event for step in trail] == [2, 4, 5]


def test_the_trail_of_a_death_ends_with_its_last_rule() -> None:
    story = Story(Channel())
    a, b, _ = story.actors
    a.calls(Write(b"a"))
    a.is_killed()
    b.does(Read(1), b"nonsense")
    trail = story.fails("reply").trail
    assert [step.rule for step in trail][-2:] == ["last word", "exit"]


def test_a_story_that_holds_tells_its_trail_too() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.does(Put(1))
    a.does(Get(), 1)
    verdict = story.holds()
    assert [step.rule for step in verdict.trail] == ["put", "get"]
    assert verdict.sentence == "the model allows what happened"
    assert (verdict.event, verdict.observed, verdict.allowed) == (None, "", ())


def test_a_sleep_seen_for_a_moment_is_told_as_such() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    b.does(Put(1))
    story.rests(held=1_000_000)
    verdict = story.judged()
    assert (verdict.outcome, verdict.kind) == (Outcome.UNDECIDED, "lost wake-up")
    assert verdict.sentence.endswith("but seen for 0.001 s only, so the machine may be slow")


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_bound_too_small_for_anything_still_gives_a_verdict(limit: int) -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.calls(Put(1))
    b.calls(Put(2))
    a.returns()
    b.is_killed()
    assert story.judged(limit).outcome in (Outcome.HELD, Outcome.UNDECIDED)


@pytest.mark.parametrize(
    ("limit", "allowed", "forbidden"),
    [
        (100, (Outcome.HELD, ""), (Outcome.UNDECIDED, "")),
        (1_000, (Outcome.HELD, "deadlock"), (Outcome.VIOLATED, "deadlock")),
    ],
)
def test_a_deadlock_that_takes_too_large_a_search_is_neither_shown_nor_denied(
    limit: int, allowed: tuple[Outcome, str], forbidden: tuple[Outcome, str]
) -> None:
    """One order of the puts is found at once; that no order has a way out takes all of them."""
    story = crowded()
    for actor in story.actors:
        actor.returns()
    for actor in story.actors:
        actor.sleeps_in(Put(9))
    story.rests()
    for deadlock_allowed, expected in ((True, allowed), (False, forbidden)):
        verdict = story.judged(limit, deadlock_allowed)
        assert (verdict.outcome, verdict.kind) == expected


def test_what_is_plain_counts_towards_the_bound_too() -> None:
    """Every order of six pairs of puts leads through the same thirty plain calls to the wrong
    one at the end."""
    story = Story(Fifo(capacity=50))
    a, b, c = story.actors
    for number in range(30):
        c.does(Put(number))
    for number in range(100, 106):
        a.calls(Put(number))
        b.calls(Put(-number))
        a.returns()
        b.returns()
    for number in range(29):
        c.does(Get(), number)
    c.does(Get(), "nonsense")
    assert story.judged(limit=1_500).outcome is Outcome.UNDECIDED
    assert story.judged().outcome is Outcome.VIOLATED
