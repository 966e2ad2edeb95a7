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

MOST_RUNS = 400


def reduce(found: Run, rerun: Callable[[Program], Run]) -> Run:
    """The run of the smallest program reached by leaving out steps and idle actors. ``rerun``
    runs a program; at most `MOST_RUNS` are run."""
    runs = 0
    again = True
    while again:
        again = False
        for program in _smaller(found.program):
            if runs == MOST_RUNS:
                return found
            runs += 1
            tried = rerun(program)
            if tried.verdict.outcome is Outcome.VIOLATED and _alike(tried, found):
                found, again = tried, True
                break
    return found


def _alike(one: Run, other: Run) -> bool:
    return one.verdict.kind == other.verdict.kind


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
