"""The rows of the picture: one for each event, with the steps of the explanation made for it."""

from collections.abc import Iterator
from typing import NamedTuple

from harness.history import Event, Quiet
from harness.program import name_of
from harness.report.failure import Failure
from harness.report.states import Change, changes
from harness.verdict import Taken
from harness.words import cut, show

LINE = 16
PADDING = 10
QUIET = 12
"""Height of a row in which nothing is written."""
MOST_CHANGES = 6
MOST_ROWS = 3_000


class Step(NamedTuple):
    """A step of the explanation, and the state before it (empty where it is not known)."""

    taken: Taken
    before: str
    changes: tuple[Change, ...]


class Row(NamedTuple):
    """An event (None: after the last one), the steps made for it, and its place."""

    number: int
    event: Event | None
    steps: tuple[Step, ...]
    lines: tuple[tuple[str, str], ...]
    """What the lane of the object says: kinds of text with texts."""
    wrong: bool
    top: float
    height: float

    @property
    def baseline(self) -> float:
        return self.top + LINE


def steps_of(failure: Failure) -> list[Step]:
    """The steps of the explanation, each with what it changed."""
    before, found = failure.start, []
    for taken in failure.verdict.trail:
        changed = tuple(changes(before, taken.state)) if before else ()
        found.append(Step(taken, before, changed))
        before = taken.state
    return found


def rows_of(failure: Failure, top: float) -> list[Row]:
    """All rows from ``top`` down; of a very long history only the last ones before the verdict."""
    by_event: dict[int, list[Step]] = {}
    for step in steps_of(failure):
        by_event.setdefault(step.taken.event, []).append(step)
    events = failure.history
    judged = len(events) if failure.verdict.event is None else failure.verdict.event + 1
    first = max(0, judged - MOST_ROWS)
    rows = []
    for number in range(first, min(len(events) + 1, judged + MOST_ROWS)):
        event = events[number] if number < len(events) else None
        steps = tuple(by_event.get(number, ()))
        wrong = number == failure.verdict.event
        if event is None and not steps:
            break
        lines = tuple(_lines(failure, steps, wrong))
        rows.append(Row(number, event, steps, lines, wrong, top, _height(event, lines)))
        top += rows[-1].height
    return rows


def _height(event: Event | None, lines: tuple[tuple[str, str], ...]) -> float:
    if isinstance(event, Quiet) and not lines and not event.held:
        return QUIET
    return max(1, len(lines)) * LINE + PADDING


def _lines(failure: Failure, steps: tuple[Step, ...], wrong: bool) -> Iterator[tuple[str, str]]:
    actors = failure.program.actors
    for taken, _, changed in steps:
        reply = "" if taken.reply is None else f" → {show(taken.reply)}"
        yield "rule", f"{name_of(taken.who, actors)}: {taken.rule}{reply}"
        for change in changed[:MOST_CHANGES]:
            yield "change", change_text(change)
        if len(changed) > MOST_CHANGES:
            yield "change", f"and {len(changed) - MOST_CHANGES} more, see the table"
    if wrong:
        yield "wrong", "no step of the model explains this"
        for allowed in failure.verdict.allowed[:MOST_CHANGES]:
            yield "wrong", f"allowed: {allowed}"


def change_text(change: Change) -> str:
    """A change as one line; both sides stay visible, however long they are."""
    before, after = (cut(side, 24) for side in (change.before, change.after))
    return f"{change.field}: {before} → {after}"
