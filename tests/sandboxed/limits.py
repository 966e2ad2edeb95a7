"""The sysctls that a run may change, and those that it may not."""

import os
import socket
from typing import Any

from harness.execute import namespaces, sandbox
from harness.execute.sandbox import Sandbox
from tests.sandboxed.runs import start, tell


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
