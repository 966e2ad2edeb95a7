"""What the tests of the sandbox do in processes of their own: controllers, runs, and their ends.

Each function here runs in a *warden*: a fresh process, under another user if asked for, that is
the subreaper of all that it starts. A warden reports only once everything below it has ended,
so that what outlives its run is found without knowing it. Imports nothing but the standard
library and what it tests.
"""

import ctypes
import json
import os
import pickle
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from harness.execute import facilities, launcher, namespaces, registry, sandbox
from harness.execute.sandbox import Sandbox, Wanted
from harness.execute.syscalls import NUMBERS

BOUND = 20
"""Seconds after which what has not ended is taken for left behind."""

libc = ctypes.CDLL(None, use_errno=True)
Body = Callable[[Sandbox, socket.socket], None]


def main() -> None:
    """The warden: ``user function arguments``, all JSON."""
    user, name, arguments = map(json.loads, sys.argv[1:])
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        # This stands for a login as that user, whose processes are like any others.
        namespaces.prctl(namespaces.PR_SET_DUMPABLE, 1)
    namespaces.prctl(namespaces.PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGALRM, _report_left)
    signal.alarm(BOUND)
    result = globals()[name](*arguments)
    began = time.monotonic()
    reaped = _reap_all()
    print(json.dumps({"result": result, "reaped": reaped, "seconds": time.monotonic() - began}))


def _reap_all() -> int:
    reaped = 0
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return reaped
        reaped += 1


def _report_left(*_: object) -> NoReturn:
    left = [Path(f"/proc/{pid}/stat").read_text() for pid in launcher.children(os.getpid())]
    launcher.end_descendants()
    print("left behind:", *left, file=sys.stderr)
    traceback.print_stack()
    os._exit(3)


class Run(NamedTuple):
    """A run, as its test sees it."""

    child: int
    """The process that this one forked: the launcher, or the controller."""
    channel: socket.socket

    def receive(self) -> Any:
        message = self.channel.recv(1 << 20)
        assert message, "the run ended without a word"
        return pickle.loads(message)

    def receive_process(self) -> int:
        """A pidfd that the run sends."""
        message, pidfds, _, _ = socket.recv_fds(self.channel, 1, 1)
        assert message, "the run ended without a word"
        return pidfds[0]

    def code(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def tell(channel: socket.socket, value: Any) -> None:
    channel.send(pickle.dumps(value))


def show_process(channel: socket.socket, pid: int) -> None:
    pidfd = os.pidfd_open(pid)
    socket.send_fds(channel, [b"p"], [pidfd])
    os.close(pidfd)


def has_ended(pidfd: int, seconds: float = BOUND / 2) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def start(body: Body, wanted: Callable[[int], Wanted] = Wanted) -> Run:
    """Start a run whose controller is this process, and whose first process does ``body``."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    controller = os.getpid()
    child = os.fork()
    if child == 0:
        near.close()
        _be_launcher(wanted(controller), body, far)
    far.close()
    return Run(child, near)


def start_controller(body: Body) -> Run:
    """Start a controller, which starts a run and waits for it. The first two processes that can
    be received are the launcher and what ``body`` shows."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        near.close()
        controller = os.getpid()
        started = os.fork()
        if started == 0:
            _be_launcher(Wanted(controller), body, far)
        show_process(far, started)
        far.close()
        os._exit(os.waitstatus_to_exitcode(os.waitpid(started, 0)[1]) & 0xFF)
    far.close()
    return Run(child, near)


def _be_launcher(wanted: Wanted, body: Body, channel: socket.socket) -> NoReturn:
    code = 70
    try:
        body(sandbox.enter(wanted), channel)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def sleep_forever() -> NoReturn:
    while True:
        signal.pause()


# What is there inside.


def look_around() -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        path = registry.unique_name("fifo")
        os.mkfifo(path)
        tell(
            channel,
            {
                "pid": os.getpid(),
                "namespaces": list(box.namespaces),
                "missing": {name: str(lack) for name, lack in box.missing.items()},
                "private": box.private,
                "limits": list(box.limits),
                "users": len(box.users),
                "owner": box.owner,
                "processes": sum(name.isdigit() for name in os.listdir("/proc")),
                "shared memory": os.listdir("/dev/shm"),
                "scratch": os.listdir(box.scratch),
                "queues": os.listdir(box.mqueue) if box.mqueue else None,
                "connects": _connects_to_itself(),
                "inodes": _namespace_inodes(),
            },
        )

    run = start(body)
    found = run.receive()
    return {**found, "code": run.code(), "outside": _namespace_inodes()}


def _namespace_inodes() -> dict[str, str]:
    names = {"mount": "mnt", "network": "net"}
    return {kind: namespaces.identity(names.get(kind, kind)) for kind in sandbox.NAMESPACES}


def _connects_to_itself() -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        return client.connect_ex(server.getsockname()) == 0


def keep_mask_and_handlers() -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        tell(channel, ([int(number) for number in mask], signal.getsignal(signal.SIGUSR2).__name__))  # type: ignore[union-attr]

    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1])
    signal.signal(signal.SIGUSR2, _handler)
    mask, handler = start(body).receive()
    return {"mask": mask, "handler": handler}


