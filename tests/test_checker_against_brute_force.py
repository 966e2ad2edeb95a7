"""The checker says of every small history what brute force says of it, to the very event.

IPC_HARNESS_HISTORIES sets how many histories are compared (20,000 take about ten seconds).
"""

import os
from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.history import History, Invoke, Killing, Quiet, Return, Signalled, Stopped
from tests.comparing import Comparison
from tests.menus import SUBJECTS, Subject
from tests.small_models import ETIMEDOUT

HISTORIES = int(os.environ.get("IPC_HARNESS_HISTORIES", "22400"))
OF_ONE_EXECUTION = 4
ACTORS = (2, 3)
EXECUTIONS = -(-HISTORIES // (len(SUBJECTS) * len(ACTORS) * OF_ONE_EXECUTION))


@pytest.mark.parametrize("actors", ACTORS)
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_the_checker_agrees_with_brute_force(subject: Subject, actors: int) -> None:
    comparison = Comparison(subject, actors)
    random = Random(f"{subject.name} {actors}")
    for _ in range(EXECUTIONS):
        for history in comparison.histories(random):
            comparison.require_agreement(history)


COMPARISONS = {subject.name: Comparison(subject, 3) for subject in SUBJECTS}


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(list(COMPARISONS)), st.randoms(use_true_random=False))
def test_the_checker_agrees_with_brute_force_on_what_hypothesis_draws(
    name: str, random: Random
) -> None:
    for history in COMPARISONS[name].histories(random):
        COMPARISONS[name].require_agreement(history)


def test_the_histories_are_rich() -> None:
    seen: Counter[str] = Counter()
    for subject in SUBJECTS:
        comparison, random = Comparison(subject, 3), Random(1)
        for _ in range(200):
            good, *bad = comparison.histories(random)
            explained = [comparison.brute_force.first_unexplained(h) is None for h in (good, *bad)]
            assert explained[0], good
            seen["explained though damaged"] += sum(explained[1:])
            seen["unexplained"] += explained.count(False)
            seen.update(features(good))
    least = {
        "explained though damaged": 1_500,
        "unexplained": 1_500,
        "three calls at a time": 500,
        "killed inside a call": 100,
        "stopped inside a call": 50,
        "signalled": 50,
        "quiet with sleepers": 400,
        "quiet with two sleepers": 100,
        "timed out": 50,
        "pending at the end": 300,
    }
    assert {name: seen[name] for name in least if seen[name] < least[name]} == {}


def features(history: History) -> set[str]:
    """What happens in a history."""
    found: set[str] = set()
    inside: set[int] = set()
    for event in history:
        match event:
            case Invoke():
                inside.add(event.who)
                if len(inside) == 3:
                    found.add("three calls at a time")
            case Return():
                inside.discard(event.who)
                if event.reply == ETIMEDOUT:
                    found.add("timed out")
            case Killing() if event.who in inside:
                found.add("killed inside a call")
                inside.discard(event.who)
            case Stopped() if event.who in inside:
                found.add("stopped inside a call")
            case Signalled():
                found.add("signalled")
            case Quiet() if event.asleep:
                found.add("quiet with sleepers")
                if len(event.asleep) > 1:
                    found.add("quiet with two sleepers")
    return found | ({"pending at the end"} if inside else set())
