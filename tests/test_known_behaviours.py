"""Every known behaviour of the mechanisms is shown by a rule or a test that exists."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from harness.references import resolve

ROOT = Path(__file__).parent.parent
TABLE = (ROOT / "properties/coverage.tsv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(TABLE.splitlines(), delimiter="\t"))
MECHANISMS = (
    "properties.pipe:PIPE",
    "properties.posix_mq:POSIX_MQ",
    "properties.sysv_sem:SYSV_SEM",
)
KNOWN = {"pipe": 62, "posix_mq": 64, "sysv_sem": 46}
"""Behaviours on the list, by mechanism."""


@pytest.fixture(scope="module")
def rules() -> set[str]:
    """The rules of all models."""
    mechanisms = [resolve(reference) for reference in MECHANISMS]
    return {rule for one in mechanisms for rule in one.model(one.setups[0], 3).rules}


@pytest.fixture(scope="module")
def tests() -> set[tuple[str, str]]:
    """The tests of ``properties/`` as pytest finds them: file and name, with and without what
    they are parametrized with."""
    listing = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "properties"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = set()
    for line in listing.splitlines():
        file, separator, path = line.partition("::")
        if separator:
            name = path.rpartition("::")[2]
            found |= {(file, name), (file, name.partition("[")[0])}
    return found


@pytest.mark.parametrize("mechanism", KNOWN)
def test_every_behaviour_is_on_the_table(mechanism: str) -> None:
    assert len({row["id"] for row in ROWS if row["mechanism"] == mechanism}) == KNOWN[mechanism]


def test_no_line_is_there_twice() -> None:
    lines = TABLE.splitlines()
    assert len(lines) == len(set(lines))


def test_what_the_table_names_is_there(rules: set[str], tests: set[tuple[str, str]]) -> None:
    missing = []
    for row in ROWS:
        for place in map(str.strip, row["where"].split(",")):
            file, _, name = place.partition("::")
            there = place in rules if row["kind"] == "rule" else (file, name) in tests
            if not there:
                missing.append((row["id"], row["kind"], place))
    assert missing == []
