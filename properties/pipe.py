"""The pipe's row: its model, the kernel's pipes, and the calls that are worth drawing."""

from collections.abc import Sequence

from harness.mechanism import Mechanism
from harness.spec import Op, Process
from models.pipe import (
    PAGE,
    Close,
    GetSize,
    Pipe,
    PipeSetup,
    Poll,
    Read,
    SetFlags,
    SetSize,
    Sigaction,
    Sigmask,
    Sigtimedwait,
    State,
    Unread,
    Write,
)
from properties.kernel.pipe import KernelPipe

SETUPS = (
    PipeSetup(),
    PipeSetup(slots=2),
    PipeSetup(sole="w"),
    PipeSetup(slots=2, sole="r", keeper="w", sigpipe="blocked"),
    PipeSetup(keeper="", sigpipe="default"),
    PipeSetup(slots=2, packets=True),
    PipeSetup(slots=2, keeper="rw"),
    PipeSetup(slots=4, packets=True, sole="r", keeper="w"),
    PipeSetup(slots=2, nonblocking=True, keeper="rw"),
    PipeSetup(slots=4, sole="w", keeper=""),
    PipeSetup(sole="r", keeper="", sigpipe="blocked"),
    PipeSetup(sole="r", keeper="w", sigpipe="default"),
    PipeSetup(slots=16, keeper="rw"),
)

FILLERS = (PAGE, PAGE - 1, PAGE // 2 + 1)
"""Sizes of writes that take a slot each, in whatever order."""
EVERYTHING = 1 << 17


def calls(setup: PipeSetup, _state: State, who: Process, number: int) -> Sequence[Op]:
    """Eight to a line, alike in a column: short writes, short reads, writes of about a page, long
    reads, long writes, ends and flags, sizes, polls and SIGPIPE. Who has one end only has its
    calls in the places of the others, of the same sizes."""
    ends = setup.ends(who, keeper=-1)
    mine, other = ends[0], ends[-1]
    writes = [_transfer(size, number, write="w" in ends) for size in _written(setup)]
    reads = [_transfer(size, number, write="r" not in ends) for size in _READ]
    menu: list[Op] = []
    for line, rare in enumerate(_rare(mine, other)):
        short, page, long = writes[line * 3 : line * 3 + 3]
        menu += [short, reads[2 * line], page, reads[2 * line + 1], long, *rare]
    return [
        *menu,
        Write(number, 0),
        Read(0),
        Write(number, 1, "r"),
        Read(1, "w"),
        Write(number, PAGE),
        Close(other),
        SetSize((1 << 31) + 1),
        Sigaction(ignore=True),
    ]


def _transfer(size: int, number: int, *, write: bool) -> Op:
    return Write(number, size) if write else Read(size)


_READ = (1, PAGE, 10, 2 * PAGE, 2, 1 << 16, PAGE - 1, PAGE, 3, 5000, 100, 1 << 16)
"""The sizes of a short and a long read for each line."""


def _written(setup: PipeSetup) -> Sequence[int]:
    """The sizes of a short, a page-like and a long write for each line."""
    full = setup.slots * PAGE
    return (
        *(1, PAGE, full + 1),
        *(3, PAGE - 1, 2 * PAGE),
        *(10, PAGE // 2 + 1, 5000),
        *(2, PAGE + 1, full + PAGE),
        *(1, PAGE, 2 * PAGE),
        *(5, PAGE // 2, full + 5000),
    )


def _rare(mine: str, other: str) -> Sequence[tuple[Op, Op, Op]]:
    """For each line, three calls of other kinds."""
    return (
        (Close(other), SetSize(2 * PAGE, mine), Poll(mine)),
        (Close(mine), GetSize(mine), Poll(other)),
        (SetFlags(other, nonblocking=True), SetSize(PAGE, mine), Sigaction(ignore=False)),
        (SetFlags(mine, nonblocking=True), Unread(mine), Sigmask(block=True)),
        (SetFlags(other), SetSize(4 * PAGE, other), Sigtimedwait()),
        (SetFlags(other, packets=True), Unread(other), Sigmask(block=False)),
    )


def fill(setup: PipeSetup, _state: State, number: int) -> Op | None:
    """One more slot."""
    if "w" not in setup.keeper:
        return None
    return Write(number, 1 if setup.packets else FILLERS[number % len(FILLERS)])


def audit(setup: PipeSetup, state: State) -> Sequence[Op]:
    """What is left, as far as the ends that the keeper holds can tell."""
    if not setup.keeper:
        return ()
    if "r" not in setup.keeper or not state.pages:
        return (Unread(setup.keeper[0]),)
    packets = sum(page.packet for page in state.pages)
    return SetFlags("r", nonblocking=True), *[Read(EVERYTHING)] * max(1, packets)


PIPE = Mechanism(
    name="pipe",
    reference="properties.pipe:PIPE",
    model=Pipe,
    adapter=KernelPipe,
    setups=SETUPS,
    calls=calls,
    fill=fill,
    audit=audit,
)
