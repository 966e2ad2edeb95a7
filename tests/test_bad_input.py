"""Every mistake gets one sentence: the value, what was expected, the remedy; and exit code 2."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.codec import dump
from harness.program import Call
from tests.saved import A, record, write
from tests.subjects import Acquire

ROOT = Path(__file__).parent.parent
Complain = Callable[..., str]


@pytest.fixture
def complaint(capfd: pytest.CaptureFixture[str]) -> Complain:
    """The sentence that a command line gets, which must be refused and must print nothing else."""

    def run(*words: str | Path) -> str:
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        assert (code, out) == (2, "")
        assert err.startswith("ipc-harness: ")
        assert err.count("\n") == 1
        return err.removeprefix("ipc-harness: ").rstrip("\n")

    return run


# The command line.


def test_an_unknown_command(complaint: Complain) -> None:
    assert complaint("reply", "x.json") == (
        "unknown command 'reply': expected one of doctor, replay, check, report, coverage, sweep, "
        "bench; see `ipc-harness --help`"
    )


def test_an_unknown_option(complaint: Complain) -> None:
    assert complaint("replay", "x.json", "--tims", "3") == (
        "no such option: --tims: expected one of --times, --report, --help; "
        "see `ipc-harness replay --help`"
    )
    assert complaint("--fast").startswith("no such option: --fast: expected one of --version")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Missing command; see `ipc-harness --help`"),
        (["check"], "Missing argument 'FILE'; see `ipc-harness check --help`"),
        (["check", "a", "b"], "Got unexpected extra argument (b); see `ipc-harness check --help`"),
        (
            ["replay", "a", "--times", "0"],
            "Invalid value for '--times': 0 is not in the range x>=1; see",
        ),
        (
            ["replay", "a", "--times", "many"],
            "Invalid value for '--times': 'many' is not a valid integer range; see",
        ),
    ],
)
def test_a_command_line_that_is_none(
    complaint: Complain, words: Sequence[str], sentence: str
) -> None:
    assert complaint(*words).startswith(sentence)


@pytest.mark.parametrize("command", ["replay", "check", "report"])
class TestRecords:
    """What is wrong with a record is said alike by all the commands that read one."""

    def test_a_missing_file(self, complaint: Complain, command: str) -> None:
        expected = "cannot read none.json: No such file or directory; give a saved record"
        assert complaint(command, "none.json") == expected

    def test_a_file_that_is_cut_off(
        self, complaint: Complain, command: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "lock.json"
        path.write_text(dump(record())[:-40])
        said = complaint(command, path)
        assert said.startswith(f"{path} is not JSON, or is cut off: ")
        assert said.endswith("; give a saved record, whole")

    def test_a_file_that_is_something_else(self, complaint: Complain, command: str) -> None:
        said = complaint(command, ROOT / "pyproject.toml")
        assert "is not JSON" in said

    def test_another_version(self, complaint: Complain, command: str, tmp_path: Path) -> None:
        path = write(tmp_path / "lock.json", record(), lambda data: data.update(version=9))
        assert complaint(command, path) == (
            f"{path} was written in version 9 of the format, expected version 1; use the "
            "ipc-harness that wrote it"
        )

    def test_a_mechanism_that_is_not_to_be_had_here(
        self, complaint: Complain, command: str, tmp_path: Path
    ) -> None:
        path = write(tmp_path / "lock.json", record(mechanism="not_here:LOCK"))
        assert complaint(command, path) == (
            f"{path}: 'not_here:LOCK' cannot be imported: ModuleNotFoundError: No module named "
            "'not_here'; expected a module that can be imported here; run in the folder that "
            "holds it"
        )

    def test_a_mechanism_that_is_none(
        self, complaint: Complain, command: str, tmp_path: Path
    ) -> None:
        path = write(tmp_path / "lock.json", record(mechanism="tests.subjects:Lock"))
        assert complaint(command, path) == (
            f"{path}: 'tests.subjects:Lock' is a _ProtocolMeta, expected a "
            "harness.mechanism.Mechanism; give a record of this checkout"
        )

    def test_a_record_of_another_mechanism(
        self, complaint: Complain, command: str, tmp_path: Path
    ) -> None:
        path = write(tmp_path / "lock.json", record(mechanism="properties.pipe:PIPE"))
        assert complaint(command, path) == (
            f"{path}: 'tests.subjects:Setup' is no dataclass of its mechanism's; expected one "
            "that the module of the mechanism, or a module that it draws on, defines"
        )

    def test_a_set_up_that_is_none(self, complaint: Complain, command: str, tmp_path: Path) -> None:
        def change(data: Any) -> None:
            data["program"]["setup"] = {"is": "tests.subjects:Acquire"}

        path = write(tmp_path / "lock.json", record(), change)
        assert complaint(command, path) == (
            f"{path}: Acquire() does not set up token-lock: expected a Setup; the record is "
            "damaged, or the mechanism has changed since"
        )


def test_a_call_that_its_model_cannot_take(complaint: Complain, tmp_path: Path) -> None:

    def change(data: Any) -> None:
        data["history"][0]["op"] = {"is": "tests.subjects:Setup", "colour": "red"}

    path = write(tmp_path / "lock.json", record(mechanism="tests.subjects:PICKY"), change)
    said = complaint("check", path)
    assert said.startswith("broken: picky cannot take this record: ValueError: no red (")
    assert said.endswith("); the record is damaged, or the mechanism has changed since")


# What is written.


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return write(tmp_path / "lock.json", record())


def test_a_page_that_cannot_be_written(complaint: Complain, saved: Path) -> None:
    assert complaint("report", saved, "-o", saved / "page.html") == (
        f"cannot write {saved}/page.html: what should be its folder is a file; make room there, "
        "or name another place"
    )
    assert os.listdir(saved.parent) == ["lock.json"]


def cli(*words: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    program = "import sys; from harness.cli import main; sys.exit(main())"
    # Unbuffered, output would fail where it is printed, and not only once it is flushed.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    # Where files may not grow, Python keeps the half of a compiled module that it could write.
    buffered["PYTHONDONTWRITEBYTECODE"] = "1"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options = {"env": buffered, **pipes, **options}
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, cwd=ROOT, text=True, timeout=120, check=False, **options)


def test_a_page_that_there_is_no_room_for(saved: Path) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    page = saved.with_suffix(".html")
    page.write_text("an older page")
    done = cli("report", saved, preexec_fn=little_room)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"ipc-harness: cannot write {page}: File too large; make room there, or name another "
        "place\n"
    )
    assert page.read_text() == "an older page"
    assert sorted(os.listdir(saved.parent)) == ["lock.html", "lock.json"]


@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["replay"]])
def test_output_to_a_full_disk(saved: Path, command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = cli(*command, saved, stdout=full)
    assert done.returncode == 2
    assert done.stderr == (
        "ipc-harness: the output cannot be written: No space left on device; make room, or write "
        "to another place\n"
    )


def test_a_reader_that_has_gone_is_no_verdict(saved: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = cli("check", saved, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_coverage_that_is_not_there_or_is_none(complaint: Complain, tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    assert complaint("coverage", path) == (
        f"cannot read {path}: No such file or directory; run `make properties` first, or give the "
        "coverage.json of another run"
    )
    for text in (
        "",
        "[]",
        '{"lock": 1}',
        '{"lock": {}}',
        '{"lock": {"programs": "x"}}',
        "[" * 9999,
    ):
        path.write_text(text)
        said = complaint("coverage", path)
        assert said.startswith(f"{path} is no coverage of a run, or is damaged (")
        assert said.endswith("; give the coverage.json that a run left")


def test_an_unknown_mechanism(complaint: Complain, tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    path.write_text("{}")
    assert complaint("coverage", path, "--mechanism", "pip") == (
        "unknown mechanism 'pip': expected one of those that were run: none"
    )


# Set-ups that cannot be had.


@pytest.mark.parametrize(
    ("mechanism", "sentence"),
    [
        ("CANNOT_CREATE", "broken: RuntimeError in an actor: no pipe today ("),
        ("CANNOT_PERFORM", "broken: ValueError in an actor: no call today ("),
        ("NO_SUCH_LIMIT", "'kernel.no_such_limit' is not a limit that a run may change"),
        ("ALL_RED", "unsupported: this machine has no red; paint it"),
    ],
)
def test_replay_of_what_cannot_be_run(tmp_path: Path, mechanism: str, sentence: str) -> None:
    def change(data: Any) -> None:
        data["program"]["setup"]["colour"] = "red"

    saved = record((), (Call(A, Acquire()),), mechanism=f"tests.subjects:{mechanism}")
    done = cli("replay", write(tmp_path / "lock.json", saved, change))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"ipc-harness: {sentence}")
    assert done.stderr.count("\n") == 1


def test_replay_where_no_process_can_be_started(saved: Path) -> None:
    done = cli("replay", saved, env=os.environ | {"IPC_HARNESS_SANDBOX": "maybe"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "ipc-harness: broken: the processes of a run cannot be started: IPC_HARNESS_SANDBOX is "
        "'maybe'; set it to on or off, or unset it\n"
    )


def test_a_verdict_is_not_lost_to_an_output_that_is_closed(saved: Path) -> None:
    def close_output() -> None:
        os.close(1)

    done = cli("check", saved, stdout=None, preexec_fn=close_output)
    assert (done.returncode, done.stderr) == (cli("check", saved).returncode, "")


def test_a_verdict_is_not_lost_to_an_output_of_few_characters(saved: Path) -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    told, plain = cli("check", saved), cli("check", saved, env=ascii_only)
    assert (plain.returncode, plain.stderr) == (told.returncode, told.stderr)
    assert plain.stdout.splitlines()[0] == told.stdout.splitlines()[0]


@pytest.mark.parametrize("words", [("doctor",), ("--help",)])
def test_a_reader_that_has_gone_ends_it_as_it_ends_others(words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = cli(*words, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_counts_are_not_awaited_from_what_is_no_file(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/full")):
        done = cli("coverage", path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"ipc-harness: {path} is not a file; run `make properties`")
