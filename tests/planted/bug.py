"""A deliberately wrong mechanism, kept to prove that the harness finds such a bug."""

from dataclasses import dataclass

from harness.mechanism import Mechanism


@dataclass(frozen=True)
class Bug:
    name: str
    mechanism: Mechanism
    story: str
    """What is wrong, in one sentence."""
    hard: bool = False
    needs: frozenset[str] = frozenset()
    """What it is invisible without: of "death", "full", "timeout", "three actors"."""
