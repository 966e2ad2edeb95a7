"""Limits lowered for one program, and put back after it."""

import resource
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from harness.execute.sandbox import write_limit

_RESOURCE = "RLIMIT_"


def lower_sysctls(limits: Mapping[str, int], undo: ExitStack) -> None:
    """Write the namespaced limits among ``limits`` (``"fs.mqueue.msg_max"``)."""
    _lower(limits, undo, write_limit, of_process=False)


def lower_resource_limits(limits: Mapping[str, int], undo: ExitStack) -> None:
    """Lower the soft resource limits among ``limits`` (``"RLIMIT_NOFILE"``) of this process."""
    _lower(limits, undo, _write_soft_limit, of_process=True)


def _write_soft_limit(name: str, value: int) -> int:
    number = getattr(resource, name)
    before, hard = resource.getrlimit(number)
    resource.setrlimit(number, (value, hard))
    return before


def _lower(
    limits: Mapping[str, int], undo: ExitStack, write: Callable[[str, int], Any], of_process: bool
) -> None:
    for name, value in limits.items():
        if name.startswith(_RESOURCE) is of_process:
            undo.callback(write, name, write(name, value))
