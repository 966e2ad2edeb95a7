"""Machines that refuse namespaces, as the seccomp filters of containers do."""

import ctypes
import os
import struct
from collections.abc import Sequence

from harness.execute import namespaces
from tests.sandboxed.libc import LIBC

_UNSHARE, _MOUNT = {"x86_64": (272, 165), "aarch64": (97, 40)}.get(os.uname().machine, (0, 0))


def refuse(kinds: Sequence[str]) -> None:
    """Have unshare(2) of these namespaces, and mount(2) for ``"mounts"``, refused from now on with
    EPERM, to this process and all that it starts."""
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
    assert LIBC.prctl(22, 2, ctypes.c_char_p(header), 0, 0) == 0
