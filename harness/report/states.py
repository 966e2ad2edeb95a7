"""Printed states, taken apart: their fields, what a step changed, and how full they are.

A verdict carries states as text, so that it can be saved and drawn without the model. The text
is that of Python values; what cannot be read as such is shown as it is.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

WHOLE = "state"
"""The name of the only field of a state that has no named ones."""
LARGEST = 50_000
DEEPEST = 4

Fields = Mapping[str, ast.expr | str]


class Change(NamedTuple):
    """A field of the state that a step has changed; empty text where it was or is not there."""

    field: str
    before: str
    after: str


def fields_of(state: str) -> dict[str, str]:
    """The fields of a printed state by name; nested ones are ``outer.inner``, ``list[0].inner``."""
    return {name: _text(node) for name, node in _nodes(state).items()}


def levels_of(state: str) -> dict[str, int]:
    """How much is in each field: the length of a collection, the value of a whole number."""
    levels = {}
    for name, node in _nodes(state).items():
        match node:
            case ast.Tuple() | ast.List() | ast.Set():
                levels[name] = len(node.elts)
            case ast.Constant(bool()):
                pass
            case ast.Constant(int(number)):
                levels[name] = number
            case ast.Constant(str(text) | bytes(text)):
                levels[name] = len(text)
    return levels


def changes(before: str, after: str) -> list[Change]:
    """What is different between two printed states, field by field."""
    old, new = fields_of(before), fields_of(after)
    return [
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys([*new, *old])
        if old.get(name, "") != new.get(name, "")
    ]


def _nodes(state: str) -> Fields:
    try:
        parsed = ast.parse(state, mode="eval").body if len(state) <= LARGEST else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        parsed = None
    if parsed is None:
        return {WHOLE: state}
    return dict(_flat("", parsed, DEEPEST))


def _flat(path: str, node: ast.expr, depth: int) -> Iterator[tuple[str, ast.expr | str]]:
    match node:
        case ast.Call(args=[], keywords=[_, *_] as keywords) if depth:
            for keyword in keywords:
                yield from _flat(f"{path}.{keyword.arg}".lstrip("."), keyword.value, depth - 1)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) if depth and _structured(elements):
            for number, element in enumerate(elements):
                yield from _flat(f"{path or WHOLE}[{number}]", element, depth - 1)
        case _:
            yield path or WHOLE, node


def _structured(elements: list[ast.expr]) -> bool:
    return any(isinstance(element, ast.Call) and element.keywords for element in elements)


def _text(node: ast.expr | str) -> str:
    return node if isinstance(node, str) else ast.unparse(node)
