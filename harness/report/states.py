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


class _Part(NamedTuple):
    """A part of a printed state: an expression, and the whole source that it is in."""

    source: bytes
    node: ast.expr

    @property
    def text(self) -> str:
        return self.source[self.node.col_offset : self.node.end_col_offset].decode()

    @property
    def kind(self) -> str:
        """The class of a printed value, or the kind of literal."""
        if isinstance(self.node, ast.Call):
            return _Part(self.source, self.node.func).text
        return type(self.node).__name__

    def parts(self) -> "dict[str, _Part]":
        """The named fields of a value, or the elements of a sequence of such values."""
        named: list[tuple[str, ast.expr]] = []
        match self.node:
            case ast.Call(args=[], keywords=keywords):
                named = [(keyword.arg or "", keyword.value) for keyword in keywords]
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                if any(isinstance(element, ast.Call) and element.keywords for element in elements):
                    named = [(f"[{number}]", element) for number, element in enumerate(elements)]
        return {name: _Part(self.source, node) for name, node in named}


def changes(before: str, after: str) -> list[Change]:
    """What is different between two printed states, part by part."""
    old, new = _parsed(before), _parsed(after)
    if before == after:
        return []
    if old is None or new is None:
        return [Change(WHOLE, before, after)]
    return list(_differences("", old, new, DEEPEST))


def _differences(path: str, old: _Part, new: _Part, depth: int) -> Iterator[Change]:
    """The smallest parts that differ; parts of unlike shape are not compared further."""
    if old.text == new.text:
        return
    parts, others = old.parts(), new.parts()
    alike = old.kind == new.kind and parts.keys() == others.keys()
    if depth and parts and alike:
        for name, part in parts.items():
            yield from _differences(_joined(path, name), part, others[name], depth - 1)
    else:
        yield Change(path or WHOLE, old.text, new.text)


def levels_of(state: str) -> dict[str, int]:
    """How much is in each part: the length of a collection, the value of a whole number."""
    parsed = _parsed(state)
    return {} if parsed is None else dict(_levels("", parsed, DEEPEST))


def _levels(path: str, part: _Part, depth: int) -> Iterator[tuple[str, int]]:
    match part.node:
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            yield path or WHOLE, len(elements)
        case ast.Call(args=[ast.Set(elts=elements)]):
            yield path or WHOLE, len(elements)
        case ast.Constant(value=bytes() as data):
            yield path or WHOLE, len(data)
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            yield path or WHOLE, number
    if depth:
        for name, inner in part.parts().items():
            yield from _levels(_joined(path, name), inner, depth - 1)


def _joined(path: str, name: str) -> str:
    if name.startswith("["):
        return f"{path or WHOLE}{name}"
    return f"{path}.{name}" if path else name


@lru_cache(maxsize=64)
def _parsed(state: str) -> _Part | None:
    """The state as a Python expression; ``None`` where it is none, or is too large for one."""
    if len(state) > LARGEST or "\n" in state:
        return None
    try:
        return _Part(state.encode(), ast.parse(state, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
