"""What pipes do that needs processes, threads, users or limits of its own to be seen.

Each public function runs in a fresh process of the sandbox and says what it saw, as plain data.
"""

import ctypes
import errno
import fcntl
import os
import resource
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from harness.errors import Unsupported
from harness.execute import sandbox
from models.pipe import PAGE
from properties.kernel.children import Child, state_of, unseen
from properties.kernel.libc import LIBC
from properties.kernel.pipe import require_page_size

TRIES = 1000


def look(reader: int) -> str:
    """What a read that does not wait finds: ``"nothing"``, ``"end of file"`` or the text."""
    os.set_blocking(reader, False)
    try:
        return os.read(reader, 1 << 16).decode() or "end of file"
    except BlockingIOError:
        return "nothing"


def error_of(call: Callable[[], object]) -> str:
    """The name of the error that a call fails with."""
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


# Room.


def fill(size: int) -> tuple[int, int]:
    """How many writes of ``size`` bytes a pipe takes as a whole, and how much of the next."""
    require_page_size()
    _reader, writer = os.pipe2(os.O_NONBLOCK)
    data, writes = bytes(size), 0
    while True:
        try:
            count = os.write(writer, data)
        except BlockingIOError:
            return writes, 0
        if count < size:
            return writes, count
        writes += 1


def sizes(asked: list[int]) -> list[int | str]:
    """What F_SETPIPE_SZ makes of each of these sizes, on a new pipe each."""
    require_page_size()
    found: list[int | str] = []
    for size in asked:
        ends = os.pipe()
        try:
            found.append(fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, size))
        except OSError as error:
            found.append(errno.errorcode[error.errno or 0])
        for end in ends:
            os.close(end)
    return found


