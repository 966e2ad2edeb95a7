"""The real side of a mechanism: what runs inside the harness's own processes.

An adapter carries out one operation as one system call, and says what came of it; it knows no
rule and has no opinion. It is imported by the small process that actors are forked from, so
its module imports neither Hypothesis nor pytest.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from harness.spec import Op, Process, Reply


class Adapter(Protocol):
    """One instance lives in each process of a program, the keeper included."""

    sleeps_in: Mapping[type, frozenset[str]] = {}
    """For each class of operation that may sleep, the system calls that it may sleep in, by
    name. An actor counts as asleep in its call only inside one of these. A class that is not
    named may sleep in any system call (a subject that makes several)."""

    def create(self, setup: Any) -> tuple[Any, Sequence[int]]:
        """In the keeper: make the object. Returns what the others need in order to reach it:
        plain picklable data, and descriptors, which are passed to them."""
        ...

    def attach(
        self,
        setup: Any,
        who: Process,
        shared: Any,
        descriptors: Sequence[int],
        processes: Mapping[int, Process],
    ) -> None:
        """In every process, before the first step: reach the object. The descriptors are this
        process's own: in the keeper those that `create` returned, copies of them elsewhere;
        ``processes`` maps process ids, as this process sees them, to the
        processes of the program, for replies that name a process."""
        ...

    def perform(self, op: Op) -> Reply:
        """Carry out one operation. Errors of the system call are replies (`Errno`), not
        exceptions; an exception means that the harness is broken."""
        ...

    def detach(self) -> None:
        """In every process, after the last step: close what is open, so that the process can
        be used again as if it were new."""
        ...

    def destroy(self, shared: Any) -> None:
        """In the keeper, at the end: remove what has a name."""
        ...
