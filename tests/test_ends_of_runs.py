"""However a test run ends, at whatever moment, it leaves no process, object or mount behind."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

ROOT = Path(__file__).parent.parent
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
TIMES = 50
EARLY = 2.0
"""Seconds after its start within which half of the runs are ended, wherever they are."""
IN_THE_MIDDLE = 10
"""Processes of a run at the least while its programs are being run: pytest, two test workers, for
each of them a sandbox with its zygote, and actors."""
BOUND = 30.0
"""Seconds within which everything must have begun, or ended."""
GLANCE = 0.1
"""Seconds between two looks at a run that begins."""
MARK = "IPC_HARNESS_TEST_MARK"


def marked(mark: str) -> Iterator[int]:
    """The processes of a run: what it started has inherited the mark in its environment."""
    wanted = f"{MARK}={mark}".encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                environment = Path("/proc", name, "environ").read_bytes()
            except OSError:
                continue
            if wanted in environment.split(b"\0"):
                yield int(name)


def await_programs(run: "subprocess.Popen[bytes]", mark: str) -> None:
    """Wait until the programs of a run are being run."""
    for _ in range(int(BOUND / GLANCE)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the run has ended with code {run.wait(GLANCE)}")
        if len(list(marked(mark))) >= IN_THE_MIDDLE:
            return
    raise AssertionError(f"no programs within {BOUND:g} s: {list(marked(mark))}")


def await_end(mark: str) -> list[int]:
    """The processes of a run that have not ended within the bound."""
    while left := list(marked(mark)):
        try:
            pidfd = os.pidfd_open(left[0])
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([pidfd], [], [], BOUND)
        os.close(pidfd)
        if not ended:
            return left
    return []


def objects() -> dict[str, str]:
    """What outlives processes: System V objects, names in /dev/shm, mounts."""
    kinds = {kind: Path("/proc/sysvipc", kind).read_text() for kind in ("sem", "msg", "shm")}
    ids = {
        kind: ",".join(row.split()[1] for row in text.splitlines()[1:])
        for kind, text in kinds.items()
    }
    names = {"shm names": " ".join(sorted(os.listdir("/dev/shm")))}
    return ids | names | {"mounts": Path("/proc/self/mounts").read_text()}


@pytest.mark.parametrize(
    "switch", [{}, {"IPC_HARNESS_SANDBOX": "off"}], ids=["namespaces", "no namespaces"]
)
def test_nothing_is_left_however_and_whenever_a_run_ends(
    switch: dict[str, str], tmp_path: Path
) -> None:
    before, random = objects(), Random(len(switch))
    for number in range(TIMES // 2):
        mark = f"{os.getpid()}-{len(switch)}-{number}"
        environment = os.environ | {MARK: mark} | switch
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider",
             "--ipc-profile", "nightly", "--ipc-reports", str(tmp_path),
             "properties/test_sysv_sem.py", "properties/test_posix_mq.py", "-k", "model"],
            cwd=ROOT, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        early = number % 2 == 0
        if not early:
            await_programs(run, mark)
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(random.uniform(0.1, EARLY if early else 1.0))
        run.send_signal(ENDS[number % len(ENDS)])
        run.wait(BOUND)
        assert await_end(mark) == []
    assert objects() == before
