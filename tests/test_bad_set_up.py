"""Under pytest, a broken set-up ends what it breaks at once: one sentence, exit code 2."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projects import Project

PROPERTY = """
from harness.testing import conformance
from tests.subjects import {0}
test_lock = conformance({0}, faults=())
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])


@WORKERS
def test_an_unknown_profile(project: Project, workers: tuple[str, ...]) -> None:
    sentence = (
        "unknown profile 'fast': expected one of dev, ci, nightly; set it with --ipc-profile or "
        "IPC_HARNESS_PROFILE"
    )
    project.has(PROPERTY.format("TOKEN_LOCK"))
    for code, out in (
        project.test(*workers, "--ipc-profile", "fast"),
        project.test(*workers, IPC_HARNESS_PROFILE="fast"),
    ):
        assert code == 2
        assert f"Exit: {sentence}" in out
        assert "passed" not in out
        assert not (project.folder / "reports").exists()


BROKEN = {
    "CANNOT_CREATE": "RuntimeError in an actor: no pipe today",
    "CANNOT_PERFORM": "ValueError in an actor: no call today",
    "NO_SUCH_LIMIT": "'kernel.no_such_limit' is not a limit that a run may change, for it would",
    "NO_SUCH_RESOURCE": "unknown resource limit 'RLIMIT_PATIENCE': expected one of RLIMIT_AS, ",
    "RESOURCE_OUT_OF_RANGE": "RLIMIT_NOFILE cannot be set to 1099511627776: ",
    "SLEEPS_NOWHERE": "sleeps_in of SleepsNowhere has 'raed' for Acquire: expected a set of system",
    "LOST": "the reference of 'lost' is 'tests.subjects:TOKEN_LOCK', which is Mechanism(name='tok",
    "LIMIT_OUT_OF_RANGE": "fs.mqueue.msg_max cannot be set to '-7': Invalid argument; give a value",
}


@WORKERS
@pytest.mark.parametrize("mechanism", BROKEN)
def test_a_broken_set_up_ends_a_property_at_once_and_is_no_violation(
    project: Project, workers: tuple[str, ...], mechanism: str
) -> None:
    code, out = project.has(PROPERTY.format(mechanism)).test(*workers, "-k", "[0]")
    if "this run has no ipc namespace of its own" in out:
        pytest.skip("a run on this machine cannot set fs.mqueue.msg_max at all")
    assert code == 2, out
    assert f"broken: test_lock.py::test_lock[0]: {BROKEN[mechanism]}" in out
    for word in ("violated", "Failing test case", "Hypothesis", "@seed"):
        assert word not in out
    assert out.count(BROKEN[mechanism]) <= 4
    assert sorted(os.listdir(project.folder / "reports")) == ["coverage.json", "index.html"]


def test_a_broken_set_up_is_tried_once(project: Project) -> None:
    project.has(PROPERTY.format("CANNOT_CREATE")).has(
        """
        import tests.subjects
        def pytest_collection_finish():
            made = tests.subjects.CANNOT_CREATE.limits
            def limits(setup):
                print("tried")
                return made(setup)
            object.__setattr__(tests.subjects.CANNOT_CREATE, "limits", limits)
        """.replace("\n        ", "\n"),
        "conftest.py",
    )
    code, out = project.test("-s", "-k", "[0]")
    assert code == 2
    assert out.count("tried") == 1


@WORKERS
def test_other_tests_go_on_beside_a_broken_one(project: Project, workers: tuple[str, ...]) -> None:
    project.has(PROPERTY.format("CANNOT_CREATE")).has(
        PROPERTY.format("TOKEN_LOCK"), "test_sound.py"
    )
    code, out = project.test(*workers, "-k", "[0]")
    assert code == 2
    assert "1 failed, 1 passed" in out


SCENARIO = """
from harness.testing import Unsupported
from tests.subjects import *
def test_create(scenario): scenario(CANNOT_CREATE)
def test_perform(scenario): scenario(CANNOT_PERFORM).call(0, Acquire())
def test_limit(scenario): scenario(NO_SUCH_LIMIT)
def test_red(scenario): scenario(ALL_RED)
def test_sound(scenario): scenario(TOKEN_LOCK).call(0, Acquire())
def test_inside(in_sandbox): in_sandbox(nothing_here)
def nothing_here(): ...
"""


