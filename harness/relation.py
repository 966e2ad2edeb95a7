"""What may happen next: the model's relation together with waiting, signals, stops and death.

A configuration is ``(state number, slot of process 0, slot of process 1, …)``: a state of the
model, and for every process where its call stands. States and operations are numbered once and
every step from a (state, process, slot) is computed once, which a pure model allows. This is
the one place that knows how a call without a move goes on or ends (`harness.spec.Wait`).
"""

from collections.abc import Hashable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from harness.errors import Broken
from harness.spec import Dies, EngineRule, Exit, Later, Model, Op, Process, Reply, Wait

LIVE = 0
"""(LIVE, operation, original operation): the call has not taken effect, or only in part."""
HIT = 1
"""(HIT, operation, original, restart): a handler runs, or has run, while it sleeps."""
STOPPING = 2
"""(STOPPING, operation, original): SIGSTOP has reached it in its sleep."""
DYING = 3
"""(DYING, operation): SIGKILL is on its way; its call may still take effect."""
EXITING = 4
"""(EXITING, operation): its death is taking effect."""
FALLING = 5
"""(FALLING, Dies): its call has brought a signal upon it that ends it."""
AT_REST = 6
"""Slots from here on have no step of their own."""
DONE = 6
"""(DONE, reply): it has taken effect and will return this."""
SUSPENDED = 7
"""(SUSPENDED, operation or None, reply): stopped; it starts again, or returns, when continued."""
DEAD = 8

Slot = tuple[Any, ...] | None
Configuration = tuple[Any, ...]

GONE: Slot = (DEAD,)
LARGEST_TABLE = 400_000
MOST_MOVES = 1_000_000
"""Moves for one call in one state, which is taken for a generator that never ends."""


class Next(NamedTuple):
    """One step of one process: by which rule, to which state number, and its slot afterwards."""

    rule: str
    state: int
    slot: Slot


class Timer(NamedTuple):
    """The step of a sleeper whose time is up, ``after`` nanoseconds from its invocation."""

    after: int
    step: Next


class Steps(NamedTuple):
    """What a process can do. A process at rest has no `ready` step."""

    ready: tuple[Next, ...]
    timer: Timer | None = None


NO_STEPS = Steps(())


