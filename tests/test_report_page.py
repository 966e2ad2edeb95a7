"""The HTML page of a failure: true, complete, self-contained, and deaf to hostile content."""

import errno
import html
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.codec import decode, vocabulary, write_whole
from harness.errors import BadInput
from harness.history import Invoke, Return
from harness.program import Call, Program
from harness.report.failure import Failure
from harness.report.page import render_failure
from harness.verdict import Outcome, Taken, Verdict
from tests.html_reading import Page
from tests.report_examples import (
    A,
    Acquire,
    Setup,
    Write,
    deadlock,
    history_of,
    judged,
    lost_wake_up,
    returned,
)

HOSTILE = "</pre></title></style><script>alert(1)</script><img src=x onerror=alert(1)>'\"&\ud800"


def page_of(failure: Failure) -> Page:
    return Page(render_failure(failure))


def writing(data: object, **verdict: object) -> Failure:
    """One call with this payload, whose echo is wrong."""
    program = Program("m:X", Setup(str(data)[:100]), 3, (Call(A, Write(data, str(data))),))
    events = history_of(*returned(A, Write(data, str(data)), data))
    given = {"outcome": Outcome.VIOLATED, "sentence": "wrong", "event": 1} | verdict
    return Failure(program, events, Verdict(**given), replay="replay")  # type: ignore[arg-type]


def test_it_says_everything_that_the_terminal_says() -> None:
    failure = lost_wake_up()
    text = page_of(failure).text
    for part in (
        failure.verdict.sentence,
        "lost wake-up",
        "5 B: Acquire(2e-05) sleeps in semtimedop, then returns ETIMEDOUT",
        "11 kill A is ended by SIGKILL",
        "What the kernel did asleep in their calls: B",
        "What the model allows B: Acquire(",
        "ipc-harness replay reports/lock.json",
        "kernel: Linux 6.18",
    ):
        assert part in text


def test_rules_stand_with_their_sentences_and_with_what_they_changed() -> None:
    text = page_of(lost_wake_up()).text
    assert "the death of its holder frees it" in text
    assert "free: 1 → 0" in text
    assert "waiting: () → (1,)" in text
    assert "the first state Holding(free=1, holders=(), waiting=())" in text


def test_the_kernel_evidence_is_told() -> None:
    text = page_of(lost_wake_up()).text
    assert "state S (asleep), inside the system call semtimedop" in text
    assert "still asleep, and did not run at all for 1 s" in text
    assert "could be reaped; ended by SIGKILL" in text


def test_the_raw_history_is_the_history() -> None:
    failure = lost_wake_up()
    raw = render_failure(failure).split("as data</summary>")[1].split("<pre>")[1].split("</pre>")[0]
    classes = vocabulary("tests.report_examples")
    events = [decode(json.loads(line), classes) for line in html.unescape(raw).splitlines()]
    assert tuple(events) == failure.history


