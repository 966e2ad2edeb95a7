"""What programs of calls cannot say of System V semaphore sets: fork, execve, threads, unshare,
permissions, bad pointers, and the order of things in a dying process.

Every public function runs in a process of its own inside the sandbox, and raises AssertionError
where the kernel does something else than its name says.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator

from harness.errors import Unsupported
from harness.execute import sandbox
from harness.execute.registry import forget, register
from models.sysv_sem import Sembuf, Steps
from properties.kernel.children import (
    Child,
    adopt_orphans,
    await_fact,
    sleep_for_ever,
    state_of,
    unseen,
)
from properties.kernel.libc import failure
from properties.kernel.sysv_sem import (
    GETALL,
    IPC_CREAT,
    IPC_RMID,
    IPC_STAT,
    SETALL,
    SETVAL,
    sembufs,
    semctl,
    semget,
    semop,
)

IPC_PRIVATE = 0
CLONE_SYSVSEM = 0x40000
IPC_SET, GETVAL = 1, 12
TRIES = 50
SETS = 200
DESCRIPTORS = 900
TAKE = (Sembuf(0, -1, undo=True),)
ZERO = (Sembuf(0, 0),)
UP_AND_DOWN = (Sembuf(0, 0), Sembuf(0, 1), Sembuf(0, -1))

_UNCHECKED = ctypes.CDLL(None, use_errno=True)
"""The C library once more, which takes any pointers."""


@contextlib.contextmanager
def semaphores(*values: int, mode: int = 0o600) -> Iterator[int]:
    """The identifier of a new set with these values."""
    semid = succeed(semget(IPC_PRIVATE, len(values), IPC_CREAT | 0o600))
    register("sysv_sem", semid)
    try:
        succeed(semctl(semid, 0, SETALL, (ctypes.c_ushort * len(values))(*values)))
        if mode != 0o600:
            set_mode(semid, mode)
        yield semid
    finally:
        semctl(semid, 0, IPC_RMID)
        forget("sysv_sem", semid)


def succeed(result: int) -> int:
    assert result >= 0, failure().name
    return result


def outcome(result: int) -> str | None:
    """The name of the error of a call; ``None``: it has succeeded."""
    return None if result >= 0 else failure().name


def operate(semid: int, steps: Steps) -> int:
    result: int = semop(semid, sembufs(steps), len(steps))
    return result


def value(semid: int, sem: int = 0) -> int:
    return succeed(semctl(semid, sem, GETVAL))


def take(semid: int) -> None:
    succeed(operate(semid, TAKE))


def take_and_live_on(semid: int) -> None:
    take(semid)
    sleep_for_ever()


def run_through(body: Callable[[], None]) -> None:
    """Have a child do ``body`` to its end, and exit."""
    with Child(body) as child:
        child.answer()


def on_two_cpus() -> int:
    """Leave the CPU that the actors share for another; the number of one more, on which a process
    dies while this one looks on."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise Unsupported("this needs two CPUs to be seen; allow this process a second one")
    os.sched_setaffinity(0, cpus[:1])
    return cpus[1]


def normal_exit_undoes() -> None:
    with semaphores(1) as semid:
        run_through(lambda: take(semid))
        assert value(semid) == 1


def a_zombie_holds_no_undo() -> None:
    with semaphores(1) as semid:
        with Child(lambda: take_and_live_on(semid)) as child:
            await_fact(lambda: value(semid) == 0, "the take")
            assert child.becomes_a_zombie() == "Z"
            assert value(semid) == 1
        assert value(semid) == 1


def undo_survives_execve() -> None:
    ready, announce = os.pipe()

    def body() -> None:
        take(semid)
        os.set_inheritable(announce, True)
        program = f"import os, signal; os.write({announce}, b'x'); signal.pause()"
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", program])

    with semaphores(1) as semid:
        with Child(body) as child:
            assert os.read(ready, 1) == b"x"
            assert value(semid) == 0
            child.kill()
        assert value(semid) == 1


