"""The terminal form of a failure."""

from dataclasses import replace

from harness.coverage import Coverage
from harness.program import Call
from harness.report.text import describe, render_summary
from harness.spec import Errno
from harness.verdict import Outcome
from tests.report_examples import (
    EVENTS,
    A,
    Acquire,
    Lock,
    Write,
    deadlock,
    history_of,
    lost_wake_up,
    returned,
)


def test_it_says_what_went_wrong_the_program_the_difference_and_the_command_in_this_order() -> None:
    failure = replace(lost_wake_up(), page="reports/lock.html")
    text = describe(failure)
    parts = [
        f"violated: {failure.verdict.sentence}",
        "A: Acquire()",
        "kill A",
        "the kernel did       asleep in their calls: B",
        "the model allows     B: Acquire(",
        "A is dead: SIGKILL",
        "to see it again      ipc-harness replay reports/lock.json",
        "the picture          reports/lock.html",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_the_steps_stand_beside_what_came_of_them() -> None:
    (line,) = [line for line in describe(lost_wake_up()).splitlines() if "Acquire(2e-05)" in line]
    texts = [text.strip() for text in line.split("  ") if text]
    assert texts == ["5", "B: Acquire(2e-05)", "sleeps in semtimedop, then returns ETIMEDOUT"]


def test_a_deadlock_says_who_waits_for_whom() -> None:
    assert "B, asleep in Acquire(), waits for C" in describe(deadlock())
    assert "C, asleep in Acquire(), waits for B" in describe(deadlock())


def test_no_text_of_a_subject_can_command_the_terminal_or_forge_a_line() -> None:
    failure = lost_wake_up()
    hostile = "\x1b[2Jgone\nto see it again      rm -rf\r\x07\ud800\u202e"
    verdict = replace(failure.verdict, sentence=hostile, observed=hostile, allowed=(hostile,))
    program = replace(failure.program, steps=(Call(A, Write(hostile, hostile)),))
    text = describe(replace(failure, program=program, verdict=verdict))
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert "\\x1b[2Jgone" in text
    again = [line for line in text.splitlines() if line.startswith("to see it again")]
    assert again == [f"to see it again      {failure.replay}"]


def test_steps_that_were_not_reached_are_counted() -> None:
    failure = lost_wake_up()
    steps = (*failure.program.steps, Call(A, Write("later")), Call(A, Write("later")))
    program = replace(failure.program, steps=steps)
    text = describe(replace(failure, program=program))
    assert "later" not in text
    assert "  11  kill A" in text
    assert "       and 2 more steps, not taken" in text


def test_a_long_program_is_cut_and_says_so() -> None:
    failure = lost_wake_up()
    program = replace(failure.program, steps=(Call(A, Acquire()),) * 1_000)
    history = history_of(*returned(A, Acquire()) * 1_000)
    text = describe(replace(failure, program=program, history=history))
    assert "… and 940 more steps" in text
    assert len(text.splitlines()) < 100


def test_the_summary_names_the_rules_that_nobody_has_seen() -> None:
    coverage = Coverage()
    steps = [(A, "acquire", True), (A, "acquire", True), (A, "exit", False)]
    coverage.count("lock", Lock.rules, Outcome.HELD, EVENTS, steps)
    assert render_summary(coverage).splitlines() == [
        "lock: 1 programs, 6 calls, 2 of 4 rules witnessed",
        "  unwitnessed: queue, release",
    ]


def test_replies_that_are_errors_are_named() -> None:
    failure = lost_wake_up()
    assert repr(Errno("EINTR")) not in describe(failure)
    assert "EINTR" in describe(failure)


def test_a_long_list_of_unseen_rules_is_cut_and_says_so() -> None:
    coverage = Coverage()
    coverage.count("big", {f"rule-{n}": "…" for n in range(50)}, Outcome.HELD, EVENTS, [])
    text = " ".join(render_summary(coverage).split())
    assert text.endswith("rule-18, rule-19, and 30 more, named in the index")
