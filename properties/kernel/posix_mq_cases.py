"""What programs of calls cannot say of POSIX message queues: fork and exec, other users and
namespaces, file systems, threads, many processes at once.

Every public function runs in a process of its own inside the sandbox and says what it saw.
"""

import array
import contextlib
import ctypes
import fcntl
import os
import resource
import select
import signal
import socket
import stat
from collections.abc import Iterator, Sequence
from errno import errorcode
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from harness.errors import Unsupported
from harness.execute import sandbox
from harness.execute.proc import Watch
from harness.execute.registry import register, unique_name
from harness.spec import Reply
from models.posix_mq import (
    Close,
    GetAttributes,
    Notify,
    Open,
    QueueSetup,
    Receive,
    Send,
    SetAttributes,
    StopNotifying,
    TakeNotification,
    Unlink,
)
from properties.kernel.children import BOUND, Child, is_above_limits, leave_namespace, unseen
from properties.kernel.libc import LIBC
from properties.kernel.posix_mq import PosixMqAdapter, Sigevent

SIGEV_THREAD = 2


@contextlib.contextmanager
def queue(capacity: int = 2) -> Iterator[PosixMqAdapter]:
    """A new queue, open for both as descriptor 0."""
    adapter, setup = PosixMqAdapter(), QueueSetup(capacity=capacity)
    shared, _ = adapter.create(setup)
    adapter.attach(setup, 0, shared, (), {os.getpid(): 0})
    try:
        yield adapter
    finally:
        adapter.detach()
        adapter.destroy(shared)


def open_names_of_any_length() -> list[Reply]:
    """What mq_open makes of names of 255 and of 256 bytes after the slash."""
    adapter = PosixMqAdapter()
    adapter.base = unique_name("posix_mq")
    replies = []
    for length in (255, 256):
        name = "/" + "n" * (length + 1 - len(adapter.base))
        register("posix_mq", adapter.base + name[1:])
        replies.append(adapter.perform(Open(name, create=True)))
        adapter.perform(Unlink(name))
    adapter.detach()
    return replies


def create_in_a_new_namespace() -> Reply:
    """The attributes of a queue that is made without any."""
    with queue() as own:

        def inside() -> Reply:
            leave_namespace("ipc")
            opened = own.perform(Open("/r", create=True))
            assert opened == 1, opened
            return own.perform(GetAttributes(1))

        with Child(inside) as child:
            attributes: Reply = child.answer()
            return attributes


def call_on_a_file() -> set[Reply]:
    """What the calls reply on a descriptor that is no queue's."""
    adapter = PosixMqAdapter()
    adapter.descriptors = [os.open(os.devnull, os.O_RDWR)]
    calls = (Send("x"), Receive(), GetAttributes(), SetAttributes(True), Notify(), StopNotifying())
    return {adapter.perform(op) for op in calls}


def write_to_a_queue() -> str:
    with queue() as own:
        try:
            os.write(own.descriptors[0], b"x")
        except OSError as error:
            return errorcode[error.errno or 0]
    return "written"


def read_the_file_of_a_queue() -> tuple[bool, str]:
    """Whether the mqueue file system shows the queue, and its line, without process ids."""
    place = sandbox.current().mqueue
    if place is None:
        raise Unsupported("the mqueue file system is not mounted; mount it, or allow namespaces")
    with queue() as own:
        own.perform(Send("abc", 5))
        own.perform(Send("de"))
        file = Path(place) / f"{own.base[1:]}q"
        return file.is_file(), file.read_text().partition("NOTIFY_PID")[0].strip()


def raise_a_limit_in_a_namespace() -> dict[str, Reply]:
    """Opens a queue of 20 slots before and after msg_max is raised to that, and in a new IPC
    namespace."""
    name, big = "fs.mqueue.msg_max", Open("/r", create=True, maxmsg=20)
    with queue() as own:

        def elsewhere() -> tuple[Reply, str]:
            leave_namespace("ipc")
            return own.perform(big), Path("/proc/sys/fs/mqueue/msg_max").read_text().strip()

        before = own.perform(big)
        usual = sandbox.write_limit(name, 20)
        try:
            with Child(elsewhere) as child:
                found = child.answer()
            return {"before": before, "raised": own.perform(big), "elsewhere": found}
        finally:
            sandbox.write_limit(name, usual)


def look_from_another_namespace() -> dict[str, Reply]:
    """From a new IPC namespace, opens the queue by name and uses a descriptor from before."""
    with queue() as own:

        def inside() -> dict[str, Reply]:
            leave_namespace("ipc")
            return {"by name": own.perform(Open()), "by descriptor": own.perform(Send("x"))}

        with Child(inside) as child:
            return {**child.answer(), "received": own.perform(Receive(timeout=0.0))}


