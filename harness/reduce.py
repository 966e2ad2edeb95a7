"""Making a failing program smaller once Hypothesis has shrunk it.

Hypothesis shrinks the bytes that were drawn; here it is the program itself that gets smaller, in
ways that bytes do not have: a step less, two steps less, a simpler operation, an object that was
not filled before. Each is kept if the program still fails in the same way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from harness.generate.programs import Programs
from harness.generate.walk import Walk
from harness.program import Call, CallThenKill, Elapse, Program, Step
from harness.run import Run
from harness.spec import Op
from harness.verdict import Outcome

MOST_CHANGES = 100
MOST_NUMBERED = 128
"""The numbers that a step may have been drawn with, which tell its payload apart."""


def reduce(source: Programs, found: Run, rerun: Callable[[Program], Run]) -> Run:
    """The run of the smallest program reached from this one that is violated in the same way.
    ``rerun`` runs a program of this source."""
    smallest = found

    def fails(program: Program) -> bool:
        nonlocal smallest
        tried = rerun(program)
        alike = tried.verdict.outcome is Outcome.VIOLATED and tried.verdict.kind == kind
        if alike:
            smallest = tried
        return alike

    kind = found.verdict.kind
    shorten(source, found.program, fails)
    return smallest


def shorten(source: Programs, program: Program, fails: Callable[[Program], bool]) -> Program:
    """The smallest program reached by small changes as long as the rest fails; at most
    `MOST_CHANGES` of them."""
    for _ in range(MOST_CHANGES):
        tries = _smaller(source, program)
        candidates = (each for each in tries if not _waits_in_vain(source, each))
        smaller = next(filter(fails, candidates), None)
        if smaller is None:
            return program
        program = smaller
    return program


def _smaller(source: Programs, program: Program) -> Iterator[Program]:
    """Programs that are a little smaller: the most likely to fail as well come first."""
    yield from _without(program, 1)
    packed = _pack(program)
    if packed != program:
        yield packed
    yield from _simpler(source, program)
    yield from _without(program, 2)
    empty = _not_filled(program)
    if empty != program:
        yield from _simpler(source, empty)


def _waits_in_vain(source: Programs, program: Program) -> bool:
    """Whether it waits, long, for the end of a call that never times out."""
    walk = Walk(source.relation_of(program))
    for step in program.steps:
        if isinstance(step, Elapse) and walk.is_asleep(step.who) and not walk.is_timed(step.who):
            return True
        walk.take(step)
    return False


def _without(program: Program, count: int) -> Iterator[Program]:
    """The program without so many of its steps."""
    for left_out in combinations(range(len(program.steps)), count):
        kept = [step for at, step in enumerate(program.steps) if at not in left_out]
        yield replace(program, steps=tuple(kept))


def _simpler(source: Programs, program: Program) -> Iterator[Program]:
    """The program with one operation replaced by one that stands before it in the menu."""
    steps = program.steps
    for at, step in enumerate(steps):
        if isinstance(step, Call | CallThenKill) and step.who != program.keeper:
            for op in _before(source, program, step):
                simpler = replace(step, op=op)
                yield replace(program, steps=(*steps[:at], simpler, *steps[at + 1 :]))


def _before(source: Programs, program: Program, step: Call | CallThenKill) -> Sequence[Op]:
    """What stands before a step's operation in the menu that it was taken from."""
    relation = source.relation_of(program)
    start = relation.state(relation.start)
    for number in range(MOST_NUMBERED):
        menu = list(source.mechanism.calls(program.setup, start, step.who, number))
        if step.op in menu:
            return menu[: menu.index(step.op)]
    return ()


def _not_filled(program: Program) -> Program:
    """The program without the keeper's calls that it begins with."""
    steps = list(program.steps)
    while steps and steps[0].who == program.keeper:
        del steps[0]
    return replace(program, steps=tuple(steps))


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
