"""A model's rules are those that it lists, and none has the name of a step of the engine's own."""

from collections.abc import Mapping
from typing import Any

import pytest

from harness.errors import Broken
from harness.relation import Relation
from harness.spec import EngineRule, Model, Op
from tests.small_models import Fifo, Get, Post, Put, Receive


def relation(model: Model[Any], rules: Mapping[str, str]) -> Relation:
    """The relation of a model that lists these rules."""
    model.rules = rules
    return Relation(model, 2)


def rules_taken(found: Relation, op: Op) -> list[str]:
    state, who = found.start[0], 0
    return [step.rule for step in found.steps(state, who, found.called(op)).ready]


@pytest.mark.parametrize("name", EngineRule)
def test_a_rule_with_a_name_of_the_engine_is_refused(name: EngineRule) -> None:
    with pytest.raises(Broken) as caught:
        relation(Fifo(), {"put": "one more item", str(name): "…"})
    assert str(caught.value) == (
        f"the model tests.small_models.Fifo lists a rule {name.value!r}, which is the name of a "
        "step of the engine's own; give the rule another name"
    )


def test_a_move_by_a_rule_that_is_not_listed_is_refused() -> None:
    found = relation(Fifo(), {"put a lot": "one more item", "exit": "death changes nothing"})
    with pytest.raises(Broken) as caught:
        rules_taken(found, Put(1))
    assert str(caught.value) == (
        "the model tests.small_models.Fifo has a move by a rule 'put', which is not among the 2 "
        "in its `rules`; add it there with its sentence, or mend the name"
    )


def test_falling_asleep_by_a_rule_that_is_not_listed_is_refused() -> None:
    found = relation(Post(), {"exit": "death changes nothing"})
    with pytest.raises(Broken, match="by a rule 'line up', which is not among the 1 in its"):
        rules_taken(found, Receive())


def test_a_model_may_list_no_rules() -> None:
    assert rules_taken(relation(Fifo(), {}), Put(1)) == ["put"]


def test_what_is_listed_is_allowed() -> None:
    assert rules_taken(Relation(Fifo(), 2), Put(1)) == ["put"]
    assert rules_taken(Relation(Fifo(), 2), Get(0)) == [EngineRule.WOULD_BLOCK]
    assert rules_taken(Relation(Post(), 2), Receive()) == ["line up"]
