"""The pytest plug-in: profiles, test workers that own a CPU, fixtures, reports, coverage."""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative
from hypothesis.errors import FailedHealthCheck, Unsatisfiable

from harness.codec import write_whole
from harness.coverage import Coverage
from harness.errors import BadInput, Broken, Halt, NotSetUp, Unsupported
from harness.findings import REPORTS, Violated, keep, machine, violated_in
from harness.generate.profiles import EXAMPLES, load_profile
from harness.report.index import Entry, Summary, render_index
from harness.report.page import render_failure
from harness.report.text import describe, render_summary
from harness.run import Run
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
        REPORTS.begin(item.config.getoption("--ipc-reports"), item.nodeid)
        name = (_worker_input(item.config) or {}).get("workerid", "gw0")
        testing.WORKER.own_cpu(int(name.removeprefix("gw")))


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if call.when == "call":
        for lacking in sorted(REPORTS.unsupported):
            _tell(report, item, Outcome.UNSUPPORTED, lacking)
    if call.excinfo is not None:
        error = call.excinfo.value
        _explain(item, report, violated_in(error) or error)


def _explain(item: pytest.Item, report: pytest.TestReport, error: BaseException) -> None:
    """Say in our own words what has ended a test."""
    match error:
        case Halt():
            _explain(item, report, error.error)
        case Unsupported():
            _tell(report, item, Outcome.UNSUPPORTED, str(error))
            _skip(report, item, str(error))
        case Unsatisfiable() | FailedHealthCheck() if REPORTS.unsupported:
            _skip(report, item, "; ".join(sorted(REPORTS.unsupported)))
        case Broken() | BadInput():
            _say(report, item, f"broken: {error}")
            # Another seed would not mend it.
            report.sections = [(name, _) for name, _ in report.sections if name != "Hypothesis"]
            _tell(report, item, Outcome.BROKEN, str(error).partition("\n")[0])
            if isinstance(error, NotSetUp):
                item.session.shouldstop = f"broken: {error}"
        case Violated():
            _report_violation(item, report, _smallest(error))


def _say(report: pytest.TestReport, item: pytest.Item, text: str) -> None:
    """Show this text in the place of a traceback, and its first line in the summary: pytest
    would repeat a plain string there as a whole where it runs for a CI."""
    path, line, _ = item.location
    where = ReprFileLocation(path, (line or 0) + 1, text.partition("\n")[0])
    report.longrepr = ReprExceptionInfo(ReprTracebackNative([text, "\n"]), where)


def _tell(
    report: pytest.TestReport, item: pytest.Item, outcome: Outcome, sentence: str, **more: str
) -> None:
    """Have the index of the run say something of a test, as plain data."""
    entry = {"test": item.nodeid, "mechanism": "", "outcome": outcome.value, "sentence": sentence}
    report.user_properties.append((ENTRY, entry | more))


def _skip(report: pytest.TestReport, item: pytest.Item, lacking: str) -> None:
    report.outcome = "skipped"
    report.longrepr = (str(item.path), item.location[1] or 0, f"unsupported: {lacking}")


def _smallest(violated: Violated) -> Run:
    """The run with the least steps; the one that was seen, if the machine fails meanwhile."""
    try:
        return violated.reduced()
    except (BadInput, Broken, Unsupported):
        return violated.run


def _report_violation(item: pytest.Item, report: pytest.TestReport, run: Run) -> None:
    """Keep and draw a failure. What cannot be written takes nothing else down with it."""
    failure, verdict = REPORTS.failure(run), run.verdict
    text = describe(failure)
    more = {"mechanism": run.mechanism, "replay": failure.replay}
    try:
        keep(run)
        write_whole(Path(failure.page), render_failure(failure))
        more["page"] = Path(failure.page).name
    except BadInput as refused:
        text = f"{text}\nnot kept: {refused}"
        _tell(report, item, Outcome.BROKEN, f"what was found is not kept: {refused}")
    _say(report, item, text)
    _tell(report, item, verdict.outcome, verdict.sentence, **more)


@pytest.fixture
def scenario() -> Iterator[Callable[..., Any]]:
    """Makes a `harness.testing.Scenario`; what it was asked to do is judged at the end."""
    from harness.testing import WORKER, Scenario

    opened: list[Scenario] = []

    def make(*arguments: Any, **options: Any) -> Scenario:
        opened.append(Scenario(*arguments, worker=WORKER, **options))
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
        self.entries: list[Entry] = []
        self.refused = ""
        """Why the index could not be written, if so."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        counted = getattr(node, "workeroutput", {}).get(COUNTED)
        if counted is not None:
            self.coverage.add(Coverage.from_data(json.loads(counted)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == ENTRY and isinstance(value, dict):
                self.entries.append(Entry(**value | {"outcome": Outcome(value["outcome"])}))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        testing = _testing()
        if testing is not None:
            testing.WORKER.close()
            self.coverage.add(testing.WORKER.coverage)
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output[COUNTED] = json.dumps(self.coverage.to_data())
        elif self.in_use:
            self._write_index()
            if self.refused or any(entry.outcome is Outcome.BROKEN for entry in self.entries):
                session.exitstatus = REFUSED

    @property
    def in_use(self) -> bool:
        return bool(self.coverage.mechanisms or self.entries)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.in_use:
            return
        terminalreporter.section("inter-process communication")
        terminalreporter.write_line(render_summary(self.coverage))
        for entry in self.entries:
            if entry.outcome in (Outcome.UNSUPPORTED, Outcome.BROKEN):
                terminalreporter.write_line(f"{entry.outcome}: {entry.test}: {entry.sentence}")
        terminalreporter.write_line(self.refused or f"report of the run: {self._index}")

    @property
    def _index(self) -> Path:
        folder: Path = self.config.getoption("--ipc-reports")
        return folder / "index.html"

    def _write_index(self) -> None:
        summary = Summary(self.coverage, self.entries, machine())
        try:
            write_whole(self._index, render_index(summary))
            counted = json.dumps(self.coverage.to_data(), indent=1)
            write_whole(self._index.with_name("coverage.json"), counted)
        except BadInput as refused:
            self.refused = f"broken: {refused}"