def _handler(*_: object) -> None:
    """A handler that can be recognised by its name."""


def hear_the_end_of_the_first_process() -> dict[str, Any]:
    """The launcher must not keep descriptors of the run open."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        channel.close()
        sleep_forever()

    run = start(body)
    heard = run.channel.recv(1) == b""
    os.kill(run.child, signal.SIGTERM)
    return {"heard": heard, "code": run.code()}


def join_a_session() -> dict[str, Any]:
    """Whether what a terminal sends to its processes passes the run by."""
    run = start(lambda box, channel: tell(channel, channel.recv(1)))
    while os.getsid(run.child) != run.child and not has_ended(os.pidfd_open(run.child), 0):
        os.sched_yield()
    own = os.getsid(run.child) == run.child
    run.channel.close()
    return {"own": own}


def end_with(how: str) -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        show_process(channel, os.getpid())
        if how == "exit":
            sys.exit(7)
        sleep_forever()

    run = start(body)
    first = run.receive_process()
    if how == "killed":
        signal.pidfd_send_signal(first, signal.SIGKILL)
    elif how == "terminated":
        os.kill(run.child, signal.SIGTERM)
    return {"code": run.code(), "ended": has_ended(first)}


def start_for_a_stranger() -> dict[str, Any]:
    """The process that is named as the controller is not the one that started the launcher."""
    run = start(lambda box, channel: tell(channel, "entered"), lambda _: Wanted(1))
    return {"word": run.channel.recv(100).decode("latin-1"), "code": run.code()}


def want(namespaces_wanted: list[str], users: int) -> dict[str, Any]:
    """What is said of a wish without meaning."""
    try:
        sandbox.enter(Wanted(os.getppid(), tuple(namespaces_wanted), users))
    except Exception as error:
        return {"error": type(error).__name__, "text": str(error)}
    raise AssertionError("this should have been refused")


# Looking in from outside.


def watch_an_actor(change: str) -> dict[str, Any]:
    """Read, from outside, in which call an actor sleeps that has changed its credentials."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        me = os.getpid()
        sleeping, _writer = os.pipe()
        actor = os.fork()
        if actor == 0:
            sandbox.die_with_parent(me)
            if change == "other user":
                sandbox.become(box.users[0])
            elif change == "powerless":
                sandbox.drop_capabilities()
            os.read(sleeping, 1)
            os._exit(0)
        show_process(channel, actor)
        channel.recv(1)

    run = start(body)
    pidfd = run.receive_process()
    pid = sandbox.pid_behind(pidfd)
    read = str(NUMBERS["read"])
    limit = time.monotonic() + BOUND / 2
    state = number = ""
    while time.monotonic() < limit and (state, number) != ("S", read):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            number = Path(f"/proc/{pid}/syscall").read_text().split()[0]
        except PermissionError:
            number = "refused"
        os.sched_yield()
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    ended = has_ended(pidfd)
    run.channel.close()
    return {"state": state, "in read": number == read, "number": number, "ended": ended}


