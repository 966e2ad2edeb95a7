"""Programs run in lockstep, drawing included: examples and calls a second on one core."""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from hypothesis import HealthCheck, Phase, given, settings

from harness.generate.programs import Programs
from harness.mechanism import Mechanism
from harness.program import Program
from harness.references import resolve
from harness.run import Worker, run

QUEUE = "properties.posix_mq:POSIX_MQ"
QUEUE_SETUP = "properties.posix_mq:BENCH_SETUP"
ACTORS = 3
STEPS = 30


def queue() -> Mechanism:
    """The POSIX queue of 4 slots. Raises BadInput outside a checkout of the project."""
    mechanism: Mechanism = resolve(QUEUE)
    return replace(mechanism, setups=(resolve(QUEUE_SETUP),))


def throughput(examples: int, faults: Sequence[str] = (), share: int = 0) -> tuple[float, float]:
    """Examples and calls a second over so many programs of up to 30 steps of 3 actors."""
    mechanism = queue()
    source = Programs(mechanism, (ACTORS, ACTORS), STEPS, faults, share)
    worker = Worker()
    started = 0

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(program=source.strategy())
    def test(program: Program) -> None:
        nonlocal started
        started += 1
        run(worker, mechanism, program, source.relation_of(program), explained=False)

    try:
        worker.start()
        begun = perf_counter()
        test()
        seconds = perf_counter() - begun
    finally:
        worker.close()
    return started / seconds, worker.coverage.of(mechanism.name).calls / seconds
