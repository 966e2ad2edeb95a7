"""The commands that print figures: what the last run really exercised, and how fast this is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from harness.cli.output import console, print_json, table
from harness.codec import read_whole
from harness.coverage import Counts, Coverage
from harness.errors import BadInput

PATH = click.Path(path_type=Path)
COVERAGE = Path("reports/coverage.json")


@click.command()
@click.argument("file", type=PATH, default=COVERAGE)
@click.option(
    "--mechanism", "only", metavar="NAME", multiple=True, help="Only this one; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def coverage(file: Path, only: Sequence[str], as_json: bool) -> int:
    """Show what a run really exercised.

    FILE is reports/coverage.json if it is not given. For each mechanism: which rules of its model
    the kernel was seen taking, and how calls ended.
    """
    mechanisms = _chosen(_read(file).mechanisms, only)
    if as_json:
        print_json({name: _data(counts) for name, counts in mechanisms.items()})
        return 0
    screen = console()
    for name, counts in mechanisms.items():
        _print_counts(screen, name, counts)
    if not mechanisms:
        print(f"{file} counts nothing: no property of a mechanism was run")
    return 0


def _read(file: Path) -> Coverage:
    try:
        remedy = "run `make properties` first, or give the coverage.json of another run"
        return Coverage.from_data(json.loads(read_whole(file, remedy)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            f"{file} is no coverage of a run, or is damaged ({type(error).__name__}: {error}); "
            "give the coverage.json that a run left"
        ) from error


def _chosen(mechanisms: dict[str, Counts], only: Sequence[str]) -> dict[str, Counts]:
    for name in only:
        if name not in mechanisms:
            raise BadInput(
                f"unknown mechanism {name!r}: expected one of those that were run: "
                f"{', '.join(sorted(mechanisms)) or 'none'}"
            )
    return {name: mechanisms[name] for name in sorted(only or mechanisms)}


def _data(counts: Counts) -> dict[str, Any]:
    endings: dict[str, dict[str, int]] = {}
    for (op, ending), number in sorted(counts.endings.items()):
        endings.setdefault(op, {})[ending] = number
    return {
        "programs": counts.programs,
        "calls": counts.calls,
        "verdicts": dict(counts.verdicts),
        "rules": {rule: counts.rules[rule] for rule in counts.known},
        "unwitnessed": counts.unwitnessed(),
        "endings": endings,
    }


def _print_counts(screen: Console, name: str, counts: Counts) -> None:
    unwitnessed = counts.unwitnessed()
    witnessed = len(counts.known) - len(unwitnessed)
    print(
        f"{name}: {counts.programs:,} programs, {counts.calls:,} calls, "
        f"{witnessed} of {len(counts.known)} rules witnessed"
    )
    rules = table("rule", "#times", "sentence")
    for rule, sentence in counts.known.items():
        if counts.rules[rule]:
            rules.add_row(rule, f"{counts.rules[rule]:,}", sentence)
    endings = table("call", "how it ended", "#times")
    for (op, ending), number in sorted(counts.endings.items()):
        endings.add_row(op, ending, f"{number:,}")
    for rows in (rules, endings):
        print()
        screen.print(rows)
    if unwitnessed:
        missing = table("unwitnessed", "sentence")
        for rule in unwitnessed:
            missing.add_row(rule, counts.known[rule])
        print()
        screen.print(missing)
    print()


@click.command()
@click.option("--only", metavar="NAME", multiple=True, help="Only this figure; may be repeated.")
@click.option("--rounds", metavar="N", type=click.IntRange(1), help="Rounds of each measurement.")
@click.option("--json", "file", metavar="FILE", type=PATH, help="Write the figures to this file.")
def bench(only: Sequence[str], rounds: int | None, file: Path | None) -> int:
    """Measure the harness."""
    from harness.bench import run_bench

    return run_bench(only, rounds, file)
