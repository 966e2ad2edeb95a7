"""The rules of System V semaphore sets, in words, with the source of each."""

from collections.abc import Mapping

SEMOP: Mapping[str, str] = {
    "raise": "A positive change is added at once (semop(2)).",
    "raise-undo": "A positive change with SEM_UNDO is noted, to be taken back at death (semop(2)).",
    "take": "A negative change is subtracted at once if the value is large enough (semop(2)).",
    "take-undo": "A negative change with SEM_UNDO is noted, to be given back at death (semop(2)).",
    "zero": "A wait for zero goes on at once where the value is 0 (semop(2)).",
    "zero-undo": "SEM_UNDO makes no difference to a wait for zero (semop(2)).",
    "array": "All steps of an array are taken in one, in their order, if all can be (semop(2)).",
    "array-undo": "The steps of an array that have SEM_UNDO are noted, no others (semop(2)).",
    "zeros": "Several waits for zero go on at once where all the values are 0 (semop(2)).",
    "zeros-undo": "SEM_UNDO makes no difference to several waits for zero (semop(2)).",
    "undo-record": "The first array with SEM_UNDO of a process makes its undo record, whatever "
    "becomes of the array (find_alloc_undo in ipc/sem.c).",
    "sleep-take": "A negative change sleeps until the value is large enough (semop(2)).",
    "sleep-zero": "A wait for zero sleeps until the value is 0 (semop(2)).",
    "sleep-array": "An array that would change something sleeps while a step cannot be taken; "
    "nothing of it is done, and nothing reserved (semop(2)).",
    "sleep-zeros": "Several waits for zero sleep until all the values are 0 (semop(2)).",
    "semop-erange": "A result over SEMVMX fails with ERANGE, nothing of the array is done "
    "(semop(2)).",
    "undo-erange": "An undo amount outside -32768..32767 fails with ERANGE, nothing of the array "
    "is done (perform_atomic_semop in ipc/sem.c).",
    "semop-too-many-steps": "An array longer than SEMOPM fails with E2BIG (semop(2)).",
    "semop-no-steps": "An array of no steps fails with EINVAL (semop(2)).",
    "semop-no-such-semaphore": "A step on a semaphore that the set has not fails with EFBIG "
    "(semop(2)).",
    "semop-no-such-set": "On the identifier of a removed set semop fails with EINVAL (semop(2)).",
    "semtimedop-bad-timeout": "A timeout below 0, or with tv_nsec outside 0..999999999, fails with "
    "EINVAL even if there is nothing to wait for (do_semtimedop in ipc/sem.c).",
}

CAUSES = {
    "semop": "an array",
    "semctl": "SETVAL or SETALL",
    "death": "the undo of a dead process",
    "sleeper": "what another sleeper's array did in the same step",
}

SERVED: Mapping[str, str] = {
    f"served-{kind}-by-{cause}": f"{text} as soon as {by} makes that possible, in the same step "
    "(do_smart_update in ipc/sem.c)."
    for kind, text in (
        ("take", "A sleeping negative change is subtracted"),
        ("zero", "A sleeping wait for zero goes on"),
        ("array", "A sleeping array is performed as a whole"),
    )
    for cause, by in CAUSES.items()
}

SLEEPERS: Mapping[str, str] = {
    **SERVED,
    "served-before-an-earlier": "A sleeper that can go on passes an earlier one that still cannot "
    "(update_queue in ipc/sem.c).",
    "refused-asleep-eagain": "An array that slept fails with EAGAIN once the step that blocks it "
    "is one with IPC_NOWAIT (perform_atomic_semop in ipc/sem.c).",
    "refused-asleep-erange": "An array that slept fails with ERANGE once it could go on but for "
    "its range (update_queue in ipc/sem.c).",
    "removed-asleep": "IPC_RMID ends the call of every sleeper with EIDRM (semop(2)).",
}

