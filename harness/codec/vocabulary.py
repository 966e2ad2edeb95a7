"""The classes that a record may name: those of its mechanism, and no others.

A record says where its mechanism can be imported, and that one reference is followed, which runs
the code of that module, as unpickling would. Nothing else that a record names is imported: a
class counts only if it is a dataclass that the mechanism's own modules have already brought in.
"""

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

Vocabulary = Mapping[str, type]

NONE: Vocabulary = {}
_OTHERS = sys.stdlib_module_names | {"harness"}
"""Packages whose classes are no operation's and no set-up's."""


def name_of_class(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def vocabulary(module: str) -> Vocabulary:
    """The dataclasses, by name, of an imported module and of the modules that it draws on:
    those of which it has something in its namespace, and so on from there."""
    seen = {module}
    waiting = [module]
    found: dict[str, type] = {}
    while waiting:
        for value in _namespace(waiting.pop()):
            if isinstance(value, type) and dataclasses.is_dataclass(value):
                found[name_of_class(value)] = value
            home = _home(value)
            if home not in seen and home.partition(".")[0] not in _OTHERS:
                seen.add(home)
                waiting.append(home)
    return {name: kind for name, kind in found.items() if kind.__module__ in seen}


def _namespace(module: str) -> Iterator[Any]:
    """What a module holds, and the classes within its classes."""
    held = list(vars(sys.modules[module]).values()) if module in sys.modules else []
    for value in held:
        yield value
        if isinstance(value, type) and value.__module__ == module:
            inside = f"{value.__qualname__}."
            held += [
                item
                for item in vars(value).values()
                if isinstance(item, type) and item.__qualname__.startswith(inside)
            ]


def _home(value: Any) -> str:
    """The name of the module that a value comes from."""
    if isinstance(value, ModuleType):
        return value.__name__
    return str((value if isinstance(value, type | FunctionType) else type(value)).__module__)
