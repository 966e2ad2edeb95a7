"""Pipes that are wrong: kernels at the adapter's seam, and the list of all."""

import os
import select
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.mechanism import Mechanism
from harness.spec import Errno, Op, Process, Reply
from models.pipe import PAGE, Close, GetSize, PipeSetup, SetFlags, SetSize
from properties.kernel.pipe import KernelPipe
from properties.pipe import PIPE
from tests.planted.bug import Bug
from tests.planted.pipe_models import (
    CloseWakesOneReader,
    DeadWritersTakeAllBack,
    EndsSurviveDeath,
    NewestReaderFirst,
    NewestWriterFirst,
    PollsForRoom,
)

EAGAIN, EBUSY, EINTR, EPIPE = map(Errno, ("EAGAIN", "EBUSY", "EINTR", "EPIPE"))


class TearsSmallWrites(KernelPipe):
    def write(self, descriptor: int, data: bytes) -> Reply:
        half = len(data) // 2
        if not 0 < half <= PAGE // 2:
            return super().write(descriptor, data)
        first = super().write(descriptor, data[:half])
        if first != half:
            return first
        rest = super().write(descriptor, data[half:])
        return half + rest if isinstance(rest, int) else half


class RefusesPartOfALargeWrite(KernelPipe):
    def write(self, descriptor: int, data: bytes) -> Reply:
        reply = super().write(descriptor, data)
        return EAGAIN if isinstance(reply, int) and reply < len(data) else reply


class SwallowsEndOfFile(KernelPipe):
    def read(self, descriptor: int, size: int) -> Reply:
        reply = super().read(descriptor, size)
        return EAGAIN if size and reply == b"" else reply


class HidesTheBrokenPipe(KernelPipe):
    def write(self, descriptor: int, data: bytes) -> Reply:
        reply = super().write(descriptor, data)
        return len(data) if reply == EPIPE else reply


class KeepsSigpipeBack(KernelPipe):
    def write(self, descriptor: int, data: bytes) -> Reply:
        reply = super().write(descriptor, data)
        if reply == EPIPE:
            signal.sigtimedwait({signal.SIGPIPE}, 0)
        return reply


class LosesAByteAfterAShortRead(KernelPipe):
    def read(self, descriptor: int, size: int) -> Reply:
        reply = super().read(descriptor, size)
        if isinstance(reply, bytes) and 0 < len(reply) == size and _is_ready(descriptor):
            super().read(descriptor, 1)
        return reply


class LosesWhatWakesIt(KernelPipe):
    def read(self, descriptor: int, size: int) -> Reply:
        if size and not _is_ready(descriptor) and os.get_blocking(descriptor):
            lost = super().read(descriptor, size)
            if not isinstance(lost, bytes) or not lost:
                return lost
        return super().read(descriptor, size)


