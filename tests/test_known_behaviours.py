"""Every known behaviour of the mechanisms is shown by a rule or a test of that mechanism."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.references import resolve

ROOT = Path(__file__).parent.parent
MECHANISMS = (
    "properties.pipe:PIPE",
    "properties.posix_mq:POSIX_MQ",
    "properties.sysv_sem:SYSV_SEM",
)


def table(path: str) -> list[dict[str, str]]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t"))


KNOWN = table("tests/known_behaviours.tsv")
SHOWN = table("properties/coverage.tsv")


def named(lines: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(line["id"], line["mechanism"]) for line in lines]


def evidence() -> Iterator[tuple[str, str, str]]:
    """Identifier, mechanism, and one rule or test that the table names for it."""
    for line in SHOWN:
        for place in line["shown by"].split(", "):
            yield line["id"], line["mechanism"], place


@pytest.fixture(scope="module")
def rules() -> set[tuple[str, str]]:
    """The rules of all models, each with the name of its mechanism."""
    mechanisms = [resolve(reference) for reference in MECHANISMS]
    return {(one.name, rule) for one in mechanisms for rule in one.model(one.setups[0], 3).rules}


@pytest.fixture(scope="module")
def tests() -> set[str]:
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
            found |= {f"{file}::{name}", f"{file}::{name.partition('[')[0]}"}
    return found


def test_every_behaviour_is_on_the_table_once() -> None:
    assert sorted(named(SHOWN)) == sorted(named(KNOWN))
    assert len(set(named(KNOWN))) == len(KNOWN)


def test_every_behaviour_is_said_and_shown() -> None:
    assert [line["id"] for line in SHOWN if not line["behaviour"] or not line["shown by"]] == []


def test_what_the_table_names_is_there(rules: set[tuple[str, str]], tests: set[str]) -> None:
    missing = [
        (name, place)
        for name, mechanism, place in evidence()
        if place not in tests and (mechanism, place) not in rules
    ]
    assert missing == []


def test_a_test_shows_behaviours_of_its_own_mechanism() -> None:
    strange = []
    for name, mechanism, place in evidence():
        file = f"properties/test_{mechanism.replace('-', '_')}"
        if "::" in place and not place.startswith((f"{file}.py::", f"{file}_")):
            strange.append((name, place))
    assert strange == []
