"""What the pytest plug-in makes of a run: what is tried, what is told, and with which exit code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import ROOT, Project

PROPERTY = """
from hypothesis import settings
from harness.testing import conformance, profile
from tests.subjects import *
test_lock = {0}
"""
VAST = PROPERTY.format("conformance(VAST, actors=(1, 1), steps=2)")
IDLE = PROPERTY.format("conformance(TOKEN_LOCK, steps=0)")
HELD = PROPERTY.format("conformance(TOKEN_LOCK, faults=())")
VIOLATED = PROPERTY.format("conformance(CHATTY)")
PLAIN = "def test_plain(): assert False"
NO_CALL = """
from tests.subjects import TOKEN_LOCK
def test_lock(scenario): scenario(TOKEN_LOCK).kill(0)
"""
NEVER_SEEN = """
from tests.subjects import never_seen
def test_swan(in_sandbox): in_sandbox(never_seen)
"""
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
PART = ("-k", "[0] or plain")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Carries out a command line in a folder."""
    program = "import sys; from harness.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# What is tried.


def test_tests_of_others_are_left_alone(project: Project) -> None:
    project.has(
        """
        from hypothesis import settings
        def test_settings():
            assert settings.get_current_profile_name() in ("default", "ci")
        """.replace("\n        ", "\n")
    )
    code, out = project.test(IPC_HARNESS_PROFILE="fast")
    assert code == 0, out
    assert "inter-process communication" not in out
    assert not (project.folder / "reports").exists()


def test_the_option_comes_before_the_variable(project: Project) -> None:
    _, out = project.has(HELD).test("--ipc-profile", "ci", *PART, IPC_HARNESS_PROFILE="dev")
    assert "token-lock: 1000 programs" in out


def test_settings_of_its_user_come_before_the_profile(project: Project) -> None:
    own = PROPERTY.format(
        'settings(profile("dev"), max_examples=7)(conformance(TOKEN_LOCK, faults=()))'
    )
    _, out = project.has(own).test(*PART)
    assert "token-lock: 7 programs" in out


# What is undecided.


@WORKERS
def test_what_is_too_large_to_be_judged_is_tried_once_kept_and_told(
    project: Project, workers: tuple[str, ...]
) -> None:
    code, out = project.has(VAST).test(*workers, *PART)
    assert code == 3, out
    assert "\nundecided: more than 200000 configurations could explain the history" in out
    assert "violated" not in out
    assert "Failing test case" not in out
    assert re.search(r"\nvast: \d+ programs, \d+ calls,.*\n  unwitnessed: release", out), out
    index = (project.folder / "reports" / "index.html").read_text()
    assert '<span class="badge undecided">undecided</span></td><td>vast</td>' in index
    done = command(project.folder, "check", "reports/test_lock.py-test_lock-0.json")
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("undecided: more than 200000 configurations")


@pytest.mark.parametrize(
    ("arguments", "programs", "code"),
    [
        ('faults=("kill",)', 50, 0),
        ('faults=("kill",), share=1', 2, 3),
        ('faults=("elapse",)', 50, 3),
    ],
)
def test_a_fault_that_was_asked_for_must_happen(
    project: Project, arguments: str, programs: int, code: int
) -> None:
    """A lock that death frees is killed; it has no calls that time out."""
    test = f"settings(profile('dev'), max_examples={programs})(conformance(MORTAL, {arguments}))"
    found, out = project.has(PROPERTY.format(test)).test(*PART)
    assert found == code, out
    fault = "elapse" if "elapse" in arguments else "kill"
    said = f"undecided: mortal: the fault '{fault}' that was asked for has never happened"
    assert (said in out) is (code == 3), out


def test_a_page_and_the_index_say_where_and_how_it_was_run(project: Project) -> None:
    project.has(VIOLATED).test(*PART)
    for page in (project.folder / "reports").glob("*.html"):
        text = page.read_text()
        assert "profile: dev" in text
        assert re.search(r"namespaces: (\w+, )*\w+", text)
        assert f"user: {os.geteuid()}" in text


def test_what_was_found_outlives_a_run_that_is_killed_while_it_shrinks(project: Project) -> None:
    lost = PROPERTY.format("conformance(NEVER_RELEASED, faults=('kill',))")
    run = project.has(lost).starts(*PART)
    record = project.folder / "reports" / "test_lock.py-test_lock-0.json"
    for _ in range(600):
        if record.exists():
            break
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(0.1)
    run.kill()
    run.communicate()
    done = command(project.folder, "replay", str(record))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("violated: ")


@WORKERS
def test_what_chance_has_not_shown_is_undecided(project: Project, workers: tuple[str, ...]) -> None:
    code, out = project.has(NEVER_SEEN).test(*workers)
    assert code == 3, out
    assert "\nundecided: a black swan was never seen in 5 tries" in out
    index = (project.folder / "reports" / "index.html").read_text()
    assert '<span class="badge undecided">undecided</span>' in index


@WORKERS
@pytest.mark.parametrize("test", [IDLE, NO_CALL], ids=["property", "scenario"])
def test_nothing_happened_is_undecided_for_pytest_for_replay_and_for_check(
    project: Project, workers: tuple[str, ...], test: str
) -> None:
    code, out = project.has(test).test(*workers, "-k", "[0] or not test_lock[")
    assert code == 3, out
    nothing = "undecided: nothing happened: no process made any call"
    assert f"\n{nothing}\n" in out
    (record,) = (project.folder / "reports").glob("test_lock*.json")
    for word in ("replay", "check"):
        done = command(project.folder, word, str(record))
        assert (done.returncode, done.stderr) == (3, "")
        assert done.stdout.startswith(nothing)


def test_a_program_in_which_nothing_happens_is_fine_beside_others(project: Project) -> None:
    once = PROPERTY.format(
        "settings(profile('dev'), max_examples=20)(conformance(TOKEN_LOCK, faults=()))"
    )
    code, out = project.has(once).test(*PART)
    assert code == 0, out
    assert "token-lock: 20 programs" in out


@pytest.mark.parametrize(
    ("other", "code"),
    [(HELD, 3), (VIOLATED, 1), (PLAIN, 1), (VAST, 3)],
    ids=["held", "violated", "failed", "undecided"],
)
def test_the_exit_code_is_that_of_the_worst(project: Project, other: str, code: int) -> None:
    found, out = project.has(VAST).has(other, "test_other.py").test(*PART)
    assert found == code, out


def test_the_index_names_the_mechanism_as_its_coverage_does(project: Project) -> None:
    assert project.has(VIOLATED).test(*PART)[0] == 1
    index = (project.folder / "reports" / "index.html").read_text()
    assert '<span class="badge violated">violated</span></td><td>chatty</td>' in index
