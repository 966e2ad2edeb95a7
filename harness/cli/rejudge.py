"""Saved records with the mechanisms that they name, and their judgement without running anything.

A record may come from anywhere: what its values do to a model or an adapter is reported as the
record's or the mechanism's fault, never as a crash.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.check.checker import Checker
from harness.codec import Record, load
from harness.errors import BadInput, Broken, Unsupported, mistake
from harness.history import Event, History, Invoke
from harness.mechanism import Mechanism
from harness.references import resolve
from harness.relation import Relation
from harness.run import Run, Worker, by_itself, run
from harness.verdict import Verdict


@dataclass(frozen=True)
class Saved:
    """A record, and the mechanism that its program is for."""

    record: Record
    mechanism: Mechanism

    def relation(self) -> Relation:
        program = self.record.program
        with self.blamed():
            model = self.mechanism.model(program.setup, program.processes)
            return Relation(model, program.processes)

    def judge(self) -> Run:
        """Judge the history again."""
        relation, record = self.relation(), self.record
        checker = Checker(relation)
        verdict = None
        with self.blamed():
            for piece in pieces(record.history):
                verdict = checker.feed(piece)
                if verdict is not None:
                    break
            verdict = verdict or checker.verdict(record.deadlock_allowed)
        return self._run(relation, verdict)

    def _run(self, relation: Relation, verdict: Verdict) -> Run:
        record, rules, name = self.record, relation.model.rules, self.mechanism.name
        verdict = by_itself(verdict, record.history)
        return Run(record.program, record.history, verdict, rules, relation.start_text, name)

    def run(self, worker: Worker, relation: Relation) -> Run:
        """Carry the program out again, and judge what happens."""
        record = self.record
        allowed = record.deadlock_allowed
        with self.blamed():
            found = run(worker, self.mechanism, record.program, relation, deadlock_allowed=allowed)
        return replace(found, verdict=by_itself(found.verdict, found.history))

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """Raises Broken for an exception of the mechanism's own code."""
        try:
            yield
        except (BadInput, Broken, Unsupported, OSError):
            raise
        except Exception as error:
            raise mistake(
                error,
                f"{self.mechanism.name} cannot take this record",
                "the record is damaged, or the mechanism has changed since",
            ) from error


def open_record(path: Path) -> Saved:
    """Read a record and find its mechanism. Raises BadInput where they do not go together."""
    record = load(path)
    reference = record.program.mechanism
    mechanism = resolve(reference)
    if not isinstance(mechanism, Mechanism):
        kind = type(mechanism).__name__
        raise BadInput(
            f"{path}: {reference!r} is a {kind}, expected a harness.mechanism.Mechanism; give a "
            "record of this checkout"
        )
    kinds = {type(setup) for setup in mechanism.setups}
    if type(record.program.setup) not in kinds:
        names = " or ".join(sorted(kind.__name__ for kind in kinds))
        raise BadInput(
            f"{path}: {record.program.setup!r:.200} does not set up {mechanism.name}: expected a "
            f"{names}; the record is damaged, or the mechanism has changed since"
        )
    return Saved(record, mechanism)


def pieces(history: History) -> Iterator[list[Event]]:
    """The history in pieces that begin with a call, as lockstep learns of it: the checker, which
    looks ahead within a piece, then comes to the same sentence."""
    piece: list[Event] = []
    for event in history:
        if isinstance(event, Invoke) and piece:
            yield piece
            piece = []
        piece.append(event)
    yield piece
