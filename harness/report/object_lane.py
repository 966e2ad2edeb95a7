"""The lane of the kernel object: which rule changed what, and how full each part of it is."""

from typing import NamedTuple

from harness.report.failure import Failure
from harness.report.picture import Box, Label, Shape, label
from harness.report.rows import LINE, Row
from harness.report.states import levels_of

MARGIN = 8
BAR = 40
MOST_LEVELS = 4


class Level(NamedTuple):
    """A column that shows how much is in one field of the state, row by row."""

    name: str
    shapes: list[Shape]


def object_lane(rows: list[Row], width: float) -> list[Shape]:
    """The rules that were taken and what they changed, from the lane's own left edge."""
    shapes: list[Shape] = []
    for row in rows:
        if row.lines and not row.wrong:
            shapes.append(Box(2, row.top + 2, width - 8, row.height - 4, "state"))
        shapes += [
            label(
                MARGIN + (12 if kind == "change" else 0),
                row.baseline + line * LINE,
                text,
                kind,
                width - 3 * MARGIN - 12,
            )
            for line, (kind, text) in enumerate(row.lines)
        ]
    return shapes


def level_columns(rows: list[Row], failure: Failure) -> list[Level]:
    """A column for each field whose level changes, the fullest ones first."""
    now = levels_of(failure.start) if failure.start else {}
    history = []
    for row in rows:
        for step in row.steps:
            now = levels_of(step.taken.state)
        history.append(now)
    seen: dict[str, set[int]] = {}
    for levels in history:
        for name, level in levels.items():
            seen.setdefault(name, set()).add(level)
    changing = [name for name, levels in seen.items() if len(levels) > 1]
    lasting = [name for name in changing if not _in_any(name, changing)]
    chosen = sorted(lasting, key=lambda name: (-max(seen[name]), name))[:MOST_LEVELS]
    return [Level(name, _column(rows, history, name, max(1, *seen[name]))) for name in chosen]


def _in_any(name: str, changing: list[str]) -> bool:
    """Whether a part belongs to an element of a sequence whose length changes: then it is not
    the same thing from one state to the next."""
    return any(name.startswith(f"{other}[") for other in changing)


def _column(rows: list[Row], history: list[dict[str, int]], name: str, most: int) -> list[Shape]:
    shapes: list[Shape] = []
    shown: int | None = None
    for row, levels in zip(rows, history, strict=True):
        level = levels.get(name)
        if level is None:
            continue
        if level > 0:
            width = BAR * min(1, level / most)
            shapes.append(Box(MARGIN, row.top, width, row.height, "level", f"{name}: {level}"))
        if level != shown:
            shapes.append(Label(MARGIN + 2, row.baseline, str(level), "level"))
        shown = level
    return shapes
