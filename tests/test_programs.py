"""The programs that are drawn: rich, small once shrunk, plain data, and known to the walk."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Never

import pytest
from hypothesis import HealthCheck, find, settings

from harness.check.checker import Checker
from harness.codec import Record, load, save
from harness.errors import BadInput, Halt
from harness.generate.programs import KILLS, Programs
from harness.generate.walk import Walk
from harness.mechanism import Mechanism, no_audit
from harness.program import (
    Call,
    CallThenKill,
    Continue,
    Elapse,
    Kill,
    Program,
    Signal,
    Step,
    Stop,
)
from harness.reduce import shorten
from harness.spec import Later, Model, Move, Op, Process
from harness.verdict import Outcome
from tests.drawn import SOURCES, begun, carried_out, drawn, drawn_from, happenings
from tests.executions import Lockstep
from tests.small_mechanisms import FIFO, MECHANISMS, POST, SEMAPHORE, SHORT, FifoSetup
from tests.small_models import Get, Put, Receive

A, B, C = range(3)
each_mechanism = pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda each: each.name)


# Rich: what so many of five hundred programs lead to, at the least.


@pytest.mark.parametrize(
    ("mechanism", "least"),
    [
        (FIFO, {"woken, then killed": 5, "a call wakes a sleeper": 100, "timed out": 50}),
        (POST, {"woken, then killed": 5, "a call wakes a sleeper": 75, "timed out": 75}),
        (SEMAPHORE, {"interrupted": 100, "continued": 50, "timed out": 75}),
    ],
    ids=lambda each: each.name if isinstance(each, Mechanism) else "",
)
def test_programs_lead_to_what_matters(mechanism: Mechanism, least: dict[str, int]) -> None:
    found = Counter(name for p in drawn(mechanism) for name in set(happenings(mechanism, p)))
    always = {
        "0 asleep": 200,
        "1 asleep": 200,
        "2 asleep": 150,
        "3 asleep": 50,
        "killed asleep": 75,
        "killed idle": 75,
        "stopped asleep": 75,
        "interrupted": 75,
    }
    wanted = always | least
    assert {name: found[name] for name in wanted if found[name] < wanted[name]} == {}


def test_what_starts_again_is_drawn_too() -> None:
    found = Counter(name for p in drawn(FIFO) for name in set(happenings(FIFO, p)))
    assert found["restarted"] >= 100
    assert found["continued, asleep again"] >= 50


def test_steps_are_hardly_ever_passed_over() -> None:
    for mechanism in MECHANISMS:
        steps = sum(len(program.steps) for program in drawn(mechanism))
        passed_over = sum(
            list(happenings(mechanism, program)).count("passed over")
            for program in drawn(mechanism)
        )
        assert passed_over <= steps // 100


def test_objects_are_really_full() -> None:
    filled, full, turned_away = 0, 0, 0
    for program in drawn(FIFO):
        run = begun(FIFO, program)
        keeper = program.keeper
        for number, step in enumerate(program.steps):
            before = len(run.state)
            run.take(step)
            is_full = len(run.state) == program.setup.capacity
            full += is_full
            filled += is_full and all(each.who == keeper for each in program.steps[: number + 1])
            puts = isinstance(step, Call) and isinstance(step.op, Put)
            turned_away += puts and before == program.setup.capacity
    assert filled >= 100
    assert full >= 500
    assert turned_away >= 150


def test_the_keeper_looks_at_what_is_left() -> None:
    for program in drawn(FIFO):
        *_, last = program.steps
        assert last == Call(program.keeper, Get(0))


def test_short_time_outs_have_run_out_at_the_end() -> None:
    for program in drawn(SEMAPHORE):
        run = carried_out(SEMAPHORE, program)
        assert [who for who in run.sleepers() if run.doings(who).after is not None] == []


def test_every_setup_and_number_of_actors_is_drawn() -> None:
    assert {program.setup for program in drawn(FIFO)} == set(FIFO.setups)
    assert {program.actors for program in drawn(FIFO)} == {2, 3, 4}


def test_programs_are_mostly_different() -> None:
    for mechanism in MECHANISMS:
        programs = drawn(mechanism)
        assert len(set(programs)) >= len(programs) // 2


@pytest.mark.parametrize(("faults", "share"), [((), 15), (KILLS, 0)])
def test_no_faults_are_drawn_where_none_are_wanted(faults: tuple[str, ...], share: int) -> None:
    source = Programs(FIFO, faults=faults, share=share)
    kinds = {type(step) for program in drawn_from(source, 100) for step in program.steps}
    assert kinds <= {Call, Elapse}


def test_only_those_faults_are_drawn_that_are_wanted() -> None:
    source = Programs(FIFO, faults=KILLS, share=50)
    kinds = {type(step) for program in drawn_from(source, 100) for step in program.steps}
    assert kinds - {Elapse} == {Call, Kill}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"faults": ("kil",)}, "'kil'"),
        ({"faults": "kill"}, "expected a sequence of 'elapse', 'kill'"),
        ({"share": 100}, "share is 100"),
        ({"share": -1}, "0 to 99"),
        ({"actors": (3, 2)}, "(3, 2)"),
        ({"actors": (1, 27)}, "of 1 to 26"),
        ({"steps": -1}, "steps is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput) as refused:
        Programs(FIFO, **wrong)
    assert told in str(refused.value)


class Endless(Model[int]):
    """Every call goes on and on."""

    def start(self) -> int:
        return 0

    def moves(self, state: int, who: Process, op: Op) -> Iterator[Move]:
        yield Move("on", 0, Later(op))


class Bottomless(Endless):
    """Every call may do anything."""

    def moves(self, state: int, who: Process, op: Op) -> Iterator[Move]:
        return (Move("on", number, None) for number in count())


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (
            Endless,
            "never comes to rest: after 10000 steps a call still goes on in the state 0",
        ),
        (Bottomless, r"test_programs.Bottomless has more than 1,000,000 moves for Get\(.* an end$"),
    ],
)
def test_a_model_without_end_ends_the_search(model: type[Model[int]], told: str) -> None:
    endless = replace(
        FIFO,
        model=lambda setup, processes: model(),
        calls=lambda *_: [Get()],
        fill=None,
        audit=no_audit,
    )
    source = Programs(endless)
    with pytest.raises(Halt, match=told):
        drawn_from(source, 100)


def broken_model(*_: object) -> Never:
    raise ArithmeticError("the model is broken")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"calls": lambda *_: []}, "ZeroDivisionError"),
        ({"calls": lambda *_: None}, "'NoneType'"),
        ({"setups": ()}, "IndexError"),
        ({"setups": ([],)}, "unhashable type: 'list'"),
        ({"calls": lambda *_: [[]]}, "unhashable type: 'list'"),
        (
            {"model": broken_model},
            r"the model is broken \(.*test_programs.py, line",
        ),
    ],
)
def test_a_mistake_in_a_row_ends_the_search(wrong: dict[str, Any], told: str) -> None:
    source = Programs(replace(FIFO, **wrong))
    with pytest.raises(Halt, match=f"fifo: no program can be drawn: .*{told}.*; mend the row"):
        drawn_from(source, 100)


@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_programs_have_as_many_steps_and_actors_as_wanted(steps: int) -> None:
    source = Programs(SEMAPHORE, actors=(3, 3), steps=steps)
    programs = drawn_from(source, 100)
    assert {program.actors for program in programs} == {3}
    drawn = [
        len([step for step in program.steps if not isinstance(step, Elapse)])
        for program in programs
    ]
    assert 0.9 * steps <= max(drawn) <= steps


# Small once shrunk.


def smallest(mechanism: Mechanism, wanted: Callable[[Program], bool], number: int = 0) -> Program:
    """What a program for which ``wanted`` holds is shrunk to, found in search ``number``."""
    source = Programs(replace(mechanism, audit=no_audit))
    found = find(
        source.strategy(),
        wanted,
        settings=settings(
            max_examples=5_000,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
        random=Random(number),
    )
    return shorten(source, found, wanted)


def leads_to(mechanism: Mechanism, name: str) -> Callable[[Program], bool]:
    return lambda program: name in happenings(mechanism, program)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("2 asleep", (Call(A, Get()), Call(B, Get()))),
        ("3 asleep", (Call(A, Get()), Call(B, Get()), Call(C, Get()))),
        ("killed idle", (Kill(A),)),
        ("killed asleep", (Call(A, Get()), Kill(A))),
        ("stopped asleep", (Call(A, Get()), Stop(A))),
        ("continued, asleep again", (Call(A, Get()), Stop(A), Continue(A))),
        ("interrupted", (Call(A, Get()), Signal(A))),
        ("restarted", (Call(A, Get()), Signal(A, True))),
        ("timed out", (Call(A, Get(SHORT)), Elapse(A))),
        ("a call wakes a sleeper", (Call(A, Get()), Call(B, Put(2)))),
        ("woken, then killed", (Call(A, Get()), CallThenKill(B, Put(1), A))),
    ],
)
def test_a_program_shrinks_to_the_fewest_steps(name: str, steps: tuple[Step, ...]) -> None:
    """One of three searches ends at the fewest steps, and none with more than twice as many."""
    found = [smallest(FIFO, leads_to(FIFO, name), number) for number in range(3)]
    best = min(found, key=lambda program: len(program.steps))
    assert best.steps == steps
    assert best.setup == FifoSetup()
    assert best.actors == len({step.who for step in steps})
    assert max(len(program.steps) for program in found) <= 2 * len(steps)


def test_a_program_with_a_full_object_shrinks_to_what_fills_it() -> None:
    def overflows(program: Program) -> bool:
        run = carried_out(FIFO, program)
        return any(isinstance(run.at[who].op, Put) for who in run.sleepers())

    program = smallest(FIFO, overflows)
    assert len(program.steps) == program.setup.capacity + 1
    assert all(isinstance(step, Call) for step in program.steps)


def test_a_hard_program_shrinks_well() -> None:
    """Three in line, of whom the first dies once it was handed an item, and the second gives up."""

    def wanted(program: Program) -> bool:
        return {"3 asleep", "woken, then killed", "timed out"} <= set(happenings(POST, program))

    found = sorted((smallest(POST, wanted, number).steps for number in range(3)), key=len)
    kinds = Counter(type(step) for step in found[1])
    assert kinds == {Call: 3, CallThenKill: 1, Elapse: 1}
    assert {type(step.op) for step in found[1] if isinstance(step, Call)} == {Receive}
    assert len(found[2]) <= 12


@each_mechanism
def test_any_part_of_a_program_is_a_program(mechanism: Mechanism) -> None:
    """A step less changes nothing about what the others mean, though some may be passed over."""
    for program in drawn(mechanism)[:100]:
        for number in range(len(program.steps)):
            part = (*program.steps[:number], *program.steps[number + 1 :])
            run = carried_out(mechanism, replace(program, steps=part))
            if number % 5 == 0:
                assert judged(mechanism, program, run) is Outcome.HELD


def judged(mechanism: Mechanism, program: Program, run: Lockstep) -> Outcome:
    checker = Checker(SOURCES[mechanism.name].relation_of(program))
    return (checker.feed(run.events) or checker.verdict()).outcome


# Plain data.


@each_mechanism
def test_a_program_comes_back_from_a_file_as_it_was(mechanism: Mechanism, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    for program in drawn(mechanism)[::5]:
        history = tuple(carried_out(mechanism, program).events)
        save(Record(program, history), path)
        assert load(path) == Record(program, history)


# The walk.


@each_mechanism
def test_the_walk_knows_how_it_stands(mechanism: Mechanism) -> None:
    for program in drawn(mechanism):
        walker = Walk(SOURCES[mechanism.name].relation_of(program))
        run = begun(mechanism, program)
        for step in program.steps:
            run.take(step)
            walker.take(step)
            assert walker.state == run.state
            for who in range(program.actors):
                asleep = run.is_asleep(who) and who not in run.halted
                assert walker.is_idle(who) == run.is_idle(who)
                assert walker.is_asleep(who) == asleep
                assert walker.is_dead(who) == run.is_dead(who)
                assert (who in walker.stopped) == (who in run.halted)


@each_mechanism
def test_the_checker_explains_what_the_walk_expects(mechanism: Mechanism) -> None:
    for program in drawn(mechanism)[::2]:
        relation = SOURCES[mechanism.name].relation_of(program)
        walker, checker, run = Walk(relation), Checker(relation), begun(mechanism, program)
        for step in program.steps:
            told = len(run.events)
            run.take(step)
            walker.take(step)
            assert checker.feed(run.events[told:]) is None
            states = {relation.state(configuration) for configuration in checker.explanations()}
            assert walker.state in states
        assert checker.verdict().outcome is Outcome.HELD
