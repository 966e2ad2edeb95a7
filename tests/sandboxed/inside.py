"""What there is inside a run."""

import os
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.execute import facilities, namespaces, registry, sandbox
from harness.execute.sandbox import Sandbox
from tests.sandboxed.libc import LIBC
from tests.sandboxed.runs import start, tell


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


def in_outer_namespace(most: int, powerless: bool) -> dict[str, Any]:
    """Look around in a run within a run, the outer one of which has a limit on user
    namespaces."""

    def body(box: Sandbox, channel: socket.socket) -> None:
        LIBC.umount2(b"/proc/sys", 2)
        Path("/proc/sys/user/max_user_namespaces").write_text(str(most))
        if powerless:
            sandbox.drop_capabilities()
        tell(channel, look_around())

    return dict(start(body).receive())


def examine_the_machine(python: str) -> dict[str, Any]:
    """What `doctor` says of this machine to this user."""
    sys.executable = python
    return {"facilities": [asdict(facility) for facility in facilities.doctor()]}
