"""The command line: what its commands say of a record, a run and a machine, and their codes."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import __version__
from harness.cli import main
from harness.codec import load, save
from harness.coverage import Counts, Coverage
from harness.errors import NotSetUp
from harness.execute.facilities import Facility, doctor
from harness.run import Worker
from tests.projects import Project
from tests.saved import (
    BOTH_ASLEEP,
    LOST,
    TAKEN_TWICE,
    UNSURE,
    killed,
    record,
    write,
)

ROOT = Path(__file__).parent.parent
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Carries out a command line in this process: its exit code, output and error output."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def command(words: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Carries out a command line in a process of its own."""
    program = "import sys; from harness.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


@pytest.fixture
def held(tmp_path: Path) -> Path:
    return write(tmp_path / "held.json", record())


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    return write(tmp_path / "twice.json", record(TAKEN_TWICE))


def test_it_tells_its_version_and_its_commands(say: Say) -> None:
    assert say("--version") == (0, f"ipc-harness {__version__}\n", "")
    code, out, err = say("--help")
    assert (code, err) == (0, "")
    for name in ("doctor", "replay", "check", "report", "coverage", "sweep", "bench"):
        assert f"\n  {name} " in out
        assert say(name, "--help")[0] == 0
    assert "0 held, 1 violated, 2 bad input or a broken set-up, 3 undecided" in out


def test_check_of_what_held(say: Say, held: Path) -> None:
    code, out, err = say("check", held)
    assert (code, err) == (0, "")
    assert out.startswith("held: the model allows what happened\n\n")
    assert "\noperations   3\nevents       8\n" in out
    assert "\ntime " in out
    assert "\npeak memory " in out


def test_check_of_a_violation(say: Say, twice: Path) -> None:
    code, out, _ = say("check", twice)
    assert code == 1
    first, *rest = out.splitlines()
    assert first == "violated: B: Acquire() returned None, where the model allows only sleep"
    assert "    2  B: Acquire()  returns None" in rest
    (again,) = [line for line in rest if line.startswith("to see it again ")]
    assert again.endswith(f"ipc-harness replay {twice}")


def test_check_of_a_lost_wake_up_and_of_one_that_may_be_a_slow_machine(
    say: Say, tmp_path: Path
) -> None:
    code, out, _ = say("check", write(tmp_path / "lost.json", killed(LOST)))
    assert code == 1
    assert out.startswith('violated: B: Acquire() is still asleep, though by rule "acquire"')
    code, out, _ = say("check", write(tmp_path / "unsure.json", killed(UNSURE)))
    assert code == 3
    assert out.startswith("undecided: B: Acquire() is still asleep")


def test_check_of_a_deadlock_that_was_not_allowed(say: Say, tmp_path: Path) -> None:
    assert say("check", write(tmp_path / "allowed.json", record(BOTH_ASLEEP)))[0] == 0
    path = write(tmp_path / "refused.json", record(BOTH_ASLEEP, deadlock_allowed=False))
    code, out, _ = say("check", path)
    assert code == 1
    assert out.startswith("violated: deadlock: 2 asleep for ever")


def test_check_of_nothing_is_undecided(say: Say, tmp_path: Path) -> None:
    code, out, _ = say("check", write(tmp_path / "empty.json", record(())))
    assert code == 3
    assert out.startswith("undecided: nothing happened: no process made any call")


def test_check_as_json(say: Say, twice: Path) -> None:
    code, out, err = say("check", twice, "--json")
    assert (code, err) == (1, "")
    data = json.loads(out)
    assert data.pop("seconds") >= 0
    assert data.pop("peak_memory_bytes") > 1 << 20
    assert data == {
        "mechanism": "tests.subjects:TOKEN_LOCK",
        "outcome": "violated",
        "sentence": "B: Acquire() returned None, where the model allows only sleep",
        "kind": "reply",
        "event": 3,
        "observed": "B: Acquire() returned None",
        "allowed": ["B: Acquire() sleeps"],
        "operations": 2,
        "events": 4,
    }


