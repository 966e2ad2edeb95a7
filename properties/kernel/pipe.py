"""Real pipes: read(2), write(2), fcntl(2), poll(2) and what belongs to them.

Reads and writes go through the C library directly, since Python's own would hide EINTR
(PEP 475). Every process has its own descriptors of the two open file descriptions.
"""

import ctypes
import errno
import fcntl
import os
import select
import signal
import struct
import termios
from collections.abc import Mapping, Sequence

from harness.errors import Unsupported
from harness.spec import Errno, Op, Process, Reply
from models.pipe import (
    PAGE,
    Close,
    GetSize,
    PipeSetup,
    Poll,
    Read,
    SetFlags,
    SetSize,
    Sigaction,
    Sigmask,
    Sigtimedwait,
    Unread,
    Write,
    content,
)
from properties.kernel.libc import LIBC, failure

LIBC.read.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
LIBC.read.restype = ctypes.c_ssize_t
LIBC.write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
LIBC.write.restype = ctypes.c_ssize_t

_NOT_OPEN = 1 << 30
"""A descriptor's number that is above every limit, so that it is never open."""
_SIGPIPE = {signal.SIGPIPE}


def require_page_size() -> None:
    """Raises Unsupported where pages are not as large as the model says."""
    size = os.sysconf("SC_PAGESIZE")
    if size != PAGE:
        raise Unsupported(
            f"pages have {size} bytes here, but the model of the pipe is for pages of {PAGE}; run "
            f"on a kernel with pages of {PAGE} bytes"
        )


class KernelPipe:
    """One process's descriptors of a pipe."""

    sleeps_in: Mapping[type, frozenset[str]] = {
        Read: frozenset({"read"}),
        Write: frozenset({"write"}),
    }

    def __init__(self) -> None:
        self.ends: dict[str, int] = {}
        self.buffer = ctypes.create_string_buffer(1 << 16)

    def create(self, setup: PipeSetup) -> tuple[None, Sequence[int]]:
        require_page_size()
        flags = os.O_DIRECT if setup.packets else 0
        made = os.pipe2(flags | (os.O_NONBLOCK if setup.nonblocking else 0))
        fcntl.fcntl(made[1], fcntl.F_SETPIPE_SZ, setup.slots * PAGE)
        return None, made

    def attach(
        self,
        setup: PipeSetup,
        who: Process,
        shared: None,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        self.ends = dict(zip("rw", descriptors, strict=True))
        keeper = len(processes) - 1
        for end in {"r", "w"} - set(setup.ends(who, keeper)):
            os.close(self.ends[end])
            self.ends[end] = _NOT_OPEN
        sigpipe = "ignored" if who == keeper else setup.sigpipe
        ignore = sigpipe == "ignored"
        signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignore else signal.SIG_DFL)
        how = signal.SIG_BLOCK if sigpipe == "blocked" else signal.SIG_UNBLOCK
        signal.pthread_sigmask(how, _SIGPIPE)

    def perform(self, op: Op) -> Reply:
        try:
            return self.do(op)
        except OSError as error:
            return _name(error.errno or 0)

    def do(self, op: Op) -> Reply:
        """Carry out one operation; some raise OSError."""
        match op:
            case Read(size, end):
                return self.read(self.ends[end], size)
            case Write(tag, size, end):
                return self.write(self.ends[end], content(tag, 0, size))
            case Close(end):
                os.close(self.ends[end])
                self.ends[end] = _NOT_OPEN
            case SetFlags(end, nonblocking, packets):
                flags = (os.O_NONBLOCK if nonblocking else 0) | (os.O_DIRECT if packets else 0)
                fcntl.fcntl(self.ends[end], fcntl.F_SETFL, flags)
            case SetSize(size, end):
                return fcntl.fcntl(self.ends[end], fcntl.F_SETPIPE_SZ, size)
            case GetSize(end):
                return fcntl.fcntl(self.ends[end], fcntl.F_GETPIPE_SZ)
            case Unread(end):
                number = fcntl.ioctl(self.ends[end], termios.FIONREAD, bytes(4))
                return int(struct.unpack("i", number)[0])
            case Poll(end):
                return self.poll(self.ends[end])
            case Sigaction(ignore):
                signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignore else signal.SIG_DFL)
            case Sigmask(block):
                how = signal.SIG_BLOCK if block else signal.SIG_UNBLOCK
                signal.pthread_sigmask(how, _SIGPIPE)
            case Sigtimedwait():
                found = signal.sigtimedwait(_SIGPIPE, 0)
                return _name(errno.EAGAIN) if found is None else "SIGPIPE"
            case _:
                raise TypeError(f"{op!r} is no operation on a pipe")
        return None

    def read(self, descriptor: int, size: int) -> Reply:
        """read(2), once."""
        if size > len(self.buffer):
            self.buffer = ctypes.create_string_buffer(size)
        count = LIBC.read(descriptor, self.buffer, size)
        return failure() if count < 0 else ctypes.string_at(self.buffer, count)

    def write(self, descriptor: int, data: bytes) -> Reply:
        """write(2), once."""
        count: int = LIBC.write(descriptor, data, len(data))
        return failure() if count < 0 else count

    def poll(self, descriptor: int) -> Reply:
        """poll(2), without waiting."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLOUT)
        reported = poll.poll(0)
        events = reported[0][1] if reported else 0
        return tuple(name for name in _EVENTS if events & getattr(select, name))

    def detach(self) -> None:
        self._close([one for one in self.ends.values() if one != _NOT_OPEN])
        self.ends = {}
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGPIPE)

    def destroy(self, shared: None) -> None:
        """A pipe goes with its last descriptor."""

    def _close(self, descriptors: Sequence[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)


_EVENTS = ("POLLIN", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL")


def _name(number: int) -> Errno:
    return Errno(errno.errorcode[number])
