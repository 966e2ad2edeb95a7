"""What became of each step of a program, read from the history.

Every step that was taken has caused an event that only the harness causes, in the order of the
steps; a step without one was passed over, or not reached. The kill that belongs to a call comes
when that call returns, which may be many steps later.
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
from harness.report.failure import Failure
from harness.spec import Process
from harness.words import show, step_text

PASSED_OVER = "passed over"
NOT_TAKEN = "not taken"
THEN = ", then "


def told(failure: Failure) -> tuple[list[tuple[str, str]], list[str]]:
    """The steps that the run came to, each with what came of it, and those after them."""
    program = failure.program
    texts = [step_text(step, program.actors) for step in program.steps]
    ends = outcomes(program, failure.history)
    count = len(ends)
    while count and ends[count - 1] == NOT_TAKEN:
        count -= 1
    return list(zip(texts[:count], ends[:count], strict=True)), texts[count:]


def outcomes(program: Program, history: History) -> list[str]:
    """For each step, what came of it, in words."""
    caused = [
        number
        for number, event in enumerate(history)
        if isinstance(event, Invoke | Killing | Stopped | Continued | Signalled)
    ]
    found: list[str] = []
    victims: set[Process] = set()
    last = 0
    for step in program.steps:
        while caused and _is_late_kill(history[caused[0]], step, victims):
            caused.pop(0)
        if isinstance(step, Elapse):
            until = caused[0] if caused else len(history)
            found.append(_ending(history[last:until], step.who) or PASSED_OVER)
        elif caused and _causes(step, history[caused[0]]):
            last = caused.pop(0) + 1
            found.append(_outcome(step, history[last:]))
            if isinstance(step, CallThenKill):
                victims.add(step.victim)
        else:
            found.append(PASSED_OVER if caused else NOT_TAKEN)
    return found


def _is_late_kill(event: Event, step: Step, victims: set[Process]) -> bool:
    """Whether an event is the kill that an earlier call was to end with."""
    return isinstance(event, Killing) and event.who in victims and step != Kill(event.who)


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