CONTROL: Mapping[str, str] = {
    "semget-new": "IPC_CREAT makes a set of zeros where none has the key; it has nothing of an "
    "earlier one (semget(2)).",
    "semget-found": "The key of a set gives its identifier, if it has as many semaphores as asked "
    "for, or more (semget(2)).",
    "semget-exists": "IPC_CREAT and IPC_EXCL fail with EEXIST where a set has the key (semget(2)).",
    "semget-absent": "Without IPC_CREAT, ENOENT where no set has the key (semget(2)).",
    "semget-bad-size": "A number of semaphores below 0 or over SEMMSL fails with EINVAL "
    "(semget(2)).",
    "semget-larger-than-the-set": "More semaphores than the set has: EINVAL (semget(2)).",
    "semget-new-of-none": "A new set of 0 semaphores: EINVAL (semget(2)).",
    "semget-no-space": "More semaphores than SEMMNS allows in all: ENOSPC (semget(2)).",
    "setval": "SETVAL sets one value (semctl(2)).",
    "setval-clears-undo": "SETVAL sets one value, and clears the undo of every process for that "
    "semaphore (semctl(2)).",
    "setval-erange": "SETVAL below 0 or over SEMVMX fails with ERANGE, even if there is no such "
    "semaphore (semctl(2), semctl_setval in ipc/sem.c).",
    "setall": "SETALL sets all values (semctl(2)).",
    "setall-clears-undo": "SETALL sets all values, and clears the undo of every process "
    "(semctl(2)).",
    "setall-erange": "SETALL with a value below 0 or over SEMVMX fails with ERANGE (semctl(2)).",
    "getval": "GETVAL gives the value (semctl(2)).",
    "getall": "GETALL gives all values (semctl(2)).",
    "getpid": "GETPID names who last took a step on the semaphore, a wait for zero or an undo "
    "included, or set it (semctl(2), ipc/sem.c).",
    "getncnt": "GETNCNT counts the sleepers that wait for a larger value; an array counts only at "
    "the step that blocked it (semctl(2), count_semcnt in ipc/sem.c).",
    "getzcnt": "GETZCNT counts the sleepers that wait for zero; an array counts only at the step "
    "that blocked it (semctl(2), count_semcnt in ipc/sem.c).",
    "stat": "IPC_STAT gives sem_nsems, and a sem_otime of 0 until the first semop (semget(2)).",
    "remove": "IPC_RMID removes the set (semctl(2)).",
    "remove-forgets-undo": "IPC_RMID frees the undo records: nothing will be undone "
    "(freeary in ipc/sem.c).",
    "semctl-no-such-set": "On the identifier of a removed set semctl fails with EINVAL "
    "(semctl(2)).",
    "semctl-no-such-semaphore": "A semaphore that the set has not: EINVAL (semctl(2)).",
    "semctl-no-such-command": "A command that there is not: EINVAL (semctl(2)).",
}

DEATH: Mapping[str, str] = {
    "exit": "A process without undo record leaves everything as it is (exit_sem in ipc/sem.c).",
    "exit-asleep": "A dead process is not in line any more (semtimedop in ipc/sem.c).",
    "exit-undo": "A death adds up what the process noted with SEM_UNDO and applies it, to the "
    "whole set in one step (semop(2), exit_sem in ipc/sem.c).",
    "exit-undo-of-nothing": "An undo record that adds up to nothing changes no value; the death "
    "sets sem_otime all the same (exit_sem in ipc/sem.c).",
    "exit-undo-clamped-to-0": "An undo that would go below 0 sets the value to 0 (semop(2) BUGS).",
    "exit-undo-clamped-to-semvmx": "An undo that would go over SEMVMX sets the value to SEMVMX "
    "(exit_sem in ipc/sem.c).",
}

RULES: Mapping[str, str] = {**SEMOP, **SLEEPERS, **CONTROL, **DEATH}
