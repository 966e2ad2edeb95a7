"""Making a failing program smaller once Hypothesis has shrunk it.

Hypothesis shrinks what it drew; what came with that for free (a filled object, the look at what
is left, actors that do nothing) is taken away here, a step at a time, as long as the rest still
fails in the same way.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from harness.program import CallThenKill, Program, Step
from harness.run import Run
from harness.verdict import Outcome

MOST_CHANGES = 100


def reduce(found: Run, rerun: Callable[[Program], Run]) -> Run:
    """The run of the smallest program reached from this one that is violated in the same way.
    ``rerun`` runs a program."""
    smallest = found

    def fails(program: Program) -> bool:
        nonlocal smallest
        tried = rerun(program)
        alike = tried.verdict.outcome is Outcome.VIOLATED and tried.verdict.kind == kind
        if alike:
            smallest = tried
        return alike

    kind = found.verdict.kind
    shorten(found.program, fails)
    return smallest


def shorten(program: Program, fails: Callable[[Program], bool]) -> Program:
    """The smallest program reached by leaving out steps and idle actors as long as the rest
    fails; at most `MOST_CHANGES` times."""
    for _ in range(MOST_CHANGES):
        tries = _smaller(program)
        smaller = next(filter(fails, tries), None)
        if smaller is None:
            return program
        program = smaller
    return program


def _smaller(program: Program) -> Iterator[Program]:
    steps = program.steps
    for number in range(len(steps)):
        yield replace(program, steps=steps[:number] + steps[number + 1 :])
    packed = _pack(program)
    if packed != program:
        yield packed


def _pack(program: Program) -> Program:
    """The program with as many actors as take part, in the order of their first steps; the
    keeper stays the last."""
    order: dict[int, int] = {}
    for step in program.steps:
        for who in _involved(step):
            if who != program.keeper:
                order.setdefault(who, len(order))
    actors = max(1, len(order))
    order[program.keeper] = actors
    steps = tuple(_renamed(step, order) for step in program.steps)
    return replace(program, actors=actors, steps=steps)


def _involved(step: Step) -> tuple[int, ...]:
    return (step.who, step.victim) if isinstance(step, CallThenKill) else (step.who,)


def _renamed(step: Step, order: dict[int, int]) -> Step:
    if isinstance(step, CallThenKill):
        return replace(step, who=order[step.who], victim=order[step.victim])
    return replace(step, who=order[step.who])
