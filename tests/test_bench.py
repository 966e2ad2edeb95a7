"""The figures are measured and written down as they are asked for; how large they are is for
`make bench`, never for a test."""

import json
from pathlib import Path

import pytest

from harness import bench
from harness.bench.checking import checker_events
from harness.bench.throughput import throughput
from harness.errors import BadInput
from harness.generate.programs import KILLS

ASKED = {
    "lockstep-examples": 400,
    "lockstep-calls": 7_000,
    "lockstep-kill-examples": 200,
    "checker-events": 150_000,
    "naive-ratio": 200,
    "xdist-scaling": 1.8,
}


def test_every_figure_is_measured_against_what_is_asked() -> None:
    assert {name: measure.asked for name, measure in bench.MEASURES.items()} == ASKED


def test_a_figure_is_printed_and_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([3.0, 1.0, 2.0])
    measure = bench.Measure("examples/s", 400, lambda: next(values))
    monkeypatch.setitem(bench.MEASURES, "lockstep-examples", measure)
    file = tmp_path / "bench.json"
    assert bench.run_bench(["lockstep-examples"], None, file) == 0
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row == ["lockstep-examples", "2.0", "1.0", "3.0", "400", "examples/s"]
    written = json.loads(file.read_text())
    assert written["figures"] == [
        {"name": "lockstep-examples", "value": 2.0, "unit": "examples/s", "asked": 400}
    ]
    assert {"kernel", "Python", "CPUs", "load"} <= set(written["machine"])


@pytest.mark.parametrize("name", ["lockstep-kill-examples", "checker-events"])
def test_what_is_measured_really_runs(name: str) -> None:
    small = {
        "lockstep-kill-examples": lambda: throughput(5, KILLS, 10)[1],
        "checker-events": lambda: checker_events(3),
    }
    assert small[name]() > 10


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never() -> float:
        raise AssertionError("measured")

    monkeypatch.setitem(bench.MEASURES, "checker-events", bench.Measure("events/s", 1, never))
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(BadInput, match="cannot write"):
        bench.run_bench(["checker-events"], 1, file / "bench.json")
