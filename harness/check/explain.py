"""Why a history is not explained, in words: what was observed, and what would have been allowed."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from harness.history import Died, Event, Invoke, Quiet, Return
from harness.program import name_of
from harness.relation import DEAD, DONE, FALLING, LIVE, SUSPENDED, Configuration, Slot
from harness.spec import Later, Process, Reply
from harness.verdict import Outcome, Taken, Verdict, WaitsFor
from harness.words import show

if TYPE_CHECKING:
    from harness.check.checker import Checker


class TooMany(Exception):
    """The search has passed its bound."""


def explain_stuck(checker: "Checker", event: Event, stable: int) -> Verdict:
    """The verdict where no configuration explains ``event`` any more."""
    try:
        kind, sentence, observed, allowed = _reason(checker, event)
    except TooMany:
        kind, sentence = "reply", f"the model has no step for {show(event)}"
        observed, allowed = show(event), []
    outcome = Outcome.VIOLATED
    if isinstance(event, Quiet) and event.held < stable:
        outcome = Outcome.UNDECIDED
        sentence += f"; but seen for {event.held / 1e9:g} s only, so the machine may be slow"
    trail = next(iter(checker.configurations.values()))
    return Verdict(
        outcome,
        sentence,
        kind,
        event=checker.events,
        observed=observed,
        allowed=tuple(dict.fromkeys(allowed)),
        trail=trail_of(checker, trail),
    )


def _reason(checker: "Checker", event: Event) -> tuple[str, str, str, list[str]]:
    if isinstance(event, Return):
        return _wrong_reply(checker, event)
    if isinstance(event, Quiet):
        return _wrong_sleep(checker, event)
    if isinstance(event, Died):
        return _wrong_death(checker, event)
    return "model", f"the model has no step for {show(event)}", show(event), []


def _name(checker: "Checker", who: Process) -> str:
    return name_of(who, checker.relation.processes - 1)


def _call(checker: "Checker", who: Process) -> str:
    """The last call of ``who``, as it was made."""
    for event in reversed(checker.history):
        if isinstance(event, Invoke) and event.who == who:
            return f"{_name(checker, who)}: {show(event.op)}"
    return f"{_name(checker, who)}, which has made no call"


def _wrong_reply(checker: "Checker", event: Return) -> tuple[str, str, str, list[str]]:
    replies = _possible_replies(checker, event)
    call = _call(checker, event.who)
    allowed = [f"{call} returns {show(reply)}" for reply in replies]
    if not allowed:
        allowed = [f"{call} sleeps"]
        early = _early(checker, event)
        if early:
            sentence = f"{call} returned {show(event.reply)} before its time was up"
            return "time-out", sentence, f"{call} returned {show(event.reply)}", allowed
    wanted = " or ".join(show(reply) for reply in replies) or "only sleep"
    sentence = f"{call} returned {show(event.reply)}, where the model allows {wanted}"
    return "reply", sentence, f"{call} returned {show(event.reply)}", allowed


def _possible_replies(checker: "Checker", event: Return) -> list[Reply]:
    known, checker._known = checker._known, {}
    try:
        found = [
            configuration[event.who + 1][1]
            for configuration, _ in checker._search(event.time, event.who)
            if configuration[event.who + 1] is not None and configuration[event.who + 1][0] == DONE
        ]
    finally:
        checker._known = known
    return list(dict.fromkeys(found))


def _early(checker: "Checker", event: Return) -> bool:
    """Whether the reply is that of a time-out which was not due yet."""
    for configuration, _ in checker.at_rest():
        slot = configuration[event.who + 1]
        timer = checker.relation.steps(configuration[0], event.who, slot).timer
        if timer is not None and timer.step.slot == (DONE, event.reply):
            return True
    return False


def _wrong_sleep(checker: "Checker", event: Quiet) -> tuple[str, str, str, list[str]]:
    asleep = ", ".join(_name(checker, who) for who in event.asleep)
    observed = f"asleep in their calls: {asleep}"
    rests = list(checker.at_rest())
    for configuration, trail in rests:
        for who in event.asleep:
            slot = configuration[who + 1]
            if slot is not None and slot[0] not in (LIVE, SUSPENDED, DEAD):
                return _lost_wake_up(checker, who, trail, observed, rests)
    configuration = rests[0][0]
    for who in event.asleep:
        if configuration[who + 1] is None or configuration[who + 1][0] in (DEAD, SUSPENDED):
            sentence = f"{_name(checker, who)} is asleep, though it is inside no call"
            return "sleep", sentence, observed, []
        if checker._overdue(configuration, who, event.time):
            call = _call(checker, who)
            return "time-out", f"{call} sleeps on though its time was up", observed, []
    return "sleep", f"the model has other sleepers than {asleep}", observed, []


def _lost_wake_up(
    checker: "Checker", who: Process, trail: Any, observed: str, rests: Sequence[Any]
) -> tuple[str, str, str, list[str]]:
    last = next(taken for taken in reversed(trail_of(checker, trail)) if taken.who == who)
    call = _call(checker, who)
    if last.rule in ("would block", "interrupted"):
        kind = "sleep"
        sentence = f"{call} sleeps, where the model has it return {show(last.reply)}"
    else:
        kind = "lost wake-up"
        sentence = f'{call} is still asleep, though by rule "{last.rule}" it can go on'
    allowed = []
    for configuration, _ in rests:
        slot = configuration[who + 1]
        if slot is not None and slot[0] == DONE:
            allowed.append(f"{call} returns {show(slot[1])}")
    return kind, sentence, observed, allowed


def _wrong_death(checker: "Checker", event: Died) -> tuple[str, str, str, list[str]]:
    call = _call(checker, event.who).replace(": ", " in ", 1)
    sentence = f"{call} was ended by {event.cause}, which no rule allows"
    return "death", sentence, f"{call}: {event.cause}", ["it lives"]


def steps_of(trail: Any) -> list[tuple[Process, str, bool]]:
    """Who took which rule, in order, by one explanation, and whether that ended the call."""
    found = []
    while trail is not None:
        trail, _, who, step, _ = trail
        found.append((who, step.rule, _ends_call(step.slot)))
    found.reverse()
    return found


def _ends_call(slot: Slot) -> bool:
    """Whether the call has its reply, told at once or when its process is continued."""
    return slot is not None and (
        slot[0] in (DONE, FALLING) or (slot[0] == SUSPENDED and slot[1] is None)
    )


def trail_of(checker: "Checker", trail: Any) -> tuple[Taken, ...]:
    """The steps of one explanation, oldest first."""
    found = []
    while trail is not None:
        trail, event, who, step, slot = trail
        relation = checker.relation
        has_op = slot[0] != FALLING
        found.append(
            Taken(
                event,
                who,
                relation.op(slot[1]) if has_op else None,
                step.rule,
                _reply_of(checker, step.slot),
                repr(relation.state((step.state,))),
            )
        )
    return tuple(reversed(found))


def _reply_of(checker: "Checker", slot: Slot) -> Reply:
    if slot is None or slot[0] == DEAD:
        return None
    if slot[0] in (DONE, FALLING):
        reply: Reply = slot[1]
        return reply
    number = slot[1]
    return None if number is None else Later(checker.relation.op(number))


def waits_for(checker: "Checker", configuration: Configuration) -> tuple[WaitsFor, ...]:
    """The wait-for graph of a configuration: an edge for every sleeper."""
    relation = checker.relation
    state = relation.state(configuration)
    dead, keeper = checker.dead(), relation.processes - 1
    edges = []
    for who, slot in enumerate(configuration[1:]):
        if slot is None or slot[0] != LIVE:
            continue
        if relation.steps(configuration[0], who, slot).ready:
            continue
        op = relation.op(slot[1])
        partners: Iterable[Process] | None = relation.model.partners(state, who, op)
        if partners is None:
            partners = range(keeper)
        whom = tuple(sorted(set(partners) - dead - {who, keeper}))
        edges.append(WaitsFor(who, relation.op(slot[2]), whom))
    return tuple(edges)
