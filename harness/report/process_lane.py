"""The lane of one process: when it was in a call, asleep in the kernel, stopped, dead."""

from dataclasses import dataclass, field

from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.report.picture import Box, Shape, Stroke, label
from harness.report.rows import Row
from harness.spec import Process
from harness.words import show

EDGE = 8
"""Where a lane's life line runs, and where its boxes begin."""
INSET = 3
BELOW = 7
STRIP = 7


@dataclass
class _Lane:
    """What is open while the rows go by: the top of each stretch, or ``None``."""

    width: float
    running: float | None = None
    asleep: float | None = None
    stopped: float | None = None
    dead: float | None = None
    boxes: list[Shape] = field(default_factory=list)
    labels: list[Shape] = field(default_factory=list)

    def write(self, row: Row, text: str, kind: str) -> None:
        self.labels.append(label(EDGE + 12, row.baseline, text, kind, self.width - 2 * EDGE - 14))

    def close_call(self, bottom: float, end: str = "") -> None:
        """End the stretch in which the call is; ``end`` is added to its kind."""
        for top, kind in ((self.running, "running"), (self.asleep, "asleep")):
            if top is not None:
                width = self.width - 2 * EDGE
                self.boxes.append(Box(EDGE, top, width, bottom - top, kind + end))
        self.running = self.asleep = None

    def close_stop(self, bottom: float) -> None:
        if self.stopped is not None:
            top = self.stopped
            self.boxes.append(Box(EDGE, top, STRIP, bottom - top, "stopped", "stopped"))
        self.stopped = None


def process_lane(rows: list[Row], who: Process, width: float, bottom: float) -> list[Shape]:
    """The shapes of one lane, from its own left edge."""
    lane = _Lane(width)
    for row in rows:
        if isinstance(row.event, Quiet):
            if row.wrong and who in row.event.asleep:
                lane.write(row, "still asleep", "wrong")
        elif row.event is not None and row.event.who == who:
            _event(lane, row, row.event)
    lane.close_call(bottom, " open")
    lane.close_stop(bottom)
    top = rows[0].top if rows else bottom
    life: list[Shape] = [Stroke(EDGE, top, EDGE, lane.dead or bottom, "life")]
    if lane.dead is not None:
        life += [
            Stroke(EDGE - 6, lane.dead - slope, EDGE + 6, lane.dead + slope, "death")
            for slope in (-6, 6)
        ]
    return [*life, *lane.boxes, *lane.labels]


def _event(lane: _Lane, row: Row, event: Event) -> None:
    end = row.baseline + BELOW
    match event:
        case Invoke(_, _, op):
            lane.running = row.top + INSET
            lane.write(row, show(op), "call")
        case Return(_, _, reply):
            lane.close_call(end)
            lane.write(row, f"→ {show(reply)}", "wrong" if row.wrong else "reply")
        case Asleep(_, _, where):
            if lane.asleep is None:
                lane.close_call(row.top)
                lane.asleep = row.top
            lane.write(row, f"asleep in {where}", "note")
        case Killing():
            lane.write(row, "SIGKILL", "note")
        case Died(_, _, cause):
            lane.close_call(row.top, " killed")
            lane.close_stop(row.top)
            lane.dead = row.baseline - 4
            lane.write(row, f"dead: {cause}", "note")
        case Stopped():
            lane.stopped = row.top
            lane.write(row, "stopped", "note")
        case Continued():
            lane.close_stop(row.baseline)
            lane.write(row, "continued", "note")
        case Signalled(_, _, restart):
            lane.write(row, "handler, SA_RESTART" if restart else "handler", "note")
