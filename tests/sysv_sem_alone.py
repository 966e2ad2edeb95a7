"""Semaphore sets in the hands of their model alone, without any kernel."""

from typing import Any

from harness.spec import Op, Process
from models.sysv_sem import Get, Getall, Semop, SemSetup, SysvSem
from properties.sysv_sem import one, steps
from tests.model_alone import ModelAlone

A, B, C, KEEPER = range(4)


class Sems(ModelAlone):
    """A set in the hands of three processes and a keeper."""

    def __init__(self, *values: int, setup: SemSetup | None = None) -> None:
        super().__init__(SysvSem(setup or SemSetup(values), 4))

    def call(self, who: Process, op: Op) -> Any:
        return self.processes[who].calls(op)

    def answer(self, who: Process) -> Any:
        return self.processes[who].answer

    def dies(self, who: Process) -> None:
        self.processes[who].is_killed()

    def take(self, who: Process, sem: int = 0, by: int = 1, undo: bool = False) -> Any:
        return self.call(who, Semop(one(sem, -by, undo=undo)))

    def give(self, who: Process, sem: int = 0, by: int = 1, undo: bool = False) -> Any:
        return self.call(who, Semop(one(sem, by, undo=undo)))

    def zero(self, who: Process, sem: int = 0) -> Any:
        return self.call(who, Semop(one(sem, 0)))

    def array(self, who: Process, *changes: tuple[int, int]) -> Any:
        return self.call(who, Semop(steps(*changes)))

    def values(self) -> Any:
        return self.call(KEEPER, Getall())

    def get(self, command: str, sem: int = 0) -> Any:
        return self.call(KEEPER, Get(command, sem))
