"""What was found is tried first by the next run, alone and under pytest-xdist, also in CI."""

import re
from pathlib import Path

import pytest

from tests.projects import Project

LOCKS = """
from harness.testing import conformance
from tests.subjects import CHATTY
test_lock = conformance(CHATTY)
"""
ALONE = ()
XDIST = ("-n", "2")


def statistics(folder: Path, *words: str) -> str:
    """What Hypothesis says of how two parts of the property have failed."""
    words = (*words, "-k", "[0] or [1]", "--hypothesis-show-statistics")
    code, out = Project(folder).test(*words)
    assert code == 1, out
    return out


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
    (tmp_path / "test_lock.py").write_text(LOCKS)
    assert "reuse phase" not in statistics(tmp_path, *then)
    again = statistics(tmp_path, *now)
    phases = re.findall(r"during (\w+) phase(?:.*\n){2}.* (\d+ passing, \d+ failing)", again)
    assert phases == [("reuse", "0 passing, 1 failing")] * 2
