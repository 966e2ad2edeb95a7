"""Executions of small models, simulated: who does what, and what a supervisor sees of it.

`at_random` lets calls overlap, sleep, run out of time, be interrupted, stopped and killed, and
everybody take one step after another in random order. `in_lockstep` carries out a program.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    History,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.program import (
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
from harness.spec import Dies, Op, Process
from tests.brute_force import EXITING, IN_CALL, BruteForce, Doings, Phase, Standing

TICK = 1_000
"""Nanoseconds between two events, more or less."""
LONG_WATCHED = 1_000_000_000
"""Nanoseconds for which sleepers were watched where their sleep is certain."""


class Execution:
    """Processes that use one object, as its model has it. Where the model leaves it free, who
    goes on and how is random."""

    def __init__(self, steps: BruteForce, random: Random) -> None:
        self.steps = steps
        self.random = random
        self.everybody = range(steps.processes)
        self.state: Any = steps.model.start()
        self.at = [Standing()] * steps.processes
        self.since = [0] * steps.processes
        self.halted: set[Process] = set()
        self.buried: set[Process] = set()
        self.now = 0
        self.events: list[Event] = []

    def tell(self, kind: Callable[..., Event], *about: Any) -> None:
        self.now += TICK * self.random.randrange(3)
        self.events.append(kind(self.now, *about))

    # How it stands.

    def doings(self, who: Process) -> Doings:
        return self.steps.doings(self.state, who, self.at[who])

    def choices(self, who: Process) -> list[tuple[Any, Standing]]:
        """What ``who`` may do now."""
        now, after, late = self.doings(who)
        if after is not None and late is not None and self.now >= self.since[who] + after:
            return [*now, late]
        return list(now)

    def can_step(self, who: Process) -> bool:
        return bool(self.choices(who))

    def is_idle(self, who: Process) -> bool:
        return self.at[who].phase is Phase.IDLE and who not in self.halted

    def is_asleep(self, who: Process) -> bool:
        return self.at[who].phase is Phase.CALLING and not self.doings(who).now

    def is_dead(self, who: Process) -> bool:
        return self.at[who].phase is Phase.GONE

    def is_over(self, who: Process) -> bool:
        """Whether it can return, or be found dead."""
        at = self.at[who]
        if at.phase is Phase.FINISHED:
            return who not in self.halted and not isinstance(at.reply, Dies)
        return self.is_dead(who) and who not in self.buried

    def sleepers(self) -> tuple[Process, ...]:
        return tuple(filter(self.is_asleep, self.everybody))

    # What happens to one process.

    def invoke(self, who: Process, op: Op) -> None:
        self.tell(Invoke, who, op)
        self.since[who] = self.now
        self.at[who] = Standing(Phase.CALLING, op, op)

    def step(self, who: Process) -> None:
        self.state, self.at[who] = self.random.choice(self.choices(who))

    def end(self, who: Process) -> None:
        """It returns, or is found dead."""
        if self.is_dead(who):
            self.buried.add(who)
            ending = self.at[who].reply
            self.tell(Died, who, ending.signal if isinstance(ending, Dies) else "SIGKILL")
        else:
            self.tell(Return, who, self.at[who].reply, self.since[who])
            self.at[who] = Standing()

    def kill(self, who: Process) -> None:
        self.tell(Killing, who)
        at = self.at[who]
        self.at[who] = Standing(Phase.KILLED, at.op) if at.phase in IN_CALL else EXITING

    def signal(self, who: Process, restart: bool) -> None:
        self.tell(Signalled, who, restart)
        self.at[who] = self.at[who]._replace(phase=Phase.SIGNALLED, restart=restart)

    def stop(self, who: Process) -> None:
        at = self.at[who]
        if at.phase is Phase.CALLING:
            self.at[who] = Standing(Phase.STOPPING, at.op, at.first)
            while self.at[who].phase is Phase.STOPPING:
                self.step(who)
        self.halted.add(who)
        self.tell(Stopped, who)

    def resume(self, who: Process) -> None:
        self.halted.discard(who)
        self.tell(Continued, who)
        at = self.at[who]
        if at.phase is Phase.SUSPENDED:
            self.at[who] = Standing(Phase.CALLING, at.op, at.op)

    def pick(self, wanted: Callable[[Process], bool]) -> Process | None:
        """A random process of those wanted, which the keeper never is."""
        found = [who for who in self.everybody[:-1] if wanted(who)]
        return self.random.choice(found) if found else None


class Turns(Execution):
    """Everybody's calls and steps, and all that can happen to them, in random order."""

    def __init__(
        self, steps: BruteForce, random: Random, menu: Callable[[int], list[Op]], calls: int
    ) -> None:
        super().__init__(steps, random)
        self.menu = menu
        self.left = calls

    def run(self) -> History:
        turns = [self.call] * 4 + [self.go_on] * 8 + [self.over] * 6 + [self.rest] * 2 + [self.look]
        if self.random.random() < 0.7:
            turns.append(self.harm)
        for _ in range(60):
            if self.left or any(at.phase is not Phase.IDLE for at in self.at):
                self.random.choice(turns)()
        return tuple(self.events)

    def call(self) -> None:
        who = self.pick(self.is_idle)
        if who is not None and self.left:
            self.invoke(who, self.random.choice(self.menu(self.left)))
            self.left -= 1

    def go_on(self) -> None:
        who = self.pick(self.can_step)
        if who is not None:
            self.step(who)

    def over(self) -> None:
        who = self.pick(self.is_over)
        if who is not None:
            self.end(who)

    def look(self) -> None:
        who = self.pick(self.is_asleep)
        if who is not None:
            self.tell(Asleep, who, "futex")

    def rest(self) -> None:
        """Nobody runs, at times because all have gone as far as they can."""
        while self.random.random() < 0.9 and self.pick(self.moves_by_itself) is not None:
            self.go_on()
        if not any(self.moves_by_itself(who) or self.is_over(who) for who in self.everybody):
            self.tell(Quiet, self.sleepers(), self.random.choice((0, LONG_WATCHED)))

    def moves_by_itself(self, who: Process) -> bool:
        return bool(self.doings(who).now)

    def harm(self) -> None:
        who = self.pick(lambda who: self.at[who].phase not in (Phase.EXITING, Phase.GONE))
        if who is None:
            return
        if who in self.halted:
            self.resume(who)
        elif self.is_asleep(who):
            self.random.choice((self.hit, self.stop, self.kill))(who)
        elif self.at[who].phase in (Phase.IDLE, Phase.CALLING):
            self.random.choice((self.stop, self.kill, self.kill))(who)

    def hit(self, who: Process) -> None:
        self.signal(who, restart=self.random.random() < 0.5)


