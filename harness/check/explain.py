"""Why a history is not explained, in words: what was observed, and what would have been allowed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.check.moments import Moment
from harness.check.search import Search, TooMany, Trail, Way
from harness.history import Died, Event, Invoke, Quiet, Return
from harness.program import name_of
from harness.relation import DEAD, DONE, FALLING, LIVE, SUSPENDED, Configuration, Relation, Slot
from harness.spec import EngineRule, Later, Process, Reply
from harness.verdict import Outcome, Taken, Verdict, WaitsFor
from harness.words import show


@dataclass(frozen=True)
class Stuck:
    """Where a history is not explained any more."""

    search: Search
    configurations: Mapping[Configuration, Trail]
    """All that explain what came before."""
    moment: Moment
    """What none of them explains."""
    history: Sequence[Event]
    """What came before."""

    def at_rest(self) -> Iterator[Way]:
        """What rest all of them can come to."""
        for configuration, trail in self.configurations.items():
            yield from self.search.at_rest(self.moment.number, configuration, trail)

    def name(self, who: Process) -> str:
        return name_of(who, self.search.relation.processes - 1)

    def call(self, who: Process) -> str:
        """The last call of ``who``, as it was made."""
        for event in reversed(self.history):
            if isinstance(event, Invoke) and event.who == who:
                return f"{self.name(who)}: {show(event.op)}"
        return f"{self.name(who)}, which has made no call"


def explain_stuck(stuck: Stuck, stable: int) -> Verdict:
    """The verdict there. A sleep counts once it was seen for ``stable`` nanoseconds."""
    event = stuck.moment.event
    stuck.search.renew()
    try:
        kind, sentence, observed, allowed = _reason(stuck, event)
    except TooMany:
        kind, sentence = "reply", f"the model has no step for {show(event)}"
        observed, allowed = show(event), []
    outcome = Outcome.VIOLATED
    if isinstance(event, Quiet) and event.held < stable:
        outcome = Outcome.UNDECIDED
        sentence += f"; but seen for {event.held / 1e9:g} s only, so the machine may be slow"
    # Of the explanations the one in which most has happened: it shows sleepers in their line.
    trail = max(stuck.configurations.values(), key=lambda each: len(steps_of(each)))
    return Verdict(
        outcome,
        sentence,
        kind,
        event=stuck.moment.number,
        observed=observed,
        allowed=tuple(dict.fromkeys(allowed)),
        trail=trail_of(stuck.search.relation, trail),
    )


def _reason(stuck: Stuck, event: Event) -> tuple[str, str, str, list[str]]:
    if isinstance(event, Return):
        return _wrong_reply(stuck, event)
    if isinstance(event, Quiet):
        return _wrong_sleep(stuck, event)
    if isinstance(event, Died):
        return _wrong_death(stuck, event)
    return "model", f"the model has no step for {show(event)}", show(event), []


def _wrong_reply(stuck: Stuck, event: Return) -> tuple[str, str, str, list[str]]:
    replies = _possible_replies(stuck, event)
    call = stuck.call(event.who)
    allowed = [f"{call} returns {show(reply)}" for reply in replies]
    if not allowed:
        allowed = [f"{call} sleeps"]
        if _is_early(stuck, event):
            sentence = f"{call} returned {show(event.reply)} before its time was up"
            return "time-out", sentence, f"{call} returned {show(event.reply)}", allowed
    wanted = " or ".join(show(reply) for reply in replies) or "only sleep"
    sentence = f"{call} returned {show(event.reply)}, where the model allows {wanted}"
    return "reply", sentence, f"{call} returned {show(event.reply)}", allowed


def _possible_replies(stuck: Stuck, event: Return) -> list[Reply]:
    found: list[Reply] = []
    for configuration, trail in stuck.configurations.items():
        for reached, _ in stuck.search.placing(event.who, stuck.moment, configuration, trail):
            slot = reached[event.who + 1]
            if slot is not None and slot[0] == DONE:
                found.append(slot[1])
    return list(dict.fromkeys(found))


def _is_early(stuck: Stuck, event: Return) -> bool:
    """Whether the reply is that of a time-out which was not due yet."""
    for configuration, _ in stuck.at_rest():
        slot = configuration[event.who + 1]
        timer = stuck.search.relation.steps(configuration[0], event.who, slot).timer
        if timer is not None and timer.step.slot == (DONE, event.reply):
            return True
    return False


def _wrong_sleep(stuck: Stuck, event: Quiet) -> tuple[str, str, str, list[str]]:
    asleep = ", ".join(stuck.name(who) for who in event.asleep)
    observed = f"asleep in their calls: {asleep}"
    rests = list(stuck.at_rest())
    for configuration, trail in rests:
        for who in event.asleep:
            slot = configuration[who + 1]
            if slot is not None and slot[0] not in (LIVE, SUSPENDED, DEAD):
                return _lost_wake_up(stuck, who, trail, observed, rests)
    configuration = rests[0][0]
    for who in event.asleep:
        if configuration[who + 1] is None or configuration[who + 1][0] in (DEAD, SUSPENDED):
            sentence = f"{stuck.name(who)} is asleep, though it is inside no call"
            return "sleep", sentence, observed, []
        if stuck.search.overdue(configuration, who, stuck.moment):
            sentence = f"{stuck.call(who)} sleeps on though its time was up"
            return "time-out", sentence, observed, []
    return "sleep", f"the model has other sleepers than {asleep}", observed, []


def _lost_wake_up(
    stuck: Stuck, who: Process, trail: Trail, observed: str, rests: Sequence[Way]
) -> tuple[str, str, str, list[str]]:
    last = next(
        taken for taken in reversed(trail_of(stuck.search.relation, trail)) if taken.who == who
    )
    call = stuck.call(who)
    if last.rule in (EngineRule.WOULD_BLOCK, EngineRule.INTERRUPTED):
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


def _wrong_death(stuck: Stuck, event: Died) -> tuple[str, str, str, list[str]]:
    call = stuck.call(event.who).replace(": ", " in ", 1)
    sentence = f"{call} was ended by {event.cause}, which no rule allows"
    return "death", sentence, f"{call}: {event.cause}", ["it lives"]


def steps_of(trail: Trail) -> list[tuple[Process, str, bool]]:
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


def trail_of(relation: Relation, trail: Trail) -> tuple[Taken, ...]:
    """The steps of one explanation, oldest first."""
    found = []
    while trail is not None:
        trail, event, who, step, slot = trail
        has_op = slot[0] != FALLING
        found.append(
            Taken(
                event,
                who,
                relation.op(slot[1]) if has_op else None,
                step.rule,
                _reply_of(relation, step.slot),
                repr(relation.state((step.state,))),
            )
        )
    return tuple(reversed(found))


def _reply_of(relation: Relation, slot: Slot) -> Reply:
    if slot is None or slot[0] == DEAD:
        return None
    if slot[0] in (DONE, FALLING):
        reply: Reply = slot[1]
        return reply
    number = slot[1]
    return None if number is None else Later(relation.op(number))


def dead_by(history: Sequence[Event]) -> frozenset[Process]:
    """Who is dead at the end of a history."""
    return frozenset(event.who for event in history if type(event) is Died)


def waits_for(
    relation: Relation, history: Sequence[Event], configuration: Configuration
) -> tuple[WaitsFor, ...]:
    """The wait-for graph of a configuration that explains a history: an edge for every sleeper."""
    state = relation.state(configuration)
    dead, keeper = dead_by(history), relation.processes - 1
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
