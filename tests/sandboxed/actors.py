"""Processes of a run that changed their credentials, as they are and as they look from outside."""

import ctypes
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from harness.execute import sandbox
from harness.execute.sandbox import Sandbox
from harness.execute.syscalls import NUMBERS
from tests.sandboxed.libc import LIBC
from tests.sandboxed.runs import BOUND, has_ended, show_process, start, tell


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
    return {"state": state, "in read": number == read, "ended": ended}


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
                LIBC.prctl(2, ctypes.byref(death), 0, 0, 0)
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