def receive_with(*nices: int) -> list[int]:
    """Receivers of these nice values fall asleep in turn: in which order they are served."""
    with queue() as own, contextlib.ExitStack() as children:

        def receive(nice: int) -> Reply:
            os.nice(nice)
            return own.perform(Receive())

        waiting = {}
        for place, nice in enumerate(nices):
            waiting[place] = children.enter_context(Child(partial(receive, nice)))
            waiting[place].falls_asleep("mq_timedreceive")
        for number in range(len(nices)):
            own.perform(Send(str(number)))
        answers = {child.answer()[0]: place for place, child in waiting.items()}
        return [answers[str(number)] for number in range(len(nices))]


def fork_while_registered() -> dict[str, Reply]:
    """Whether a child has its parent's registration, and can end it by closing the queue."""
    with queue() as own:
        own.perform(Notify(7))

        def child() -> list[Reply]:
            return [own.perform(op) for op in (StopNotifying(), Notify(), Close())]

        with Child(child) as forked:
            found: dict[str, Reply] = {"child": tuple(forked.answer())}
        own.perform(Send("x"))
        return found | {"parent": own.perform(TakeNotification())}


def interrupt_all_the_time(timeouts: Sequence[float]) -> tuple[Reply, int]:
    """A timed receive that is restarted again and again: its reply, and how often it was. Takes
    the first timeout, in seconds, that leaves time for two restarts."""
    for timeout in timeouts:
        with queue() as own, Child(partial(_receive_restarting, own, timeout)) as child:
            hits = _interrupt_until_the_end(child.pid)
            reply = child.answer()
        if hits > 1:
            return reply, hits
    raise unseen("a second restart", f"{timeouts[-1]:g} s")


def _receive_restarting(own: PosixMqAdapter, timeout: float) -> Reply:
    signal.signal(signal.SIGUSR2, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR2, False)
    return own.perform(Receive(timeout=timeout))


def _interrupt_until_the_end(pid: int) -> int:
    """Signal a child of this process whenever it sleeps in the call: how often that was."""
    watch, hits, deadline = Watch(pid), 0, monotonic() + BOUND
    try:
        while watch.state() not in "ZX" and monotonic() < deadline:
            if watch.syscall() == "mq_timedreceive":
                os.kill(pid, signal.SIGUSR2)
                hits += 1
            os.sched_yield()
        assert watch.state() in "ZX", f"the deadline did not come within {BOUND:g} s"
    finally:
        watch.close()
    return hits


def exec_with_a_queue_open() -> tuple[bool, str]:
    """Whether a new queue descriptor is close-on-exec, and what a new program finds there."""
    with queue() as own:
        number = own.descriptors[0]
        flag = bool(fcntl.fcntl(number, fcntl.F_GETFD) & fcntl.FD_CLOEXEC)
        reader, writer = os.pipe()

        def program() -> None:
            os.dup2(writer, 1)
            script = f"[ -e /proc/self/fd/{number} ] && echo open || echo closed"
            os.execv("/bin/sh", ["sh", "-c", script])

        with Child(program) as child:
            os.close(writer)
            child.end()
            return flag, os.read(reader, 100).decode().strip()


def reach_as_another_user() -> dict[str, Reply]:
    users = sandbox.current().users
    if not users:
        raise Unsupported("there is no second user in this sandbox; run as root")
    with queue() as own:

        def stranger() -> dict[str, Reply]:
            sandbox.become(users[0])
            return {
                "read": own.perform(Open(mode="r")),
                "write": own.perform(Open(mode="w")),
                "unlink": own.perform(Unlink()),
            }

        with Child(stranger) as child:
            return dict(child.answer())


def create_under_umask(mask: int) -> str:
    """The mode of a queue that is made with 0600."""
    os.umask(mask)
    with queue() as own:
        return oct(stat.S_IMODE(os.fstat(own.descriptors[0]).st_mode))


def pass_a_descriptor() -> dict[str, Reply]:
    """Uses a queue through a descriptor that came over a socket."""
    ours, theirs = socket.socketpair()
    with queue() as own:

        def stranger() -> list[Reply]:
            own.detach()
            _, numbers, _, _ = socket.recv_fds(theirs, 1, 1)
            own.descriptors = numbers
            return [own.perform(op) for op in (Send("x", 3), SetAttributes(True))]

        with Child(stranger) as child:
            socket.send_fds(ours, [b"x"], [own.descriptors[0]])
            replies = child.answer()
        return {
            "stranger": tuple(replies),
            "own": own.perform(Receive()),
            "shared flag": own.perform(Receive()),
        }


