"""System V semaphore sets: the operations, and how a set is made.

The vocabulary that the model, the adapter and the row share. Follows semget(2), semop(2) and
semctl(2). There is one key; the set that has it may be removed and made again.
"""

from dataclasses import dataclass

from harness.spec import Exit


@dataclass(frozen=True, slots=True)
class SemSetup:
    """A set with these values, and the limits of kernel.sem (proc_sys(5)); as they stand here
    they are those of a new IPC namespace."""

    values: tuple[int, ...] = (0,)
    semmsl: int = 32000
    """The most semaphores in a set."""
    semmns: int = 1024000000
    """The most semaphores in all sets."""
    semopm: int = 500
    """The most steps in an array."""
    semmni: int = 32000
    """The most sets."""


@dataclass(frozen=True, slots=True)
class Sembuf:
    """One step of an array: ``change`` is added to semaphore ``sem``; 0 waits until its value
    is 0. ``nowait`` is IPC_NOWAIT, ``undo`` is SEM_UNDO."""

    sem: int
    change: int
    nowait: bool = False
    undo: bool = False


Steps = tuple[Sembuf, ...]


@dataclass(frozen=True, slots=True)
class Semop:
    """semop(2): replies ``None``."""

    steps: Steps


@dataclass(frozen=True, slots=True)
class Semtimedop:
    """semtimedop(2) with this relative timeout: replies ``None``."""

    steps: Steps
    seconds: int = 0
    nanoseconds: int = 0


@dataclass(frozen=True, slots=True)
class Asleep:
    """A semop that sleeps in line. Never called: a call goes on as this."""

    timeout: float | None = None
    """Seconds from its invocation."""


@dataclass(frozen=True, slots=True)
class Semget:
    """semget(2) with the key of the set: replies whether the identifier is the one that this
    process has used so far. From then on it uses the one that it got."""

    sems: int
    create: bool = False
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Setval:
    """semctl(2) SETVAL: replies ``None``."""

    sem: int
    value: int


@dataclass(frozen=True, slots=True)
class Setall:
    """semctl(2) SETALL: replies ``None``. Zeros stand in for values that are missing."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Get:
    """semctl(2) with GETVAL, GETNCNT or GETZCNT: replies a number; with GETPID: a process of the
    program, or ``None``. Any other command is one that the kernel does not know."""

    command: str
    sem: int = 0


@dataclass(frozen=True, slots=True)
class Getall:
    """semctl(2) GETALL: replies the values."""


@dataclass(frozen=True, slots=True)
class Stat:
    """semctl(2) IPC_STAT: replies sem_nsems, and whether sem_otime is set."""


@dataclass(frozen=True, slots=True)
class Remove:
    """semctl(2) IPC_RMID: replies ``None``."""


Operation = (
    Semop | Semtimedop | Asleep | Semget | Setval | Setall | Get | Getall | Stat | Remove | Exit
)
