"""Who goes on, and in which order, when a System V semaphore set changes.

Follows do_smart_update, update_queue, wake_const_ops and check_restart of the kernel's
ipc/sem.c line by line: the one that changes the set performs the sleepers' arrays for them, in
the same step. Leaves out what no caller can see: the locks, the order of the wake-ups proper.
"""

from collections.abc import Iterable

from harness.spec import Errno
from models.sysv_sem.operations import Steps
from models.sysv_sem.state import (
    Sleeper,
    State,
    Woken,
    attempt,
    in_one_line,
    settled,
    touched,
    with_record,
)


def serve(state: State, steps: Steps | None, cause: str) -> State:
    """The set once the sleepers that can go on have been served after a change: by an array of
    these steps, or (``None``) of any semaphore. ``cause`` is ``"semop"``, ``"semctl"`` or
    ``"death"`` (do_smart_update)."""
    if not state.line and not state.watchers:
        return state
    return _Service(state, cause).run(steps)


class _Service:
    """The set while its sleepers are being served."""

    def __init__(self, state: State, cause: str) -> None:
        self.cause = cause
        self.before = state.values
        """What the cause left: who could not go on with that owes it to another sleeper."""
        self.one_line = in_one_line(state)
        self.values, self.last, self.undo, line, watchers, woken, self.operated, _ = state
        self.strangers = state.strangers
        self.line, self.watchers, self.woken = list(line), list(watchers), list(woken)

    def run(self, steps: Steps | None) -> State:
        sems = range(len(self.values)) if steps is None else [step.sem for step in steps]
        self._serve_watchers(sems)
        if self.one_line:
            self._serve_line(None)
        elif steps is None:
            for sem in sems:
                self._serve_line(sem)
        else:
            for step in steps:
                if step.change > 0:
                    self._serve_line(step.sem)
        return settled(
            State(
                self.values,
                self.last,
                self.undo,
                tuple(self.line),
                tuple(self.watchers),
                tuple(self.woken),
                self.operated,
                self.strangers,
            )
        )

    def _serve_watchers(self, sems: Iterable[int]) -> None:
        """Those that wait for zero go first: at each semaphore that is 0 the arrays of one step,
        and then, if there was one, all the longer ones (do_smart_wakeup_zero)."""
        if not self.watchers:
            return
        zeros = [sem for sem in sems if not self.values[sem]]
        for sem in zeros:
            for sleeper in tuple(self.watchers):
                if len(sleeper.steps) == 1 and sleeper.steps[0].sem == sem:
                    self._try(self.watchers, sleeper)
        if zeros:
            for sleeper in tuple(self.watchers):
                if len(sleeper.steps) > 1:
                    self._try(self.watchers, sleeper)

    def _serve_line(self, sem: int | None) -> None:
        """Those that change a value, in line; from the front again after one that may have made
        room for an earlier one (update_queue, check_restart)."""
        again = True
        while again:
            again = False
            for sleeper in tuple(self.line):
                if sem is not None and sleeper.steps[0].sem != sem:
                    continue
                if self._try(self.line, sleeper):
                    self._serve_watchers([step.sem for step in sleeper.steps])
                    if self.one_line:
                        again = True
                        break

    def _try(self, line: list[Sleeper], sleeper: Sleeper) -> bool:
        """Perform the array of a sleeper, if it can be. Returns whether it succeeded."""
        who, steps, _ = sleeper
        outcome = attempt(self.values, self.undo[who], steps)
        if isinstance(outcome, int):
            line[line.index(sleeper)] = Sleeper(who, steps, outcome)
            return False
        if isinstance(outcome, Errno):
            line.remove(sleeper)
            self.woken.append(Woken(who, f"refused-asleep-{outcome.name.lower()}", outcome))
            return False
        self.woken.append(Woken(who, self._rule(sleeper), None))
        line.remove(sleeper)
        self.values, record = outcome
        self.undo = with_record(self.undo, who, record)
        self.last = touched(self.last, who, steps)
        self.operated = True
        return True

    def _rule(self, sleeper: Sleeper) -> str:
        """The rule that serves this sleeper, by what it waits for and what it owes it to."""
        who, steps, _ = sleeper
        if self._passes(sleeper):
            return "served-before-an-earlier"
        if isinstance(attempt(self.before, self.undo[who], steps), int):
            cause = "sleeper"
        else:
            cause = self.cause
        if len(steps) > 1:
            return f"served-array-by-{cause}"
        return f"served-{'take' if steps[0].change else 'zero'}-by-{cause}"

    def _passes(self, sleeper: Sleeper) -> bool:
        """Whether an earlier one in line still waits for what this one takes."""
        taken = [step.sem for step in sleeper.steps if step.change < 0]
        for earlier in self.line if taken else ():
            if earlier is sleeper:
                return False
            if earlier.steps[earlier.blocked].sem in taken:
                return True
        return False
