"""A mechanism as the engine sees it: a model paired with the real thing, and the calls to draw.

Rows of ``properties/`` are values of this class. ``setup`` is any frozen dataclass that says how
the object is made (capacity, flags, limits); the model, the adapter and the calls all read it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.adapter import Adapter
from harness.spec import Model, Op, Process


def no_limits(setup: Any) -> Mapping[str, int]:
    return {}


def no_audit(setup: Any, state: Any) -> Sequence[Op]:
    return ()


@dataclass(frozen=True)
class Mechanism:
    """A row: everything that is needed to generate, run and judge programs of one mechanism."""

    name: str
    """Its name on the command line and in reports, such as ``"pipe"``."""
    reference: str
    """Where this value can be imported, ``"module:attribute"``; saved programs carry it."""
    model: Callable[[Any, int], Model[Any]]
    """Builds the model of a setup for this many processes (the keeper is the last of them)."""
    adapter: type[Adapter]
    setups: Sequence[Any]
    """The setups to draw from, the simplest first."""
    calls: Callable[[Any, Any, Process, int], Sequence[Op]]
    """``calls(setup, state, who, number)``: the operations that are worth drawing for this
    process, simplest first, more often those that should come more often. ``number`` is
    different for every step, and makes payloads distinct. A menu whose length and order do not
    depend on the state shrinks best. Half of the programs go without some of eight columns: the
    entries 0, 8, 16, … are one, the entries 1, 9, 17, … the next."""
    fill: Callable[[Any, Any, int], Op | None] | None = None
    """``fill(setup, state, number)``: an operation of the keeper's that puts one more item in;
    repeated until the model says that it would sleep or it returns ``None``."""
    audit: Callable[[Any, Any], Sequence[Op]] = no_audit
    """``audit(setup, state)``: the keeper's calls at the end of a program, which show what is
    left; none of them may sleep."""
    limits: Callable[[Any], Mapping[str, int]] = no_limits
    """The limits that a setup lowers: namespaced sysctls (``"fs.mqueue.msg_max"``) and resource
    limits (``"RLIMIT_NOFILE"``), applied before the object is made."""