class Relation:
    """The steps of one model, computed on demand and remembered. Raises Broken for rules of the
    model's that are not what it lists, or have a name of the engine's."""

    def __init__(self, model: Model[Any], processes: int) -> None:
        self.model = model
        for name in EngineRule:
            if name in model.rules:
                raise Broken(
                    f"{self._blamed()} lists a rule {name.value!r}, which is the name of a step of "
                    "the engine's own; give the rule another name"
                )
        self.processes = processes
        self._states: list[Hashable] = []
        self._ops: list[Op] = []
        self._state_numbers: dict[Hashable, int] = {}
        self._op_numbers: dict[Op, int] = {}
        self._table: dict[tuple[int, Process, Slot], Steps] = {}
        self._exit = self.op_number(Exit())
        self.start: Configuration = (self.state_number(model.start()), *[None] * processes)

    def roomy(self) -> bool:
        """Whether the table is small enough to be kept for the next program."""
        return len(self._table) < LARGEST_TABLE

    def state_number(self, state: Hashable) -> int:
        number = self._state_numbers.get(state)
        if number is None:
            number = self._state_numbers[state] = len(self._states)
            self._states.append(state)
        return number

    def op_number(self, op: Op) -> int:
        number = self._op_numbers.get(op)
        if number is None:
            number = self._op_numbers[op] = len(self._ops)
            self._ops.append(op)
        return number

    @cached_property
    def start_text(self) -> str:
        """The first state, printed."""
        return repr(self.state(self.start))

    def state(self, configuration: Configuration) -> Any:
        return self._states[configuration[0]]

    def op(self, number: int) -> Op:
        return self._ops[number]

    def called(self, op: Op) -> Slot:
        """The slot of a call that has just been made."""
        number = self.op_number(op)
        return (LIVE, number, number)

    def hit(self, slot: Slot, restart: bool) -> Slot:
        """The slot of a sleeper after a signal with a handler."""
        if slot is not None and slot[0] == LIVE:
            return (HIT, slot[1], slot[2], restart)
        if slot is not None and slot[0] == HIT:
            return (HIT, slot[1], slot[2], restart and slot[3])
        return slot

    def stopped(self, slot: Slot) -> Slot:
        """The slot after SIGSTOP."""
        if slot is not None and slot[0] in (LIVE, HIT):
            return (STOPPING, slot[1], slot[2])
        return slot

    def continued(self, slot: Slot) -> Slot:
        """The slot after SIGCONT; the stop must have taken effect (see `steps`)."""
        if slot is not None and slot[0] == SUSPENDED:
            return (DONE, slot[2]) if slot[1] is None else (LIVE, slot[1], slot[1])
        return slot

    def killed(self, slot: Slot) -> Slot:
        """The slot once SIGKILL is on its way."""
        if slot is not None and slot[0] in (LIVE, HIT, STOPPING):
            return (DYING, slot[1])
        if slot is not None and slot[0] in (DYING, EXITING, DEAD):
            return slot
        return (EXITING, self._exit)

    def steps(self, state: int, who: Process, slot: Slot) -> Steps:
        """What ``who`` can do in this state. Steps that are `Steps.ready` happen by themselves,
        so nobody who has one is at rest."""
        found = self._table.get((state, who, slot))
        if found is None:
            if slot is None or slot[0] >= AT_REST:
                return NO_STEPS
            found = self._table[state, who, slot] = self._compute(state, who, slot)
        return found

    def _compute(self, state: int, who: Process, slot: tuple[Any, ...]) -> Steps:
        mode = slot[0]
        if mode == FALLING:
            return Steps((Next(EngineRule.DIES, state, (EXITING, self._exit)),))
        op = self._ops[slot[1]]
        moves = tuple(self._moves(state, who, op, slot))
        if mode == EXITING:
            return Steps(moves)
        if mode == DYING:
            killed = Next(EngineRule.KILLED, state, (EXITING, self._exit))
            return Steps((*(moves or self._sleep(state, who, op, slot)), killed))
        if moves:
            return Steps(moves)
        return self._without_move(self.model.wait(self._states[state], who, op), state, slot)

    def _sleep(self, state: int, who: Process, op: Op, slot: tuple[Any, ...]) -> tuple[Next, ...]:
        return self._falls_asleep(self.model.wait(self._states[state], who, op), slot)

    def _moves(self, state: int, who: Process, op: Op, slot: tuple[Any, ...]) -> Iterator[Next]:
        rules = self.model.rules
        moves = self.model.moves(self._states[state], who, op)
        for count, (rule, after, reply) in enumerate(moves):
            if count >= MOST_MOVES:
                raise Broken(
                    f"{self._blamed()} has more than {MOST_MOVES:,} moves for {op!r} in one state; "
                    "have it yield each move once, and come to an end"
                )
            if rules and rule not in rules:
                raise self._unlisted(rule)
            yield Next(rule, self.state_number(after), self._slot_after(slot, reply))

    def _unlisted(self, rule: str) -> Broken:
        return Broken(
            f"{self._blamed()} has a move by a rule {rule!r}, which is not among the "
            f"{len(self.model.rules)} in its `rules`; add it there with its sentence, or mend the "
            "name"
        )

    def _blamed(self) -> str:
        return f"the model {type(self.model).__module__}.{type(self.model).__qualname__}"

    def _slot_after(self, slot: tuple[Any, ...], reply: Reply) -> Slot:
        if isinstance(reply, Later):
            return (slot[0], self.op_number(reply.op), *slot[2:])
        if slot[0] == EXITING:
            return GONE
        if slot[0] == DYING:
            return (EXITING, self._exit)
        return (FALLING if isinstance(reply, Dies) else DONE, reply)

    def _without_move(self, wait: Wait, state: int, slot: tuple[Any, ...]) -> Steps:
        if wait.would_block is not None:
            return Steps((Next(EngineRule.WOULD_BLOCK, state, (DONE, wait.would_block)),))
        left = state if wait.withdrawn is None else self.state_number(wait.withdrawn)
        if wait.asleep is not None:
            return Steps(self._falls_asleep(wait, slot))
        timer = _timer(wait, left, slot)
        ready: tuple[Next, ...]
        if slot[0] == HIT and slot[3] and wait.restarts:
            ready = (Next(EngineRule.RESTARTED, left, (LIVE, slot[2], slot[2])),)
        elif slot[0] == HIT:
            ready = (Next(EngineRule.INTERRUPTED, left, (DONE, wait.interrupted)),)
        elif slot[0] == STOPPING:
            again = slot[2] if wait.stopped is None else None
            ready = (Next(EngineRule.STOPPED, left, (SUSPENDED, again, wait.stopped)),)
        else:
            ready = ()
        return Steps(ready, timer)

    def _falls_asleep(self, wait: Wait, slot: tuple[Any, ...]) -> tuple[Next, ...]:
        if wait.asleep is None:
            return ()
        rule, after, reply = wait.asleep
        if self.model.rules and rule not in self.model.rules:
            raise self._unlisted(rule)
        return (Next(rule, self.state_number(after), self._slot_after(slot, reply)),)


def _timer(wait: Wait, left: int, slot: tuple[Any, ...]) -> Timer | None:
    """The step when its time is up, which may come first even where a signal has come too."""
    if wait.timeout is None:
        return None
    over: Slot = (DONE, wait.timed_out)
    if slot[0] == STOPPING:
        over = (SUSPENDED, None, wait.timed_out)
    return Timer(int(wait.timeout * 1e9), Next(EngineRule.TIMED_OUT, left, over))


def with_slot(configuration: Configuration, who: Process, slot: Slot) -> Configuration:
    """The configuration in which only the slot of ``who`` is another."""
    return (*configuration[: who + 1], slot, *configuration[who + 2 :])


def after(configuration: Configuration, who: Process, step: Next) -> Configuration:
    """The configuration once ``who`` has taken a step."""
    return (step.state, *configuration[1 : who + 1], step.slot, *configuration[who + 2 :])
