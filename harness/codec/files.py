"""Records: a program and what happened, as one readable JSON file, checked on loading."""

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.codec.order import disorder
from harness.codec.values import decode, encode
from harness.codec.vocabulary import vocabulary
from harness.errors import BadInput
from harness.history import EVENTS, History
from harness.program import MOST_ACTORS, STEPS, Program
from harness.references import resolve

FORMAT = "ipc-harness record"
VERSION = 1
LARGEST = 1 << 28
"""Bytes of the largest file that is read."""


@dataclass(frozen=True)
class Record:
    """A saved run: the program, what happened, and what was said of it at the time."""

    program: Program
    history: History
    sentence: str = ""
    """That of the verdict."""
    deadlock_allowed: bool = True
    """Whether it counted as held when all slept for ever."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """Where it ran, as names with values."""


def dump(record: Record) -> str:
    """The text of a record's file."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "sentence": record.sentence,
        "deadlock_allowed": record.deadlock_allowed,
        "machine": dict(record.machine),
        "program": encode(record.program),
    }
    events = ",\n".join(json.dumps(encode(event)) for event in record.history)
    return json.dumps(head, indent=1)[:-2] + f',\n "history": [\n{events}\n]\n}}\n'


def save(record: Record, path: Path) -> None:
    """Write a record, whole or not at all. Raises BadInput where it cannot be written."""
    write_whole(path, dump(record))


def write_whole(path: Path, text: str) -> None:
    """Write a file under a temporary name and rename it, so that no reader sees half of it, and
    what was there stays if there is no room. A pipe or a device is written to as it is."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _write_file(Path(os.path.realpath(path)), text)
    except OSError as error:
        folder = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "what should be its folder is a file" if folder else error.strerror or error
        raise BadInput(
            f"cannot write {path}: {reason}; make room there, or name another place"
        ) from error


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def load(path: Path) -> Record:
    """Read a record, and import the mechanism that it names. Raises BadInput with the reason for
    a file that is none, is damaged, or was written by another version."""
    data = _read_json(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInput(
            f"{path} is no saved record of ipc-harness: expected a JSON object whose "
            f'"format" is "{FORMAT}"; give a file that a failing run left under reports/'
        )
    if type(data.get("version")) is not int or data["version"] != VERSION:
        raise BadInput(
            f"{path} was written in version {data.get('version')!r:.80} of the format, expected "
            f"version {VERSION}; use the ipc-harness that wrote it"
        )
    try:
        return _record(data)
    except RecursionError as error:
        raise BadInput(f"{path} is damaged: it is nested deeper than any record") from error
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def _record(data: dict[str, Any]) -> Record:
    mechanism = _part(data, "program", dict).get("mechanism")
    resolve(mechanism)
    classes = vocabulary(mechanism.partition(":")[0])
    program = decode(data["program"], classes)
    history = decode(_part(data, "history", list), classes)
    _check_program(program)
    _check_history(history, program)
    return Record(
        program,
        history,
        _part(data, "sentence", str, ""),
        _part(data, "deadlock_allowed", bool, True),
        {str(key): str(value) for key, value in _part(data, "machine", dict, {}).items()},
    )


def _part(data: dict[str, Any], name: str, kind: type, otherwise: Any = None) -> Any:
    """A part of a record, which must be there if there is nothing to take ``otherwise``."""
    value = data.get(name, otherwise)
    if not isinstance(value, kind):
        raise BadInput(f'damaged: its "{name}" is {value!r:.80}, expected a {kind.__name__}')
    return value


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_whole(path, "give a saved record"))
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{path} is not JSON, or is cut off: {error}; give a saved record, whole"
        ) from error


def read_whole(path: Path, remedy: str) -> bytes:
    """What is in a file. Raises BadInput, with the remedy, where that cannot be read."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadInput(f"{path} is not a file; {remedy}")
            text = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}; {remedy}") from error
    if len(text) > LARGEST:
        raise BadInput(f"{path} has more than {LARGEST} bytes; {remedy}")
    return text


def _without_waiting(path: str, flags: int) -> int:
    """Opening a FIFO must not wait for its writer."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _check_program(program: Any) -> None:
    if not isinstance(program, Program):
        raise BadInput('damaged: its "program" is no program')
    if type(program.actors) is not int or not 1 <= program.actors <= MOST_ACTORS:
        raise BadInput(f"damaged: {program.actors!r} actors, expected 1 to {MOST_ACTORS}")
    for number, step in enumerate(program.steps):
        if not isinstance(step, STEPS):
            raise BadInput(f"damaged: step {number} is {step!r:.80}, no step")
        _check_processes(f"step {number}", step, program)


def _check_history(history: tuple[Any, ...], program: Program) -> None:
    for number, event in enumerate(history):
        if not isinstance(event, EVENTS):
            raise BadInput(f"damaged: event {number} is {event!r:.80}, no event")
        _check_processes(f"event {number}", event, program)
    wrong = disorder(history)
    if wrong:
        raise BadInput(f"damaged: {wrong}")


def _check_processes(what: str, item: Any, program: Program) -> None:
    named = (getattr(item, "who", 0), getattr(item, "victim", 0), *getattr(item, "asleep", ()))
    for who in named:
        if not 0 <= who < program.processes:
            raise BadInput(
                f"damaged: {what} names process {who}, expected 0 to {program.processes - 1}"
            )
