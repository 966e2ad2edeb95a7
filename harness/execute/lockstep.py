"""Lockstep: one call is started at a time, the rest are idle or asleep in the kernel.

Whether an actor sleeps is read from the kernel (`harness.execute.proc`): state S, inside a
system call that its call may sleep in, and no answer has come. The supervisor lets the others
run with sched_yield, on the CPU that they share, and looks again until everybody is at rest.
"""

import os
import select
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic, monotonic_ns
from typing import Any

from harness.errors import Broken
from harness.execute import wire
from harness.execute.hung import GLANCE, Stall, look_into
from harness.execute.pool import Actor, Pool
from harness.history import (
    Asleep,
    Continued,
    Died,
    Event,
    Invoke,
    Killing,
    Quiet,
    Return,
    Signalled,
    Stopped,
)
from harness.program import Call, CallThenKill, Continue, Elapse, Kill, Signal, Step, Stop
from harness.spec import Op, Process

SETTLE_BOUND = 60.0
"""Seconds after which actors that do not come to rest are taken for broken."""
ELAPSE_BOUND = 12.0
"""Seconds for which the end of a timed call is awaited."""
ANYWHERE: frozenset[str] = frozenset()
RESTARTED = "restart_syscall"
"""The system call that the kernel itself makes to go on with a sleep (poll, futex, …) which a
stop has interrupted, see restart_syscall(2); a call that may sleep may sleep in it."""


