"""Values of programs and histories as JSON data, and back.

Dataclasses are written with the place where their class can be imported, tuples as lists,
errors as ``{"errno": …}``, bytes as ``{"bytes": …}`` (text) or ``{"base64": …}``.
"""

import base64
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from harness.codec.fields import misfit
from harness.codec.vocabulary import NONE, Vocabulary, name_of_class
from harness.errors import BadInput
from harness.history import EVENTS
from harness.program import STEPS, Program
from harness.spec import Dies, Errno

_OWN = {kind.__name__: kind for kind in (*STEPS, *EVENTS, Program)}


def encode(value: Any) -> Any:
    """``value`` as JSON data. Raises TypeError for what is not plain data."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return _encode_bytes(value)
        case Errno(name):
            return {"errno": name}
        case Dies(signal):
            return {"dies": signal}
        case tuple():
            return [encode(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _encode_dataclass(value)
    raise TypeError(f"{value!r} is not plain data: use numbers, text, bytes, tuples, dataclasses")


def _encode_bytes(value: bytes) -> dict[str, str]:
    text = value.decode("latin-1")
    if text.isascii() and text.isprintable():
        return {"bytes": text}
    return {"base64": base64.b64encode(value).decode()}


def _encode_dataclass(value: Any) -> dict[str, Any]:
    kind = type(value)
    own = _OWN.get(kind.__name__) is kind
    fields = {item.name: encode(getattr(value, item.name)) for item in dataclasses.fields(value)}
    return {"is": kind.__name__ if own else name_of_class(kind)} | fields


_SPECIAL: Mapping[str, Callable[[str], Any]] = {
    "bytes": lambda text: text.encode("latin-1"),
    "base64": lambda text: base64.b64decode(text, validate=True),
    "errno": Errno,
    "dies": Dies,
}


def decode(data: Any, classes: Vocabulary = NONE) -> Any:
    """The value that `encode` wrote, if it is made of ``classes`` and the harness's own steps
    and events. Raises BadInput for anything else."""
    if isinstance(data, list):
        return tuple(decode(item, classes) for item in data)
    if not isinstance(data, dict):
        return data
    if "is" in data:
        return _decode_dataclass(data, classes)
    if len(data) == 1:
        ((key, item),) = data.items()
        if key in _SPECIAL and isinstance(item, str):
            try:
                return _SPECIAL[key](item)
            except ValueError as error:
                raise BadInput(f"{data!r:.200} does not decode: {error}") from error
    raise BadInput(f"{data!r:.200} is not a value of a saved record")


def _decode_dataclass(data: dict[str, Any], classes: Vocabulary) -> Any:
    name = data["is"]
    kind = (_OWN.get(name) or classes.get(name)) if isinstance(name, str) else None
    if kind is None:
        raise BadInput(
            f"{name!r:.200} is no dataclass of its mechanism's; expected one that the module of "
            "the mechanism, or a module that it draws on, defines"
        )
    values = {key: decode(item, classes) for key, item in data.items() if key != "is"}
    wrong = misfit(kind, values)
    if wrong:
        raise BadInput(f"{data!r:.200} is no {kind.__name__}: {wrong}")
    try:
        return kind(**values)
    except Exception as error:
        # What a class says of itself (`__post_init__`) may be any exception.
        raise BadInput(f"{data!r:.200} is no {kind.__name__}: {error}") from error
