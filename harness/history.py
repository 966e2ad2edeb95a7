"""A history: what really happened, in order, with times. Plain data.

Times are nanoseconds of the monotonic clock since the first event. Events are in the order in
which the supervisor learned of them; an event that says ``time`` had happened by then.
"""

from dataclasses import dataclass

from harness.spec import Op, Process, Reply


@dataclass(frozen=True, slots=True)
class Invoke:
    """``who`` was told to make a call."""

    time: int
    who: Process
    op: Op


@dataclass(frozen=True, slots=True)
class Return:
    """The call of ``who`` returned. ``began`` was taken by ``who`` itself right before it."""

    time: int
    who: Process
    reply: Reply
    began: int


@dataclass(frozen=True, slots=True)
class Asleep:
    """``who`` was seen asleep inside its call: ``where`` is the system call that the kernel
    names (``/proc/PID/syscall``). Evidence, and for the picture."""

    time: int
    who: Process
    where: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiescence: nobody ran any more; ``asleep`` were asleep in their calls, and had been so
    for ``held`` nanoseconds without running at all (0: at that moment)."""

    time: int
    asleep: tuple[Process, ...]
    held: int = 0


@dataclass(frozen=True, slots=True)
class Killing:
    """SIGKILL is on its way to ``who``."""

    time: int
    who: Process


@dataclass(frozen=True, slots=True)
class Died:
    """``who`` is dead and could be reaped; ``cause`` is the signal, or ``exit N``."""

    time: int
    who: Process
    cause: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """``who`` is stopped by SIGSTOP (state T)."""

    time: int
    who: Process


@dataclass(frozen=True, slots=True)
class Continued:
    """SIGCONT was sent to ``who``."""

    time: int
    who: Process


@dataclass(frozen=True, slots=True)
class Signalled:
    """A signal with a handler was sent to ``who``, which was asleep in its call."""

    time: int
    who: Process
    restart: bool


Event = Invoke | Return | Asleep | Quiet | Killing | Died | Stopped | Continued | Signalled
EVENTS: tuple[type[Event], ...] = (
    Invoke,
    Return,
    Asleep,
    Quiet,
    Killing,
    Died,
    Stopped,
    Continued,
    Signalled,
)

History = tuple[Event, ...]
