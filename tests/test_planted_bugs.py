"""The harness finds planted bugs within its ci profile, shrinks them, and replays them."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.codec import Record, load, save
from harness.findings import REPORTS
from harness.generate.profiles import EXAMPLES
from harness.relation import Relation
from harness.run import Run, run
from harness.testing import SHARDS, WORKER, find_violation
from harness.verdict import Outcome
from tests.planted.bug import Bug

MECHANISMS = ("pipe", "posix_mq", "sysv_sem")
BUDGET = EXAMPLES["ci"] * SHARDS
FEWEST_BUGS = 10
FEWEST_CONDITIONAL = 3
LONGEST_EASY, LONGEST_HARD = 8, 12
WITHOUT_FAULTS = 500
"""Programs in which a bug that needs a death is looked for without any."""


def bugs_of(mechanism: str) -> Sequence[Bug]:
    bugs: Sequence[Bug] = importlib.import_module(f"tests.planted.{mechanism}").BUGS
    return bugs


def parameters(need: str = "") -> list[Any]:
    """The bugs of all mechanisms; with ``need`` those that are invisible without it."""
    return [
        pytest.param(bug, id=f"{mechanism}-{bug.name}")
        for mechanism in MECHANISMS
        for bug in bugs_of(mechanism)
        if not need or need in bug.needs
    ]


def again(bug: Bug, found: Run, folder: Path) -> Run:
    """Run the found program anew, from its file."""
    path = folder / "record.json"
    save(Record(found.program, found.history, found.verdict.sentence), path)
    program = load(path).program
    processes = program.processes
    relation = Relation(bug.mechanism.model(program.setup, processes), processes)
    return run(WORKER, bug.mechanism, program, relation)


@pytest.mark.parametrize("bug", parameters())
def test_a_planted_bug_is_found_shrunk_and_replayed(bug: Bug, tmp_path: Path) -> None:
    REPORTS.folder = tmp_path
    found = find_violation(bug.mechanism, BUDGET)
    assert found is not None, f"not found in {BUDGET} programs: {bug.story}"
    longest = LONGEST_HARD if bug.hard else LONGEST_EASY
    assert len(found.program.steps) <= longest, found.program
    assert again(bug, found, tmp_path).verdict.outcome is Outcome.VIOLATED


@pytest.mark.parametrize("bug", parameters(need="death"))
def test_a_bug_that_needs_a_death_is_invisible_without_one(bug: Bug, tmp_path: Path) -> None:
    REPORTS.folder = tmp_path
    found = find_violation(bug.mechanism, WITHOUT_FAULTS, share=0)
    assert found is None, found.program


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_bugs_of_graded_difficulty_are_planted(mechanism: str) -> None:
    bugs = bugs_of(mechanism)
    assert len({bug.name for bug in bugs}) >= FEWEST_BUGS
    assert sum(bool(bug.needs) for bug in bugs) >= FEWEST_CONDITIONAL
    assert any(bug.hard for bug in bugs)
