"""The pipe: how one is made, what is done to it, and its model."""

from models.pipe.buffer import PAGE, content
from models.pipe.model import Pipe
from models.pipe.operations import (
    Close,
    GetSize,
    PipeSetup,
    Poll,
    Read,
    SetFlags,
    SetSize,
    Sigaction,
    Sigmask,
    Sigtimedwait,
    Unread,
    Write,
)
from models.pipe.rules import RULES
from models.pipe.state import State

__all__ = [
    "PAGE",
    "RULES",
    "Close",
    "GetSize",
    "Pipe",
    "PipeSetup",
    "Poll",
    "Read",
    "SetFlags",
    "SetSize",
    "Sigaction",
    "Sigmask",
    "Sigtimedwait",
    "State",
    "Unread",
    "Write",
    "content",
]
