"""What became of each step of a program, read from the history.

Every step that was taken has caused one event that only the harness causes, in the order of the
steps; a step without one was passed over. The keeper's own calls belong to no step.
"""

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
from harness.program import Call, CallThenKill, Continue, Elapse, Kill, Program, Signal, Step, Stop
from harness.words import show
from harness.spec import Process

PASSED_OVER = "passed over"
THEN = ", then "


def outcomes(program: Program, history: History) -> list[str]:
    """For each step, what came of it, in words."""
    caused = [
        number
        for number, event in enumerate(history)
        if isinstance(event, Invoke | Killing | Stopped | Continued | Signalled)
        and event.who != program.keeper
    ]
    caused.append(len(history))
    found, position, last = [], 0, 0
    for step in program.steps:
        if isinstance(step, Elapse):
            found.append(_ending(history[last : caused[position]], step.who) or PASSED_OVER)
        elif caused[position] < len(history) and _causes(step, history[caused[position]]):
            last = caused[position] + 1
            found.append(_outcome(step, history[last:]))
            position += 1
            if isinstance(step, CallThenKill) and _is_killing(history, caused[position]):
                position += 1
        else:
            found.append(PASSED_OVER)
    return found


def _causes(step: Step, event: Event) -> bool:
    match event:
        case Invoke(_, who, op):
            return isinstance(step, Call | CallThenKill) and (step.who, step.op) == (who, op)
        case Killing(_, who):
            return step == Kill(who)
        case Stopped(_, who):
            return step == Stop(who)
        case Continued(_, who):
            return step == Continue(who)
        case Signalled(_, who, restart):
            return step == Signal(who, restart)
    return False


def _is_killing(history: History, number: int) -> bool:
    return number < len(history) and isinstance(history[number], Killing)


def _outcome(step: Step, later: History) -> str:
    match step:
        case Call(who) | CallThenKill(who):
            return _ending(later, who) or "no reply was seen"
        case Kill(who):
            died = tuple(event for event in later if isinstance(event, Died))
            return _ending(died, who) or "its end was not seen"
    return "done"


def _ending(later: History, who: Process) -> str:
    """How the pending call of ``who`` went on; empty where nothing more was seen of it."""
    asleep = ""
    for event in later:
        if isinstance(event, Quiet) or event.who != who:
            continue
        match event:
            case Asleep(_, _, where):
                asleep = f"sleeps in {where}{THEN}"
            case Return(_, _, reply):
                return f"{asleep}returns {show(reply)}"
            case Died(_, _, cause):
                return f"{asleep}is ended by {cause}"
    return asleep.removesuffix(THEN)
