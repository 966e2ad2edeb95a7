"""The checker: looks for one explanation of a history by the model, as the history grows.

It goes forward with the first configuration that explains an event, and goes back to the last
choice where nothing explains the next one (depth first, as in Lowe 2017; what has led nowhere is
not tried again). Only when no explanation is left, or a deadlock is to be shown, it
collects all configurations. It is bounded: past the bound the verdict is undecided. It never
raises the alarm on quiescence that was seen only for a moment; the supervisor must have watched
the sleepers for `STABLE`.
"""

from collections.abc import Iterator, Sequence

from harness.check.explain import Stuck, explain_stuck, trail_of, waits_for
from harness.check.moments import Moment, Past, foreseen, moments
from harness.check.search import Search, TooMany, Trail, Way
from harness.history import Event, Quiet
from harness.relation import Configuration, Relation
from harness.spec import Process
from harness.verdict import Outcome, Verdict

STABLE = 20_000_000
"""Nanoseconds for which sleepers must not have run before their sleep counts as a lost wake-up,
whatever the supervisor's own bound."""

WORTH_FORESEEING = 6
"""So many events fed at once are read ahead for replies, which costs something, too."""
ALLOWED = "the model allows what happened"

Configurations = dict[Configuration, Trail]


class Checker:
    """Judges one history, event by event.

    ``relation`` is the model's; ``limit`` bounds the configurations visited for one event. Feed it
    the events in order. Replies that come later in what is fed at once guide the search.
    """

    def __init__(self, relation: Relation, limit: int = 200_000) -> None:
        self.relation = relation
        self.configuration: Configuration = relation.start
        """The one that explains the history so far."""
        self.trail: Trail = None
        """The steps that lead to it."""
        self.history: list[Event] = []
        self.rejected: Event | None = None
        """The event that could not be explained, which `history` does not have."""
        self._search = Search(relation, limit)
        self._moments: list[Moment] = []
        """Those since the last time that all configurations were collected."""
        self._choices: list[tuple[int, Iterator[Way], Configuration | None]] = []
        """Where in `_moments` there may be other ways, those not taken yet, and the one taken."""
        self._failed: set[tuple[int, Configuration]] = set()
        """What leads nowhere at a moment."""
        self._unread: list[Event] = []
        """What came behind a moment of rest that is not certain yet."""
        past = Past((0,) * relation.processes, {})
        self._start_from({relation.start: None}, past)

    def _start_from(self, all_of_them: Configurations, past: Past) -> None:
        """Begin anew at the present end of the history, which just these configurations explain."""
        self._all, self._past = all_of_them, past
        self._moments.clear()
        self._failed.clear()
        others = iter(all_of_them.items())
        self.configuration, self.trail = next(others)
        self._choices = [(0, others, self.configuration)]

    def feed(self, events: Sequence[Event]) -> Verdict | None:
        """Extend the history. Returns a verdict as soon as it is not explained any more, or is
        too large; the checker then stands before the event that could not be explained."""
        self.rejected = None
        events, self._unread = [*self._unread, *events], []
        first = len(self._moments)
        read = foreseen if len(events) >= WORTH_FORESEEING else moments
        self._moments += read(self._latest(), len(self.history), events)
        try:
            if not self._explain(first):
                return self._stuck(events)
        except TooMany:
            # Kept whole, so that whoever judges it anew comes to the same verdict.
            self.history += events
            return self._too_many()
        self.history += events
        return None

    def _latest(self) -> Past:
        """What is known at the end of the history."""
        if not self._moments:
            return self._past
        _, event, past = self._moments[-1]
        return past.after(event)

    def _explain(self, at: int) -> bool:
        """Go on from moment ``at`` until all are explained, or no way is left."""
        search, every, choices = self._search, self._moments, self._choices
        configuration, trail = self.configuration, self.trail
        furthest = -1
        while at < len(every):
            if at > furthest:
                furthest = at
                search.renew()
            else:
                search.visit()  # What comes after a step back may be long, and all of it plain.
            ways = search.ways(every[at], configuration, trail)
            at += 1
            if type(ways) is tuple and ways:
                configuration, trail = ways[0]
                continue
            choices.append((at, iter(ways), None))
            way = self._next_way()
            if way is None:
                return False
            at, configuration, trail = way
        self.configuration, self.trail = configuration, trail
        return True

    def _next_way(self) -> tuple[int, Configuration, Trail] | None:
        """The next way at the last choice that has one, with the moment that comes after it."""
        choices, failed = self._choices, self._failed
        while choices:
            at, ways, taken = choices.pop()
            if taken is not None:
                failed.add((at, taken))
            for configuration, trail in ways:
                if not failed or (at, configuration) not in failed:
                    choices.append((at, ways, configuration))
                    return at, configuration, trail
        return None

    def _stuck(self, events: Sequence[Event]) -> Verdict | None:
        """No way is left. The event that is wrong gets the blame, not one that a reply known
        beforehand contradicts: it is looked for anew, without such knowledge."""
        configurations, wrong = self._collect()
        explained = len(events) if wrong is None else wrong.number - len(self.history)
        past = self._latest() if wrong is None else wrong.past
        self.history += events[:explained]
        self._start_from(configurations, past)
        if wrong is None:
            return None
        self.rejected = wrong.event
        if isinstance(wrong.event, Quiet) and wrong.event.held < STABLE:
            self._unread = list(events[explained + 1 :])
        return explain_stuck(Stuck(self._search, configurations, wrong, self.history), STABLE)

    def _collect(self) -> tuple[Configurations, Moment | None]:
        """All configurations that explain the moments up to the first that none explains, and
        that one."""
        found = self._all
        first = len(self.history) if not self._moments else self._moments[0].number
        for moment in moments(self._past, first, [each.event for each in self._moments]):
            self._search.renew()
            before, found = found, {}
            for configuration, trail in before.items():
                for reached, steps in self._search.ways(moment, configuration, trail):
                    found.setdefault(reached, steps)
            if not found:
                return before, moment
        return found, None

    def explanations(self) -> Configurations:
        """All configurations that explain the history so far, with the steps to each. Raises
        TooMany past the bound."""
        return self._collect()[0]

    def _too_many(self) -> Verdict:
        sentence = (
            f"more than {self._search.limit} configurations could explain the history; raise the "
            "limit, or check a shorter one"
        )
        return Verdict(Outcome.UNDECIDED, sentence)

    def verdict(self, deadlock_allowed: bool = True, explained: bool = True) -> Verdict:
        """The verdict on a history that is explained to its end. Of one that held, the steps, the
        wait-for graph and a deadlock that is allowed are told only if ``explained``: they cost
        more than the checking."""
        if deadlock_allowed and not explained:
            return Verdict(Outcome.HELD, ALLOWED)
        try:
            stuck = self._deadlocked()
        except TooMany:
            if not deadlock_allowed:
                return self._too_many()
            stuck = frozenset()  # A deadlock that nobody can show, nor needs to.
        graph = waits_for(self.relation, self.history, self.configuration)
        steps = trail_of(self.relation, self.trail)
        if not stuck:
            return Verdict(Outcome.HELD, ALLOWED, trail=steps, waits_for=graph)
        sentence = (
            f"deadlock: {len(stuck)} asleep for ever, since all that could let them go on are "
            "asleep themselves, or dead"
        )
        outcome = Outcome.HELD if deadlock_allowed else Outcome.VIOLATED
        return Verdict(outcome, sentence, "deadlock", trail=steps, waits_for=graph)

    def _deadlocked(self) -> frozenset[Process]:
        """Who sleeps for ever, whatever has happened."""
        stuck = self._stuck_in(self.configuration)
        if stuck:
            # Only now is it worth while to collect the others.
            for configuration in self.explanations():
                stuck &= self._stuck_in(configuration)
        return stuck

    def _stuck_in(self, configuration: Configuration) -> frozenset[Process]:
        """The largest set of sleepers of whom nobody can time out, and whom only one another, or
        the dead, could let go on."""
        stuck = {
            edge.who: set(edge.whom)
            for edge in waits_for(self.relation, self.history, configuration)
            if not self._can_time_out(configuration, edge.who)
        }
        while free := [who for who, whom in stuck.items() if whom - stuck.keys()]:
            for who in free:
                del stuck[who]
        return frozenset(stuck)

    def _can_time_out(self, configuration: Configuration, who: Process) -> bool:
        steps = self.relation.steps(configuration[0], who, configuration[who + 1])
        return steps.timer is not None