def threads_share_one_undo_list() -> None:
    with semaphores(1, 0) as semid:

        def body() -> None:
            thread = threading.Thread(target=take, args=(semid,))
            thread.start()
            thread.join()
            succeed(operate(semid, (Sembuf(1, 1),)))
            sleep_for_ever()

        with Child(body) as child:
            await_fact(lambda: value(semid, 1) == 1, "the end of the thread")
            assert value(semid) == 0, "the end of the thread undid what it had taken"
            child.kill()
        assert value(semid) == 1


def the_undo_of_a_process_waits_for_its_last_thread() -> None:
    """The first thread has ended, by pthread_exit; the process lives on in the second."""
    with semaphores(1, 0) as semid:

        def second() -> None:
            await_fact(lambda: state_of(os.getpid()) == "Z", "the end of the first thread")
            succeed(operate(semid, (Sembuf(1, 1),)))
            sleep_for_ever()

        def body() -> None:
            take(semid)
            threading.Thread(target=second, daemon=True).start()
            _UNCHECKED.pthread_exit(None)

        with Child(body) as child:
            await_fact(lambda: value(semid, 1) == 1, "the second thread")
            assert value(semid) == 0
            child.kill()
        assert value(semid) == 1


def unshare_applies_the_undo_at_once() -> None:
    with semaphores(1, 0) as semid:

        def body() -> None:
            take(semid)
            succeed(_UNCHECKED.unshare(CLONE_SYSVSEM))
            assert value(semid) == 1, "the undo was not applied"
            succeed(operate(semid, (Sembuf(0, -1),)))
            succeed(operate(semid, (Sembuf(1, 1, undo=True),)))

        run_through(body)
        assert (value(semid, 0), value(semid, 1)) == (0, 0)


def a_forked_child_inherits_no_undo() -> None:
    with semaphores(1) as semid:
        take(semid)
        run_through(lambda: None)
        assert value(semid) == 0


def an_orphan_keeps_its_undo() -> None:
    ready, announce = os.pipe()
    adopt_orphans()

    def parent() -> None:
        with Child(lambda: take_and_live_on(semid)) as child:
            os.write(announce, str(child.pid).encode())
            sleep_for_ever()

    with semaphores(1) as semid:
        with Child(parent) as middle:
            orphan = int(os.read(ready, 20))
            await_fact(lambda: value(semid) == 0, "the take")
            middle.kill()
        assert value(semid) == 0
        os.kill(orphan, signal.SIGKILL)
        os.waitpid(orphan, 0)
        assert value(semid) == 1


def a_kill_by_the_cpu_limit_undoes() -> None:
    with semaphores(1) as semid:

        def body() -> None:
            take(semid)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
            while True:
                pass

        with Child(body) as child:
            assert child.end() in (-signal.SIGKILL, -signal.SIGXCPU)
        assert value(semid) == 1


def bad_pointers_fail_with_efault() -> None:
    nowhere = ctypes.c_void_p(1)
    with semaphores(1) as semid:
        array = ctypes.c_char_p(sembufs(TAKE))
        assert outcome(_UNCHECKED.semop(semid, nowhere, 1)) == "EFAULT"
        assert outcome(_UNCHECKED.semtimedop(semid, nowhere, 1, None)) == "EFAULT"
        assert outcome(_UNCHECKED.semtimedop(semid, array, 1, nowhere)) == "EFAULT"
        for command in (GETALL, SETALL, IPC_STAT):
            assert outcome(_UNCHECKED.semctl(semid, 0, command, nowhere)) == "EFAULT"
        assert value(semid) == 1


def beyond_the_limit_of_sets_there_is_no_space() -> None:
    before = sandbox.write_limit("kernel.sem.semmni", 1)
    try:
        with semaphores(0):
            assert outcome(semget(IPC_PRIVATE, 1, 0o600)) == "ENOSPC"
        with semaphores(0) as semid:
            assert value(semid) == 0
    finally:
        sandbox.write_limit("kernel.sem.semmni", before)