def exchange_in_parallel(senders: int, receivers: int, each: int) -> tuple[int, int]:
    """How many messages came, and in how many cases one of a sender and priority came before an
    older one, at one receiver."""
    with queue(capacity=4) as own, contextlib.ExitStack() as children:

        def send(sender: int) -> None:
            for number in range(each):
                assert own.perform(Send(f"{sender} {number}", number % 2)) is None

        def receive() -> list[Reply]:
            found = []
            while (got := own.perform(Receive())) != ("end", 0):
                found.append(got)
            return found

        takers = [children.enter_context(Child(receive)) for _ in range(receivers)]
        givers = [children.enter_context(Child(partial(send, sender))) for sender in range(senders)]
        for giver in givers:
            giver.answer()
        for _ in takers:
            own.perform(Send("end"))
        received = [taker.answer() for taker in takers]
    everything = {message for messages in received for message in messages}
    assert sum(map(len, received)) == len(everything), "a message came twice"
    return len(everything), sum(map(_out_of_order, received))


def _out_of_order(messages: list[tuple[str, int]]) -> int:
    newest: dict[tuple[str, int], int] = {}
    wrong = 0
    for text, priority in messages:
        sender, number = text.split()
        key = (sender, priority)
        wrong += int(number) < newest.get(key, -1)
        newest[key] = int(number)
    return wrong


def notify_by_thread() -> dict[str, Any]:
    """SIGEV_THREAD: what the C library makes for it, the value that the new thread is given, and
    whether another process can register while that thread has not gone on."""
    told, tell = os.pipe()
    gate, open_gate = os.pipe()

    def thread(value: int) -> None:
        os.read(gate, 1)
        os.write(tell, bytes([value]))

    called = ctypes.CFUNCTYPE(None, ctypes.c_int)(thread)
    with queue() as own:
        event = Sigevent(9, 0, 0, SIGEV_THREAD)
        function = ctypes.cast(called, ctypes.c_void_p).value or 0
        event.rest[:2] = array.array("i", function.to_bytes(8, "little"))
        threads, sockets = _threads(), _sockets()
        assert LIBC.mq_notify(own.descriptors[0], ctypes.byref(event)) == 0
        helpers, made = _threads() - threads, _sockets() - sockets
        busy = own.perform(Notify())
        own.perform(Send("x"))
        free = own.perform(Notify())
        os.write(open_gate, b"x")
        ready, _, _ = select.select([told], [], [], BOUND)
        return {
            "threads": len(helpers),
            "sockets": [_family(descriptor) for descriptor in made],
            "registered": busy,
            "after the message": free,
            "value": os.read(told, 1)[0] if ready else None,
        }


def _threads() -> set[str]:
    return set(os.listdir("/proc/self/task"))


def _sockets() -> set[int]:
    folder = Path("/proc/self/fd")
    return {int(name) for name in os.listdir(folder) if (folder / name).is_socket()}


def _family(descriptor: int) -> str:
    with socket.socket(fileno=os.dup(descriptor)) as same:
        return socket.AddressFamily(same.family).name


def exceed_limits_with_a_capability() -> dict[str, list[Reply]]:
    """Where CAP_SYS_RESOURCE counts: queues of the most messages and of one more, of the longest
    messages and of one byte more, and one queue more than queues_max."""
    if not is_above_limits():
        raise Unsupported(
            "CAP_SYS_RESOURCE of the initial user namespace is not to be had; run as a root that "
            "has it, with IPC_HARNESS_SANDBOX=off"
        )
    # RLIMIT_MSGQUEUE counts even for those with the capability, which lets them raise it.
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (resource.RLIM_INFINITY,) * 2)
    with queue() as own:

        def open_one_too_many() -> Reply:
            leave_namespace("ipc")
            most = int(Path("/proc/sys/fs/mqueue/queues_max").read_text())
            for number in range(most):
                opened = own.perform(Open(f"/{number}", create=True, maxmsg=1, msgsize=1))
                assert own.perform(Close(1)) is None, opened
            return own.perform(Open("/r", create=True, maxmsg=1, msgsize=1))

        with Child(open_one_too_many) as child:
            beyond = child.answer()
        return {
            "messages": [own.perform(Open("/r", create=True, maxmsg=n)) for n in (65536, 65537)],
            "bytes": [
                own.perform(Open("/s", create=True, maxmsg=1, msgsize=n))
                for n in (1 << 24, (1 << 24) + 1)
            ],
            "queues": [beyond],
        }
