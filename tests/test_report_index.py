"""The index of a run."""

from harness.coverage import Coverage
from harness.report.index import Entry, Summary, render_index
from harness.verdict import Outcome
from tests.html_reading import Page
from tests.report_examples import EVENTS, KEEPER, A, B, C, Lock

STEPS = [
    (KEEPER, "acquire", True),
    (A, "acquire", True),
    (B, "timed out", True),
    (C, "interrupted", True),
    (A, "exit", False),
]


def coverage() -> Coverage:
    found = Coverage()
    found.count("lock", Lock.rules, Outcome.VIOLATED, EVENTS, STEPS)
    found.count("lock", Lock.rules, Outcome.HELD, EVENTS, STEPS)
    return found


def entry(**changed: str) -> Entry:
    given = {"test": "test_lock[1]", "mechanism": "lock", "sentence": "B is still asleep"}
    return Entry(**(given | changed), outcome=Outcome.VIOLATED)


def test_failures_are_listed_with_their_page_and_command() -> None:
    found = entry(page="test_lock[1].html", replay="ipc-harness replay x.json")
    page = Page(render_index(Summary(coverage(), [found])))
    assert page.links == {"./test_lock%5B1%5D.html": "B is still asleep"}
    assert "ipc-harness replay x.json" in page.text
    assert "test_lock[1]" in page.text


def test_what_has_no_page_is_listed_without_a_link() -> None:
    page = Page(render_index(Summary(coverage(), [entry()])))
    assert page.links == {}
    assert "B is still asleep" in page.text


def test_rules_that_nobody_has_seen_are_named_with_their_sentence() -> None:
    text = Page(render_index(Summary(coverage()))).text
    assert "2 of 4 rules witnessed" in text
    unwitnessed = text[text.index("Unwitnessed") : text.index("How calls ended")]
    assert "queue: who finds it taken waits in line" in unwitnessed
    assert "release: its holder frees it" in unwitnessed
    assert "acquire" not in unwitnessed


def test_ways_of_ending_are_counted_by_operation() -> None:
    text = Page(render_index(Summary(coverage()))).text
    assert "slept, then timed out: ETIMEDOUT 2" in text
    assert "slept, then interrupted: EINTR 2" in text


def test_verdicts_are_counted() -> None:
    text = Page(render_index(Summary(coverage()))).text
    assert "1 held 1 violated 0 undecided 0 broken 0 unsupported" in text


def test_a_run_without_programs_claims_nothing() -> None:
    text = Page(render_index(Summary(Coverage()))).text
    assert "No program was run, so this run says nothing" in text


def test_hostile_names_stay_text() -> None:
    hostile = "<script>alert(1)</script>\"'\ud800"
    bad = entry(test=hostile, mechanism=hostile, sentence=hostile, page="javascript:alert(1)")
    counted = Coverage()
    counted.count(hostile, {hostile: hostile}, Outcome.HELD, EVENTS, [])
    page = Page(render_index(Summary(counted, [bad], {hostile: hostile})))
    assert "script" not in page.tags
    assert list(page.links) == ["./javascript%3Aalert%281%29"]
    assert page.text.count("<script>alert(1)</script>") >= 7