def test_a_broken_set_up_of_scenarios(project: Project) -> None:
    code, out = project.has(SCENARIO).test()
    assert code == 2
    for line in (
        "broken: test_lock.py::test_create: RuntimeError in an actor: no pipe today",
        "broken: test_lock.py::test_perform: ValueError in an actor: no call today",
        "broken: test_lock.py::test_limit: 'kernel.no_such_limit' is not a limit",
        "unsupported: test_lock.py::test_red: this machine has no red; paint it",
    ):
        assert out.count(line) == 1, out
    assert "3 failed, 2 passed, 1 skipped" in out
    assert "cannot-perform: " not in out, "an abandoned program held nothing"


@WORKERS
def test_what_this_machine_cannot_set_up_is_named_and_the_rest_is_tried(
    project: Project, workers: tuple[str, ...]
) -> None:
    code, out = project.has(PROPERTY.format("GREEN_OR_RED")).test(*workers, "-k", "[0]")
    assert code == 0, out
    assert "unsupported: test_lock.py::test_lock[0]: this machine has no red; paint it" in out
    assert "green-or-red: 100 programs" in out


@WORKERS
def test_a_property_that_this_machine_cannot_set_up_at_all_is_skipped_by_name(
    project: Project, workers: tuple[str, ...]
) -> None:
    code, out = project.has(PROPERTY.format("ALL_RED")).test(*workers, "-k", "[0]", "-rs")
    assert code == 0, out
    assert "unsupported: test_lock.py::test_lock[0]: this machine has no red; paint it" in out
    assert "unsupported: this machine has no red; paint it" in out
    assert "1 skipped" in out


@WORKERS
def test_where_no_process_can_be_started_the_run_stops(
    project: Project, workers: tuple[str, ...]
) -> None:
    project.has(PROPERTY.format("TOKEN_LOCK"))
    project.has(PROPERTY.format("TOKEN_LOCK"), "test_other.py")
    code, out = project.test(*workers, IPC_HARNESS_SANDBOX="maybe")
    assert code == 2
    sentence = (
        "broken: the processes of a run cannot be started: IPC_HARNESS_SANDBOX is 'maybe'; set it "
        "to on or off, or unset it"
    )
    assert f"Interrupted: {sentence} !" in out
    assert f"{len(workers) or 1} failed" in out


@WORKERS
def test_reports_that_cannot_be_written_stop_the_run_before_it_begins(
    project: Project, workers: tuple[str, ...]
) -> None:
    code, out = project.has(PROPERTY.format("TOKEN_LOCK")).test(
        *workers, "--ipc-reports", "test_lock.py"
    )
    assert code == 2
    assert "broken: --ipc-reports is test_lock.py: cannot write test_lock.py/" in out
    assert "what should be its folder is a file; make room there, or name another place" in out
    assert "Interrupted: broken: --ipc-reports is test_lock.py" in out
    assert "passed" not in out


FILLED = """
import pytest
from harness.testing import conformance
from tests.subjects import TOKEN_LOCK
@pytest.fixture(autouse=True, scope="module")
def full():
    with open("reports/filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)): pass
        except OSError: pass
test_lock = conformance(TOKEN_LOCK)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with little room."""
    folder = tmp_path / "reports"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted: {mounted.stderr.strip()}; run as root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_full_before_the_run(project: Project, small_disk: Path) -> None:
    project.has(PROPERTY.format("TOKEN_LOCK"))
    (small_disk / "filler").write_bytes(bytes(256 << 10))
    code, out = project.test("-k", "[0]")
    assert code == 2
    assert "Interrupted: broken: --ipc-reports is reports: cannot write reports/.probe-" in out
    assert os.listdir(small_disk) == ["filler"]


def test_a_disk_that_fills_during_the_run_loses_no_failure(
    project: Project, small_disk: Path
) -> None:
    code, out = project.has(FILLED).test("-k", "[0]")
    assert code == 2
    assert "\nviolated: " in out
    assert "    1  A: Acquire()" in out
    assert (
        "broken: test_lock.py::test_lock[0]: what was found is not kept: cannot write "
        "reports/test_lock.py-test_lock-0.json: No space left on device; make room there"
    ) in out
    assert "broken: cannot write reports/index.html: No space left on device" in out
    assert os.listdir(small_disk) == ["filler"]
