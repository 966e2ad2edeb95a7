"""What commands print: tables and lines, in which nothing of a record's counts as markup."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 100
"""Columns where the output is no terminal, which could say how many it has."""


class _Piped(Console):
    def on_broken_pipe(self) -> None:
        """Let whoever carries out the command see it, as with any other output."""
        raise BrokenPipeError


def console() -> Console:
    """A console for the standard output of now."""
    width = None if sys.stdout.isatty() else WIDTH
    return _Piped(markup=False, highlight=False, emoji=False, width=width)


def table(*columns: str) -> Table:
    """An empty table; columns whose names start with ``#`` hold numbers."""
    made = Table(box=None, pad_edge=False)
    for name in columns:
        made.add_column(name.lstrip("#"), justify="right" if name.startswith("#") else "left")
    return made


def print_pairs(*pairs: tuple[str, str]) -> None:
    """Names with their values, a line each."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print(f"{name:<{width}}  {value}")


def print_json(data: Any) -> None:
    print(json.dumps(data, indent=1))
