"""The pytest plug-in: profiles, test workers that own a CPU, fixtures, reports, coverage."""

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative
from hypothesis import settings
from hypothesis.errors import FailedHealthCheck, InvalidArgument, Unsatisfiable

from harness.codec import write_whole
from harness.coverage import Coverage
from harness.errors import BadInput, Broken, Halt, NotSetUp, Unseen, Unsupported
from harness.execute.sandbox import die_with_parent
from harness.findings import REPORTS, Undecided, Violated, keep, machine, violated_in
from harness.generate.profiles import EXAMPLES, profile
from harness.report.index import Entry, Summary, render_index
from harness.report.page import render_failure
from harness.report.text import describe, render_summary
from harness.run import Run
from harness.verdict import EXIT_CODES, Outcome

ENTRY = "ipc_harness_entry"
NAMESPACES = "ipc_harness_namespaces"
COUNTED = "ipc_harness_coverage"
REFUSED = "ipc_harness_refused"
PARENT = pytest.StashKey[int]()
"""The process that started this one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ipc-harness", "inter-process communication under test")
    group.addoption(
        "--ipc-profile",
        metavar="NAME",
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
    config.stash[PARENT] = os.getppid()
    config.addinivalue_line(
        "markers", "conformance(trial): a property made by harness.testing.conformance"
    )
    if config.getoption("--ipc-profile") is not None:
        _settings(config)
    config.pluginmanager.register(Gathering(config), "ipc-harness-gathering")


def _settings(config: pytest.Config) -> settings:
    """What the profile asks for. Ends the run if there is no such profile."""
    try:
        return profile(_named(config))
    except BadInput as error:
        output = getattr(config, "workeroutput", {})
        output[REFUSED] = str(error)
        pytest.exit(str(error), returncode=EXIT_CODES[Outcome.BROKEN])


def _named(config: pytest.Config) -> str:
    """The profile's name."""
    chosen = config.getoption("--ipc-profile") or os.environ.get("IPC_HARNESS_PROFILE")
    return str(chosen or "dev")


def _worker_input(config: pytest.Config) -> dict[str, Any] | None:
    """What pytest-xdist tells its workers; ``None`` in a process that is none."""
    return getattr(config, "workerinput", None)


def _testing() -> Any:
    """The module `harness.testing` if a test has imported it: the engine is in use then."""
    return sys.modules.get("harness.testing")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the properties, and no other test, explore what the profile asks for."""
    if _testing() is not None and _worker_input(session.config) is not None:
        # A test worker must not outlive the run that started it, however that ends.
        die_with_parent(session.config.stash[PARENT])
    functions = [item for item in session.items if isinstance(item, pytest.Function)]
    properties = {item.function for item in functions if _trial(item) is not None}
    if properties:
        wanted = _settings(session.config)
        for test in properties:
            # Hypothesis refuses it to one that has settings: its user's own.
            with contextlib.suppress(InvalidArgument):
                wanted(test)


def _trial(item: pytest.Item) -> Any:
    """The trial of a property; ``None`` of any other test."""
    marker = item.get_closest_marker("conformance")
    return marker and marker.args[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    trial = _trial(item)
    with contextlib.nullcontext() if trial is None else trial.part():
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if not {"scenario", "in_sandbox"}.isdisjoint(getattr(item, "fixturenames", ())):
        import_module("harness.testing")
    testing = _testing()
    if testing is not None:
        REPORTS.begin(item.config.getoption("--ipc-reports"), item.nodeid)
        name = (_worker_input(item.config) or {}).get("workerid", "gw0")
        testing.WORKER.own_cpu(int(name.removeprefix("gw")))
        REPORTS.about["profile"] = _named(item.config)


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
        case Unseen():
            _say(report, item, f"undecided: {error}")
            _tell(report, item, Outcome.UNDECIDED, str(error))
        case Undecided():
            _report_run(item, report, error.run)
        case Violated():
            _report_run(item, report, _smallest(error))


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


def _report_run(item: pytest.Item, report: pytest.TestReport, run: Run) -> None:
    """Keep and draw what did not hold. What cannot be written takes nothing else down with it."""
    testing = _testing()
    if testing is not None:
        REPORTS.about["namespaces"] = testing.WORKER.namespaces
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
        return WORKER.crew.run(f"{function.__module__}:{function.__qualname__}", *arguments)

    return call


class Gathering:
    """Adds up what the test workers have counted and found, and tells it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.coverage = Coverage()
        self.entries: list[Entry] = []
        self.namespaces = ""
        """The namespaces of the run's sandboxes, in words."""
        self.refused = ""
        """Why the index could not be written, if so."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", {})
        if REFUSED in output:
            pytest.exit(output[REFUSED], returncode=EXIT_CODES[Outcome.BROKEN])
        self.namespaces = self.namespaces or output.get(NAMESPACES, "")
        counted = output.get(COUNTED)
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
            self.namespaces = self.namespaces or testing.WORKER.namespaces
            testing.WORKER.close()
            self.coverage.add(testing.WORKER.coverage)
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output[COUNTED] = json.dumps(self.coverage.to_data())
            output[NAMESPACES] = self.namespaces
        elif self.in_use:
            self._write_index()
            session.exitstatus = self._exit_code(session)

    def _exit_code(self, session: pytest.Session) -> int:
        """pytest's own, but for what it does not know: a broken set-up, and a run of which
        nothing worse can be said than that some of it is undecided."""
        outcomes = Counter(entry.outcome for entry in self.entries)
        if self.refused or outcomes[Outcome.BROKEN]:
            return EXIT_CODES[Outcome.BROKEN]
        failed = session.exitstatus == pytest.ExitCode.TESTS_FAILED
        if failed and session.testsfailed == outcomes[Outcome.UNDECIDED]:
            return EXIT_CODES[Outcome.UNDECIDED]
        return session.exitstatus

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
        about = {
            "profile": _named(self.config),
            "namespaces": self.namespaces or "none were needed",
            "ended": datetime.now().astimezone().isoformat(" ", "seconds"),
        }
        summary = Summary(self.coverage, self.entries, machine() | about)
        try:
            write_whole(self._index, render_index(summary))
            counted = json.dumps(self.coverage.to_data(), indent=1)
            write_whole(self._index.with_name("coverage.json"), counted)
        except BadInput as refused:
            self.refused = f"broken: {refused}"
