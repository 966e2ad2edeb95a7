"""The figures of ``ipc-harness bench``, each measured in several rounds; the median counts."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from harness.bench.checking import checker_events
from harness.bench.naive import naive_calls
from harness.bench.scaling import scaling
from harness.bench.throughput import throughput
from harness.codec import write_whole
from harness.errors import BadInput
from harness.findings import machine
from harness.generate.programs import KILLS

ROUNDS = 3


@dataclass(frozen=True)
class Figure:
    """One figure: its median over the rounds, and what is asked of it."""

    name: str
    value: float
    unit: str
    asked: float


@dataclass(frozen=True)
class Measure:
    """How a figure is measured."""

    unit: str
    asked: float
    once: Callable[[], float]


MEASURES = {
    "lockstep-examples": Measure("examples/s", 400, lambda: throughput(1_000)[0]),
    "lockstep-calls": Measure("calls/s", 7_000, lambda: throughput(1_000)[1]),
    "lockstep-kill-examples": Measure("examples/s", 200, lambda: throughput(400, KILLS, 10)[0]),
    "checker-events": Measure("events/s", 150_000, lambda: checker_events(4_000)),
    "naive-ratio": Measure("times", 200, lambda: throughput(500)[1] / naive_calls(8)),
    "xdist-scaling": Measure("times", 1.8, lambda: scaling(2)),
}


def run_bench(only: Sequence[str], rounds: int | None, file: Path | None) -> int:
    """Measure, print the table, and write ``file`` as JSON. Raises BadInput for an unknown name.
    Returns 0: a figure that falls short is for the reader to judge."""
    for name in only:
        if name not in MEASURES:
            raise BadInput(f"unknown figure {name!r}: expected one of {', '.join(MEASURES)}")
    if file is not None:
        write_whole(file, "")  # What cannot be written is told before an hour of measuring.
    table = Table("figure", "median", "least", "most", "asked", "unit", box=None, pad_edge=False)
    figures = []
    for name in only or MEASURES:
        measure = MEASURES[name]
        values = [measure.once() for _ in range(rounds or ROUNDS)]
        figures.append(Figure(name, round(median(values), 2), measure.unit, measure.asked))
        spread = (f"{value:,.1f}" for value in (median(values), min(values), max(values)))
        table.add_row(name, *spread, f"{measure.asked:,}", measure.unit)
    Console().print(table)
    where = machine() | {"load": f"{os.getloadavg()[0]:.1f}"}
    if file is not None:
        data = {"figures": [asdict(figure) for figure in figures], "machine": where}
        write_whole(file, json.dumps(data, indent=1) + "\n")
    return 0
