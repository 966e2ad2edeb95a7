"""The commands about the machine: what it offers, and what dead runs have left on it."""

from itertools import groupby

import click
from rich.text import Text

from harness.cli.output import console, table
from harness.execute.facilities import Facility
from harness.execute.facilities import doctor as examine
from harness.execute.registry import sweep as remove_leftovers
from harness.verdict import EXIT_CODES, Outcome


@click.command()
def doctor() -> int:
    """Show what this machine offers.

    Of what it does not offer, what follows and what would help. The exit code is 0 if runs can be
    made here, and 2 if not.
    """
    facilities = examine()
    screen = console()
    for group, members in groupby(facilities, key=lambda facility: facility.group):
        rows = table("", group, "found")
        for facility in members:
            rows.add_row(*_row(facility))
        screen.print(rows)
        screen.print()
    lacking = [one.name for one in facilities if one.required and not one.available]
    missing = sum(not facility.available for facility in facilities)
    if lacking:
        print(f"no run can be made here: {', '.join(lacking)} not available")
        return EXIT_CODES[Outcome.BROKEN]
    print(f"runs can be made here; not available: {missing} of {len(facilities)}")
    return 0


def _row(facility: Facility) -> tuple[Text, str, Text]:
    found = Text(facility.reason)
    if facility.available:
        return Text("yes", "green"), facility.name, found
    for label, text in (("so ", facility.consequence), ("remedy: ", facility.remedy)):
        if text:
            found.append(f"\n{label}{text}", "dim")
    return Text("no", "yellow"), facility.name, found


@click.command()
def sweep() -> int:
    """Remove what killed runs have left.

    Only runs that had no namespaces of their own can leave anything. What belongs to a living
    run is not touched.
    """
    removed = remove_leftovers()
    for what in removed:
        print(f"removed {what}")
    if not removed:
        print("nothing was left behind")
    return 0
