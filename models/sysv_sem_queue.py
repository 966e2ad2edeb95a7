"""Who goes on, and in which order, when a System V semaphore set changes.

Follows do_smart_update, update_queue, wake_const_ops and check_restart of the kernel's
ipc/sem.c line by line: the one that changes the set performs the sleepers' arrays for them, in
the same step. Leaves out what no caller can see: the locks, the order of the wake-ups proper.
"""

from collections.abc import Iterable

from harness.spec import Errno
from models.sysv_sem_operations import Steps
from models.sysv_sem_state import (
    Sleeper,
    State,
    Woken,
    attempt,
    in_one_line,
    perform,
    settled,
)


def serve(state: State, steps: Steps | None, cause: str) -> State:
    """The set once the sleepers that can go on have been served after a change: by an array of
    these steps, or (``None``) of any semaphore. ``cause`` is ``"semop"``, ``"semctl"`` or
    ``"death"`` (do_smart_update)."""
    if not state.line and not state.watchers:
        return state
    return _Scan(state, cause).run(steps)


class _Scan:
    """One pass of serving. ``before`` is what the cause left: who could not go on with that
    owes it to another sleeper."""

    def __init__(self, state: State, cause: str) -> None:
        self.state = state
        self.cause = cause
        self.before = state.values
        self.one_line = in_one_line((*state.line, *state.watchers))

    def run(self, steps: Steps | None) -> State:
        sems = range(len(self.before)) if steps is None else [step.sem for step in steps]
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
        return settled(self.state)

    def _serve_watchers(self, sems: Iterable[int]) -> None:
        """Those that wait for zero go first: at each semaphore that is 0 the arrays of one step,
        and then, if there was one, all the longer ones (do_smart_wakeup_zero)."""
        zeros = [sem for sem in sems if not self.state.values[sem]]
        for sem in zeros:
            for sleeper in self.state.watchers:
                if len(sleeper.steps) == 1 and sleeper.steps[0].sem == sem:
                    self._try(sleeper)
        if zeros:
            for sleeper in self.state.watchers:
                if len(sleeper.steps) > 1:
                    self._try(sleeper)

    def _serve_line(self, sem: int | None) -> None:
        """Those that change a value, in line; from the front again after one that may have made
        room for an earlier one (update_queue, check_restart)."""
        again = True
        while again:
            again = False
            for sleeper in self.state.line:
                if sem is not None and sleeper.steps[0].sem != sem:
                    continue
                if self._try(sleeper):
                    self._serve_watchers([step.sem for step in sleeper.steps])
                    if self.one_line:
                        again = True
                        break

    def _try(self, sleeper: Sleeper) -> bool:
        """Perform the array of a sleeper, if it can be. Returns whether it succeeded."""
        state, (who, steps, _) = self.state, sleeper
        outcome = attempt(state.values, state.undo[who], steps)
        if isinstance(outcome, int):
            self._stays(sleeper, outcome)
            return False
        state = _without(state, sleeper)
        if isinstance(outcome, Errno):
            woken = Woken(who, f"refused-asleep-{outcome.name.lower()}", outcome)
            self.state = state._replace(woken=(*state.woken, woken))
            return False
        woken = Woken(who, self._rule(sleeper), None)
        served = perform(state, who, steps, outcome)
        self.state = served._replace(woken=(*state.woken, woken))
        return True

    def _stays(self, sleeper: Sleeper, blocked: int) -> None:
        if blocked != sleeper.blocked:
            moved = sleeper._replace(blocked=blocked)
            self.state = self.state._replace(
                line=tuple(moved if one is sleeper else one for one in self.state.line),
                watchers=tuple(moved if one is sleeper else one for one in self.state.watchers),
            )

    def _rule(self, sleeper: Sleeper) -> str:
        """The rule that serves this sleeper, by what it waits for and what it owes it to."""
        who, steps, _ = sleeper
        if self._passes(sleeper):
            return "served-before-an-earlier"
        if isinstance(attempt(self.before, self.state.undo[who], steps), int):
            cause = "sleeper"
        else:
            cause = self.cause
        if len(steps) > 1:
            return f"served-array-by-{cause}"
        return f"served-{'take' if steps[0].change else 'zero'}-by-{cause}"

    def _passes(self, sleeper: Sleeper) -> bool:
        """Whether an earlier one in line still waits for what this one takes."""
        taken = {step.sem for step in sleeper.steps if step.change < 0}
        for earlier in self.state.line:
            if earlier is sleeper:
                return False
            if earlier.steps[earlier.blocked].sem in taken:
                return True
        return False


def _without(state: State, sleeper: Sleeper) -> State:
    return state._replace(
        line=tuple(one for one in state.line if one is not sleeper),
        watchers=tuple(one for one in state.watchers if one is not sleeper),
    )
