"""The profiles: how much a run explores, as settings of Hypothesis.

``dev`` is for a look while writing, ``ci`` for every change, ``nightly`` for stress by night.
The example database is kept in ``.hypothesis/examples`` in each of them, also under xdist: a
failure found once is tried first the next time.
"""

from hypothesis import HealthCheck, Phase, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from harness.errors import BadInput

EXAMPLES = {"dev": 100, "ci": 1_000, "nightly": 25_000}
"""Examples of each part of a property; a property has a few parts (`harness.testing.SHARDS`)."""
DATABASE = ".hypothesis/examples"


def profile(name: str) -> settings:
    """The settings of a profile. Raises BadInput for an unknown name."""
    if name not in EXAMPLES:
        raise BadInput(
            f"unknown profile {name!r}: expected one of {', '.join(EXAMPLES)}; set it with "
            "--ipc-profile or IPC_HARNESS_PROFILE"
        )
    return settings(
        max_examples=EXAMPLES[name],
        deadline=None,
        derandomize=False,
        print_blob=False,
        database=DirectoryBasedExampleDatabase(DATABASE),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
        report_multiple_bugs=False,
    )
