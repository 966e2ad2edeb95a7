"""What was found is tried first by the next run, alone and under pytest-xdist, also in CI."""

import re
from pathlib import Path

import pytest

from tests.projects import Project

NUMBERS = """
import pytest
from hypothesis import given, strategies

@pytest.mark.parametrize("shard", range(2))
@given(number=strategies.integers(0, 10**9))
def test_number(shard, number):
    with open(f"tried-{shard}", "a") as file:
        print(number, file=file)
    assert number < 123_456
"""
LOCKS = """
from harness.testing import conformance
from tests.subjects import TOKEN_LOCK
test_lock = conformance(TOKEN_LOCK)
"""
ALONE = ()
XDIST = ("-n", "2")


def fail(folder: Path, *words: str) -> str:
    """What pytest prints of the failing tests in a folder."""
    code, out = Project(folder).test(*words)
    assert code == 1, out
    return out


def first_tried(folder: Path) -> list[str]:
    """The first number that each shard has tried since it was last asked."""
    files = sorted(folder.glob("tried-*"))
    first = [file.read_text().split()[0] for file in files]
    for file in files:
        file.unlink()
    return first


@pytest.mark.parametrize(
    ("then", "now", "ci"),
    [(ALONE, XDIST, ""), (XDIST, ALONE, ""), (XDIST, XDIST, "true")],
    ids=["alone then xdist", "xdist then alone", "xdist in CI"],
)
def test_a_failure_is_tried_first_by_the_next_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    then: tuple[str, ...],
    now: tuple[str, ...],
    ci: str,
) -> None:
    monkeypatch.setenv("CI", ci) if ci else monkeypatch.delenv("CI", raising=False)
    (tmp_path / "test_number.py").write_text(NUMBERS)
    fail(tmp_path, *then)
    assert "123456" not in first_tried(tmp_path)
    fail(tmp_path, *now)
    assert first_tried(tmp_path) == ["123456", "123456"]


def test_a_violation_is_tried_first_by_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "test_lock.py").write_text(LOCKS)
    words = (*XDIST, "-k", "[0] or [1]", "--hypothesis-show-statistics")
    assert "reuse phase" not in fail(tmp_path, *words)
    again = fail(tmp_path, *words)
    phases = re.findall(r"during (\w+) phase(?:.*\n){2}.* (\d+ passing, \d+ failing)", again)
    assert phases == [("reuse", "0 passing, 1 failing")] * 2
