"""What is done to a pipe: one operation, one system call. And how a pipe is made."""

from dataclasses import dataclass

from harness.spec import Exit, Process


@dataclass(frozen=True, slots=True)
class PipeSetup:
    """How a pipe is made, and who begins with which end."""

    slots: int = 1
    packets: bool = False
    """Whether it is made with O_DIRECT."""
    nonblocking: bool = False
    """Whether it is made with O_NONBLOCK, which both ends then have."""
    sole: str = ""
    """``"r"`` or ``"w"``: that end is held by process 0 alone, the other by the others."""
    keeper: str = "r"
    """The ends that the keeper holds."""
    sigpipe: str = "ignored"
    """What the actors do with SIGPIPE at first: ``"ignored"``, ``"default"`` or ``"blocked"``,
    with its default action."""

    def ends(self, who: Process, keeper: Process) -> str:
        """The ends that ``who`` holds when the program begins."""
        if who == keeper:
            return self.keeper
        if not self.sole:
            return "rw"
        return self.sole if who == 0 else "rw".replace(self.sole, "")


@dataclass(frozen=True, slots=True)
class Read:
    """read(2) of up to ``size`` bytes."""

    size: int
    end: str = "r"


@dataclass(frozen=True, slots=True)
class Write:
    """write(2) of ``size`` bytes, which ``tag`` determines (`models.pipe.buffer.content`)."""

    tag: int
    size: int
    end: str = "w"


@dataclass(frozen=True, slots=True)
class Close:
    """close(2) of this process's descriptor of ``end``."""

    end: str


@dataclass(frozen=True, slots=True)
class SetFlags:
    """fcntl(2) F_SETFL: exactly these flags."""

    end: str
    nonblocking: bool = False
    packets: bool = False


@dataclass(frozen=True, slots=True)
class SetSize:
    """fcntl(2) F_SETPIPE_SZ, in bytes."""

    size: int
    end: str = "w"


@dataclass(frozen=True, slots=True)
class GetSize:
    """fcntl(2) F_GETPIPE_SZ."""

    end: str = "w"


@dataclass(frozen=True, slots=True)
class Unread:
    """ioctl(2) FIONREAD."""

    end: str = "r"


@dataclass(frozen=True, slots=True)
class Poll:
    """poll(2) for POLLIN and POLLOUT without waiting; replies the names of what is reported."""

    end: str


@dataclass(frozen=True, slots=True)
class Sigaction:
    """sigaction(2): ignore SIGPIPE, or give it its default action."""

    ignore: bool


@dataclass(frozen=True, slots=True)
class Sigmask:
    """sigprocmask(2): block SIGPIPE, or unblock it."""

    block: bool


@dataclass(frozen=True, slots=True)
class Sigtimedwait:
    """sigtimedwait(2) for SIGPIPE without waiting; replies ``"SIGPIPE"``."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A `Read` that sleeps."""

    size: int


@dataclass(frozen=True, slots=True)
class Writing:
    """A `Write` that sleeps, ``done`` of its bytes being in the pipe."""

    tag: int
    size: int
    done: int


PipeOp = (
    Read
    | Write
    | Close
    | SetFlags
    | SetSize
    | GetSize
    | Unread
    | Poll
    | Sigaction
    | Sigmask
    | Sigtimedwait
    | Reading
    | Writing
    | Exit
)
