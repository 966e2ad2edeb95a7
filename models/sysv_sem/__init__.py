"""The System V semaphore set: how one is made, what is done to it, and its model."""

from models.sysv_sem.model import SysvSem
from models.sysv_sem.operations import (
    Get,
    Getall,
    Remove,
    Sembuf,
    Semget,
    Semop,
    SemSetup,
    Semtimedop,
    Setall,
    Setval,
    Stat,
    Steps,
)
from models.sysv_sem.rules import RULES
from models.sysv_sem.state import SEMVMX, State

__all__ = [
    "RULES",
    "SEMVMX",
    "Get",
    "Getall",
    "Remove",
    "SemSetup",
    "Sembuf",
    "Semget",
    "Semop",
    "Semtimedop",
    "Setall",
    "Setval",
    "Stat",
    "State",
    "Steps",
    "SysvSem",
]
