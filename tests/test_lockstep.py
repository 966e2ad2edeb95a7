"""What the supervisor makes of moments that hardly ever come, and of adapters that misbehave."""

import os
import select

import pytest

from harness.errors import BadInput, Broken
from harness.execute import hung
from harness.execute.lockstep import Session
from harness.execute.proc import Watch
from harness.history import Killing, Quiet, Return
from harness.mechanism import Mechanism
from harness.program import Call, CallThenKill, Kill, Program, Step
from harness.relation import Relation
from harness.run import Run, run
from harness.testing import WORKER
from harness.verdict import Outcome
from models.pipe import Read, Write
from properties.pipe import PIPE
from tests.subjects import (
    ASSERTS,
    LEAVES,
    LOOPS,
    NEVER_CREATED,
    SLEEPS_ELSEWHERE,
    SLEEPS_NOWHERE,
    TALKATIVE,
    TOKEN_LOCK,
    UNSENDABLE,
    Acquire,
    Release,
)

A, B, KEEPER = range(3)
SOON = 5_000
"""Milliseconds."""


def carried_out(mechanism: Mechanism, *steps: Step) -> Run:
    setup = mechanism.setups[0]
    program = Program(mechanism.reference, setup, 2, steps)
    return run(WORKER, mechanism, program, Relation(mechanism.model(setup, 3), 3))


def test_a_death_that_is_seen_before_the_answer_of_its_killer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The victim is found dead while the answer to the call that came before waits unread."""
    at_rest, seen = Session._at_rest, []

    def look_for_deaths_first(session: Session) -> bool:
        for victim in list(session._victims.values()):
            answered = select.poll()
            answered.register(session.pool.answers, select.POLLIN)
            assert answered.poll(SOON)
            assert session.crew[victim].is_dead(SOON / 1000)
            seen.append(victim)
            session._bury(victim)
        return at_rest(session)

    monkeypatch.setattr(Session, "_at_rest", look_for_deaths_first)
    found = carried_out(PIPE, Call(A, Read(1)), CallThenKill(B, Write(0, 1), A))
    assert seen == [A]
    assert found.verdict.outcome is Outcome.HELD, found.verdict
    told = [type(event) for event in found.history if isinstance(event, Return | Killing)]
    assert told == [Return, Killing]


def test_a_violation_stands_where_the_keeper_does_not_come_back() -> None:
    """os.read(2) starts again after a signal, so the keeper sleeps on; the next program has
    another one."""
    found = carried_out(TOKEN_LOCK, Call(A, Acquire()), Kill(A), Call(KEEPER, Acquire()))
    assert (found.verdict.outcome, found.verdict.kind) == (Outcome.VIOLATED, "lost wake-up")
    after = carried_out(TOKEN_LOCK, Call(A, Acquire()), Call(A, Release()))
    assert after.verdict.outcome is Outcome.HELD


@pytest.mark.parametrize(
    ("mechanism", "error", "told"),
    [
        (ASSERTS, Broken, r"(?s)AssertionError in an actor: the lock is odd.*perform"),
        (LEAVES, Broken, "SystemExit in an actor: 0"),
        (
            UNSENDABLE,
            BadInput,
            "a reply of class function cannot be sent .* plain data",
        ),
        (TALKATIVE, BadInput, r"a reply of 10000\d\d bytes is too large: at most 131072"),
    ],
    ids=lambda each: each.name if isinstance(each, Mechanism) else "",
)
def test_a_mistake_in_an_adapter_is_no_verdict(
    mechanism: Mechanism, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        carried_out(mechanism, Call(A, Acquire()))


def test_a_sleeper_that_was_woken_but_had_no_cpu_yet_was_not_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has not left the CPU since, so that only its state tells."""
    setup = TOKEN_LOCK.setups[0]
    program = Program(TOKEN_LOCK.reference, setup, 2, ())
    with WORKER.session(TOKEN_LOCK, program) as session:
        session.step(Call(A, Acquire()))
        session.step(Call(B, Acquire()))
        (asleep,) = session.linger(0.05)
        assert isinstance(asleep, Quiet)
        assert asleep.held >= 50_000_000
        with monkeypatch.context() as patch:
            patch.setattr(Watch, "state", lambda watch: "R")
            (ready,) = session.linger(0.05)
        assert isinstance(ready, Quiet)
        assert ready.held == 0
        session.step(Call(A, Release()))


ELSEWHERE = (
    r"Acquire\(\) is asleep in read, but may sleep only in write; add 'read' to `sleeps_in` .*: "
    r"it is sleeping in read of descriptor \d+ \(pipe:\[\d+\]\)"
)
HUNG = [
    (LOOPS, r"Acquire\(\) runs on and on, .*: it is running, has used .* mend the adapter"),
    (SLEEPS_ELSEWHERE, ELSEWHERE),
    (NEVER_CREATED, r"create or attach of the adapter has not ended in \d s: it is sleeping in r"),
]


@pytest.mark.parametrize(
    ("mechanism", "told"), HUNG, ids=lambda each: each.name if isinstance(each, Mechanism) else ""
)
def test_a_hung_actor_is_looked_into(
    mechanism: Mechanism, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hung, "ASLEEP_BOUND", 1.0)
    monkeypatch.setattr(hung, "CPU_BOUND", 1.0)
    with pytest.raises(Broken, match=told):
        carried_out(mechanism, Call(A, Acquire()), Call(B, Acquire()))


def test_a_system_call_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadInput, match="SleepsNowhere has 'raed' for Acquire: expected a set of"):
        carried_out(SLEEPS_NOWHERE, Call(A, Acquire()))


def test_programs_leave_no_descriptor_open() -> None:
    def opened() -> int:
        pool = WORKER.crew.pool
        return sum(len(os.listdir(f"/proc/{each.watch.pid}/fd")) for each in pool.alive.values())

    carried_out(TOKEN_LOCK, Call(A, Acquire()), Call(A, Release()))
    before = opened()
    for _ in range(20):
        carried_out(TOKEN_LOCK, Call(A, Acquire()), Call(A, Release()))
    assert opened() == before
