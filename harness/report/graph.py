"""The wait-for graph: who sleeps, in which call, and whose step would let it go on."""

import math

from harness.program import name_of
from harness.report.failure import Failure
from harness.report.picture import Box, Label, Picture, Stroke, label
from harness.words import show

RADIUS = 120
NODE = 150
HEIGHT = 44
CENTRE_X, CENTRE_Y = 330, 170


def wait_graph(failure: Failure) -> Picture | None:
    """The graph as a picture; ``None`` where nobody is asleep."""
    edges = failure.verdict.waits_for
    if not edges:
        return None
    actors = failure.program.actors
    asleep = {edge.who: show(edge.op) for edge in edges}
    shown = sorted({*asleep, *(who for edge in edges for who in edge.whom)})
    places = {who: _place(number, len(shown)) for number, who in enumerate(shown)}
    picture = Picture(2 * CENTRE_X, 2 * CENTRE_Y, "Who waits for whom", _description(failure))
    for edge in edges:
        picture.shapes.extend(_arrow(places[edge.who], places[whom]) for whom in edge.whom)
    for who, (x, y) in places.items():
        kind = "asleep" if who in asleep else "running"
        picture.shapes.append(Box(x - NODE / 2, y - HEIGHT / 2, NODE, HEIGHT, kind))
        picture.shapes.append(Label(x - NODE / 2 + 8, y - 4, name_of(who, actors), "call"))
        text = asleep.get(who, "not asleep")
        picture.shapes.append(label(x - NODE / 2 + 8, y + 14, text, "note", NODE - 12))
    return picture


def wait_lines(failure: Failure) -> list[str]:
    """The graph in words, a line for each sleeper."""
    actors = failure.program.actors
    return [
        f"{name_of(edge.who, actors)}, asleep in {show(edge.op)}, waits for "
        + (" or ".join(name_of(who, actors) for who in edge.whom) or "nobody that is alive")
        for edge in failure.verdict.waits_for
    ]


def _description(failure: Failure) -> str:
    return "; ".join(wait_lines(failure))


def _place(number: int, count: int) -> tuple[float, float]:
    if count == 1:
        return CENTRE_X, CENTRE_Y
    angle = 2 * math.pi * number / count - math.pi / 2
    return CENTRE_X + 1.7 * RADIUS * math.cos(angle), CENTRE_Y + RADIUS * math.sin(angle)


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> Stroke:
    """From the rim of one node to that of the other, a little to the left of the straight line,
    so that two that wait for each other have two arrows."""
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1) or 1
    along = ((x2 - x1) / length, (y2 - y1) / length)
    aside = (-along[1] * 9, along[0] * 9)
    near, far = _rim(along), _rim(along) + 4
    return Stroke(
        x1 + along[0] * near + aside[0],
        y1 + along[1] * near + aside[1],
        x2 - along[0] * far + aside[0],
        y2 - along[1] * far + aside[1],
        "waits",
    )


def _rim(along: tuple[float, float]) -> float:
    """How far from a node's centre its rim is, in a direction."""
    across = NODE / 2 / abs(along[0]) if along[0] else math.inf
    up = HEIGHT / 2 / abs(along[1]) if along[1] else math.inf
    return min(across, up)
