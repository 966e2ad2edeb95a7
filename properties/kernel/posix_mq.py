"""POSIX message queues through the C library: one operation, one call of an mq_* function.

ctypes, so that EINTR arrives where Python's own modules would try again (PEP 475).
"""

import ctypes
import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_short, c_size_t, c_uint, c_void_p
from typing import Any, assert_never

from harness.execute.registry import forget, register, unique_name
from harness.spec import Errno, Op, Process, Reply
from models.posix_mq import (
    LARGEST_BUFFER,
    NOTIFICATION_SIGNAL,
    Close,
    GetAttributes,
    Notify,
    Open,
    Poll,
    QueueSetup,
    ReadStatus,
    Receive,
    Send,
    SetAttributes,
    StopNotifying,
    TakeNotification,
    Unlink,
)
from properties.kernel.libc import LIBC, Timespec, failure

Call = (
    Send
    | Receive
    | Poll
    | GetAttributes
    | SetAttributes
    | ReadStatus
    | Notify
    | StopNotifying
    | TakeNotification
    | Open
    | Close
    | Unlink
)

NAMES = ("/q", "/r", "/s")
"""What programs call their queues."""

MODES = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR}
SIGEV_KINDS = {"signal": 0, "none": 1, "unknown": 7}
EVENTS = {"POLLIN": 0x1, "POLLOUT": 0x4, "POLLNVAL": 0x20}
CODES = {-3: "SI_MESGQ"}
SECOND = 1_000_000_000
NOT_OPEN = 1 << 24
"""A number that is no descriptor's; poll(2) would pass over a negative one."""


class MqAttr(ctypes.Structure):
    """struct mq_attr (mq_getattr(3))."""

    flags: int
    maxmsg: int
    msgsize: int
    curmsgs: int
    _fields_ = (
        ("flags", c_long),
        ("maxmsg", c_long),
        ("msgsize", c_long),
        ("curmsgs", c_long),
        ("reserved", c_long * 4),
    )


class Sigevent(ctypes.Structure):
    """struct sigevent (sigevent(3type)), with an int for its value."""

    _fields_ = (
        ("value", c_int),
        ("rest_of_value", c_int),
        ("signal", c_int),
        ("notify", c_int),
        ("rest", c_int * 12),
    )


class Siginfo(ctypes.Structure):
    """siginfo_t as a queue fills it in (sigaction(2)); Python's own hides si_value."""

    code: int
    pid: int
    value: int
    _fields_ = (
        ("signal", c_int),
        ("errno", c_int),
        ("code", c_int),
        ("padding", c_int),
        ("pid", c_int),
        ("uid", c_int),
        ("value", c_int),
        ("rest", c_int * 25),
    )


class Pollfd(ctypes.Structure):
    revents: int
    _fields_ = (("descriptor", c_int), ("events", c_short), ("revents", c_short))


class Sigset(ctypes.Structure):
    _fields_ = (("words", ctypes.c_ulong * 16),)


def _function(name: str, *arguments: Any) -> Any:
    """A function of the C library that returns an int, or -1 with errno."""
    function = getattr(LIBC, name)
    function.argtypes = arguments
    return function


_open = _function("mq_open", c_char_p, c_int, c_uint, POINTER(MqAttr))
_close = _function("mq_close", c_int)
_unlink = _function("mq_unlink", c_char_p)
_send = _function("mq_timedsend", c_int, c_char_p, c_size_t, c_uint, POINTER(Timespec))
_receive = _function(
    "mq_timedreceive", c_int, c_void_p, c_size_t, POINTER(c_uint), POINTER(Timespec)
)
_receive.restype = ctypes.c_ssize_t
_getattr = _function("mq_getattr", c_int, POINTER(MqAttr))
_setattr = _function("mq_setattr", c_int, POINTER(MqAttr), POINTER(MqAttr))
_notify = _function("mq_notify", c_int, POINTER(Sigevent))
_poll = _function("poll", POINTER(Pollfd), ctypes.c_ulong, c_int)
_read = _function("pread", c_int, c_void_p, c_size_t, c_long)
_read.restype = ctypes.c_ssize_t
_sigtimedwait = _function("sigtimedwait", POINTER(Sigset), POINTER(Siginfo), POINTER(Timespec))

_buffer = ctypes.create_string_buffer(LARGEST_BUFFER)
_priority = c_uint()
_notification = Sigset()
_notification.words[0] = 1 << (NOTIFICATION_SIGNAL - 1)
_AT_ONCE = Timespec(0, 0)


def deadline(timeout: float | None) -> Timespec | None:
    """The instant ``timeout`` seconds from now by CLOCK_REALTIME; of a negative number, one
    that no clock can show."""
    if timeout is None:
        return None
    if timeout < 0:
        return Timespec(0, SECOND)
    return Timespec(*divmod(time.time_ns() + int(timeout * SECOND), SECOND))


def real_name(base: str, name: str) -> bytes:
    """A program's name in the kernel's terms: what is wrong with it stays wrong with it."""
    if name == "/":
        return b"/"
    return (base if name.startswith("/") else base[1:]).encode() + name.removeprefix("/").encode()


def attributes(found: MqAttr) -> tuple[bool, int, int, int]:
    return bool(found.flags & os.O_NONBLOCK), found.maxmsg, found.msgsize, found.curmsgs


