"""What a run has found is told, also where Hypothesis could not make it happen again."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis.errors import FlakyFailure

from harness.findings import REPORTS, Violated, failure_of, violated_in
from harness.program import Program
from harness.run import Run
from harness.verdict import Outcome, Verdict


def violated() -> Violated:
    program = Program("tests.small_mechanisms:FIFO", None, 2, ())
    return Violated(Run(program, (), Verdict(Outcome.VIOLATED, "it broke"), {}, "", "fifo"))


def test_a_violation_is_found_in_itself_and_in_a_group() -> None:
    REPORTS.test = "test_findings"
    one = violated()
    assert violated_in(one) is one
    assert violated_in(FlakyFailure("unreliable", [ValueError("other"), one])) is one


@pytest.mark.parametrize("error", [ValueError("x"), ExceptionGroup("two", [ValueError("x")])])
def test_there_is_none_in_other_errors(error: Exception) -> None:
    assert violated_in(error) is None


def test_the_command_that_replays_a_failure_can_be_pasted() -> None:
    failure = failure_of(violated().run, Path("my reports/lock.json"), None, {})
    program, *words = shlex.split(failure.replay)
    assert words == ["replay", "my reports/lock.json"]
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[0]) == (0, "ipc-harness")
    assert (failure.record, failure.page) == ("my reports/lock.json", "")