def _is_ready(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class KeepsFlagsPrivate(KernelPipe):
    def do(self, op: Op) -> Reply:
        if not isinstance(op, SetFlags):
            return super().do(op)
        super().do(replace(op, nonblocking=False))
        mine = self.ends[op.end]
        mode = os.O_RDONLY if op.end == "r" else os.O_WRONLY
        private = os.open(f"/proc/self/fd/{mine}", mode | os.O_NONBLOCK * op.nonblocking)
        os.dup2(private, mine)
        os.close(private)
        return None


class ShrinksByForce(KernelPipe):
    def perform(self, op: Op) -> Reply:
        reply = super().perform(op)
        if isinstance(op, SetSize) and reply == EBUSY:
            path = f"/proc/self/fd/{self.ends[op.end]}"
            drain = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            os.read(drain, 1 << 20)
            os.close(drain)
            return super().perform(op)
        return reply


class HasTwiceTheSlots(KernelPipe):
    def create(self, setup: PipeSetup) -> tuple[None, Sequence[int]]:
        return super().create(replace(setup, slots=2 * setup.slots))

    def do(self, op: Op) -> Reply:
        reply = super().do(replace(op, size=2 * op.size) if isinstance(op, SetSize) else op)
        if isinstance(op, SetSize | GetSize) and isinstance(reply, int):
            return max(PAGE, reply // 2)
        return reply


class ReportsLargeWritesAsInterrupted(KernelPipe):
    def write(self, descriptor: int, data: bytes) -> Reply:
        reply = super().write(descriptor, data)
        cut = isinstance(reply, int) and reply < len(data)
        return EINTR if cut and os.get_blocking(descriptor) else reply


class KeepsClosedEnds(KernelPipe):
    def attach(
        self,
        setup: PipeSetup,
        who: Process,
        shared: None,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        super().attach(setup, who, shared, descriptors, processes)
        self.kept: list[int] = []

    def do(self, op: Op) -> Reply:
        if isinstance(op, Close):
            self.kept.append(os.dup(self.ends[op.end]))
        return super().do(op)

    def detach(self) -> None:
        super().detach()
        self._close(self.kept)


class WritesTwiceAfterWaiting(KernelPipe):
    def write(self, descriptor: int, data: bytes) -> Reply:
        waits = len(data) <= PAGE and os.get_blocking(descriptor)
        if not waits:
            return super().write(descriptor, data)
        os.set_blocking(descriptor, False)
        reply = super().write(descriptor, data)
        os.set_blocking(descriptor, True)
        if reply == EAGAIN:
            reply = super().write(descriptor, data)
            os.set_blocking(descriptor, False)
            super().write(descriptor, data)
            os.set_blocking(descriptor, True)
        return reply


def _planted(
    name: str, adapter: type[KernelPipe] | None = None, model: type | None = None
) -> Mechanism:
    """The pipe's row with another kernel or another model; ``name`` is its constant's here."""
    return replace(
        PIPE,
        name=name.lower().replace("_", "-"),
        reference=f"tests.planted.pipe:{name}",
        adapter=adapter or PIPE.adapter,
        model=model or PIPE.model,
    )


TEARS_SMALL_WRITES = _planted("TEARS_SMALL_WRITES", TearsSmallWrites)
REFUSES_PART_OF_A_LARGE_WRITE = _planted("REFUSES_PART_OF_A_LARGE_WRITE", RefusesPartOfALargeWrite)
SWALLOWS_END_OF_FILE = _planted("SWALLOWS_END_OF_FILE", SwallowsEndOfFile)
HIDES_THE_BROKEN_PIPE = _planted("HIDES_THE_BROKEN_PIPE", HidesTheBrokenPipe)
KEEPS_SIGPIPE_BACK = _planted("KEEPS_SIGPIPE_BACK", KeepsSigpipeBack)
LOSES_A_BYTE_AFTER_A_SHORT_READ = _planted(
    "LOSES_A_BYTE_AFTER_A_SHORT_READ", LosesAByteAfterAShortRead
)
LOSES_WHAT_WAKES_IT = _planted("LOSES_WHAT_WAKES_IT", LosesWhatWakesIt)
KEEPS_FLAGS_PRIVATE = _planted("KEEPS_FLAGS_PRIVATE", KeepsFlagsPrivate)
SHRINKS_BY_FORCE = _planted("SHRINKS_BY_FORCE", ShrinksByForce)
HAS_TWICE_THE_SLOTS = _planted("HAS_TWICE_THE_SLOTS", HasTwiceTheSlots)
REPORTS_LARGE_WRITES_AS_INTERRUPTED = _planted(
    "REPORTS_LARGE_WRITES_AS_INTERRUPTED", ReportsLargeWritesAsInterrupted
)
KEEPS_CLOSED_ENDS = _planted("KEEPS_CLOSED_ENDS", KeepsClosedEnds)
WRITES_TWICE_AFTER_WAITING = _planted("WRITES_TWICE_AFTER_WAITING", WritesTwiceAfterWaiting)
ENDS_SURVIVE_DEATH = _planted("ENDS_SURVIVE_DEATH", model=EndsSurviveDeath)
DEAD_WRITERS_TAKE_ALL_BACK = _planted("DEAD_WRITERS_TAKE_ALL_BACK", model=DeadWritersTakeAllBack)
NEWEST_READER_FIRST = _planted("NEWEST_READER_FIRST", model=NewestReaderFirst)
NEWEST_WRITER_FIRST = _planted("NEWEST_WRITER_FIRST", model=NewestWriterFirst)
CLOSE_WAKES_ONE_READER = _planted("CLOSE_WAKES_ONE_READER", model=CloseWakesOneReader)
POLLS_FOR_ROOM = _planted("POLLS_FOR_ROOM", model=PollsForRoom)

DEATH, FULL, THREE = frozenset({"death"}), frozenset({"full"}), frozenset({"three actors"})


def _bug(
    mechanism: Mechanism, story: str, needs: frozenset[str] = frozenset(), hard: bool = False
) -> Bug:
    return Bug(mechanism.name, mechanism, story, hard, needs)


BUGS: tuple[Bug, ...] = (
    _bug(SWALLOWS_END_OF_FILE, "At end of file a read fails with EAGAIN."),
    _bug(HIDES_THE_BROKEN_PIPE, "A write without readers reports success."),
    _bug(KEEPS_SIGPIPE_BACK, "A write without readers fails, but no SIGPIPE is sent."),
    _bug(KEEPS_CLOSED_ENDS, "An end that was closed is still held."),
    _bug(KEEPS_FLAGS_PRIVATE, "O_NONBLOCK is seen only by the process that has set it."),
    _bug(
        LOSES_A_BYTE_AFTER_A_SHORT_READ,
        "The first byte that a short read leaves behind is gone.",
    ),
    _bug(LOSES_WHAT_WAKES_IT, "A reader that was woken loses what woke it, and sleeps on."),
    _bug(POLLS_FOR_ROOM, "The write end is writable wherever a byte would fit.", FULL),
    _bug(
        TEARS_SMALL_WRITES,
        "A write of up to PIPE_BUF bytes is made of two halves, each where it fits.",
        FULL,
    ),
    _bug(
        REFUSES_PART_OF_A_LARGE_WRITE,
        "A large non-blocking write reports EAGAIN although part of it went in.",
        FULL,
    ),
    _bug(HAS_TWICE_THE_SLOTS, "The pipe takes twice what it should.", FULL),
    _bug(SHRINKS_BY_FORCE, "A pipe that is too full to shrink is emptied instead.", FULL),
    _bug(
        REPORTS_LARGE_WRITES_AS_INTERRUPTED,
        "A large write that a signal cuts short reports EINTR instead of its count.",
        FULL,
    ),
    _bug(
        WRITES_TWICE_AFTER_WAITING,
        "The bytes of a write that had to wait for room come twice.",
        FULL,
        hard=True,
    ),
    _bug(ENDS_SURVIVE_DEATH, "A dead process still holds its ends.", DEATH),
    _bug(
        DEAD_WRITERS_TAKE_ALL_BACK,
        "What a killed writer had put in of a large write goes with it.",
        DEATH | FULL,
        hard=True,
    ),
    _bug(NEWEST_READER_FIRST, "Readers are woken in the reverse order.", THREE, hard=True),
    _bug(NEWEST_WRITER_FIRST, "Writers are woken in the reverse order.", THREE | FULL, hard=True),
    _bug(
        CLOSE_WAKES_ONE_READER,
        "Closing the last write end wakes the first reader only.",
        THREE,
        hard=True,
    ),
)