def exceed_the_users_share() -> dict[str, int | str]:
    """Sizes of a user's first pipe and of the one after the user's share of pages is used up."""
    require_page_size()
    users = sandbox.current().users
    share = int(Path("/proc/sys/fs/pipe-user-pages-soft").read_text())
    if not users or not 0 < share <= 1 << 17:
        raise Unsupported(
            "this needs users of its own (root outside, with user namespaces) and "
            f"fs.pipe-user-pages-soft up to {1 << 17}, which is {share}"
        )
    sandbox.become(users[0])
    largest = int(Path("/proc/sys/fs/pipe-max-size").read_text())
    made: list[int] = []

    def grow() -> None:
        fcntl.fcntl(made[-1], fcntl.F_SETPIPE_SZ, largest)

    sizes = []
    for _ in range(share * PAGE // largest + 2):
        made += os.pipe()
        sizes.append(fcntl.fcntl(made[-1], fcntl.F_GETPIPE_SZ))
        refused = error_of(grow)
        if sizes[-1] < sizes[0]:
            return {"first": sizes[0], "beyond": sizes[-1], "growing": refused}
    raise AssertionError(f"no pipe was smaller than others: {sizes}")


def write_in_parallel(size: int, writes: int) -> int:
    """How many of the messages of three writers at once arrive torn."""
    reader, writer = os.pipe()

    def send(letter: bytes) -> None:
        for _ in range(writes):
            assert os.write(writer, letter * size) == size

    with ExitStack() as children:
        senders = [
            children.enter_context(Child(partial(send, letter))) for letter in (b"a", b"b", b"c")
        ]
        os.close(writer)
        received = b""
        while data := os.read(reader, 1 << 16):
            received += data
        for sender in senders:
            sender.answer()
    messages = [received[at : at + size] for at in range(0, len(received), size)]
    assert len(received) == 3 * writes * size, len(received)
    return sum(len(set(message)) > 1 for message in messages)


def take_the_room_of_a_woken_writer() -> tuple[str, str, str]:
    """A sleeping writer is woken for a page that is taken again before it runs: its state then,
    and the first byte of each page that is read after."""
    require_page_size()
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
    other = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for _ in range(TRIES):
        os.write(writer, b"a" * PAGE)
        with Child(lambda: os.write(writer, b"b" * PAGE)) as child:
            child.reaches("SZ")
            os.read(reader, PAGE)
            taken = not error_of(lambda: os.write(other, b"c" * PAGE))
            child.reaches("SZ")
            state = state_of(child.pid)
            first = os.read(reader, PAGE)[:1].decode()
            if taken:
                second = os.read(reader, PAGE)[:1].decode()
                assert child.answer() == PAGE
                return state, first, second
            assert first == "b"
    raise unseen("a writer that was woken and had not run yet", f"{TRIES} tries")


# Descriptors.


def run_a_program(flags: int) -> str:
    """What a reader finds once the only writer has begun another program."""
    reader, writer = os.pipe2(flags)
    os.set_inheritable(writer, not flags & os.O_CLOEXEC)
    wait, go_on = os.pipe()
    begun, beginning = os.pipe2(os.O_CLOEXEC)

    def begin() -> None:
        os.close(go_on)
        os.dup2(wait, 0)
        program = "import sys; sys.stdin.read()"
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", program])

    with Child(begin) as child:
        os.close(writer)
        os.close(beginning)
        assert os.read(begun, 1) == b""
        found = look(reader)
        os.close(go_on)
        assert child.end() == 0
    return found


def reopen() -> dict[str, str | bool]:
    """A pipe's end opened once more through /proc/self/fd."""
    reader, writer = os.pipe()
    other = os.open(f"/proc/self/fd/{writer}", os.O_RDONLY | os.O_NONBLOCK)
    own_flags = os.get_blocking(reader) and not os.get_blocking(other)
    os.close(reader)
    os.write(writer, b"still read")
    found = look(other)
    os.close(other)
    return {
        "own flags": own_flags,
        "read": found,
        "then": error_of(lambda: os.write(writer, b"x")),
    }


def seek() -> set[str]:
    """The errors of seeking in a pipe."""
    reader, writer = os.pipe()
    return {
        error_of(lambda: os.lseek(reader, 0, os.SEEK_SET)),
        error_of(lambda: os.pread(reader, 1, 0)),
        error_of(lambda: os.pwrite(writer, b"x", 0)),
    }


def make_with_unknown_flag() -> str:
    return error_of(lambda: os.pipe2(os.O_APPEND))


def make_at_the_descriptor_limit(room: int) -> tuple[str, bool]:
    """The error of pipe(2) with room for so many more descriptors, and whether none leaked."""

    def descriptors() -> list[str]:
        return sorted(os.listdir("/proc/self/fd"))

    before = descriptors()
    highest = max(map(int, before))
    while (filler := os.open("/dev/null", os.O_RDONLY)) < highest:
        pass
    os.close(filler)
    before = descriptors()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (filler + room, hard))
    error = error_of(os.pipe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return error, before == descriptors()


def ask_the_size_of_a_file() -> set[str]:
    """The errors of F_GETPIPE_SZ and F_SETPIPE_SZ on something that is no pipe."""
    null = os.open("/dev/null", os.O_RDONLY)
    return {
        error_of(lambda: fcntl.fcntl(null, fcntl.F_GETPIPE_SZ)),
        error_of(lambda: fcntl.fcntl(null, fcntl.F_SETPIPE_SZ, PAGE)),
    }


def tee_and_splice() -> dict[str, str]:
    """What two pipes hold after a tee(2) from one to the other, and then a splice(2)."""
    first, second = os.pipe(), os.pipe()
    os.write(first[1], b"abc")
    assert LIBC.tee(first[0], second[1], ctypes.c_size_t(2), 0) == 2
    teed = look(second[0])
    assert LIBC.splice(first[0], None, second[1], None, ctypes.c_size_t(2), 0) == 2
    return {"teed": teed, "spliced": look(second[0]), "left": look(first[0])}
