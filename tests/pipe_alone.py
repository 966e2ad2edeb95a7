"""Pipes in the hands of their model alone, without any kernel, and who uses them."""

from typing import Any

from models.pipe import Close, Pipe, PipeSetup, Read, Write
from tests.model_alone import Actor, ModelAlone

ALL = 1 << 20
"""More bytes than a pipe of these tests holds."""


class User(Actor):
    def reads(self, size: int = ALL) -> Any:
        return self.calls(Read(size))

    def writes(self, tag: int, size: int) -> Any:
        return self.calls(Write(tag, size))


def made(setup: PipeSetup) -> tuple[ModelAlone, User, User, User, User]:
    """A pipe, three actors and the keeper."""
    pipe = ModelAlone(Pipe(setup, 4))
    a, b, c, keeper = (User(pipe, who) for who in range(4))
    return pipe, a, b, c, keeper


def shared(**setup: Any) -> tuple[ModelAlone, User, User, User, User]:
    """A pipe of which everybody holds both ends."""
    return made(PipeSetup(keeper="rw", **setup))


def broken_pipe(sigpipe: str) -> tuple[ModelAlone, User]:
    """A pipe without readers, and one that can write to it."""
    pipe, a, b, _, _ = made(PipeSetup(sole="r", keeper="", sigpipe=sigpipe))
    a.calls(Close("r"))
    return pipe, b
