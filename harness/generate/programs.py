"""The one strategy that whole programs are drawn from.

A program is one string of bytes, since Hypothesis spends on each of its choices what a call on
the kernel costs: a few numbers of 16 bits, then one for each step, an index into the menu of
calls (for each actor) and faults. 0 is no step, so that a number that shrinks to it leaves the
step out, and a smaller number is a simpler step.
The model is walked along while drawing, so that calls go to actors that are idle, faults to
actors that they can hit, and the queue is full when it is said to be. Half of the programs use
a random part of the menu only (swarm testing, Groce et al. 2012), which is what really fills
queues and puts several to sleep.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from hypothesis import strategies as st

from harness.errors import BadInput, Broken, Halt, mistake
from harness.generate.walk import Walk
from harness.mechanism import Mechanism
from harness.program import (
    MOST_ACTORS,
    Call,
    CallThenKill,
    Continue,
    Elapse,
    Kill,
    Program,
    Signal,
    Step,
    Stop,
)
from harness.relation import Relation
from harness.spec import Op, Process

KILLS = ("kill",)
ALL_FAULTS = ("elapse", "kill", "signal", "restart", "stop", "continue", "call then kill")
"""The faults that a program may have; `filled` objects and short time-outs come with the setup
and the calls."""
MOST_FILLED = 70
_SWARM = 8
"""Parts that a menu is divided into: entry 0, 8, 16, … are the first part, and so on."""
_HEAD = 6
"""Numbers drawn for a program beside its steps."""
REMEDY = (
    "mend the row or its model: setups and menus are sequences that are not empty, setups, "
    "operations and states are hashable (frozen dataclasses), and a model yields Moves"
)
_BITS = 16
"""Bits of a number that is drawn."""


def _scaled(number: int, size: int) -> int:
    """One of ``range(size)``, each as likely, from a number that was drawn; 0 for 0."""
    return number * size >> _BITS


class Drawing:
    """One program being drawn."""

    def __init__(
        self,
        mechanism: Mechanism,
        setup: Any,
        relation: Relation,
        faults: Sequence[str],
        swarm: int,
    ) -> None:
        self.mechanism = mechanism
        self.setup = setup
        self.walk = Walk(relation)
        self.actors = relation.processes - 1
        self.faults = faults
        self.swarm = swarm
        """Which parts of the menu are left out, a bit each."""
        self.steps: list[Step] = []
        self.number = 0

    def fill(self, short_by: int) -> None:
        """Have the keeper fill the object, but for the last ``short_by`` items."""
        keeper = self.actors
        marks = []
        while self.mechanism.fill is not None and self.number < MOST_FILLED:
            op = self.mechanism.fill(self.setup, self.walk.state, self.number)
            if op is None or not self.walk.returns(keeper, op):
                break
            marks.append((self.walk.configuration, len(self.steps)))
            self.number += 1
            self._call(keeper, op)
        if short_by and marks:
            self.walk.configuration, kept = marks[-min(short_by, len(marks))]
            del self.steps[kept:]

    def menu(self, who: Process) -> Sequence[Op]:
        return self.mechanism.calls(self.setup, self.walk.state, who, self.number)

    def pick(self, menu: Sequence[Op], entry: int) -> Op:
        """The operation at ``entry``, or the next one that this program uses."""
        size = len(menu)
        for offset in range(_SWARM):
            at = (entry + offset) % size
            if not self.swarm >> at % _SWARM & 1:
                return menu[at]
        return menu[entry % size]

    def call(self, entry: int, actor: Process) -> bool:
        """Add a call by ``actor`` or the next idle one. Says whether there was any."""
        who = self._next(actor, self.walk.is_idle)
        if who is None:
            return False
        self.number += 1
        self._call(who, self.pick(self.menu(who), entry))
        return True

    def fault(self, kind: str, entry: int, actor: Process) -> None:
        """Add a fault that hits ``actor`` or the next that it can hit, if there is any."""
        walk = self.walk
        if kind == "kill":
            who = self._next(actor, lambda who: not walk.is_dead(who))
            if who is not None:
                self._add(Kill(who), walk.kill, who)
        elif kind == "continue":
            who = self._next(actor, walk.stopped.__contains__)
            if who is not None:
                self._add(Continue(who), walk.resume, who)
        elif kind == "elapse":
            who = self._next(actor, walk.is_timed)
            if who is not None:
                self._add(Elapse(who), walk.elapse, who)
        elif kind == "call then kill":
            self._call_then_kill(entry, actor)
        else:
            self._hit(kind, actor)

    def _hit(self, kind: str, actor: Process) -> None:
        """A signal or a stop: of use only to one that is asleep."""
        who = self._next(actor, self.walk.is_asleep)
        if who is None:
            return
        if kind == "stop":
            self._add(Stop(who), self.walk.stop, who)
        else:
            restart = kind == "restart"
            self._add(Signal(who, restart), self.walk.signal, who, restart)

    def _call_then_kill(self, entry: int, actor: Process) -> None:
        """A call of the menu that wakes a sleeper, which is killed before it runs."""
        victim = self._next(actor, self.walk.is_asleep)
        who = self._next(actor, self.walk.is_idle)
        if victim is None or who is None:
            return
        menu = self.menu(who)
        for offset in range(len(menu)):
            op = menu[(entry + offset) % len(menu)]
            if self.walk.wakes(who, op, victim):
                self.number += 1
                self.steps.append(CallThenKill(who, op, victim))
                self.walk.call_then_kill(who, op, victim)
                return

    def finish(self) -> None:
        """Let short time-outs run out, and have the keeper look at what is left."""
        for who in range(self.actors):
            if self.walk.is_timed(who):
                self._add(Elapse(who), self.walk.elapse, who)
        for op in self.mechanism.audit(self.setup, self.walk.state):
            self._call(self.actors, op)

    def _call(self, who: Process, op: Op) -> None:
        self._add(Call(who, op), self.walk.call, who, op)

    def _add(self, step: Step, change: Callable[..., None], *arguments: Any) -> None:
        self.steps.append(step)
        change(*arguments)

    def _next(self, actor: Process, wanted: Callable[[Process], bool]) -> Process | None:
        for offset in range(self.actors):
            who = (actor + offset) % self.actors
            if wanted(who):
                return who
        return None


class Programs:
    """Where programs of one mechanism are drawn from; the relations of its models are kept.

    ``share`` of 100 is how often a step is a fault; ``faults`` says which there may be. Raises
    BadInput for what makes no sense.
    """

    def __init__(
        self,
        mechanism: Mechanism,
        actors: tuple[int, int] = (2, 4),
        steps: int = 30,
        faults: Sequence[str] = ALL_FAULTS,
        share: int = 15,
    ) -> None:
        self.mechanism = mechanism
        _require_sense(actors, steps, faults, share)
        self.fewest, self.most = actors
        self.longest = steps
        self.faults = tuple(faults) if share else ()
        self.share = share if self.faults else 0
        self._numbers = f">{_HEAD + steps}H"
        self._relations: dict[tuple[int, int], Relation] = {}

    def relation(self, setup: int, actors: int) -> Relation:
        """The relation of the model of setup number ``setup`` for so many actors."""
        found = self._relations.get((setup, actors))
        if found is None or not found.roomy():
            processes = actors + 1
            model = self.mechanism.model(self.mechanism.setups[setup], processes)
            found = self._relations[setup, actors] = Relation(model, processes)
        return found

    def relation_of(self, program: Program) -> Relation:
        return self.relation(self.mechanism.setups.index(program.setup), program.actors)

    def strategy(self) -> st.SearchStrategy[Program]:
        size = struct.calcsize(self._numbers)
        return st.binary(min_size=size, max_size=size).map(self.program)

    def program(self, drawn: bytes) -> Program:
        """The program that these bytes stand for. Raises Halt for a mistake in the row or in the
        model, which no other bytes would mend."""
        try:
            return self._program(drawn)
        except (Broken, BadInput) as error:
            raise Halt(error) from error
        except Exception as error:
            sentence = f"{self.mechanism.name}: no program can be drawn"
            raise Halt(mistake(error, sentence, REMEDY)) from error

    def _program(self, drawn: bytes) -> Program:
        numbers = iter(struct.unpack(self._numbers, drawn))
        setup = _scaled(next(numbers), len(self.mechanism.setups))
        hash(self.mechanism.setups[setup])  # Programs are remembered; here the row gets the blame.
        actors = self.fewest + _scaled(next(numbers), self.most - self.fewest + 1)
        drawing = Drawing(
            self.mechanism,
            self.mechanism.setups[setup],
            self.relation(setup, actors),
            self.faults,
            _swarm(next(numbers), next(numbers)),
        )
        filled = _scaled(next(numbers), 4)
        if filled > 1:
            drawing.fill(filled - 2)
        # A quarter of the programs are as long as may be: it takes many steps to get far.
        length = min(self.longest, _scaled(next(numbers), 4 * self.longest // 3 + 1))
        self._draw_steps(islice(numbers, length), drawing, actors)
        drawing.finish()
        return Program(self.mechanism.reference, drawing.setup, actors, tuple(drawing.steps))

    def _draw_steps(self, numbers: Iterator[int], drawing: Drawing, actors: int) -> None:
        calls = len(drawing.menu(0)) * actors
        faults = calls * self.share // (100 - self.share)
        if self.share:
            faults = max(faults, len(self.faults) * actors)
            calls = max(calls, faults * (100 - self.share) // self.share)
        for number in numbers:
            choice = _scaled(number, 1 + calls + faults) - 1
            if choice < 0:
                continue
            entry, actor = divmod(choice, actors)
            if choice < calls and drawing.call(entry, actor):
                continue
            if not self.faults:
                return
            # A fault also where nobody is idle: only that goes on from there. What it costs in
            # shrinking (a call left out may make a call of it) `harness.reduce` brings back.
            drawing.fault(self.faults[entry % len(self.faults)], entry, actor)


def _require_sense(actors: tuple[int, int], steps: int, faults: Sequence[str], share: int) -> None:
    """Raises BadInput."""
    fewest, most = actors
    if not 1 <= fewest <= most <= MOST_ACTORS:
        raise BadInput(f"actors is {actors!r}: expected (fewest, most) of 1 to {MOST_ACTORS}")
    if steps < 0:
        raise BadInput(f"steps is {steps!r}: expected 0 or more")
    if not 0 <= share < 100:
        raise BadInput(f"share is {share!r}: expected percent of the steps, 0 to 99")
    unknown = [faults] if isinstance(faults, str) else [*{*faults} - {*ALL_FAULTS}]
    if unknown:
        raise BadInput(
            f"faults has {unknown[0]!r}: expected a sequence of {', '.join(map(repr, ALL_FAULTS))}"
        )


def _swarm(whether: int, parts: int) -> int:
    """The parts of the menu that a program leaves out; half of the programs leave out none."""
    return parts % (1 << _SWARM) if _scaled(whether, 2) else 0
