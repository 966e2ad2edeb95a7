"""What programs of calls cannot say of semaphores through the package sysv_ipc."""

import sysv_ipc

from harness.execute.registry import forget, register, unique_key


def ipc_creat_leaves_the_value_of_what_exists() -> None:
    key = unique_key()
    register("sysv_sem_key", key)
    semaphore = sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, initial_value=5)
    try:
        sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREAT)
        assert semaphore.value == 5
    finally:
        semaphore.remove()
        forget("sysv_sem_key", key)
