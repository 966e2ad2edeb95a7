"""The commands for saved records: run a program again, judge or draw what happened again."""

import resource
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from harness.cli.output import print_json, print_pairs
from harness.cli.rejudge import Saved, open_record
from harness.codec import Record, save, write_whole
from harness.findings import failure_of, machine
from harness.history import Invoke
from harness.report.page import render_failure
from harness.report.text import describe
from harness.run import Run, Worker
from harness.verdict import EXIT_CODES, Outcome
from harness.words import duration

ORDER = (Outcome.VIOLATED, Outcome.UNDECIDED, Outcome.HELD)
"""Of several runs, the one that is shown is of the first of these outcomes."""
PATH = click.Path(path_type=Path)
FILE = click.argument("file", type=PATH)


@click.command()
@FILE
@click.option("--times", metavar="N", type=click.IntRange(1), default=1, help="Run it N times.")
@click.option(
    "--report",
    "folder",
    metavar="DIR",
    type=PATH,
    help="Write the page and the record of what happens now into this folder.",
)
def replay(file: Path, times: int, folder: Path | None) -> int:
    """Run a saved program again, and judge it.

    Its steps are carried out by real processes on real kernel objects. The record names its
    mechanism, which is imported: replay only what you would run.
    """
    saved = open_record(file)
    runs = _run_again(saved, times)
    shown = min(runs, key=lambda run: ORDER.index(run.verdict.outcome))
    page = _keep(shown, saved.record, file, folder) if folder else None
    print(describe(failure_of(shown, file, page, machine())))
    if times > 1:
        violated = sum(run.verdict.outcome is Outcome.VIOLATED for run in runs)
        print(f"\nviolated in {violated} of {times} runs")
    return EXIT_CODES[shown.verdict.outcome]


def _run_again(saved: Saved, times: int) -> list[Run]:
    worker, relation = Worker(), saved.relation()
    try:
        return [saved.run(worker, relation) for _ in range(times)]
    finally:
        worker.close()


def _keep(run: Run, record: Record, file: Path, folder: Path) -> Path:
    """Write what happened now beside, not over, what it was replayed from."""
    again = folder / f"{file.stem}-replayed.json"
    page = again.with_suffix(".html")
    here = machine()
    happened = Record(run.program, run.history, run.verdict.sentence, record.deadlock_allowed, here)
    save(happened, again)
    write_whole(page, render_failure(failure_of(run, again, page, here)))
    return page


@click.command()
@FILE
@click.option("--json", "as_json", is_flag=True, help="Print the verdict and the figures as JSON.")
def check(file: Path, as_json: bool) -> int:
    """Judge a saved history again; runs nothing."""
    saved = open_record(file)
    began = perf_counter()
    run = saved.judge()
    seconds = perf_counter() - began
    figures = {
        "operations": sum(isinstance(event, Invoke) for event in run.history),
        "events": len(run.history),
        "seconds": round(seconds, 6),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    if as_json:
        print_json(_verdict_data(run) | figures)
    else:
        _print_check(run, file, figures)
    return EXIT_CODES[run.verdict.outcome]


def _verdict_data(run: Run) -> dict[str, Any]:
    verdict = run.verdict
    return {
        "mechanism": run.program.mechanism,
        "outcome": verdict.outcome,
        "sentence": verdict.sentence,
        "kind": verdict.kind,
        "event": verdict.event,
        "observed": verdict.observed,
        "allowed": verdict.allowed,
    }


def _print_check(run: Run, file: Path, figures: dict[str, Any]) -> None:
    if run.verdict.outcome is Outcome.HELD:
        print(f"{run.verdict.outcome}: {run.verdict.sentence}")
    else:
        print(describe(failure_of(run, file, None, {})))
    print()
    print_pairs(
        ("operations", f"{figures['operations']:,}"),
        ("events", f"{figures['events']:,}"),
        ("time", duration(int(figures["seconds"] * 1e9))),
        ("peak memory", f"{figures['peak_memory_bytes'] / (1 << 20):.0f} MiB"),
    )


@click.command()
@FILE
@click.option(
    "-o", "page", metavar="PAGE", type=PATH, help="The page to write; by default FILE as .html."
)
def report(file: Path, page: Path | None) -> int:
    """Draw a saved run again; runs nothing.

    Its history is judged again, so that the page says what the model says now. The exit code is
    0 if the page was drawn, whatever it shows.
    """
    saved = open_record(file)
    page = page or file.with_suffix(".html")
    failure = failure_of(saved.judge(), file, page, saved.record.machine)
    write_whole(page, render_failure(failure))
    print(f"drawn: {page}")
    return 0