class Session:
    """One program's run on these actors, the keeper last: takes its steps, and says what happened.
    End it with `end`."""

    def __init__(
        self,
        pool: Pool,
        crew: Sequence[Actor],
        sleeps_in: Mapping[type, frozenset[str]],
    ) -> None:
        self.pool = pool
        self.crew = crew
        self.sleeps_in = sleeps_in
        self.busy: dict[Process, Op] = {}
        """Who is inside a call."""
        self.stopped: set[Process] = set()
        self.dead: set[Process] = set()
        self._asleep_in: dict[Process, str] = {}
        """Who has been seen asleep in its call, and in which system call."""
        self._told_asleep: set[Process] = set()
        self._victims: dict[Process, Process] = {}
        self._events: list[Event] = []
        self._who = {actor.serial: who for who, actor in enumerate(crew)}
        self._start = monotonic_ns()
        self._steps: dict[type, Callable[[Any], None]] = {
            Call: self._call,
            CallThenKill: self._call_then_kill,
            Kill: self._kill,
            Stop: self._stop,
            Continue: self._continue,
            Signal: self._signal,
            Elapse: self._elapse,
        }

    def step(self, step: Step) -> list[Event]:
        """Take a step, wait until everybody is at rest, and say what happened. A step whose
        actor is dead, stopped or inside a call is passed over."""
        self._steps[type(step)](step)
        return self._take_events()

    def linger(self, seconds: float) -> list[Event]:
        """Watch the sleepers for up to ``seconds``. Says what happened, or (one `Quiet` with
        its `held`) that they did not run at all."""
        before, started = self._switches(), monotonic_ns()
        if not self._await_answer(seconds):
            return [self._quiet_since(started, before)]
        self._settle()
        return self._take_events()

    def end(self) -> set[Process]:
        """Bring the actors back to rest. Returns those that are dead, or cannot be brought back."""
        for who in list(self.stopped):
            self.crew[who].send_signal(signal.SIGCONT)
        self.stopped.clear()
        for who in self.busy:
            self.crew[who].send_signal(signal.SIGUSR1)
        if self.busy:
            self._settle()
        return self.busy.keys() | self.dead

    # The steps.

    def _call(self, step: Call) -> None:
        if self._is_free(step.who):
            self._start_call(step.who, step.op, wire.packed_call(step.op))

    def _call_then_kill(self, step: CallThenKill) -> None:
        who, victim = step.who, step.victim
        if self._is_free(who) and victim in self.busy and victim not in self.stopped:
            self._victims[who] = victim
            value = (step.op, self.crew[victim].inner_pid)
            self._start_call(who, step.op, wire.command(wire.CALL_THEN_KILL, value))

    def _start_call(self, who: Process, op: Op, command: bytes) -> None:
        self._events.append(Invoke(self._now(), who, op))
        self.busy[who] = op
        self.crew[who].commands.send(command)
        self._settle()

    def _kill(self, step: Kill) -> None:
        if step.who not in self.dead:
            self._events.append(Killing(self._now(), step.who))
            self.crew[step.who].send_signal(signal.SIGKILL)
            self._bury(step.who)
            self._settle()

    def _stop(self, step: Stop) -> None:
        who = step.who
        if who in self.dead or who in self.stopped:
            return
        self.crew[who].send_signal(signal.SIGSTOP)
        self._spin(lambda: self.crew[who].watch.state() in "TZX", "was not stopped")
        self._drain()
        self.stopped.add(who)
        self._forget_sleep(who)
        self._events.append(Stopped(self._now(), who))
        self._settle()

    def _continue(self, step: Continue) -> None:
        if step.who in self.stopped:
            self.stopped.discard(step.who)
            self._events.append(Continued(self._now(), step.who))
            self.crew[step.who].send_signal(signal.SIGCONT)
            self._settle()

    def _signal(self, step: Signal) -> None:
        who = step.who
        if who in self.busy and who not in self.stopped:
            self._events.append(Signalled(self._now(), who, step.restart))
            number = signal.SIGUSR2 if step.restart else signal.SIGUSR1
            self._forget_sleep(who)
            self.crew[who].send_signal(number)
            self._settle()

    def _elapse(self, step: Elapse) -> None:
        who = step.who
        if who not in self.busy or who in self.stopped:
            return
        deadline = monotonic() + ELAPSE_BOUND
        before, started = self._switches(), monotonic_ns()
        while who in self.busy and self._await_answer(deadline - monotonic()):
            self._settle()
            before, started = self._switches(), monotonic_ns()
        if who in self.busy:
            self._events.append(self._quiet_since(started, before))

    # Coming to rest.

    def _settle(self) -> None:
        """Let everybody run until each is idle, stopped, dead, or asleep inside its call."""
        self._spin(self._at_rest, "did not come to rest")
        if not self.busy:
            return
        asleep = self._asleep()
        for who in asleep:
            if who not in self._told_asleep:
                self._told_asleep.add(who)
                self._events.append(Asleep(self._now(), who, self._asleep_in[who]))
        if asleep:
            self._events.append(Quiet(self._now(), asleep))

    def _spin(self, settled: Callable[[], bool], what: str) -> None:
        begun = looked = 0.0
        stalls: dict[Process, Stall] = {}
        while True:
            os.sched_yield()
            if settled():
                return
            now = monotonic()
            if not begun:
                begun = looked = now
            elif now > looked + GLANCE:
                looked = now
                self._require_progress(stalls)
                if now > begun + SETTLE_BOUND:
                    raise Broken(f"an actor {what} within {SETTLE_BOUND:g} s: {self._look()}")

    def _require_progress(self, stalls: dict[Process, Stall]) -> None:
        """Raises Broken for an actor that is stuck where its call may not sleep, or in a loop."""
        for who, op in list(self.busy.items()):
            watch = self.crew[who].watch
            if who in self.stopped or self._sleeps(who):
                continue
            stall = stalls.setdefault(who, Stall(watch))
            allowed = sorted(self.sleeps_in.get(type(op), ANYWHERE))
            if stall.is_asleep() and (where := watch.syscall()) is not None:
                kind = type(op).__name__
                raise Broken(
                    f"{op!r} is asleep in {where}, but may sleep only in {', '.join(allowed)}; "
                    f"add {where!r} to `sleeps_in` for {kind}, or leave {kind} out there if it may "
                    f"sleep anywhere: {look_into(watch.pid)}"
                )
            if stall.is_looping():
                raise Broken(
                    f"{op!r} runs on and on, and neither returns nor sleeps in the kernel: "
                    f"{look_into(watch.pid)}; mend the adapter"
                )

    def _look(self) -> str:
        return "; ".join(
            f"{op!r}: {look_into(self.crew[who].watch.pid)}" for who, op in self.busy.items()
        )

    def _at_rest(self) -> bool:
        """One look. With several sleepers it takes two, since one that was seen asleep may have
        been woken by another that ran until it was looked at itself."""
        self._drain()
        if not self.busy:
            return True
        looks = 1 if len(self.busy) == 1 else 2
        for _ in range(looks):
            for who in self.busy:
                if who not in self.stopped and not self._sleeps(who):
                    return False
        return not self._drain()

    def _sleeps(self, who: Process) -> bool:
        watch = self.crew[who].watch
        state = watch.state()
        if state in "ZX":
            self._bury(who)
            return False
        if state != "S":
            self._asleep_in.pop(who, None)
            return False
        if who not in self._asleep_in:
            where = watch.syscall()
            allowed = self.sleeps_in.get(type(self.busy[who]), ANYWHERE)
            if where is None or (allowed and where not in allowed and where != RESTARTED):
                return False
            self._asleep_in[who] = where
        return True

    def _forget_sleep(self, who: Process) -> None:
        self._asleep_in.pop(who, None)
        self._told_asleep.discard(who)

    def _drain(self) -> bool:
        """Take the answers that have come. Says whether there were any."""
        some = False
        while self.busy:
            answer = self.pool.receive()
            if answer is None:
                break
            who = self._who.get(answer[0])
            if who is None or who not in self.busy:
                continue  # of an actor of an earlier program, killed since
            some = True
            self._returned(who, wire.result(answer), answer[2], answer[3])
        return some

    def _returned(self, who: Process, reply: Any, began: int, ended: int) -> None:
        start = self._start
        self._tell_return(Return(ended - start, who, reply, began - start))
        self.busy.pop(who, None)
        self._forget_sleep(who)
        victim = self._victims.pop(who, None)
        if victim is not None and victim not in self.dead:
            self._events.append(Killing(self._now(), victim))
            self._bury(victim)

    def _tell_return(self, event: Return) -> None:
        """Put it before the SIGKILL that it has outrun, if there is one."""
        for number, earlier in enumerate(self._events):
            if isinstance(earlier, Killing) and earlier.who == event.who:
                event = replace(event, time=min(event.time, earlier.time))
                self._events.insert(number, event)
                return
        self._events.append(event)

    def _bury(self, who: Process) -> None:
        """Wait for the end of a process that is dying, and say how it ended."""
        actor = self.crew[who]
        if not actor.is_dead(SETTLE_BOUND):
            raise Broken(f"process {who} has not died within {SETTLE_BOUND:g} s")
        # An answer of its killer comes first, if there is one by now: the kill was after the call.
        self._drain()
        if who in self.dead:
            return
        self.dead.add(who)
        self.stopped.discard(who)
        for killer in [one for one, victim in self._victims.items() if victim == who]:
            # Dead before its killer has answered: the kill may come after the call or within it.
            del self._victims[killer]
            self._events.append(Killing(self._now(), who))
        self.busy.pop(who, None)
        self._forget_sleep(who)
        self._events.append(Died(self._now(), who, self.pool.cause_of_death(actor)))

    def _await_answer(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self.pool.answers, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    def _switches(self) -> dict[Process, tuple[int, int]]:
        """How often each that is inside a call has left the CPU."""
        return {who: self.crew[who].watch.switches() for who in self.busy}

    def _quiet_since(self, started: int, before: dict[Process, tuple[int, int]]) -> Quiet:
        """Who is asleep, and for how long if none of them has run, or is about to, since
        ``started``."""
        watched = monotonic_ns() - started
        # Whoever was woken, but has not had the CPU yet, has the old counts: look at it anew.
        self._asleep_in.clear()
        still = all(self._sleeps(who) for who in self._asleep())
        held = watched if still and self._switches() == before else 0
        return Quiet(self._now(), self._asleep(), held)

    def _is_free(self, who: Process) -> bool:
        return who not in self.busy and who not in self.dead and who not in self.stopped

    def _asleep(self) -> tuple[Process, ...]:
        return tuple(sorted(who for who in self.busy if who not in self.stopped))

    def _now(self) -> int:
        return monotonic_ns() - self._start

    def _take_events(self) -> list[Event]:
        """What has happened since; of several moments of rest only the last is told."""
        events, self._events = self._events, []
        rests = [event for event in events if type(event) is Quiet]
        if len(rests) <= 1:
            return events
        return [event for event in events if type(event) is not Quiet or event is rests[-1]]
