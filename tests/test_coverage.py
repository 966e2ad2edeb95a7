"""What is counted of a run: rules, verdicts, and the ways in which calls end."""

import json

import pytest

from harness.check.explain import steps_of
from harness.coverage import Counts, Coverage
from harness.verdict import Outcome
from tests.histories import Story
from tests.small_models import (
    EAGAIN,
    EINTR,
    EPERM,
    ETIMEDOUT,
    Acquire,
    Channel,
    Close,
    Fifo,
    Get,
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


def counted(story: Story, outcome: Outcome = Outcome.HELD) -> Counts:
    """What is counted of a story."""
    return coverage_of(story, outcome).of("it")


def coverage_of(story: Story, outcome: Outcome = Outcome.HELD, name: str = "it") -> Coverage:
    checker = story.checker()
    assert checker.feed(story.events) is None
    steps = steps_of(checker.trail)
    coverage = Coverage()
    coverage.count(name, story.model.rules, outcome, story.events, steps)
    return coverage


def endings(story: Story) -> dict[tuple[str, str], int]:
    return dict(counted(story).endings)


# Rules.


def test_rules_are_counted_as_often_as_they_were_taken() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.does(Put(1))
    a.does(Put(2))
    b.does(Get(), 1)
    counts = counted(story)
    assert counts.rules == {"put": 2, "get": 1}
    assert counts.calls == 3
    assert counts.programs == 1


def test_rules_that_nobody_has_seen_are_known() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.does(Put(1))
    counts = counted(story)
    assert counts.known == Fifo.rules
    assert counts.unwitnessed() == ["get", "exit"]


def test_every_part_of_a_long_call_counts() -> None:
    story = Story(Channel(room=2))
    a, b, _ = story.actors
    a.calls(Write(b"abcde"))
    b.does(Read(2), b"ab")
    b.does(Read(2), b"cd")
    a.returns(5)
    assert counted(story).rules == {"write a part": 2, "write": 1, "read": 2}


def test_falling_asleep_and_dying_are_rules_too() -> None:
    story = Story(Post())
    a, b, _ = story.actors
    a.sleeps_in(Receive())
    b.does(Send(1))
    a.wakes(1)
    b.is_killed()
    assert counted(story).rules == {"line up": 1, "hand over": 1, "handed": 1, "exit": 1}


# Ways of ending.


def test_a_call_that_returned_at_once() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.does(Put(1))
    assert endings(story) == {("Put", "returned"): 1}


def test_a_call_that_slept_and_then_returned() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    b.does(Put(1))
    a.wakes(1)
    assert endings(story) == {("Get", "slept, then returned"): 1, ("Put", "returned"): 1}


def test_a_call_that_a_rule_refused() -> None:
    story = Story(Locks())
    a, _, _ = story.actors
    a.does(Release(), EPERM)
    assert endings(story) == {("Release", "failed: EPERM"): 1}


def test_a_call_that_would_have_waited() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.does(Get(0), EAGAIN)
    assert endings(story) == {("Get", "would block: EAGAIN"): 1}


def test_a_call_that_timed_out() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get(0.01))
    story.passes(0.01)
    a.wakes(ETIMEDOUT)
    assert endings(story) == {("Get", "slept, then timed out: ETIMEDOUT"): 1}


def test_a_call_that_was_interrupted() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    a.is_signalled()
    a.wakes(EINTR)
    assert endings(story) == {
        ("Get", "signalled while asleep"): 1,
        ("Get", "slept, then interrupted: EINTR"): 1,
    }


def test_a_call_that_was_stopped() -> None:
    story = Story(Fifo())
    a, b, _ = story.actors
    a.sleeps_in(Get())
    a.is_stopped()
    b.is_stopped()
    b.is_continued()
    a.is_continued()
    b.does(Put(1))
    a.wakes(1)
    assert endings(story) == {
        ("Get", "stopped while asleep"): 1,
        ("Get", "slept, then returned"): 1,
        ("Put", "returned"): 1,
    }


def test_a_call_that_was_killed_asleep_or_inside() -> None:
    story = Story(Fifo())
    a, b, c = story.actors
    a.sleeps_in(Get())
    a.is_killed()
    b.calls(Get(0.01))
    b.is_killed()
    c.is_killed()
    assert endings(story) == {("Get", "killed while asleep"): 1, ("Get", "killed inside"): 1}


def test_a_call_that_ended_its_process() -> None:
    story = Story(Channel())
    a, b, _ = story.actors
    a.does(Close())
    b.calls(Write(b"a"))
    b.is_dead("SIGPIPE")
    assert endings(story)["Write", "ended by SIGPIPE inside"] == 1


