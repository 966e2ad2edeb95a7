"""POSIX message queues through the package posix_ipc: one operation, one method of its.

The package has fewer errors than the kernel: one class stands for several of them, which the
operation tells apart. What it cannot say at all is left out (see `Call`).
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, assert_never

import posix_ipc

from harness.execute.registry import forget, register, unique_name
from harness.spec import Errno, Op, Process, Reply
from models.posix_mq import Close, GetAttributes, Open, QueueSetup, Receive, Send, Unlink
from properties.kernel.posix_mq import NAMES, real_name

Call = Send | Receive | GetAttributes | Open | Close | Unlink

CREATION = {(False, False): 0, (True, False): posix_ipc.O_CREAT, (True, True): posix_ipc.O_CREX}
NOT_OPEN = Errno("EBADF")


class PosixIpcMqAdapter:
    """Descriptors of programs are indices of `queues`, the lowest free one each time."""

    sleeps_in: Mapping[type, frozenset[str]] = {
        Send: frozenset({"mq_timedsend"}),
        Receive: frozenset({"mq_timedreceive"}),
    }

    def __init__(self) -> None:
        self.base = ""
        self.queues: list[Any] = []

    def create(self, setup: QueueSetup) -> tuple[str, Sequence[int]]:
        self.base = unique_name("posix_mq")
        made = Open(create=True, exclusive=True, maxmsg=setup.capacity, msgsize=setup.message_size)
        self._open(made)
        return self.base, ()

    def attach(
        self,
        setup: QueueSetup,
        who: Process,
        shared: str,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        if not self.base:
            self.base = shared
            for op in setup.opened:
                self._open(op)

    def perform(self, op: Op) -> Reply:
        try:
            return self._perform(op)  # type: ignore[arg-type]
        except posix_ipc.SignalError:
            return Errno("EINTR")
        except posix_ipc.BusyError:
            return Errno("EAGAIN" if getattr(op, "timeout", None) is None else "ETIMEDOUT")
        except posix_ipc.PermissionsError:
            return Errno("EACCES") if isinstance(op, Open | Unlink) else NOT_OPEN
        except posix_ipc.ExistentialError:
            if isinstance(op, Open) and op.exclusive:
                return Errno("EEXIST")
            return Errno("ENOENT") if isinstance(op, Open | Unlink) else NOT_OPEN
        except ValueError:
            return Errno("EMSGSIZE" if isinstance(op, Send) else "EINVAL")

    def detach(self) -> None:
        for queue in self.queues:
            if queue is not None:
                queue.close()
        self.base, self.queues = "", []

    def destroy(self, shared: str) -> None:
        for name in NAMES:
            real = real_name(shared, name).decode()
            try:
                posix_ipc.unlink_message_queue(real)
            except posix_ipc.ExistentialError:
                continue
            finally:
                forget("posix_mq", real)

    def _perform(self, call: Call) -> Reply:
        match call:
            case Send(message, priority, timeout, descriptor):
                queue = self._queue(descriptor)
                queue.send(message, timeout, priority)
                return None
            case Receive(timeout=timeout, descriptor=descriptor):
                queue = self._queue(descriptor)
                message, priority = queue.receive(timeout)
                return message.decode(), priority
            case GetAttributes(descriptor):
                queue = self._queue(descriptor)
                limits = queue.max_messages, queue.max_message_size
                return not queue.block, *limits, queue.current_messages
            case Open():
                return self._open(call)
            case Close(descriptor):
                self._queue(descriptor).close()
                self.queues[descriptor] = None
                return None
            case Unlink(name):
                posix_ipc.unlink_message_queue(real_name(self.base, name).decode())
                return None
            case _:
                assert_never(call)

    def _queue(self, descriptor: int) -> Any:
        """The open queue; as the package does, ExistentialError if there is none."""
        queue = self.queues[descriptor] if descriptor < len(self.queues) else None
        if queue is None:
            raise posix_ipc.ExistentialError(f"descriptor {descriptor} is closed")
        return queue

    def _open(self, op: Open) -> int:
        name = real_name(self.base, op.name).decode()
        flags = CREATION[op.create, op.exclusive] | (os.O_NONBLOCK if op.nonblock else 0)
        if op.create:
            register("posix_mq", name)
        queue = posix_ipc.MessageQueue(
            name,
            flags,
            mode=0o600,
            max_messages=op.maxmsg or 1,
            max_message_size=op.msgsize,
            read="r" in op.mode,
            write="w" in op.mode,
        )
        if None in self.queues:
            descriptor = self.queues.index(None)
            self.queues[descriptor] = queue
        else:
            descriptor = len(self.queues)
            self.queues.append(queue)
        return descriptor
