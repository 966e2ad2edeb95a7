"""What goes wrong, as one sentence on standard error and an exit code. The only place of both.

Exit codes: 0 held, 1 violated, 2 bad input or a broken set-up, 3 undecided
(`harness.verdict.EXIT_CODES`); besides, as shells have it, 130 for Ctrl-C and 141 for a reader
of the output that has gone.
"""

import contextlib
import io
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable

import click

from harness.errors import BadInput, Broken, Unsupported
from harness.verdict import EXIT_CODES, Outcome

PROGRAM = "ipc-harness"


def guarded(command: Callable[[], int]) -> int:
    """The exit code of a command, whatever happens in it."""
    try:
        _have_output()
        code = command()
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return _said("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:
        _empty_output()
        return 128 + signal.SIGPIPE
    except Exception as error:
        return _said(sentence_of(error), EXIT_CODES[Outcome.BROKEN])
    return code


def sentence_of(error: Exception) -> str:
    """An error in one sentence; a bug of the harness's comes with its traceback."""
    match error:
        case click.UsageError():
            return _misused(error)
        case Unsupported():
            return f"unsupported: {in_a_line(str(error))}"
        case BadInput() | click.ClickException():
            return in_a_line(str(error))
        case Broken():
            return f"broken: {in_a_line(str(error))}{_place(str(error))}"
        case OSError():
            where = f"{error.filename}: " if error.filename else "the output cannot be written: "
            return f"{where}{error.strerror or error}; make room, or write to another place"
        case MemoryError():
            return "broken: there is not enough memory; use a smaller record, or a larger machine"
    traceback.print_exception(error)
    return f"broken: a bug of {PROGRAM}: {type(error).__name__}: {error}; please report it"


def _misused(error: click.UsageError) -> str:
    if error.ctx is None:
        return error.format_message()
    sentence = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        known = [option.opts[-1] for option in error.ctx.command.get_params(error.ctx)]
        options = ", ".join(name for name in known if name.startswith("-"))
        sentence = f"no such option: {error.option_name}: expected one of {options}"
    return f"{sentence}; see `{error.ctx.command_path} --help`"


def _place(text: str) -> str:
    """Where an exception of an actor's came from, if ``text`` has its traceback."""
    places = re.findall(r'File "(.+)", line (\d+)', text)
    return f" ({places[-1][0]}, line {places[-1][1]})" if places else ""


def _said(sentence: str, code: int) -> int:
    """Say a sentence on standard error, once what was printed before is out."""
    _empty_output()
    with contextlib.suppress(OSError):
        print(f"{PROGRAM}: {in_a_line(sentence)}", file=sys.stderr, flush=True)
    return code


def in_a_line(text: str) -> str:
    """The first line of a text of anybody's, with no command to the terminal in it."""
    line = text.strip().partition("\n")[0]
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in line
    )


def _have_output() -> None:
    """Have streams that take any text: a verdict must not be lost to one that is closed, or that
    knows too few characters."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _empty_output() -> None:
    """Write what is left of standard output; if that cannot be, let go of it, or Python would
    try, and fail, once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