def test_a_call_that_has_not_ended_is_a_call_without_an_ending() -> None:
    story = Story(Fifo())
    a, _, _ = story.actors
    a.sleeps_in(Get())
    assert endings(story) == {}
    assert counted(story).calls == 1


def test_each_call_has_its_own_ending() -> None:
    """An error by a rule, then one for want of waiting: not the other way round."""
    story = Story(Locks(2))
    a, b, _ = story.actors
    b.does(Acquire())
    a.does(Release(), EPERM)
    a.does(Acquire(0, 0), EAGAIN)
    a.does(Release(1), EPERM)
    assert endings(story) == {
        ("Acquire", "returned"): 1,
        ("Release", "failed: EPERM"): 2,
        ("Acquire", "would block: EAGAIN"): 1,
    }


def test_an_interrupted_call_that_returned_something_returned() -> None:
    story = Story(Channel(room=2))
    a, _, _ = story.actors
    a.sleeps_in(Write(b"abc"))
    a.is_signalled()
    a.wakes(2)
    a.does(Write(b"d", 0), EAGAIN)
    assert endings(story) == {
        ("Write", "signalled while asleep"): 1,
        ("Write", "slept, then returned"): 1,
        ("Write", "would block: EAGAIN"): 1,
    }


def test_a_call_that_its_stop_ended_leaves_the_next_ones_alone() -> None:
    story = Story(Semaphore(0))
    a, _, _ = story.actors
    a.sleeps_in(Take())
    a.is_stopped()
    a.is_continued()
    a.wakes(EINTR)
    a.does(Take(1, 0), EAGAIN)
    a.sleeps_in(Take())
    a.is_signalled()
    a.wakes(EINTR)
    assert endings(story) == {
        ("Take", "stopped while asleep"): 1,
        ("Take", "slept, then failed: EINTR"): 1,
        ("Take", "would block: EAGAIN"): 1,
        ("Take", "signalled while asleep"): 1,
        ("Take", "slept, then interrupted: EINTR"): 1,
    }


# Adding up, and JSON.


def two_mechanisms() -> Coverage:
    """Counts of everything that is counted."""
    fifo, locks = Story(Fifo()), Story(Locks())
    a, b, _ = fifo.actors
    a.sleeps_in(Get())
    b.does(Put(1))
    a.wakes(1)
    b.does(Get(0), EAGAIN)
    fifo.actors[2].is_killed()
    locks.actors[0].does(Release(), EPERM)
    coverage = coverage_of(fifo, Outcome.HELD, "fifo")
    coverage.add(coverage_of(locks, Outcome.VIOLATED, "locks"))
    return coverage


def test_counts_add_up() -> None:
    total = two_mechanisms()
    total.add(two_mechanisms())
    total.add(two_mechanisms())
    fifo, locks = total.of("fifo"), total.of("locks")
    assert (fifo.programs, fifo.calls, locks.calls) == (3, 9, 3)
    assert fifo.verdicts == {"held": 3}
    assert locks.verdicts == {"violated": 3}
    assert fifo.rules == {"put": 3, "get": 3, "exit": 3}
    assert fifo.endings["Get", "slept, then returned"] == 3
    assert fifo.unwitnessed() == []
    assert locks.unwitnessed() == ["acquire", "release", "exit"]


def test_adding_does_not_change_what_is_added() -> None:
    one, other = two_mechanisms(), two_mechanisms()
    before = other.to_data()
    one.add(other)
    one.add(other)
    assert other.to_data() == before


def test_adding_counts_of_another_mechanism_keeps_them_apart() -> None:
    total = Coverage()
    total.add(two_mechanisms())
    assert set(total.mechanisms) == {"fifo", "locks"}
    assert total.of("fifo").rules["not the owner"] == 0


def test_the_order_of_adding_makes_no_difference() -> None:
    story = Story(Fifo())
    story.actors[0].does(Put(1))
    extra = coverage_of(story, Outcome.UNDECIDED, "fifo")
    one, other = two_mechanisms(), Coverage()
    one.add(extra)
    other.add(extra)
    other.add(two_mechanisms())
    assert one.to_data() == other.to_data()


def test_counts_come_back_from_json_as_they_were() -> None:
    coverage = two_mechanisms()
    back = Coverage.from_data(json.loads(json.dumps(coverage.to_data())))
    assert back.mechanisms == coverage.mechanisms
    back.add(coverage)
    assert back.of("fifo").endings["Get", "slept, then returned"] == 2


def test_counts_of_nothing_come_back_too() -> None:
    assert Coverage.from_data(json.loads(json.dumps(Coverage().to_data()))).mechanisms == {}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_verdict_is_counted_by_its_name(outcome: Outcome) -> None:
    story = Story(Fifo())
    story.actors[0].does(Put(1))
    assert counted(story, outcome).verdicts == {outcome.value: 1}