def act_as_somebody_else() -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        path = os.path.join(box.scratch, "mine")
        Path(path).touch(0o600)
        me = os.getpid()
        if os.fork() == 0:
            sandbox.die_with_parent(me)
            sandbox.become(box.users[-1])
            try:
                Path(path).read_bytes()
            except PermissionError:
                death = ctypes.c_int()
                libc.prctl(2, ctypes.byref(death), 0, 0, 0)
                tell(channel, {"refused": True, "ids": os.getresuid(), "death": death.value})
            os._exit(0)
        os.wait()

    return dict(start(body).receive())


def become_unknown() -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        try:
            sandbox.become(4711)
        except Exception as error:
            tell(channel, {"error": type(error).__name__, "text": str(error)})

    return dict(start(body).receive())


# Limits.


def write_limits(writes: list[tuple[str, Any]]) -> dict[str, Any]:
    """Write limits in a run; what came of each, and what the machine's values are then."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        said: list[Any] = []
        for name, value in writes:
            try:
                said.append(
                    sandbox.write_limit(name, tuple(value) if isinstance(value, list) else value)
                )
            except Exception as error:
                said.append([type(error).__name__, str(error)])
        tell(channel, {"said": said, "inside": {n: namespaces.setting(n) for n, _ in writes}})

    before = {name: namespaces.setting(name) for name, _ in writes}
    found = start(body).receive()
    return {**found, "unchanged": before == {name: namespaces.setting(name) for name, _ in writes}}


def write_the_machines_sysctl() -> dict[str, Any]:
    """Past `write_limit`, as a subject might."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        try:
            os.close(os.open("/proc/sys/fs/file-max", os.O_WRONLY))
            tell(channel, "opened")
        except OSError as error:
            tell(channel, error.strerror)

    return {"said": start(body).receive()}


# Ends.

Objects = list[tuple[str, Any, Any]]
"""Kind, name or number, and for a System V object what tells it from others."""
_EXCLUSIVE = 0o3600


def made(name: str, *arguments: Any) -> int:
    """What a function of the C library returns, which must not fail."""
    result = int(getattr(libc, name)(*arguments))
    assert result >= 0, f"{name}: {os.strerror(ctypes.get_errno())}"
    return result


