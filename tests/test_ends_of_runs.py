"""However a test run ends, at whatever moment, it leaves no process, object or mount behind."""

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
LATEST = 4.0
"""Seconds after its start at which a run is ended at the latest: programs are run by then."""
BOUND = 30.0
"""Seconds within which everything must have ended."""
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
    before, random, reached = objects(), Random(len(switch)), 0
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
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(random.uniform(0.1, LATEST))
        reached += sum(1 for _ in marked(mark)) > 9
        run.send_signal(ENDS[number % len(ENDS)])
        run.wait(BOUND)
        assert await_end(mark) == []
    assert objects() == before
    assert reached >= TIMES // 10, "hardly any run was in the middle of its programs"
