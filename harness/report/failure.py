"""What a report is made of: one judged run, and what a reader needs in order to see it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.history import History
from harness.program import Program
from harness.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Failure:
    """A run with its verdict. Everything is data: nothing is run in order to report it."""

    program: Program
    history: History
    verdict: Verdict
    replay: str
    """The command that shows it again."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """The model's rules with their sentences (`harness.spec.Model.rules`)."""
    start: str = ""
    """The model's first state, printed; empty where it is not known."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """Where it ran: kernel, Python, namespaces, profile, … as names with values."""
    record: str = ""
    """The file that holds program and history as data."""
    page: str = ""
    """The file that holds the HTML report."""
