"""Limits lowered for one program, and put back after it."""

import resource
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from harness.errors import BadInput
from harness.execute.sandbox import write_limit

_RESOURCE = "RLIMIT_"


def lower_sysctls(limits: Mapping[str, int], undo: ExitStack) -> None:
    """Write the namespaced limits among ``limits`` (``"fs.mqueue.msg_max"``)."""
    _lower(limits, undo, write_limit, of_process=False)


def lower_resource_limits(limits: Mapping[str, int], undo: ExitStack) -> None:
    """Lower the soft resource limits among ``limits`` (``"RLIMIT_NOFILE"``) of this process."""
    _lower(limits, undo, _write_soft_limit, of_process=True)


def _write_soft_limit(name: str, value: int) -> int:
    number = getattr(resource, name, None)
    if number is None:
        known = ", ".join(each for each in dir(resource) if each.startswith(_RESOURCE))
        raise BadInput(f"unknown resource limit {name!r}: expected one of {known}")
    before, hard = resource.getrlimit(number)
    try:
        resource.setrlimit(number, (value, hard))
    except (ValueError, OverflowError) as error:
        raise BadInput(
            f"{name} cannot be set to {value}: {error}; expected at most its hard limit, "
            f"{'unlimited' if hard == resource.RLIM_INFINITY else hard}"
        ) from error
    return before


def _lower(
    limits: Mapping[str, int], undo: ExitStack, write: Callable[[str, int], Any], of_process: bool
) -> None:
    for name, value in limits.items():
        if name.startswith(_RESOURCE) is of_process:
            undo.callback(write, name, write(name, value))
