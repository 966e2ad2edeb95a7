"""A picture as plain shapes, which a template writes down as inline SVG.

Sizes are in pixels. A shape's kind is its class in the style sheet, so that colours follow the
reader's light or dark scheme; no shape carries meaning by colour alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup

from harness.words import cut

CHARACTER = 7.3
"""Width of a character of the monospaced labels, at most."""
SMALL_CHARACTER = 7.0
"""The same for the kind ``note``, which is written smaller."""
LONGEST_TITLE = 2_000


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str = ""


class Stroke(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


class Label(NamedTuple):
    x: float
    y: float
    text: str
    kind: str
    title: str = ""
    """The whole text, shown where the pointer rests, if ``text`` is cut."""


Shape = Box | Stroke | Label


@dataclass(frozen=True, slots=True)
class Picture:
    """Shapes in the order in which they are drawn, and what they show, for who cannot see them."""

    width: float
    height: float
    name: str
    description: str
    note: str = ""
    """What it leaves out."""
    shapes: list[Shape] = field(default_factory=list)


def label(x: float, y: float, text: str, kind: str, width: float) -> Label:
    """A label that is cut to ``width`` pixels."""
    character = SMALL_CHARACTER if kind == "note" else CHARACTER
    short = cut(text, max(4, int(width / character)))
    return Label(x, y, short, kind, cut(text, LONGEST_TITLE) if short != text else "")


def svg(picture: Picture) -> Markup:
    """The picture as inline SVG; every text is escaped."""
    frame = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{}" width="{:.0f}" '
        'height="{:.0f}" viewBox="0 0 {:.0f} {:.0f}">\n<desc>{}</desc>\n{}\n</svg>'
    )
    width, height = picture.width, picture.height
    shapes = Markup("\n").join(_element(shape) for shape in picture.shapes)
    return frame.format(picture.name, width, height, width, height, picture.description, shapes)


def _element(shape: Shape) -> Markup:
    match shape:
        case Box(x, y, width, height, kind, title):
            return Markup(
                '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect>'
            ).format(kind, x, y, width, height, _title(title))
        case Stroke(x1, y1, x2, y2, kind):
            return Markup('<path class="{}" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>').format(
                kind, x1, y1, x2, y2
            )
        case Label(x, y, text, kind, title):
            return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}{}</text>').format(
                kind, x, y, text, _title(title)
            )


def _title(text: str) -> Markup:
    return Markup("<title>{}</title>").format(text) if text else Markup()


def moved(shapes: Iterable[Shape], x: float) -> list[Shape]:
    """Shapes, ``x`` pixels further to the right."""
    return [
        shape._replace(x1=shape.x1 + x, x2=shape.x2 + x)
        if isinstance(shape, Stroke)
        else shape._replace(x=shape.x + x)
        for shape in shapes
    ]
