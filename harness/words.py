"""Values of programs and histories in the words of a reader: short, exact, never raw bytes."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.program import (
    Call,
    CallThenKill,
    Continue,
    Elapse,
    Kill,
    Signal,
    Step,
    Stop,
    name_of,
)
from harness.spec import Dies, Errno, Later

LONGEST = 200
"""Characters of a value that are shown where its whole is kept elsewhere."""


def cut(text: str, longest: int = LONGEST) -> str:
    """``text``, with its middle left out if it is longer than ``longest`` characters."""
    if len(text) <= longest:
        return text
    tail = longest // 4
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def show(value: Any, longest: int = LONGEST) -> str:
    """A value as a reader wants it: errors by name, fields at their default left out."""
    match value:
        case Errno(name):
            return name
        case Dies(signal):
            return f"death by {signal}"
        case Later(op):
            return f"goes on as {show(op, longest)}"
        case bytes() if len(value) > longest:
            return f"{cut(repr(value), longest)} ({len(value)} bytes)"
        case str() if len(value) > longest:
            return f"{cut(repr(value), longest)} ({len(value)} characters)"
    defaults = _defaults(value)
    if defaults is not None:
        arguments = ", ".join(_arguments(value, defaults, longest))
        return cut(f"{type(value).__name__}({arguments})", longest)
    if type(value) is tuple:
        items = ", ".join(show(item, longest) for item in value)
        return cut(f"({items},)" if len(value) == 1 else f"({items})", longest)
    return cut(repr(value), longest)


def _defaults(value: Any) -> dict[str, Any] | None:
    """The fields of a dataclass or a named tuple with their defaults; ``None`` of all else."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        given: dict[str, Any] = getattr(value, "_field_defaults", {})
        return {name: given.get(name, dataclasses.MISSING) for name in value._fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _default(item) for item in dataclasses.fields(value)}
    return None


def _default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return item.default


def _arguments(value: Any, defaults: dict[str, Any], longest: int) -> Iterable[str]:
    """The arguments that make an equal value, in the order of its fields."""
    positional = True
    for name, default in defaults.items():
        held = getattr(value, name)
        if held == default:
            positional = False
        else:
            text = show(held, longest)
            yield text if positional else f"{name}={text}"


def step_text(step: Step, actors: int) -> str:
    """A step of a program as a line."""
    name = name_of(step.who, actors)
    match step:
        case Call(_, op):
            return f"{name}: {show(op)}"
        case CallThenKill(_, op, victim):
            killed = name_of(victim, actors)
            return f"{name}: {show(op)}, and kill {killed} before it runs again"
        case Kill():
            return f"kill {name}"
        case Stop():
            return f"stop {name}"
        case Continue():
            return f"continue {name}"
        case Signal(_, restart):
            kind = "with" if restart else "without"
            return f"signal {name} (handler {kind} SA_RESTART)"
        case Elapse():
            return f"wait until the time of {name} is up"


def event_text(event: Event, actors: int) -> str:
    """An event of a history as a line."""
    if isinstance(event, Quiet):
        held = f", none of them ran for {duration(event.held)}" if event.held else ""
        return f"nobody runs; asleep in a call: {names(event.asleep, actors)}{held}"
    return f"{name_of(event.who, actors)} {_did(event)}"


def _did(event: Event) -> str:
    match event:
        case Invoke(_, _, op):
            return f"calls {show(op)}"
        case Return(_, _, reply):
            return f"returns {show(reply)}"
        case Asleep(_, _, where):
            return f"is asleep in {where}"
        case Killing():
            return "is sent SIGKILL"
        case Died(_, _, cause):
            return f"is dead: {cause}"
        case Stopped():
            return "is stopped by SIGSTOP"
        case Continued():
            return "is sent SIGCONT"
        case Signalled(_, _, restart):
            return f"is sent a signal, handler {'with' if restart else 'without'} SA_RESTART"
    return repr(event)


def duration(nanoseconds: int) -> str:
    """A time with three digits and its unit."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds} ns"


def names(processes: Iterable[int], actors: int) -> str:
    """Processes by name, or "nobody"."""
    return ", ".join(name_of(who, actors) for who in processes) or "nobody"


def printable(text: str) -> str:
    """``text`` with everything that no file in UTF-8 can hold written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
