"""Proof that the tests of the checker can fail: whatever it might forget is noticed.

Brute force disagrees with each mutant about some history; where there is nothing that brute
force could say, a test that is written out fails.
"""

from importlib import import_module
from random import Random

import pytest

from tests.comparing import Comparison
from tests.menus import SUBJECTS
from tests.mutants import NOTICED_BY_A_SENTENCE, NOTICED_BY_BRUTE_FORCE, Mutant

EXECUTIONS = 400
"""Within which a mutant must be noticed: as many as the comparison makes of each model. Most
are noticed among the first ten."""


def is_noticed(name: str) -> bool:
    """Whether brute force disagrees with the checker as it is now; it agrees with the checker
    itself (`tests.test_checker_against_brute_force`)."""
    subject = next(subject for subject in SUBJECTS if subject.name == name)
    comparison, random = Comparison(subject, 3), Random(name)
    return any(
        comparison.differences(history)
        for _ in range(EXECUTIONS)
        for history in comparison.histories(random)
    )


@pytest.mark.parametrize(
    ("mutant", "subject"),
    [pytest.param(mutant, subject, id=name) for name, mutant, subject in NOTICED_BY_BRUTE_FORCE],
)
def test_brute_force_notices(mutant: Mutant, subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert is_noticed(subject)


@pytest.mark.parametrize(
    ("mutant", "sentence"),
    [pytest.param(mutant, sentence, id=name) for name, mutant, sentence in NOTICED_BY_A_SENTENCE],
)
def test_a_sentence_fails(mutant: Mutant, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, _, name = sentence.partition(":")
    test = getattr(import_module(f"tests.{module}"), name)
    test()
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        test()