class PosixMqAdapter:
    """Descriptors of programs are indices of `descriptors`, the lowest free one each time."""

    sleeps_in: Mapping[type, frozenset[str]] = {
        Send: frozenset({"mq_timedsend"}),
        Receive: frozenset({"mq_timedreceive"}),
        Poll: frozenset({"poll", "ppoll"}),
    }

    def __init__(self) -> None:
        self.base = ""
        self.descriptors: list[int] = []
        self.processes: Mapping[int, Process] = {}
        self.notified = False

    def create(self, setup: QueueSetup) -> tuple[str, Sequence[int]]:
        self.base = unique_name("posix_mq")
        reply = self.perform(
            Open(create=True, exclusive=True, maxmsg=setup.capacity, msgsize=setup.message_size)
        )
        if isinstance(reply, Errno):
            raise OSError(f"cannot make a queue for {setup}: {reply.name}")
        return self.base, self.descriptors if setup.shared else ()

    def attach(
        self,
        setup: QueueSetup,
        who: Process,
        shared: str,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        self.processes = processes
        signal.pthread_sigmask(signal.SIG_BLOCK, (NOTIFICATION_SIGNAL,))
        if self.base:
            return
        self.base = shared
        self.descriptors.extend(descriptors)
        for op in setup.opened:
            reply = self.perform(op)
            if isinstance(reply, Errno):
                raise OSError(f"process {who} cannot open the queue with {op}: {reply.name}")

    def perform(self, op: Op) -> Reply:
        call: Call = op  # type: ignore[assignment]
        match call:
            case Send():
                return self._send(call)
            case Receive():
                return self._receive(call)
            case Poll():
                return self._poll(call)
            case GetAttributes():
                found = MqAttr()
                done = _getattr(self._number(call.descriptor), byref(found))
                return attributes(found) if done == 0 else failure()
            case SetAttributes():
                return self._set_attributes(call)
            case ReadStatus():
                return self._read_status(call)
            case Notify():
                return self._notify(call)
            case StopNotifying():
                done = _notify(self._number(call.descriptor), None)
            case TakeNotification():
                return self._take_notification()
            case Open():
                return self._open(call)
            case Close():
                done = _close(self._number(call.descriptor))
                if done == 0:
                    self.descriptors[call.descriptor] = NOT_OPEN
            case Unlink():
                done = _unlink(real_name(self.base, call.name))
            case _:
                assert_never(call)
        return None if done == 0 else failure()

    def detach(self) -> None:
        for number in self.descriptors:
            if number != NOT_OPEN:
                _close(number)
        if self.notified:
            while _sigtimedwait(byref(_notification), None, byref(_AT_ONCE)) >= 0:
                pass
        self.base, self.descriptors, self.notified = "", [], False

    def destroy(self, shared: str) -> None:
        for name in NAMES:
            real = real_name(shared, name)
            _unlink(real)
            forget("posix_mq", real.decode())

    def _number(self, descriptor: int) -> int:
        if descriptor < len(self.descriptors):
            return self.descriptors[descriptor]
        return NOT_OPEN

    def _send(self, op: Send) -> Reply:
        data = op.message.encode("latin-1")
        number = self._number(op.descriptor)
        done = _send(number, data, len(data), op.priority, deadline(op.timeout))
        return None if done == 0 else failure()

    def _receive(self, op: Receive) -> Reply:
        number = self._number(op.descriptor)
        got = _receive(number, _buffer, op.size, byref(_priority), deadline(op.timeout))
        if got < 0:
            return failure()
        return ctypes.string_at(_buffer, got).decode("latin-1"), _priority.value

    def _poll(self, op: Poll) -> Reply:
        asked = Pollfd(self._number(op.descriptor), EVENTS[op.event], 0)
        milliseconds = -1 if op.timeout is None else round(op.timeout * 1000)
        if _poll(byref(asked), 1, milliseconds) < 0:
            return failure()
        return tuple(name for name, bit in EVENTS.items() if asked.revents & bit)

    def _set_attributes(self, op: SetAttributes) -> Reply:
        flags = os.O_NONBLOCK if op.nonblock else 0
        if op.other_flags:
            flags |= os.O_APPEND
        new, old = MqAttr(flags, op.maxmsg), MqAttr()
        done = _setattr(self._number(op.descriptor), byref(new), byref(old))
        return attributes(old) if done == 0 else failure()

    def _read_status(self, op: ReadStatus) -> Reply:
        got = _read(self._number(op.descriptor), _buffer, LARGEST_BUFFER, 0)
        if got < 0:
            return failure()
        size, kind, number, pid = map(int, re.findall(rb":(\d+)", _buffer.raw[:got]))
        return size, kind, number, self.processes.get(pid)

    def _notify(self, op: Notify) -> Reply:
        event = Sigevent(op.value, 0, op.signal, SIGEV_KINDS[op.kind])
        self.notified = True
        done = _notify(self._number(op.descriptor), byref(event))
        return None if done == 0 else failure()

    def _take_notification(self) -> Reply:
        info = Siginfo()
        if _sigtimedwait(byref(_notification), byref(info), byref(_AT_ONCE)) < 0:
            return failure()
        return CODES.get(info.code, str(info.code)), self.processes.get(info.pid), info.value

    def _open(self, op: Open) -> Reply:
        flags = MODES[op.mode] | (os.O_NONBLOCK if op.nonblock else 0)
        flags |= (os.O_CREAT if op.create else 0) | (os.O_EXCL if op.exclusive else 0)
        wanted = None if op.maxmsg is None else byref(MqAttr(0, op.maxmsg, op.msgsize))
        name = real_name(self.base, op.name)
        if op.create and op.name in NAMES:
            register("posix_mq", name.decode())
        number = _open(name, flags, 0o600, wanted)
        if number < 0:
            return failure()
        if NOT_OPEN in self.descriptors:
            descriptor = self.descriptors.index(NOT_OPEN)
            self.descriptors[descriptor] = number
        else:
            descriptor = len(self.descriptors)
            self.descriptors.append(number)
        return descriptor
