"""Printed states, taken apart."""

import pytest

from harness.report.states import WHOLE, Change, changes, levels_of


@pytest.mark.parametrize(
    "state",
    [
        "None",
        "<object at 0x1>",
        "",
        "(" * 5_000 + ")" * 5_000,
        "-" * 900 + "1",
        "-" * 3_000 + "1",
        "-" * 20_000 + "1",
        "S(a=" * 3_000 + "1" + ")" * 3_000,
        "a\0b",
        "x" * 100_000,
    ],
)
def test_what_cannot_be_taken_apart_stays_whole(state: str) -> None:
    assert changes(state, state) == []
    assert changes(state, "S(a=1)") == [Change(WHOLE, state, "S(a=1)")]
    assert set(levels_of(state)) <= {WHOLE}


def test_a_change_names_the_field_and_both_sides() -> None:
    assert changes("S(a=1, b=())", "S(a=1, b=(7,))") == [Change("b", "()", "(7,)")]
    assert changes("None", "3") == [Change(WHOLE, "None", "3")]


def test_nested_parts_are_named_by_their_path() -> None:
    before = "S(queues=(Q(items=(1,), limit=2), Q(items=(), limit=2)))"
    after = "S(queues=(Q(items=(1,), limit=2), Q(items=(5,), limit=2)))"
    assert changes(before, after) == [Change("queues[1].items", "()", "(5,)")]


def test_a_sequence_that_grows_is_one_change() -> None:
    assert changes("S(line=())", "S(line=(T(who=2, x=1),))") == [
        Change("line", "()", "(T(who=2, x=1),)")
    ]


def test_parts_of_another_class_are_one_change() -> None:
    assert changes("S(a=T(x=1))", "S(a=U(y=1))") == [Change("a", "T(x=1)", "U(y=1)")]
    assert changes("S(a=T(x=1))", "S(a=U(x=1))") == [Change("a", "T(x=1)", "U(x=1)")]


def test_levels_are_lengths_and_numbers() -> None:
    levels = levels_of("S(items=(1, 2), data=b'abc', free=4, open=True, owner=None, name='q')")
    assert levels == {"items": 2, "data": 3, "free": 4}
    assert levels_of("7") == {WHOLE: 7}
    assert levels_of("S(of=frozenset({1, 2}))") == {"of": 2}


def test_levels_of_nested_parts_have_their_path() -> None:
    assert levels_of("S(queues=(Q(items=(1,)),))") == {"queues": 1, "queues[0].items": 1}
