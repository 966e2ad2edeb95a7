"""The picture of a run, time downwards: lanes for the faults, the processes and the object."""

from itertools import accumulate
from typing import NamedTuple

from harness.history import Continued, Killing, Quiet, Signalled, Stopped
from harness.program import name_of
from harness.report.failure import Failure
from harness.report.object_lane import level_columns, object_lane
from harness.report.picture import Box, Label, Picture, Shape, Stroke, label, moved
from harness.report.process_lane import EDGE, process_lane
from harness.report.rows import LINE, Row, rows_of
from harness.spec import EngineRule, Process
from harness.words import duration

HEAD = 36
GUTTER = 100
FAULTS = 124
LANE = 208
IDLE = 70
"""Width of the lane of a process that nothing happened to."""
OBJECT = 372
LEVEL = 84


class _Column(NamedTuple):
    name: str
    width: float
    shapes: list[Shape]
    """From the column's own left edge."""


def picture_of(failure: Failure) -> Picture:
    """The whole run, up to the event that nothing explains and whatever was seen after it."""
    rows = rows_of(failure, HEAD)
    bottom = rows[-1].top + rows[-1].height if rows else HEAD
    columns = [_Column("event", GUTTER, []), _Column("faults", FAULTS, [])]
    lanes = [_lane(rows, who, failure, bottom) for who in range(failure.program.processes)]
    columns += [*lanes, _Column("the object, by the model", OBJECT, object_lane(rows, OBJECT))]
    columns += [
        _Column(level.name.rpartition(".")[2], LEVEL, level.shapes)
        for level in level_columns(rows, failure)
    ]
    *places, width = accumulate((column.width for column in columns), initial=0.0)
    note = _left_out(rows, len(failure.history))
    picture = Picture(width, bottom + HEAD, "What happened", _description(failure), note)
    picture.shapes.extend(_bands(rows, width))
    picture.shapes.extend(_fault_lane(rows, failure, places[2:]))
    for column, place in zip(columns, places, strict=True):
        picture.shapes.extend(moved(column.shapes, place))
        for y in (22, bottom + 22):
            picture.shapes.append(label(place + 8, y, column.name, "head", column.width))
    return picture


def _lane(rows: list[Row], who: Process, failure: Failure, bottom: float) -> _Column:
    touched = any(row.event and getattr(row.event, "who", None) == who for row in rows)
    width = LANE if touched else IDLE
    name = name_of(who, failure.program.actors)
    return _Column(name, width, process_lane(rows, who, width, bottom))


def _description(failure: Failure) -> str:
    return (
        f"{len(failure.history)} events from top to bottom, a lane for each of the "
        f"{failure.program.processes} processes, for the faults and for the object. "
        "The tables below say the same in text."
    )


def _left_out(rows: list[Row], events: int) -> str:
    first = rows[0].number if rows else 0
    last = rows[-1].number if rows else 0
    if first == 0 and last >= events - 1:
        return ""
    return (
        f"The picture shows events {first} to {last} of {events}, those around the verdict; "
        "the tables below have all of them."
    )


def _bands(rows: list[Row], width: float) -> list[Shape]:
    """What goes across all lanes: the verdict's row, quiescence, numbers and times."""
    shapes: list[Shape] = []
    for row in rows:
        if row.wrong:
            shapes.append(Box(0, row.top, width, row.height, "wrong-band"))
        event = row.event
        if isinstance(event, Quiet):
            middle = row.top + row.height / 2
            shapes.append(Stroke(GUTTER, middle, width, middle, "quiet"))
        if event is None:
            shapes.append(Label(8, row.baseline, "at the end", "time"))
        elif not isinstance(event, Quiet) or row.height > LINE:
            text = f"{row.number:>3}  {duration(event.time)}"
            shapes.append(Label(8, row.baseline, text, "time"))
    return shapes


def _fault_lane(rows: list[Row], failure: Failure, lanes: list[float]) -> list[Shape]:
    """The faults, each with a line to the lane of its victim."""
    shapes: list[Shape] = []
    for row in rows:
        for line, (what, who) in enumerate(_faults(row)):
            x, y = GUTTER + 8, row.baseline + line * LINE
            text = f"{what} {name_of(who, failure.program.actors)}"
            shapes.append(Stroke(x + 104, y - 5, lanes[who] + EDGE, y - 5, "fault"))
            shapes.append(Box(x, y - 13, 106, 17, "fault"))
            shapes.append(label(x + 6, y, text, "fault", 96))
    return shapes


def _faults(row: Row) -> list[tuple[str, Process]]:
    found: list[tuple[str, Process]] = []
    match row.event:
        case Killing(_, who):
            found.append(("kill", who))
        case Stopped(_, who):
            found.append(("stop", who))
        case Continued(_, who):
            found.append(("continue", who))
        case Signalled(_, who):
            found.append(("signal", who))
    timed_out = (step.taken for step in row.steps if step.taken.rule == EngineRule.TIMED_OUT)
    return found + [("time-out", taken.who) for taken in timed_out]
