"""The command line: ``ipc-harness COMMAND``."""

import sys
from collections.abc import Sequence

import click

from harness import __doc__ as purpose
from harness import __version__
from harness.cli.figures import bench, coverage
from harness.cli.machine import doctor, sweep
from harness.cli.mistakes import PROGRAM, guarded
from harness.cli.records import check, replay, report


class Commands(click.Group):
    """A group that names its commands to who asks for another, in the order of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None:
            known = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"unknown command {args[0]!r}: expected one of {known}", ctx)
        return super().resolve_command(ctx, args)


commands = Commands(
    name=PROGRAM,
    help=purpose,
    epilog="Exit codes: 0 held, 1 violated, 2 bad input or a broken set-up, 3 undecided.",
    commands=[doctor, replay, check, report, coverage, sweep, bench],
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
commands = click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")(
    commands
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line, by default that of this process, and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    return guarded(lambda: _carried_out(words))


def _carried_out(words: list[str]) -> int:
    """Not by `click.Command.main`, whose exit code for a reader that has gone is 1: violated."""
    try:
        with commands.make_context(PROGRAM, words) as context:
            return int(commands.invoke(context))
    except click.exceptions.Exit as end:
        return end.exit_code