class Lockstep(Execution):
    """A program, carried out as the engine does: everybody comes to rest after each step, and
    nobody's time is up before that is waited for."""

    def choices(self, who: Process) -> list[tuple[Any, Standing]]:
        return list(self.doings(who).now)

    def take(self, step: Step) -> bool:
        """Take a step. Says whether it could be taken."""
        who = step.who
        match step:
            case Call(_, op) if self.is_idle(who):
                self.invoke(who, op)
            case CallThenKill(_, op, victim) if self.is_idle(who) and self.is_asleep(victim):
                self.invoke(who, op)
                self.kill_behind(who, victim)
            case Kill() if not self.is_dead(who):
                self.halted.discard(who)
                self.kill(who)
                self.die(who)
            case Stop() if not self.is_dead(who) and who not in self.halted:
                self.stop(who)
            case Continue() if who in self.halted:
                self.resume(who)
            case Signal(_, restart) if self.is_asleep(who):
                self.signal(who, restart)
            case Elapse() if self.is_asleep(who) and self.doings(who).after is not None:
                self.pass_the_time(who)
            case _:
                return False
        self.settle()
        return True

    def kill_behind(self, who: Process, victim: Process) -> None:
        """``victim`` is killed as the call of ``who`` returns, before it has run."""
        while self.doings(who).now:
            self.step(who)
        if self.is_over(who):
            self.end(who)
            self.kill(victim)
            self.at[victim] = EXITING
            self.die(victim)

    def die(self, who: Process) -> None:
        while self.doings(who).now:
            self.step(who)
        self.end(who)

    def pass_the_time(self, who: Process) -> None:
        _, after, late = self.doings(who)
        assert after is not None
        assert late is not None
        self.now = max(self.now, self.since[who] + after)
        self.state, self.at[who] = late

    def settle(self) -> None:
        """Whoever can go on does."""
        moved = True
        while moved:
            moved = False
            for who in self.everybody:
                if self.is_over(who):
                    self.end(who)
                    moved = True
                if self.can_step(who):
                    self.step(who)
                    moved = True
        if self.sleepers():
            self.tell(Quiet, self.sleepers())


def at_random(
    steps: BruteForce, menu: Callable[[int], list[Op]], random: Random, calls: int
) -> History:
    """What a supervisor sees of an execution of so many calls from the menu."""
    return Turns(steps, random, menu, calls).run()


def in_lockstep(steps: BruteForce, program: Program, random: Random) -> Lockstep:
    """A program when it has been carried out."""
    run = Lockstep(steps, random)
    for step in program.steps:
        run.take(step)
    return run
