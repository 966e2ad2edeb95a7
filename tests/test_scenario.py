"""What a program that is written by hand answers to whoever writes it."""

from collections.abc import Callable

import pytest

from harness.testing import ASLEEP, DIED, Scenario
from models.pipe import Close, PipeSetup, Write
from properties.pipe import PIPE
from tests.subjects import HESITANT, TOKEN_LOCK, Acquire, Release

MakeScenario = Callable[..., Scenario]
A, B = 0, 1
READER = PipeSetup(sole="r", keeper="", sigpipe="default")
"""A alone can read, only B can write, and writing in vain ends it."""


def refusal(run: Scenario, who: int) -> str:
    """What is said to who asks for a reply that there is not."""
    with pytest.raises(AssertionError) as caught:
        run.answer(who)
    return str(caught.value)


def test_a_call_replies_sleeps_or_ends_its_process(scenario: MakeScenario) -> None:
    run = scenario(PIPE, READER)
    assert run.call(B, Write(0, 1)) == 1
    run.call(A, Close("r"))
    assert run.call(B, Write(1, 1)) is DIED
    assert run.dead(B)
    assert (repr(ASLEEP), repr(DIED)) == ("ASLEEP", "DIED")


def test_a_reply_that_comes_while_a_sleep_is_looked_into_is_heard(scenario: MakeScenario) -> None:
    run = scenario(HESITANT)
    run.call(A, Acquire())
    assert run.call(A, Release()) is None


def test_who_sleeps_is_named_with_its_call_and_the_steps(scenario: MakeScenario) -> None:
    run = scenario(TOKEN_LOCK)
    run.call(A, Acquire())
    assert run.call(B, Acquire()) is ASLEEP
    assert refusal(run, B) == (
        "B has no reply to give: it is asleep in Acquire(); the steps so far:\n"
        "    A: Acquire()\n"
        "    B: Acquire()"
    )
    run.stop(B)
    assert refusal(run, B).startswith("B has no reply to give: it is stopped in Acquire();")
    run.resume(B)
    run.call(A, Release())
    assert run.answer(B) is None


def test_a_reply_is_given_once(scenario: MakeScenario) -> None:
    run = scenario(TOKEN_LOCK)
    assert run.call(A, Acquire()) is None
    said = refusal(run, A)
    assert "it is idle, and the reply of its last call, if any, was asked for before" in said


def test_the_dead_make_no_calls(scenario: MakeScenario) -> None:
    run = scenario(TOKEN_LOCK)
    run.call(A, Acquire())
    run.call(A, Release())
    run.kill(A)
    with pytest.raises(AssertionError, match=r"A has no reply to give: it is dead; the steps so"):
        run.call(A, Acquire())
