"""What properties are written with: conformance of a mechanism, and literal scenarios.

test_my_queue = conformance(MY_QUEUE)
"""

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from harness.errors import BadInput, Broken, Halt, Unseen, Unsupported, mistake
from harness.findings import REPORTS, Undecided, Violated, require_held, violated_in
from harness.generate.profiles import profile
from harness.generate.programs import ALL_FAULTS, REMEDY, Programs
from harness.mechanism import Mechanism
from harness.program import Program
from harness.reduce import reduce
from harness.references import resolve
from harness.run import NOTHING, PATIENCE, Run, Worker, faults_in, has_calls, run
from harness.scenario import ASLEEP, DIED, Scenario
from harness.verdict import Outcome

__all__ = [
    "ASLEEP",
    "DIED",
    "Scenario",
    "Undecided",
    "Unsupported",
    "Violated",
    "conformance",
    "find_violation",
    "profile",
]

SHARDS = 4
"""Parts that a property is split into, so that test workers share its examples."""
SHRINKING_PATIENCE = 0.1
"""Seconds for which a sleeper is watched while a failure that was seen once is being shrunk."""

WORKER = Worker()
"""The one worker of this process; the pytest plug-in tells it its number and closes it."""


class Trial:
    """Runs the programs of one property, and remembers what it has seen."""

    def __init__(
        self,
        mechanism: Mechanism,
        source: Programs,
        deadlock_allowed: bool,
        required: Sequence[str] = (),
    ) -> None:
        self.mechanism = mechanism
        self.required = required
        """Faults that must happen in each part of the property."""
        self.source = source
        self.deadlock_allowed = deadlock_allowed
        self.unsupported: dict[Hashable, str] = {}
        """Why this machine cannot have a setup."""
        self._forget()

    def _forget(self) -> None:
        self.patience = PATIENCE
        self.violated = False
        self.seen: dict[Program, Run] = {}
        """What was run once there was a violation: shrinking comes upon the same programs again
        and again, and one in which somebody is forgotten costs its whole patience."""
        self.first: Run | None = None
        """The first violation, which was watched with full patience."""
        self.called = False
        """Whether any process has made a call."""
        self.happened: set[str] = set()
        """The faults that have happened."""
        self.last: Run | None = None

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """Around the programs of one part of the property, which judges nothing by those before
        it. Raises Undecided where no process has made a call in any of them, and Unseen where
        a fault that was asked for has not happened."""
        self._forget()
        self._require_reference()
        yield
        if self.last is not None and not self.called:
            require_held(replace(self.last, verdict=NOTHING))
        missed = [fault for fault in self.required if fault not in self.happened]
        if missed and self.last is not None:
            raise Unseen(
                f"{self.mechanism.name}: the fault {missed[0]!r} that was asked for has never "
                "happened, so that nothing is shown of it; try more programs, or do not ask for it"
            )

    def _require_reference(self) -> None:
        """Raises BadInput where a saved program could not be replayed, since the mechanism is not
        to be found again."""
        name, reference = self.mechanism.name, self.mechanism.reference
        found = resolve(reference)
        if not isinstance(found, Mechanism) or found.name != name:
            raise BadInput(
                f"the reference of {name!r} is {reference!r}, which is {found!r:.80}: expected "
                '"module:attribute" of where this mechanism can be imported'
            )

    def run(self, program: Program) -> Run:
        """What comes of a program, or has come of it while shrinking."""
        found = self.seen.get(program)
        if found is None:
            found = self._run(program)
            if self.violated:
                self.seen[program] = found
        return found

    def _run(self, program: Program) -> Run:
        relation = self.source.relation_of(program)
        try:
            found = run(
                WORKER,
                self.mechanism,
                program,
                relation,
                self.patience,
                self.deadlock_allowed,
                explained=False,
            )
        except (BadInput, Broken, Unsupported):
            raise
        except Exception as error:
            raise mistake(error, f"{self.mechanism.name}: no program can be run", REMEDY) from error
        self.last, self.called = found, self.called or has_calls(found.history)
        if self.required:
            self.happened |= faults_in(found)
        if found.verdict.outcome is Outcome.VIOLATED:
            self.first = self.first or found
            self.violated, self.patience = True, SHRINKING_PATIENCE
        return found

    def check(self, program: Program) -> None:
        """Run a program. Raises Violated, which can reduce itself, if it is. What this machine
        cannot run is passed over and noted; a broken set-up, and a program that nobody can judge
        unless a violation was found before, end the whole search."""
        try:
            found = self._attempt(program)
            if self.violated and found.verdict.outcome is Outcome.UNDECIDED:
                reject()
            require_held(found)
        except (Broken, BadInput, Undecided) as error:
            raise Halt(error) from error
        except Violated as violated:
            violated.reduced = lambda: self.reduced(found)
            raise

    def _attempt(self, program: Program) -> Run:
        try:
            if program.setup not in self.unsupported:
                return self.run(program)
        except Unsupported as lacking:
            self.unsupported[program.setup] = str(lacking)
        REPORTS.unsupported.add(self.unsupported[program.setup])
        return reject()

    def reduced(self, found: Run) -> Run:
        """The smallest failing program reached from this one, watched with full patience."""
        smaller = reduce(self.source, found, self.run)
        self.patience = PATIENCE
        last = self._run(smaller.program)
        if last.verdict.outcome is Outcome.VIOLATED:
            return last
        # Small, but it does not stand a longer look: what was found first does.
        return self.first or smaller


def conformance(
    mechanism: Mechanism,
    *,
    actors: tuple[int, int] = (2, 4),
    steps: int = 30,
    faults: Sequence[str] | None = None,
    share: int = 15,
    deadlock_allowed: bool = True,
) -> Callable[..., None]:
    """A property: whatever a program of up to ``steps`` steps of two to four ``actors`` does to
    the real thing, the model allows it. ``share`` percent of the steps are ``faults``: those that
    are named must happen in each part of the property; without any named, whatever applies. With
    ``deadlock_allowed`` false, a program after which some sleep for ever is a violation too.

    How many programs are tried is for the profile to say, or for settings of your own around it:
    ``settings(profile("dev"), max_examples=20)(conformance(MY_QUEUE))``."""
    chosen = ALL_FAULTS if faults is None else faults
    source = Programs(mechanism, actors, steps, chosen, share)
    trial = Trial(mechanism, source, deadlock_allowed, faults if faults and share else ())

    @given(program=source.strategy())
    def test(shard: int, program: Program) -> None:
        trial.check(program)

    marked = pytest.mark.conformance.with_args(trial)(test)
    sharded: Callable[..., None] = pytest.mark.parametrize("shard", range(SHARDS))(marked)
    return sharded


def find_violation(
    mechanism: Mechanism, examples: int, *, number: int = 0, share: int = 15
) -> Run | None:
    """Look for a violation in so many programs and shrink it; ``None`` if there is none. The
    same ``number`` draws the same programs."""
    source = Programs(mechanism, share=share)
    trial = Trial(mechanism, source, deadlock_allowed=True)

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(program=source.strategy())
    def search(program: Program) -> None:
        trial.check(program)

    try:
        search()
    except Halt as halt:
        raise halt.error from halt
    except (Violated, BaseExceptionGroup) as error:
        violated = violated_in(error)
        if violated is None:
            raise
        return trial.reduced(violated.run)
    return None
