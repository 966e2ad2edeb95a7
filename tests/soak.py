"""No false alarm, over many programs with all CPUs busy with other work: ``make soak``.

The properties are run as the user that starts this, as an ordinary user, and without namespaces,
beside one busy loop for each CPU. Every one of them must end with code 0, and the programs of the
three mechanisms of each run come to the number that is asked for.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORTS = ROOT / "reports" / "soak"
MECHANISMS = ("pipe", "posix-mq", "sysv-sem")
ASKED = int(os.environ.get("IPC_HARNESS_SOAK", "20000"))
"""Programs of the three mechanisms in each of the runs."""
ORDINARY = ("unshare", "--user", "--map-user=12345", "--map-group=12345")
RUNS: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "as you are": ((), {}),
    "as an ordinary user": (ORDINARY, {}),
    "without namespaces": ((), {"IPC_HARNESS_SANDBOX": "off"}),
}


@contextmanager
def busy() -> Iterator[None]:
    """One busy loop for each CPU."""
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in os.sched_getaffinity(0)
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run(name: str, before: Sequence[str], variables: Mapping[str, str]) -> tuple[int, int]:
    """The exit code of a run of the properties, and the programs that it has run."""
    reports = REPORTS / name.replace(" ", "-")
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider"]
    command = [*before, *pytest, f"--ipc-reports={reports}", "properties"]
    environment = {**os.environ, "IPC_HARNESS_PROFILE": "ci", **variables}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    counted = json.loads((reports / "coverage.json").read_text(encoding="utf-8"))
    return code, sum(counted[each]["programs"] for each in MECHANISMS)


def main() -> int:
    worst = 0
    with busy():
        for name, (before, variables) in RUNS.items():
            programs = 0
            while programs < ASKED:
                code, more = run(name, before, variables)
                programs += more
                worst = worst or code
                print(f"soak: {name}: code {code}, {programs} of {ASKED} programs", flush=True)
                if code:
                    break
    return worst


if __name__ == "__main__":
    sys.exit(main())
