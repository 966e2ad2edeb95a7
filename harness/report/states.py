"""Printed states, taken apart: what a step changed, and how full they are.

A verdict carries states as text, so that it can be saved and drawn without the model. The text
is that of Python values; what cannot be read as such is shown as it is.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

WHOLE = "state"
"""The name of the only field of a state that has no named ones."""
LARGEST = 10_000
"""Characters of a state that is taken apart; a larger one is shown as it is."""
DEEPEST = 6


class Change(NamedTuple):
    """A part of the state that a step has changed, such as ``queues[0].messages``."""

    field: str
    before: str
    after: str


def changes(before: str, after: str) -> list[Change]:
    """What is different between two printed states, part by part."""
    old, new = _parsed(before), _parsed(after)
    if before == after:
        return []
    if old is None or new is None:
        return [Change(WHOLE, before, after)]
    try:
        return list(_differences("", old, new, DEEPEST))
    except RecursionError:
        return [Change(WHOLE, before, after)]


def _differences(path: str, old: ast.expr, new: ast.expr, depth: int) -> Iterator[Change]:
    """The smallest parts that differ; parts of unlike shape are not compared further."""
    texts = ast.unparse(old), ast.unparse(new)
    if texts[0] == texts[1]:
        return
    parts, others = dict(_parts(old)), dict(_parts(new))
    if depth and parts and parts.keys() == others.keys():
        for name, part in parts.items():
            yield from _differences(_joined(path, name), part, others[name], depth - 1)
    else:
        yield Change(path or WHOLE, *texts)


def levels_of(state: str) -> dict[str, int]:
    """How much is in each part: the length of a collection, the value of a whole number."""
    parsed = _parsed(state)
    return {} if parsed is None else dict(_levels("", parsed, DEEPEST))


def _levels(path: str, node: ast.expr, depth: int) -> Iterator[tuple[str, int]]:
    match node:
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            yield path or WHOLE, len(elements)
        case ast.Call(args=[ast.Set(elts=elements)]):
            yield path or WHOLE, len(elements)
        case ast.Constant(value=bytes() as data):
            yield path or WHOLE, len(data)
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            yield path or WHOLE, number
    if depth:
        for name, part in _parts(node):
            yield from _levels(_joined(path, name), part, depth - 1)


def _parts(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The named fields of a value, or the elements of a sequence of such values."""
    match node:
        case ast.Call(args=[], keywords=keywords):
            yield from ((keyword.arg or "", keyword.value) for keyword in keywords)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            if any(isinstance(element, ast.Call) and element.keywords for element in elements):
                yield from ((f"[{number}]", element) for number, element in enumerate(elements))


def _joined(path: str, name: str) -> str:
    if name.startswith("["):
        return f"{path or WHOLE}{name}"
    return f"{path}.{name}" if path else name


@lru_cache(maxsize=64)
def _parsed(state: str) -> ast.expr | None:
    """The state as a Python expression; ``None`` where it is none, or is too large for one."""
    if len(state) > LARGEST:
        return None
    try:
        return ast.parse(state, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