def test_it_needs_nothing_from_outside_and_runs_nothing() -> None:
    for failure in (lost_wake_up(), deadlock()):
        page = page_of(failure)
        assert not page.tags & {"script", "link", "img", "iframe", "object", "base"}
        addresses = [value for name, value in page.attributes if name in ("src", "href", "action")]
        assert addresses == []
        outside = page.html.replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?:|@import|url\((?!#)", outside)
        assert ("http-equiv", "Content-Security-Policy") in page.attributes


def labels(failure: Failure, kind: str) -> list[str]:
    picture = page_of(failure).pictures[7]
    return [
        "".join(text.itertext())
        for text in picture.iter("{http://www.w3.org/2000/svg}text")
        if text.get("class") == kind
    ]


def boxes(failure: Failure) -> list[str]:
    picture = page_of(failure).pictures[7]
    return [box.get("class", "") for box in picture.iter("{http://www.w3.org/2000/svg}rect")]


def test_the_picture_has_a_lane_for_each_process_the_faults_and_the_object() -> None:
    heads = ["event", "faults", "A", "B", "C", "keeper", "the object, by the model"]
    assert labels(lost_wake_up(), "head")[:14:2] == heads
    assert {"free", "holders", "waiting"} < set(labels(lost_wake_up(), "head"))


def test_the_picture_shows_calls_sleep_stop_death_and_faults() -> None:
    failure = lost_wake_up()
    assert labels(failure, "call").count("Acquire()") == 4
    assert "→ ETIMEDOUT" in labels(failure, "reply")
    assert {"asleep", "asleep open", "running", "stopped", "wrong-band"} <= set(boxes(failure))
    faults = ["stop C", "time-out B", "continue C", "signal C", "kill A"]
    assert labels(failure, "fault") == faults
    assert "dead: SIGKILL" in labels(failure, "note")
    assert "still asleep" in labels(failure, "wrong")


def test_a_process_that_nothing_happened_to_has_a_narrow_lane() -> None:
    wide = page_of(lost_wake_up()).pictures[7].get("width", "0")
    only_one = judged(steps=(), events=history_of(*returned(A, Acquire())))
    assert int(page_of(only_one).pictures[7].get("width", "0")) < int(wide) - 300


def test_steps_that_were_not_reached_are_set_apart() -> None:
    failure = lost_wake_up()
    program = replace(failure.program, steps=(*failure.program.steps, Call(A, Write("later"))))
    text = page_of(replace(failure, program=program)).text
    assert "11 kill A is ended by SIGKILL 1 more, not taken 12 A: Write('later')" in text


def test_the_levels_follow_the_state() -> None:
    levels = labels(lost_wake_up(), "level")
    assert {"0", "1"} == set(levels)


def test_a_call_whose_process_was_killed_in_it_is_marked() -> None:
    failure = deadlock()
    assert "asleep killed" not in boxes(failure)
    killed = replace(failure, history=(Invoke(0, A, Acquire()), *failure.history[2:]))
    assert "running killed" in boxes(killed)


def test_a_deadlock_has_its_graph_in_words_and_as_a_picture() -> None:
    page = page_of(deadlock())
    assert "B, asleep in Acquire(), waits for C" in page.text
    assert len([p for p in page.pictures if p.get("aria-label") == "Who waits for whom"]) == 1
    assert "Who waits for whom" not in page_of(lost_wake_up()).text


@pytest.mark.parametrize("data", [HOSTILE, HOSTILE.encode("utf-8", "backslashreplace")])
def test_hostile_content_stays_text(data: object) -> None:
    state = f"S(a={HOSTILE!r})"
    failure = writing(
        data,
        sentence=HOSTILE,
        kind=HOSTILE,
        observed=HOSTILE,
        allowed=(HOSTILE,),
        trail=(Taken(1, A, Write(data), HOSTILE, HOSTILE, state), Taken(1, A, None, "r", None, "")),
    )
    failure = replace(
        failure,
        replay=HOSTILE,
        rules={HOSTILE: HOSTILE},
        start=HOSTILE,
        machine={HOSTILE: HOSTILE},
        record=HOSTILE,
    )
    page = page_of(failure)
    assert not page.tags & {"script", "img"}
    assert not any(name == "onerror" for name, _ in page.attributes)
    assert all(picture.tag.endswith("svg") for picture in page.pictures)
    assert page.text.count("<script>alert(1)</script>") > 10


def test_a_huge_payload_is_whole_in_the_raw_history_and_short_elsewhere() -> None:
    page = page_of(writing(b"q" * 1_000_000))
    assert "q" * 1_000_000 in page.html
    shown = page.html.split('<details id="raw">')[0]
    assert len(shown) < 60_000
    assert "(1000000 bytes)" in shown


def test_what_the_page_cannot_hold_is_said_and_is_in_the_record() -> None:
    data = b"q" * 3_000_000
    page = page_of(replace(writing(data), record="reports/x.json"))
    assert "more events are in reports/x.json" in page.text


def test_a_very_long_history_is_pictured_around_its_verdict() -> None:
    events = history_of(*[e for _ in range(4_000) for e in returned(A, Write(b"x"))])
    failure = replace(writing(b"x", event=7_999), history=events)
    page = page_of(failure)
    assert "The picture shows events 5000 to 7999 of 8000" in page.text
    assert "The history, 8000 events" in page.text


def test_an_empty_history_makes_a_page() -> None:
    program = Program("m:X", Setup(), 2, ())
    verdict = Verdict(Outcome.BROKEN, "the zygote did not start")
    page = page_of(Failure(program, (), verdict, replay="replay"))
    assert "the zygote did not start" in page.text
    assert "no steps" in page.text


def test_a_run_that_held_makes_a_page() -> None:
    events = history_of(Invoke(0, A, Acquire()), Return(0, A, None, 0))
    failure = judged(steps=(Call(A, Acquire()),), events=events)
    assert failure.verdict.outcome is Outcome.HELD
    assert "One explanation of what happened" in page_of(failure).text


def test_a_full_disk_is_said_and_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock.html"
    path.write_text("the old page")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(BadInput, match=r"cannot write .*lock\.html: No space left on device; make"):
        write_whole(path, render_failure(lost_wake_up()))
    assert path.read_text() == "the old page"
    assert os.listdir(tmp_path) == ["lock.html"]


def test_the_levels_are_of_parts_that_last() -> None:
    states = ("S(line=(), free=3)", "S(line=(W(who=2),), free=3)", "S(line=(W(who=1),), free=2)")
    trail = tuple(Taken(1, A, Acquire(), "rule", None, state) for state in states[1:])
    failure = replace(writing(b"x", trail=trail), start=states[0])
    assert labels(failure, "head")[-4::2] == ["free", "line"]
