"""The pytest plug-in: profiles, test workers that own a CPU, fixtures, reports, coverage.

Loaded through its entry point wherever ipc-harness is installed, so it imports the engine only
once a test uses it.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.coverage import Coverage
from harness.errors import BadInput, Broken, Unsupported
from harness.generate.profiles import EXAMPLES, load_profile
from harness.verdict import Outcome

PR_SET_PDEATHSIG = 1
ENTRY = "ipc_harness_entry"
COUNTED = "ipc_harness_coverage"
REFUSED = 2
"""Exit code for bad input and a broken set-up."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ipc-harness", "inter-process communication under test")
    group.addoption(
        "--ipc-profile",
        metavar="NAME",
        default=os.environ.get("IPC_HARNESS_PROFILE", "dev"),
        help=f"how much to explore: {', '.join(EXAMPLES)} (default: $IPC_HARNESS_PROFILE, or dev)",
    )
    group.addoption(
        "--ipc-reports",
        metavar="DIR",
        type=Path,
        default=Path("reports"),
        help="where reports of failures and the index of the run are written (default: reports)",
    )


def pytest_configure(config: pytest.Config) -> None:
    try:
        load_profile(config.getoption("--ipc-profile"))
    except BadInput as error:
        pytest.exit(str(error), returncode=REFUSED)
    if _worker_input(config) is not None:
        _end_with_parent()
    config.pluginmanager.register(Gathering(config), "ipc-harness-gathering")


def _worker_input(config: pytest.Config) -> dict[str, Any] | None:
    """What pytest-xdist tells its workers; ``None`` in a process that is none."""
    return getattr(config, "workerinput", None)


def _end_with_parent() -> None:
    """A test worker must not outlive the run that started it, however that ends."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _testing() -> Any:
    """The module `harness.testing` if a test has imported it: the engine is in use then."""
    return sys.modules.get("harness.testing")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    testing = _testing()
    if testing is not None:
        testing.REPORTS.folder = item.config.getoption("--ipc-reports")
        testing.REPORTS.test = item.nodeid
        name = (_worker_input(item.config) or {}).get("workerid", "gw0")
        testing.WORKER.own_cpu(int(name.removeprefix("gw")))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:
    outcome: Any = yield
    if call.excinfo is None:
        return
    error, report = call.excinfo.value, outcome.get_result()
    testing = _testing()
    if isinstance(error, Unsupported):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"unsupported: {error}")
        report.user_properties.append((ENTRY, _entry(item, Outcome.UNSUPPORTED, str(error))))
    elif isinstance(error, Broken | BadInput):
        report.longrepr = f"broken: {error}"
        report.user_properties.append((ENTRY, _entry(item, Outcome.BROKEN, str(error))))
    elif testing is not None and isinstance(error, testing.Violated):
        report.longrepr = str(error)
        report.user_properties.append((ENTRY, _failure_entry(item, error.failure)))


def _entry(item: pytest.Item, outcome: Outcome, sentence: str, **more: str) -> dict[str, str]:
    """What the index of the run says of a test that did not pass, as plain data."""
    return {"test": item.nodeid, "mechanism": "", "outcome": outcome, "sentence": sentence} | more


def _failure_entry(item: pytest.Item, failure: Any) -> dict[str, str]:
    """Draw a failure. A page that cannot be written takes nothing else down with it."""
    from harness.codec import write_whole
    from harness.report.page import render_failure

    page = Path(failure.page)
    verdict = failure.verdict
    more = {"mechanism": failure.program.mechanism, "replay": failure.replay}
    try:
        write_whole(page, render_failure(failure))
    except BadInput as refused:
        return _entry(item, verdict.outcome, f"{verdict.sentence} (no page: {refused})", **more)
    return _entry(item, verdict.outcome, verdict.sentence, page=page.name, **more)


@pytest.fixture
def scenario() -> Iterator[Callable[..., Any]]:
    """Makes a `harness.testing.Scenario`; what it was asked to do is judged at the end."""
    from harness.testing import Scenario

    opened: list[Scenario] = []

    def make(*arguments: Any, **options: Any) -> Scenario:
        opened.append(Scenario(*arguments, **options))
        return opened[-1]

    yield make
    for run in reversed(opened):
        run.end()


@pytest.fixture
def in_sandbox() -> Callable[..., Any]:
    """Runs a function of an importable module in a new process inside the sandbox."""
    from harness.testing import WORKER

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        return WORKER.lockstep.run(f"{function.__module__}:{function.__qualname__}", *arguments)

    return call


class Gathering:
    """Adds up what the test workers have counted and found, and tells it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.coverage = Coverage()
        self.entries: list[dict[str, str]] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        counted = getattr(node, "workeroutput", {}).get(COUNTED)
        if counted is not None:
            self.coverage.add(Coverage.from_data(json.loads(counted)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.entries += [value for name, value in report.user_properties if name == ENTRY]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        testing = _testing()
        if testing is not None:
            testing.WORKER.close()
            self.coverage.add(testing.WORKER.coverage)
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output[COUNTED] = json.dumps(self.coverage.to_data())

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self.coverage.mechanisms and not self.entries:
            return
        from harness.report.text import render_summary

        terminalreporter.section("inter-process communication")
        terminalreporter.write_line(render_summary(self.coverage))
        for entry in self.entries:
            if entry["outcome"] == Outcome.UNSUPPORTED:
                terminalreporter.write_line(f"unsupported: {entry['test']}: {entry['sentence']}")
        terminalreporter.write_line(self._write_index())

    def _write_index(self) -> str:
        from harness.codec import write_whole
        from harness.report.index import Entry, Summary, render_index
        from harness.testing import machine

        folder: Path = self.config.getoption("--ipc-reports")
        path = folder / "index.html"
        entries = [
            Entry(**entry | {"outcome": Outcome(entry["outcome"])})  # type: ignore[arg-type]
            for entry in self.entries
        ]
        try:
            write_whole(path, render_index(Summary(self.coverage, entries, machine())))
            counted = json.dumps(self.coverage.to_data(), indent=1)
            write_whole(folder / "coverage.json", counted)
        except BadInput as refused:
            return str(refused)
        return f"report of the run: {path}"
