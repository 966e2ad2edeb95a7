"""Runs that are killed in the middle of what they do, and what is left of them."""

import ctypes
import os
import signal
import socket
from pathlib import Path
from typing import Any, NoReturn

from harness.execute import registry, sandbox
from harness.execute.sandbox import Sandbox
from tests.sandboxed.libc import LIBC
from tests.sandboxed.objects import make_objects, still_there
from tests.sandboxed.runs import (
    has_ended,
    reap_all,
    show_process,
    sleep_forever,
    start,
    start_controller,
    tell,
)


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
    while LIBC.semctl(empty, 0, get_waiting_count) == 0:
        os.sched_yield()
    show_process(channel, me)
    tell(channel, objects)
    sleep_forever()


def _sleep_in_read(_: int) -> NoReturn:
    reader, _writer = os.pipe()
    os.read(reader, 1)
    os._exit(0)


def _sleep_in_semop(empty: int) -> NoReturn:
    LIBC.semop(empty, (ctypes.c_short * 3)(0, -1, 0), 1)
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
    signal.pidfd_send_signal(pidfd[victim], signal.SIGKILL)
    ended = [has_ended(each) for each in (*pidfds, launched)]
    return {
        "ended": all(ended),
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
    for milliseconds in moments:
        run = start_controller(crowd)
        has_ended(os.pidfd_open(run.child), milliseconds / 1000)
        os.kill(run.child, signal.SIGKILL)
        # Every process of the run holds the other end.
        while run.channel.recv(1 << 16):
            pass
        reap_all()
    return {"registry": registered()}
