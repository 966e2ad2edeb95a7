"""The C library, as a test calls it where Python has no function."""

import ctypes
import os
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)


def made(name: str, *arguments: Any) -> int:
    """What a function of the C library returns, which must not fail."""
    result = int(getattr(LIBC, name)(*arguments))
    assert result >= 0, f"{name}: {os.strerror(ctypes.get_errno())}"
    return result
