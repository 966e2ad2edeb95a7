"""The registry of a run, in namespaces of the test's own."""

import os
import socket
from pathlib import Path
from typing import Any

from harness.execute import namespaces, registry, sandbox
from harness.execute.sandbox import Sandbox
from tests.sandboxed.libc import LIBC, made
from tests.sandboxed.objects import EXCLUSIVE
from tests.sandboxed.runs import start, tell

_IPC_RMID, _GETVAL = 0, 12
"""Commands of semctl(2)."""


def recycle_an_id() -> dict[str, Any]:
    """A semaphore set of a run's, which needs a registry, is removed, and somebody else's gets the
    same id."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        os.environ["TMPDIR"] = box.scratch
        run = registry.begin()
        # As if not all that the run makes were private.
        registry.adopt(run, registry.Private(), box.scratch)
        number = made("semget", 0, 1, EXCLUSIVE)
        registry.register("sysv_sem", number)
        made("semctl", number, 0, _IPC_RMID)
        sandbox.write_limit("kernel.sem_next_id", number)
        again = made("semget", 4711, 1, EXCLUSIVE)
        os.close(run.lock)
        swept = registry.sweep()
        found = {"same id": again == number, "swept": swept}
        tell(channel, {**found, "still there": LIBC.semctl(again, 0, _GETVAL) >= 0})

    run = start(body)
    return {**run.receive(), "code": run.code()}


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
