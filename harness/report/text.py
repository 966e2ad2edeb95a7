"""The terminal form of a failure: one sentence, the program, kernel against model, the replay."""

import textwrap
from collections.abc import Iterator

from harness.coverage import Coverage
from harness.report.failure import Failure
from harness.report.graph import wait_lines
from harness.report.outcomes import told
from harness.words import event_text, printable, show

WIDTH = 100
LAST_EVENTS = 6
MOST_STEPS = 60
MOST_RULES = 20


def describe(failure: Failure) -> str:
    """What a person needs in order to understand a failure and to see it again: the verdict, the
    program, the kernel against the model, the command that replays it, the file with the picture
    if there is one."""
    return printable("\n".join(_lines(failure)))


def _lines(failure: Failure) -> Iterator[str]:
    verdict, program = failure.verdict, failure.program
    yield from textwrap.wrap(_one_line(f"{verdict.outcome}: {verdict.sentence}"), WIDTH)
    yield ""
    yield f"the program  ({program.mechanism}, {show(program.setup)}, {program.actors} actors)"
    yield from _program(failure)
    yield ""
    yield from _block("the kernel did", [verdict.observed or verdict.sentence])
    if verdict.allowed:
        yield from _block("the model allows", verdict.allowed)
    if verdict.waits_for and verdict.kind == "deadlock":
        yield from _block("who waits for whom", wait_lines(failure))
    if verdict.event is not None:
        yield from _block("the last events", _last_events(failure, verdict.event))
    yield from _block("to see it again", [failure.replay])
    if failure.page:
        yield from _block("the picture", [failure.page])


def _program(failure: Failure) -> Iterator[str]:
    taken, left = told(failure)
    width = min(48, max((len(text) for text, _ in taken), default=0))
    for number, (text, end) in enumerate(taken[:MOST_STEPS], 1):
        yield f"  {number:>3}  {text:<{width}}  {end}"
    if len(taken) > MOST_STEPS:
        yield f"       … and {len(taken) - MOST_STEPS} more steps, all in the saved record"
    if left:
        yield f"       and {len(left)} more steps, not taken"
    if not taken and not left:
        yield "       no steps"


def _last_events(failure: Failure, judged: int) -> list[str]:
    first = max(0, judged + 1 - LAST_EVENTS)
    shown = failure.history[first : judged + 1]
    return [
        f"{number:>4}  {event_text(event, failure.program.actors)}"
        + ("  ← the model has no step for this" if number == judged else "")
        for number, event in enumerate(shown, first)
    ]


def _block(name: str, texts: list[str] | tuple[str, ...]) -> Iterator[str]:
    for number, text in enumerate(texts):
        head = name if number == 0 else ""
        yield f"{head:<20} {_one_line(text)}"


def _one_line(text: str) -> str:
    """No text of a subject's may look like a line of the report's, or command the terminal."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in " ".join(text.splitlines())
    )


def _more(left: int) -> str:
    return f", and {left} more, named in the index" if left > 0 else ""


def render_summary(coverage: Coverage) -> str:
    """What each mechanism showed in a run, two lines for each at most."""
    lines = []
    for name, counts in sorted(coverage.mechanisms.items()):
        missing = counts.unwitnessed()
        seen = len(counts.known) - len(missing)
        lines.append(
            f"{name}: {counts.programs} programs, {counts.calls} calls, "
            f"{seen} of {len(counts.known)} rules witnessed"
        )
        if missing:
            lines += textwrap.wrap(
                f"unwitnessed: {', '.join(missing[:MOST_RULES])}{_more(len(missing) - MOST_RULES)}",
                WIDTH,
                initial_indent="  ",
                subsequent_indent="    ",
                break_on_hyphens=False,
            )
    return printable("\n".join(lines))
