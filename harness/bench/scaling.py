"""How examples a second grow with test workers: the same property under -n 1 and -n 2."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from harness.errors import Broken

PROPERTY = """
from harness.testing import conformance
from harness.bench.throughput import queue

test_queue = conformance(queue(), faults=(), share=0)
"""


def examples_a_second(workers: int, rounds: int) -> float:
    """Examples a second of ``pytest -n workers`` from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"test_queue_{number}.py" for number in range(rounds)]
        for name in names:
            Path(folder, name).write_text(PROPERTY, encoding="utf-8")
        begun = perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "-p", "no:cacheprovider",
             "--ipc-profile", "ci", "--ipc-reports", folder, folder],
            env=os.environ | {"PYTHONPATH": os.getcwd()},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        seconds = perf_counter() - begun
        if done.returncode:
            raise Broken(f"pytest -n {workers} ended with {done.returncode}: {done.stdout[-500:]}")
        counted = json.loads(Path(folder, "coverage.json").read_text(encoding="utf-8"))
        return sum(float(counts["programs"]) for counts in counted.values()) / seconds


def scaling(rounds: int) -> float:
    """Examples a second with two workers over those with one."""
    one = examples_a_second(1, rounds)
    return examples_a_second(2, rounds) / one
