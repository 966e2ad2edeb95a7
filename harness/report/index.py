"""The index of a run: what failed, what was judged how, and what each mechanism really showed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from harness.coverage import Counts, Coverage
from harness.report.page import fill
from harness.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Entry:
    """A run that did not hold, as the index lists it."""

    test: str
    """The test that found it, as pytest names it."""
    mechanism: str
    """Its name, as coverage has it; empty where it is not known."""
    outcome: Outcome
    sentence: str
    page: str = ""
    """Its page, relative to the index; empty where there is none (broken, unsupported)."""
    replay: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What an index is made of."""

    coverage: Coverage
    entries: Sequence[Entry] = ()
    machine: Mapping[str, str] = field(default_factory=dict)
    """Where and when it ran: kernel, Python, namespaces, profile, … as names with values."""


def render_index(summary: Summary) -> str:
    """The page of a whole run."""
    mechanisms = sorted(summary.coverage.mechanisms.items())
    verdicts: Counter[str] = Counter()
    for _, counts in mechanisms:
        verdicts.update(counts.verdicts)
    return fill(
        "index.html.j2",
        machine=summary.machine,
        entries=[_entry(entry) for entry in summary.entries],
        verdicts=[(outcome.value, verdicts[outcome]) for outcome in Outcome],
        mechanisms=[_mechanism(name, counts) for name, counts in mechanisms],
    )


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "test": entry.test,
        "mechanism": entry.mechanism,
        "outcome": entry.outcome.value,
        "sentence": entry.sentence,
        "replay": entry.replay,
        # Quoted and anchored, so that no name of a test becomes an address of another kind.
        "link": f"./{quote(entry.page)}" if entry.page else "",
    }


def _mechanism(name: str, counts: Counts) -> dict[str, Any]:
    unwitnessed = counts.unwitnessed()
    endings: dict[str, list[tuple[str, int]]] = {}
    for (op, ending), number in sorted(counts.endings.items()):
        endings.setdefault(op, []).append((ending, number))
    return {
        "name": name,
        "programs": counts.programs,
        "calls": counts.calls,
        "verdicts": [(outcome, n) for outcome, n in sorted(counts.verdicts.items()) if n],
        "known": len(counts.known),
        "witnessed": len(counts.known) - len(unwitnessed),
        "unwitnessed": [(rule, counts.known[rule]) for rule in unwitnessed],
        "rules": [(rule, counts.rules[rule], sentence) for rule, sentence in counts.known.items()],
        "endings": sorted(endings.items()),
    }
