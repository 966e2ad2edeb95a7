"""What literal examples are written with, whatever the mechanism."""

from collections.abc import Callable
from typing import Any

from harness.spec import Op, Process, Reply
from harness.testing import ASLEEP, Scenario

MakeScenario = Callable[..., Scenario]
"""The fixture ``scenario``."""
InSandbox = Callable[..., Any]
"""The fixture ``in_sandbox``."""


def in_vain(run: Scenario, who: Process, op: Op) -> Reply:
    """The reply of a timed call that nobody helps; on a slow machine it has come already."""
    reply = run.call(who, op)
    if reply is ASLEEP:
        run.elapse(who)
        return run.answer(who)
    return reply
