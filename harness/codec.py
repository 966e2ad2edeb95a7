"""Programs and histories as files: plain JSON, readable, checked on loading.

Dataclasses are written with the place where their class can be imported, tuples as lists,
errors as ``{"errno": …}``, bytes as ``{"bytes": …}`` (text) or ``{"base64": …}``.
"""

import base64
import contextlib
import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.errors import BadInput
from harness.history import EVENTS, History
from harness.program import STEPS, Program
from harness.references import resolve
from harness.spec import Dies, Errno

FORMAT = "ipc-harness record"
VERSION = 1
LARGEST = 1 << 28
_OWN = {kind.__name__: kind for kind in (*STEPS, *EVENTS, Program)}


@dataclasses.dataclass(frozen=True)
class Record:
    """A saved run: the program, what happened, and the sentence of the verdict at the time."""

    program: Program
    history: History
    sentence: str = ""


def encode(value: Any) -> Any:
    """``value`` as JSON data. Raises TypeError for what is not plain data."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        if text.isascii() and text.isprintable():
            return {"bytes": text}
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, Errno):
        return {"errno": value.name}
    if isinstance(value, Dies):
        return {"dies": value.signal}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        own = _OWN.get(kind.__name__) is kind
        data = {"is": kind.__name__ if own else f"{kind.__module__}:{kind.__qualname__}"}
        return data | {
            item.name: encode(getattr(value, item.name)) for item in dataclasses.fields(value)
        }
    raise TypeError(f"{value!r} is not plain data: use numbers, text, bytes, tuples, dataclasses")


_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda text: text.encode("latin-1"),
    "base64": lambda text: base64.b64decode(text, validate=True),
    "errno": Errno,
    "dies": Dies,
}


def decode(data: Any) -> Any:
    """The value that `encode` wrote. Raises BadInput for anything else."""
    if isinstance(data, list):
        return tuple(decode(item) for item in data)
    if not isinstance(data, dict):
        return data
    if "is" in data:
        kind = _dataclass(data["is"])
        try:
            return kind(**{key: decode(item) for key, item in data.items() if key != "is"})
        except TypeError as error:
            raise BadInput(f"{data!r:.200} is no {kind.__name__}: {error}") from error
    if len(data) == 1:
        ((key, item),) = data.items()
        if key in _SPECIAL and isinstance(item, str):
            try:
                return _SPECIAL[key](item)
            except ValueError as error:
                raise BadInput(f"{data!r:.200} does not decode: {error}") from error
    raise BadInput(f"{data!r:.200} is not a value of a saved record")


def _dataclass(name: Any) -> type:
    found = _OWN.get(name) if isinstance(name, str) else None
    if found is None:
        found = resolve(name)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise BadInput(f"{name!r} names no dataclass, so no value of a program can be made of it")
    return found


def dump(record: Record) -> str:
    """The text of a record's file."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "sentence": record.sentence,
        "program": encode(record.program),
    }
    events = ",\n".join(json.dumps(encode(event)) for event in record.history)
    return json.dumps(head, indent=1)[:-2] + f',\n "history": [\n{events}\n]\n}}\n'


def save(record: Record, path: Path) -> None:
    """Write a record, whole or not at all. Raises BadInput where it cannot be written."""
    write_whole(path, dump(record))


def write_whole(path: Path, text: str) -> None:
    """Write a file under a temporary name and rename it, so that no reader sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise BadInput(
            f"cannot write {path}: {error.strerror}; make room there, or choose another folder "
            "with --ipc-reports"
        ) from error


def load(path: Path) -> Record:
    """Read a record. Raises BadInput with the reason for a file that is none, is damaged, or was
    written by another version."""
    data = _read_json(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInput(
            f"{path} is no saved record of ipc-harness: expected a JSON object whose "
            f'"format" is "{FORMAT}"; give a file that a failing run left under reports/'
        )
    if data.get("version") != VERSION:
        raise BadInput(
            f"{path} was written in version {data.get('version')!r} of the format, this is "
            f"version {VERSION}; use the ipc-harness that wrote it"
        )
    try:
        program, history = decode(data["program"]), decode(data["history"])
    except KeyError as error:
        raise BadInput(f"{path} is damaged: it has no {error}") from error
    except BadInput as error:
        raise BadInput(f"{path} is damaged: {error}") from error
    _check_kinds(path, program, history)
    return Record(program, history, str(data.get("sentence", "")))


def _read_json(path: Path) -> Any:
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} has more than {LARGEST} bytes, which no record has")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror}; give a saved record") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON, or is cut off: {error}") from error


def _check_kinds(path: Path, program: Any, history: Any) -> None:
    if not isinstance(program, Program) or not isinstance(program.actors, int):
        raise BadInput(f'{path} is damaged: its "program" is no program')
    _check_items(path, "step", program.steps, STEPS, program.processes)
    _check_items(path, "event", history, EVENTS, program.processes)


def _check_items(
    path: Path, what: str, items: Any, kinds: tuple[type, ...], processes: int
) -> None:
    if not isinstance(items, tuple):
        raise BadInput(f"{path} is damaged: its {what}s are no list")
    for number, item in enumerate(items):
        if not isinstance(item, kinds):
            raise BadInput(f"{path} is damaged: {what} {number} is {item!r:.80}, no {what}")
        for field in ("who", "victim"):
            who = getattr(item, field, 0)
            if not isinstance(who, int) or not 0 <= who < processes:
                raise BadInput(
                    f"{path} is damaged: {what} {number} names process {who!r}, expected 0 to "
                    f"{processes - 1}"
                )
