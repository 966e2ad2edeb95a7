"""Lockstep: one call is started at a time, the rest are idle or asleep in the kernel.

Whether an actor sleeps is read from the kernel (`harness.execute.proc`): state S, inside a
system call that its call may sleep in, and no answer has come. The supervisor lets the others
run with sched_yield, on the CPU that they share, and looks again until everybody is at rest.
"""

import os
import select
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic, monotonic_ns
from typing import Any

from harness.adapter import Adapter
from harness.errors import Broken
from harness.execute import wire
from harness.execute.pool import START_BOUND, Actor, Pool
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
    """One program's run: takes its steps, and says what happened. Close it with `end`."""

    def __init__(
        self,
        pool: Pool,
        crew: Sequence[Actor],
        adapter: type[Adapter],
        setup: Any,
        limits: Mapping[str, int],
    ) -> None:
        self.pool = pool
        self.crew = crew
        self.sleeps_in = adapter.sleeps_in
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
        self._shared = self._set_up(f"{adapter.__module__}:{adapter.__qualname__}", setup, limits)

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

    def end(self) -> bool:
        """Bring the actors back to rest, close and remove the object. Says whether all is well:
        not where the keeper cannot be brought back, without which only the end of the sandbox
        removes the object."""
        for who in list(self.stopped):
            self.crew[who].send_signal(signal.SIGCONT)
        self.stopped.clear()
        for who in self.busy:
            self.crew[who].send_signal(signal.SIGUSR1)
        if self.busy:
            self._settle()
        *others, keeper = self.crew
        gone = self.busy.keys() | self.dead
        for who in gone:
            self.pool.discard(self.crew[who])
        self.pool.order(len(gone))
        # Everybody has left before the object is removed: one that is still open may count.
        left = [actor for who, actor in enumerate(others) if who not in gone]
        for actor in left:
            actor.tell(wire.DETACH, None)
        self._acknowledged(left)
        if len(others) in gone:
            return False
        keeper.tell(wire.DESTROY, self._shared)
        self._acknowledged([keeper])
        return True

    def _set_up(self, reference: str, setup: Any, limits: Mapping[str, int]) -> Any:
        *others, keeper = self.crew
        packed = wire.packed_setup(setup)
        processes = {actor.inner_pid: who for who, actor in enumerate(self.crew)}
        keeper.tell(wire.CREATE, (reference, packed, len(others), processes, limits))
        shared, count = self._acknowledged([keeper])[0]
        descriptors: Sequence[int] = ()
        if count:
            _, descriptors, _, _ = socket.recv_fds(keeper.commands, 16, count)
        for who, actor in enumerate(others):
            value = (reference, packed, who, processes, limits, shared, count)
            actor.tell(wire.ATTACH, value)
            if count:
                socket.send_fds(actor.commands, [b"fds"], list(descriptors))
        for descriptor in descriptors:
            os.close(descriptor)
        self._acknowledged(others)
        return shared

    def _acknowledged(self, actors: Sequence[Actor]) -> list[Any]:
        """The next answer of each of these actors, in the order in which they come."""
        values: list[Any] = []
        expected = {actor.serial for actor in actors}
        deadline = monotonic() + START_BOUND
        while expected:
            os.sched_yield()
            for answer in self.pool.received():
                if answer[0] in expected:
                    values.append(wire.result(answer))
                    expected.discard(answer[0])
            if expected and monotonic() > deadline:
                raise Broken(f"an actor has not answered within {START_BOUND:g} s")
        return values

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
        deadline = 0.0
        while True:
            os.sched_yield()
            if settled():
                return
            now = monotonic()
            if not deadline:
                deadline = now + SETTLE_BOUND
            elif now > deadline:
                raise Broken(f"an actor {what} within {SETTLE_BOUND:g} s: {self._describe()}")

    def _describe(self) -> str:
        return "; ".join(
            f"{op!r} is in state {self.crew[who].watch.state()}, "
            f"system call {self.crew[who].watch.syscall()}"
            for who, op in self.busy.items()
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
        """Who is asleep, and for how long if none of them has run since ``started``."""
        held = monotonic_ns() - started if self._switches() == before else 0
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