def test_report_draws_the_page_beside_the_record_or_where_asked(
    say: Say, twice: Path, tmp_path: Path
) -> None:
    code, out, _ = say("report", twice)
    assert (code, out) == (0, f"drawn: {twice.with_suffix('.html')}\n")
    page = tmp_path / "deep" / "page.html"
    assert say("report", twice, "-o", page)[0] == 0
    text = page.read_text(encoding="utf-8")
    assert "where the model allows only sleep" in text
    assert "a free lock is taken" in text


def test_a_report_says_where_the_run_was_and_not_where_it_is_drawn(
    say: Say, tmp_path: Path
) -> None:
    path = write(tmp_path / "far.json", record(machine={"kernel": "Linux 4.2 of a far machine"}))
    assert say("report", path)[0] == 0
    assert "Linux 4.2 of a far machine" in path.with_suffix(".html").read_text(encoding="utf-8")


def test_replay_runs_the_program_again(tmp_path: Path, held: Path) -> None:
    done = command(["replay", held, "--times", "2"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("held: the model allows what happened\n")
    assert "    2  B: Acquire()  sleeps in read, then returns None" in done.stdout
    assert done.stdout.endswith("violated in 0 of 2 runs\n")


def test_replay_finds_the_bug_again_and_writes_what_happened_now(tmp_path: Path) -> None:
    path = write(tmp_path / "lock.json", killed(()))
    folder = tmp_path / "again"
    done = command(["replay", path, "--report", folder])
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("violated: B: Acquire() is still asleep, though by rule")
    assert f"the picture          {folder}/lock-replayed.html" in done.stdout
    assert sorted(os.listdir(folder)) == ["lock-replayed.html", "lock-replayed.json"]
    again = load(folder / "lock-replayed.json")
    assert again.history
    assert again.sentence in done.stdout
    assert "kernel" in again.machine


def test_what_replay_wrote_is_checked_with_the_same_sentence(say: Say, tmp_path: Path) -> None:
    path = write(tmp_path / "lock.json", killed(()))
    assert command(["replay", path, "--report", tmp_path]).returncode == 1
    code, out, _ = say("check", tmp_path / "lock-replayed.json")
    assert code == 1
    assert out.startswith(f"violated: {load(tmp_path / 'lock-replayed.json').sentence}")


def counted() -> Coverage:
    coverage = Coverage()
    coverage.mechanisms["lock"] = Counts(
        programs=1200,
        calls=7,
        verdicts=Counter({"held": 1200}),
        rules=Counter({"acquire": 5}),
        endings=Counter({("Acquire", "returned"): 4, ("Acquire", "killed while asleep"): 1}),
        known={"acquire": "a free lock is taken", "exit": "a holder that dies frees it"},
    )
    coverage.mechanisms["other"] = Counts()
    return coverage


@pytest.fixture
def coverage_file(tmp_path: Path) -> Path:
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps(counted().to_data()))
    return path


def test_coverage_names_what_was_witnessed_and_what_was_not(say: Say, coverage_file: Path) -> None:
    code, out, err = say("coverage", coverage_file)
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "lock: 1,200 programs, 7 calls, 1 of 2 rules witnessed" in lines
    assert "acquire 5 a free lock is taken" in lines
    assert "Acquire killed while asleep 1" in lines
    missing = lines.index("unwitnessed sentence")
    assert lines[missing + 1] == "exit a holder that dies frees it"
    assert "other: 0 programs, 0 calls, 0 of 0 rules witnessed" in lines


def test_coverage_of_one_mechanism_as_json(say: Say, coverage_file: Path) -> None:
    code, out, _ = say("coverage", coverage_file, "--mechanism", "lock", "--json")
    assert code == 0
    assert json.loads(out) == {
        "lock": {
            "programs": 1200,
            "calls": 7,
            "verdicts": {"held": 1200},
            "rules": {"acquire": 5, "exit": 0},
            "unwitnessed": ["exit"],
            "endings": {"Acquire": {"killed while asleep": 1, "returned": 4}},
        }
    }


def test_coverage_of_no_run_says_so(say: Say, tmp_path: Path) -> None:
    (tmp_path / "coverage.json").write_text("{}")
    code, out, _ = say("coverage", tmp_path / "coverage.json")
    assert code == 0
    assert out.endswith("coverage.json counts nothing: no property of a mechanism was run\n")


def facility(name: str, available: bool, required: bool = False) -> Facility:
    lack = ("runs do without", "buy a better machine")
    return Facility("control", name, available, "seen", *lack, required)


def test_doctor_says_what_is_missing_and_what_would_help(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [facility("pidfd", True), facility("SCHED_FIFO", False)]
    monkeypatch.setattr("harness.cli.machine.examine", lambda: found)
    code, out, _ = say("doctor")
    assert code == 0
    lines = [line.strip() for line in out.splitlines()]
    assert "yes  pidfd       seen" in lines
    assert "no   SCHED_FIFO  seen" in lines
    assert "so runs do without" in lines
    assert "remedy: buy a better machine" in lines
    assert lines[-1] == "runs can be made here; not available: 1 of 2"


def test_doctor_fails_where_no_run_can_be_made(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [facility("pidfd", False, required=True), facility("SCHED_FIFO", False)]
    monkeypatch.setattr("harness.cli.machine.examine", lambda: found)
    code, out, _ = say("doctor")
    assert code == 2
    assert out.endswith("no run can be made here: pidfd not available\n")


def test_doctor_examines_this_machine(say: Say) -> None:
    code, out, err = say("doctor")
    assert (code, err) == (0, "")
    assert "runs can be made here" in out
    required = {one.name for one in doctor() if one.required}
    assert required == {"/proc of actors", "system call numbers", "pidfd"}


def test_a_machine_whose_system_calls_have_no_known_numbers(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "sparc64")
    code, out, _ = say("doctor")
    assert code == 2
    said = " ".join(out.split())
    assert (
        "no system call numbers the numbers of the system calls are not known for 'sparc64', only "
        "for x86_64, aarch64, riscv64 so no run is possible"
    ) in said
    assert "remedy: run on one of those, or add its table to harness/execute/syscalls.py" in said
    assert out.endswith("no run can be made here: system call numbers not available\n")
    with pytest.raises(NotSetUp, match=r"'sparc64', only for .*; run on one of those, or add"):
        Worker().start()


def test_sweep_says_what_it_removed(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.cli.machine.remove_leftovers", lambda: ["posix_mq /ipch-1"])
    assert say("sweep") == (0, "removed posix_mq /ipch-1\n", "")
    monkeypatch.setattr("harness.cli.machine.remove_leftovers", list)
    assert say("sweep") == (0, "nothing was left behind\n", "")


def test_nothing_in_a_record_is_markup_or_a_command_to_the_terminal(
    say: Say, tmp_path: Path
) -> None:
    said = record(TAKEN_TWICE)
    path = tmp_path / "[bold]\x1b[31m.json"
    save(said, path)
    _, out, _ = say("check", path)
    assert "\x1b" not in out
    assert "[bold]" in out


DEADLOCK = """
from harness.testing import conformance
from tests.subjects import NEVER_RELEASED
test_lock = conformance(NEVER_RELEASED, faults=(), deadlock_allowed=False)
"""


def test_a_deadlock_that_a_property_does_not_allow_is_one_for_check_and_replay_too(
    say: Say, tmp_path: Path
) -> None:
    (tmp_path / "test_lock.py").write_text(DEADLOCK)
    code, out = Project(tmp_path).test("-k", "[0]")
    assert code == 1, out
    path = tmp_path / "reports" / "test_lock.py-test_lock-0.json"
    code, out, _ = say("check", path)
    assert code == 1
    assert out.startswith("violated: deadlock: ")
    done = command(["replay", path])
    assert done.returncode == 1
    assert done.stdout.startswith("violated: deadlock: ")
