"""The vocabulary of models: what a specification is written in.

A model is a relation: in this state, asked by this process for this operation, these are the
moves that the specification allows now. It is pure: no I/O, no clock, no randomness. Models
import nothing of the harness but this file.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

State = TypeVar("State", bound=Hashable)

Process = int
"""A process of the program: 0, 1, … are the actors; the last number is the keeper, which makes
the object before the program starts, may fill it, and looks at what is left at the end."""

Op = Hashable
"""An operation with its arguments: a frozen dataclass, compared by value and by class."""

Reply = Hashable
"""What a caller sees: ``None``, a number, bytes, text, a tuple of these, or an `Errno`."""


class Errno(NamedTuple):
    """The reply of a call that failed: the name of its error, such as ``"EAGAIN"``."""

    name: str


class Later(NamedTuple):
    """Instead of a reply: nothing yet, the call goes on as the operation ``op``."""

    op: Op


class Dies(NamedTuple):
    """Instead of a reply: the call never returns, since this signal ends its process."""

    signal: str


@dataclass(frozen=True, slots=True)
class Exit:
    """The operation of a process that dies: what its death releases, undoes and wakes.

    It takes effect between the kill and the moment in which the process can be reaped. A death
    of several visible steps replies `Later`; the last step replies ``None``.
    """


class Move(NamedTuple):
    """One thing that a call may do in a state."""

    rule: str
    """The name of the sentence in the specification that allows this move (see `Model.rules`)."""
    after: Hashable
    """The next state: immutable, hashable, compared by value."""
    reply: Reply
    """What the caller sees, or a `Later` or a `Dies`."""


class Wait(NamedTuple):
    """What becomes of a call that has no move: whether it sleeps, and what ends its sleep.

    The engine applies it, the same way for every mechanism; a model only fills it in. ``None``
    in `would_block` means that the call sleeps. Replies may depend on how far the call has come:
    a write that has moved 10 bytes is not interrupted with EINTR, but returns 10.
    """

    would_block: Reply | None = None
    """The reply of a call that does not wait, given at once."""
    timeout: float | None = None
    """Seconds after its invocation at which the call gives up; ``None``: never."""
    timed_out: Reply = Errno("ETIMEDOUT")
    """The reply when that time is up."""
    interrupted: Reply = Errno("EINTR")
    """The reply when a signal handler installed without SA_RESTART has run."""
    restarts: bool = True
    """Whether a handler installed with SA_RESTART lets the call start again from its beginning;
    if not, it ends with `interrupted`."""
    stopped: Reply | None = None
    """The reply after SIGSTOP and SIGCONT without any handler; ``None``: it starts again."""
    asleep: Move | None = None
    """The step of falling asleep, where others can see the sleeper or it has a place in a line:
    its reply is the `Later` operation as which the call sleeps. ``None``: it sleeps as it is."""
    withdrawn: Hashable | None = None
    """The state once this sleeper has left (time-out, signal, stop); ``None``: as it was."""


class EngineRule(StrEnum):
    """The steps of a call that the engine takes by itself, as a `Wait` or a `Dies` says. They
    stand in explanations beside the rules of a model, none of which may have such a name."""

    WOULD_BLOCK = "would block"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"
    RESTARTED = "restarted"
    STOPPED = "stopped"
    KILLED = "killed"
    """SIGKILL has come before its call took effect, or went on."""
    DIES = "dies"
    """The signal that its call has brought upon it ends it."""


class Model(Protocol[State]):
    """The executable specification of one mechanism. Subclass it to inherit the defaults."""

    rules: Mapping[str, str] = {}
    """Every rule's name with its sentence: what is allowed, and the source that says so. A model
    lists all of its rules, or none, which then are not counted."""

    def start(self) -> State:
        """The state of the object, and of every process that holds it, as the program begins."""
        ...

    def moves(self, state: State, who: Process, op: Op) -> Iterator[Move]:
        """What the specification allows ``who`` to do now. No move: the call sleeps (`wait`)."""
        ...

    def wait(self, state: State, who: Process, op: Op) -> Wait:
        """How a call without a move goes on or ends. Asked only when `moves` yields nothing."""
        return Wait()

    def partners(self, state: State, who: Process, op: Op) -> frozenset[Process] | None:
        """The processes that could let this sleeping call go on; ``None``: any other process.

        The wait-for graph of a deadlock is drawn from this.
        """
        return None