def make_objects() -> Objects:
    """One of each kind that a run may make, registered as adapters do."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    found: Objects = []
    libc.sem_open.restype = ctypes.c_void_p
    for kind in ("posix_mq", "posix_sem", "posix_shm"):
        name = registry.unique_name(kind)
        registry.register(kind, name)
        found.append((kind, name, None))
        if kind == "posix_mq":
            os.close(made("mq_open", name.encode(), flags, 0o600, None))
        elif kind == "posix_shm":
            os.close(made("shm_open", name.encode(), flags, 0o600))
        else:
            assert libc.sem_open(name.encode(), flags, 0o600, 0)
    for kind, size in (("sem", [1]), ("msg", []), ("shm", [4096])):
        key = registry.unique_key()
        registry.register(f"sysv_{kind}_key", key)
        keyed = made(f"{kind}get", key, *size, _EXCLUSIVE)
        private = made(f"{kind}get", 0, *size, _EXCLUSIVE)
        registry.register(f"sysv_{kind}", private)
        what = f"sysv_{kind}"
        found += [
            (what, number, registry.maker(what, number, os.geteuid()))
            for number in (keyed, private)
        ]
    make_files()
    return found


def make_files() -> None:
    os.mkfifo(registry.unique_name("fifo"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(registry.unique_name("socket"))
    hidden = registry.unique_name("directory")
    os.mkdir(hidden)
    Path(hidden, "file").touch()
    os.chmod(hidden, 0)


def still_there(objects: Objects) -> list[str]:
    """Which of these objects exist, as far as this process can see."""
    found = []
    for kind, name, maker in objects:
        if kind == "posix_mq":
            exists = libc.mq_open(name.encode(), os.O_RDONLY) >= 0
        elif maker is None:
            prefix = "sem." if kind == "posix_sem" else ""
            exists = os.path.exists(f"/dev/shm/{prefix}{name[1:]}")
        else:
            exists = registry.maker(kind, name, os.geteuid()) == maker
        if exists:
            found.append(f"{kind} {name}")
    return found


def crowd(box: Sandbox, channel: socket.socket, escape: bool = True) -> None:
    """Objects of all kinds, and processes in all the states that make them hard to end."""
    objects = make_objects()
    empty = next(number for kind, number, _ in objects if kind == "sysv_sem")
    me = os.getpid()
    for behave in (_sleep_in_read, _sleep_in_semop, _stop, _be_deaf):
        actor = os.fork()
        if actor == 0:
            sandbox.die_with_parent(me)
            behave(empty)
        show_process(channel, actor)
        if behave is _stop:
            os.waitpid(actor, os.WUNTRACED)
    if escape:
        _escape(channel)
    get_waiting_count = 14
    while libc.semctl(empty, 0, get_waiting_count) == 0:
        os.sched_yield()
    show_process(channel, me)
    tell(channel, objects)
    sleep_forever()


def _sleep_in_read(_: int) -> NoReturn:
    reader, _writer = os.pipe()
    os.read(reader, 1)
    os._exit(0)


def _sleep_in_semop(empty: int) -> NoReturn:
    libc.semop(empty, (ctypes.c_short * 3)(0, -1, 0), 1)
    os._exit(0)


def _stop(_: int) -> NoReturn:
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(0)


def _be_deaf(_: int) -> NoReturn:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, signal.SIG_IGN)
    sleep_forever()


def _escape(channel: socket.socket) -> None:
    """Fork a process that leaves its parent and its session, and is not told of any death."""
    middle = os.fork()
    if middle == 0:
        escaped = os.fork()
        if escaped == 0:
            os.setsid()
            _be_deaf(0)
        show_process(channel, escaped)
        os._exit(0)
    os.waitpid(middle, 0)


def kill_amid_a_crowd(victim: str) -> dict[str, Any]:
    """Kill the controller, the launcher or the first process of a busy run, and wait for what
    is left of it."""
    mounts = Path("/proc/self/mountinfo").read_text()
    run = start_controller(crowd)
    launched, *pidfds = [run.receive_process() for _ in range(7)]
    objects = run.receive()
    visible = still_there(objects)
    pidfd = {"controller": os.pidfd_open(run.child), "launcher": launched, "first": pidfds[-1]}
    began = time.monotonic()
    signal.pidfd_send_signal(pidfd[victim], signal.SIGKILL)
    ended = [has_ended(each) for each in (*pidfds, launched)]
    return {
        "ended": all(ended),
        "seconds until ended": time.monotonic() - began,
        "visible": len(visible),
        "left": still_there(objects),
        "registry": registered(),
        "same mounts": mounts == Path("/proc/self/mountinfo").read_text(),
    }


def kill_the_sentinel() -> dict[str, Any]:
    """With nobody left to tidy up, the next run must."""
    run = start(lambda box, channel: crowd(box, channel, escape=False))
    pidfds = [run.receive_process() for _ in range(5)]
    objects = run.receive()
    os.kill(run.child, signal.SIGKILL)
    ended = [has_ended(pidfd) for pidfd in pidfds]
    left, entries = still_there(objects), registered()
    code = start(lambda box, channel: None).code()
    return {
        "ended": all(ended),
        "left": len(left),
        "entries": len(entries),
        "code": code,
        "left by the next": still_there(objects),
        "registry": registered(),
    }


def registered() -> list[str]:
    """The names in the registry."""
    try:
        return os.listdir(registry.directory())
    except FileNotFoundError:
        return []


def kill_at(moments: list[float]) -> dict[str, Any]:
    """Kill controllers so many milliseconds after they began to start a run."""
    reached = 0
    for milliseconds in moments:
        run = start_controller(crowd)
        has_ended(os.pidfd_open(run.child), milliseconds / 1000)
        os.kill(run.child, signal.SIGKILL)
        # Every process of the run holds the other end.
        while run.channel.recv(1 << 16):
            reached += 1
        _reap_all()
    return {"messages": reached, "registry": registered()}


# The registry, in a namespace of the test's own.


def _with_registry(body: Callable[[registry.Run], Any]) -> dict[str, Any]:
    """Do something as if the run needed a registry although all that it makes is private."""

    def first(box: Sandbox, channel: socket.socket) -> None:
        os.environ["TMPDIR"] = box.scratch
        run = registry.begin()
        registry.adopt(run, registry.Private(), box.scratch)
        tell(channel, body(run))

    run = start(first)
    found = dict(run.receive())
    return {**found, "code": run.code()}


def recycle_an_id() -> dict[str, Any]:
    """A semaphore set of the run's is removed, and somebody else's gets the same id."""

    def body(run: registry.Run) -> dict[str, Any]:
        number = made("semget", 0, 1, _EXCLUSIVE)
        registry.register("sysv_sem", number)
        made("semctl", number, 0, 0)
        sandbox.write_limit("kernel.sem_next_id", number)
        again = made("semget", 4711, 1, _EXCLUSIVE)
        os.close(run.lock)
        swept = registry.sweep()
        return {"same id": again == number, "swept": swept, "still there": _exists(again)}

    return _with_registry(body)


def _exists(semaphores: int) -> bool:
    get_value = 12
    return int(libc.semctl(semaphores, 0, get_value)) >= 0


def fill_the_disk() -> dict[str, Any]:
    def body(box: Sandbox, channel: socket.socket) -> None:
        namespaces.mount("tmpfs", box.scratch, "tmpfs", 0, "size=4k")
        Path(box.scratch, "full").write_bytes(bytes(4096))
        os.environ["TMPDIR"] = box.scratch
        try:
            registry.begin()
        except Exception as error:
            tell(channel, {"error": type(error).__name__, "text": str(error)})

    return dict(start(body).receive())


def examine_the_machine(python: str) -> dict[str, Any]:
    """What `doctor` says of this machine to this user."""
    sys.executable = python
    return {"facilities": [asdict(facility) for facility in facilities.doctor()]}


# Machines that refuse.

_UNSHARE, _MOUNT = {"x86_64": (272, 165), "aarch64": (97, 40)}.get(os.uname().machine, (0, 0))


def with_denied(kinds: list[str], name: str, arguments: list[Any]) -> Any:
    """Do something where unshare(2) of these namespaces, and mount(2) if it is among them, is
    refused with EPERM, as the seccomp filters of containers do."""
    mask = sum(namespaces.CLONE[kind] for kind in kinds if kind != "mounts")
    deny, allow = 0x00050001, 0x7FFF0000
    program = [
        (0x20, 0, 0, 0),  # the number of the system call
        (0x15, 3, 0, _MOUNT if "mounts" in kinds else 0xFFFF),
        (0x15, 0, 3, _UNSHARE),
        (0x20, 0, 0, 16),  # its first argument
        (0x45, 0, 1, mask),
        (0x06, 0, 0, deny),
        (0x06, 0, 0, allow),
    ]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(filters))
    namespaces.prctl(38, 1)
    assert libc.prctl(22, 2, ctypes.c_char_p(header), 0, 0) == 0
    return globals()[name](*arguments)


def in_outer_namespace(most: int, powerless: bool) -> dict[str, Any]:
    """Look around in a run within a run, the outer one of which has a limit on user
    namespaces."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        libc.umount2(b"/proc/sys", 2)
        Path("/proc/sys/user/max_user_namespaces").write_text(str(most))
        if powerless:
            sandbox.drop_capabilities()
        tell(channel, look_around())

    return dict(start(body).receive())


if __name__ == "__main__":
    main()
