"""Whether a value from a file may stand in a field, by the field's annotation.

Covers what operations, set-ups, steps and events are made of: plain types, tuples, unions,
literals and dataclasses. An annotation of another kind takes everything.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Fits = Callable[[Any, tuple[Any, ...]], bool]


def misfit(kind: type, values: Mapping[str, Any]) -> str:
    """The first of ``values`` that its field of the dataclass ``kind`` does not take, in words;
    empty if there is none."""
    hints = _hints(kind)
    for name, value in values.items():
        if name in hints and not fits(value, hints[name]):
            expected = getattr(hints[name], "__name__", hints[name])
            return f"{name} is {value!r:.80}, expected {expected}"
    return ""


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    """The annotations of the fields; none where they name what only a type checker sees."""
    try:
        hints = typing.get_type_hints(kind)
    except NameError:
        return {}
    return {item.name: hints[item.name] for item in dataclasses.fields(kind)}


def fits(value: Any, hint: Any) -> bool:
    """Whether ``value`` is what ``hint`` says. As for type checkers, a whole number may stand
    for a float."""
    if hint is None or hint is type(None):
        return value is None
    if hint is Any:
        return True
    if isinstance(hint, type) and not typing.get_args(hint):
        return isinstance(value, hint) or (hint is float and isinstance(value, int))
    check = _BY_ORIGIN.get(typing.get_origin(hint))
    return check is None or check(value, typing.get_args(hint))


def _fits_union(value: Any, hints: tuple[Any, ...]) -> bool:
    return any(fits(value, hint) for hint in hints)


def _fits_literal(value: Any, choices: tuple[Any, ...]) -> bool:
    return any(type(value) is type(choice) and value == choice for choice in choices)


def _fits_tuple(value: Any, hints: tuple[Any, ...]) -> bool:
    if not isinstance(value, tuple):
        return False
    if len(hints) == 2 and hints[1] is ...:
        return all(fits(item, hints[0]) for item in value)
    return len(value) == len(hints) and all(map(fits, value, hints))


_BY_ORIGIN: Mapping[Any, Fits] = {
    typing.Union: _fits_union,
    types.UnionType: _fits_union,
    typing.Literal: _fits_literal,
    tuple: _fits_tuple,
}
