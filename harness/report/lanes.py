"""The picture of a run, time downwards: lanes for the faults, the processes and the object."""

from harness.history import Continued, Killing, Quiet, Signalled, Stopped
from harness.program import name_of
from harness.report.failure import Failure
from harness.report.object_lane import level_columns, object_lane
from harness.report.picture import Box, Label, Picture, Shape, Stroke, label, moved
from harness.report.process_lane import EDGE, process_lane
from harness.report.rows import LINE, Row, rows_of
from harness.words import cut, duration
from harness.spec import Process

HEAD = 36
GUTTER = 100
FAULTS = 124
LANE = 176
OBJECT = 336
LEVEL = 66
TIMED_OUT = "timed out"
"""The name that the relation gives to the step of a call whose time is up."""


def picture_of(failure: Failure) -> Picture:
    """The whole run, up to the event that nothing explains and whatever was seen after it."""
    rows = rows_of(failure, HEAD)
    bottom = rows[-1].top + rows[-1].height if rows else HEAD
    levels = level_columns(rows, failure.start)
    processes = range(failure.program.processes)
    lanes = GUTTER + FAULTS
    thing = lanes + LANE * len(processes)
    width = thing + OBJECT + LEVEL * len(levels)
    note = _left_out(rows, len(failure.history))
    picture = Picture(width, bottom + HEAD, "What happened", _description(failure), note)
    draw = picture.shapes.extend
    draw(_bands(rows, width))
    draw(_fault_lane(rows, failure, lanes))
    for who in processes:
        draw(moved(process_lane(rows, who, LANE, bottom), lanes + LANE * who))
    draw(moved(object_lane(rows, OBJECT), thing))
    for column, level in enumerate(levels):
        draw(moved(level.shapes, thing + OBJECT + LEVEL * column))
    heads = ["event", "faults", *(name_of(who, failure.program.actors) for who in processes)]
    places = [0, GUTTER, *(lanes + LANE * who for who in processes)]
    heads += ["the object, by the model", *(level.name for level in levels)]
    places += [thing, *(thing + OBJECT + LEVEL * column for column in range(len(levels)))]
    for y in (22, bottom + 22):
        draw(_head(text, x, y) for text, x in zip(heads, places, strict=True))
    return picture


def _head(text: str, x: float, y: float) -> Label:
    return Label(x + 8, y, cut(text, 26), "head", "")


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


def _fault_lane(rows: list[Row], failure: Failure, lanes: float) -> list[Shape]:
    shapes: list[Shape] = []
    for row in rows:
        for line, (what, who) in enumerate(_faults(row)):
            x, y = GUTTER + 8, row.baseline + line * LINE
            text = f"{what} {name_of(who, failure.program.actors)}"
            shapes.append(Stroke(x + 104, y - 5, lanes + LANE * who + EDGE, y - 5, "fault"))
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
    timed_out = (step.taken for step in row.steps if step.taken.rule == TIMED_OUT)
    return found + [("time-out", taken.who) for taken in timed_out]
