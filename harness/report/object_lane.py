"""The lane of the kernel object: which rule changed what, and how full each part of it is."""

from itertools import pairwise
from typing import NamedTuple

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


def level_columns(rows: list[Row], start: str) -> list[Level]:
    """A column for each field whose level changes, the fullest ones first."""
    now = levels_of(start) if start else {}
    history = []
    for row in rows:
        for step in row.steps:
            now = levels_of(step.taken.state)
        history.append(now)
    most: dict[str, int] = {}
    changing = set()
    for before, after in pairwise(history):
        for name, level in after.items():
            most[name] = max(most.get(name, 0), level, before.get(name, 0))
            if before and before.get(name, 0) != level:
                changing.add(name)
    chosen = sorted(changing, key=lambda name: (-most[name], name))[:MOST_LEVELS]
    return [Level(name, _column(rows, history, name, max(1, most[name]))) for name in chosen]


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
