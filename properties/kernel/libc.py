"""The C library, as adapters and cases call it: through ctypes, with errno kept."""

import ctypes
from ctypes import c_long
from errno import errorcode

from harness.spec import Errno

LIBC = ctypes.CDLL(None, use_errno=True)


class Timespec(ctypes.Structure):
    """struct timespec (timespec(3type))."""

    _fields_ = (("seconds", c_long), ("nanoseconds", c_long))


def failure() -> Errno:
    """The error of the call that has just failed."""
    return Errno(errorcode[ctypes.get_errno()])