def set_mode(semid: int, mode: int) -> None:
    """IPC_SET of the permission bits; uid and gid stay."""
    status = (ctypes.c_char * 256)()
    succeed(semctl(semid, 0, IPC_STAT, status))
    ctypes.c_uint.from_buffer(status, 20).value = mode
    succeed(semctl(semid, 0, IPC_SET, status))


def permissions_count(drop: Callable[[], None], bits: int, mode: int) -> None:
    """What a process may do with a set of this ``mode``, once ``drop`` has taken its privileges;
    ``bits`` are those that then count for it: 4 to read, 2 to change."""
    with semaphores(0, mode=mode) as semid:

        def body() -> dict[str, str | None]:
            drop()
            return {
                "wait for zero": outcome(operate(semid, ZERO)),
                "get": outcome(semctl(semid, 0, GETVAL)),
                "change": outcome(operate(semid, UP_AND_DOWN)),
                "set": outcome(semctl(semid, 0, SETVAL, 0)),
            }

        with Child(body) as child:
            found = child.answer()
    to_read, to_change = (None if bits & bit else "EACCES" for bit in (4, 2))
    expected = {"wait for zero": to_read, "get": to_read, "change": to_change, "set": to_change}
    assert found == expected, f"mode {mode:o} allows {found}, not {expected}"


def the_owner_needs_permission() -> None:
    for bits in (0, 2, 4, 6):
        permissions_count(sandbox.drop_capabilities, bits, bits << 6)


def another_user_needs_permission() -> None:
    users = sandbox.current().users
    if not users:
        raise Unsupported("there is no second user in this sandbox; run as root")
    for bits in (0, 2, 4, 6):
        permissions_count(lambda: sandbox.become(users[0]), bits, bits)


def a_death_undoes_set_by_set_and_each_set_as_a_whole() -> None:
    """Sees the set that is undone first restored while the last is not, and no set in halves."""
    other_cpu = on_two_cpus()
    array = (Sembuf(0, -1, undo=True), Sembuf(1, -1, undo=True))
    seen = 0
    with contextlib.ExitStack() as sets:
        semids = [sets.enter_context(semaphores(1, 1)) for _ in range(SETS)]
        for _ in range(TRIES):
            seen += _one_death(semids, array, other_cpu)
    if not seen:
        raise unseen("an undo half-way", f"{TRIES} deaths")


def _one_death(semids: list[int], array: Steps, cpu: int) -> bool:
    def body() -> None:
        os.sched_setaffinity(0, (cpu,))
        for semid in semids:
            succeed(operate(semid, array))
        sleep_for_ever()

    first, last = semids[-1], semids[0]
    with Child(body) as child:
        await_fact(lambda: value(first) == 0, "the takes")
        os.kill(child.pid, signal.SIGKILL)
        pair = (ctypes.c_ushort * 2)()
        while not pair[0]:
            succeed(semctl(first, 0, GETALL, pair))
            assert pair[0] == pair[1], f"a set was seen in halves: {pair[:]}"
        halfway = value(last) == 0
    assert all(value(semid) == 1 for semid in semids)
    return halfway


def a_death_undoes_before_it_closes_descriptors() -> None:
    """At end of file the undo has always happened; it is seen before that, too."""
    other_cpu = on_two_cpus()
    with semaphores(1) as semid:
        early = sum(_undone_before_end_of_file(semid, other_cpu) for _ in range(TRIES))
    if not early:
        raise unseen("an undo before the end of file", f"{TRIES} deaths")


def _undone_before_end_of_file(semid: int, cpu: int) -> bool:
    reader, writer = os.pipe()

    def body() -> None:
        os.sched_setaffinity(0, (cpu,))
        for _ in range(DESCRIPTORS):
            os.dup(writer)
        take_and_live_on(semid)

    with Child(body) as child:
        os.close(writer)
        await_fact(lambda: value(semid) == 0, "the take")
        os.kill(child.pid, signal.SIGKILL)
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        early = at_end = False
        while not at_end:
            at_end = bool(poll.poll(0))
            undone = value(semid) == 1
            assert undone or not at_end, "end of file came before the undo"
            early = early or (undone and not poll.poll(0))
    os.close(reader)
    return early
