"""The HTML report of one failure: a single file, without scripts and without outside references.

Everything that the picture shows stands in its tables too, and the raw history at the end is
complete, unless it is so long that only the record's own file holds all of it.
"""

import json
from pathlib import Path
from typing import Any

import jinja2

from harness.codec import encode
from harness.history import Asleep, Died, Quiet
from harness.program import name_of
from harness.report.failure import Failure
from harness.report.graph import wait_graph, wait_lines
from harness.report.lanes import picture_of
from harness.report.outcomes import told
from harness.report.picture import svg
from harness.report.rows import Step, change_text, steps_of
from harness.words import cut, duration, event_text, names, printable, show

LARGEST_EVENT = 20_000
LARGEST_RAW = 8_000_000
"""Characters of raw history in a page; the record's own file has no such bound."""

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def fill(template: str, **values: Any) -> str:
    """A page made from one of the templates, as text that UTF-8 can hold."""
    return printable(_templates.get_template(template).render(**values))


def render_failure(failure: Failure) -> str:
    """The page of one failure (or of any judged run); `harness.codec.write_whole` writes it."""
    verdict, program = failure.verdict, failure.program
    taken, left = told(failure)
    picture, graph = picture_of(failure), wait_graph(failure)
    return fill(
        "failure.html.j2",
        failure=failure,
        verdict=verdict,
        mechanism=program.mechanism,
        setup=show(program.setup, 2_000),
        actors=program.actors,
        program=taken,
        left=left,
        picture=svg(picture),
        note=picture.note,
        graph=svg(graph) if graph else None,
        waits=wait_lines(failure),
        steps=[_step(failure, step) for step in steps_of(failure)],
        evidence=_evidence(failure),
        events=_events(failure),
        raw=_raw(failure),
    )


def _step(failure: Failure, step: Step) -> dict[str, Any]:
    taken = step.taken
    return {
        "event": taken.event,
        "who": name_of(taken.who, failure.program.actors),
        "call": "" if taken.op is None else show(taken.op),
        "rule": taken.rule,
        "sentence": failure.rules.get(taken.rule, ""),
        "reply": "" if taken.reply is None else show(taken.reply),
        "changes": [change_text(change) for change in step.changes],
        "state": cut(taken.state, LARGEST_EVENT),
    }


def _evidence(failure: Failure) -> list[tuple[int, str, str, str]]:
    """What the kernel said of a process: number of the event, time, process, words."""
    actors = failure.program.actors
    found = []
    for number, event in enumerate(failure.history):
        match event:
            case Asleep(time, who, where):
                said = f"state S (asleep), inside the system call {where}"
                found.append((number, duration(time), name_of(who, actors), said))
            case Quiet(time, [_, *_] as asleep, held) if held:
                said = f"still asleep, and did not run at all for {duration(held)}"
                found.append((number, duration(time), names(asleep, actors), said))
            case Died(time, who, cause):
                said = f"could be reaped; ended by {cause}"
                found.append((number, duration(time), name_of(who, actors), said))
    return found


def _events(failure: Failure) -> list[tuple[int, str, str]]:
    return [
        (number, duration(event.time), event_text(event, failure.program.actors))
        for number, event in enumerate(failure.history)
    ]


def _raw(failure: Failure) -> str:
    """The history as JSON, an event a line."""
    lines, size = [], 0
    for number, event in enumerate(failure.history):
        line = json.dumps(encode(event))
        size += len(line)
        if size > LARGEST_RAW:
            left = len(failure.history) - number
            lines.append(f"… {left} more events are in {failure.record or 'the saved record'}")
            break
        lines.append(line)
    return "\n".join(lines)
