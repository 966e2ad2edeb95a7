"""Records: what is written can be read again, and what was tampered with is refused."""

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.codec import Record, decode, dump, encode, load, save, vocabulary, write_whole
from harness.errors import BadInput
from harness.generate.programs import Programs
from harness.history import Died, Invoke
from harness.mechanism import Mechanism
from harness.program import Call, Kill, Program
from harness.references import resolve
from harness.spec import Dies, Errno
from tests.planted.bug import Bug
from tests.saved import record, write
from tests.subjects import Acquire, Setup

ROWS = ("properties.pipe:PIPE", "properties.posix_mq:POSIX_MQ", "properties.sysv_sem:SYSV_SEM")
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.builds(Errno, st.text())
    | st.builds(Dies, st.text())
    | st.builds(Setup, st.text()),
    lambda values: st.lists(values).map(tuple),
    max_leaves=10,
)


@given(PLAIN)
def test_every_plain_value_comes_back(value: Any) -> None:
    data = json.loads(json.dumps(encode(value)))
    assert decode(data, vocabulary("tests.subjects")) == value


@pytest.mark.parametrize("value", [[1], {1: 2}, {1}, object(), 1j])
def test_what_is_no_plain_value_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError, match="is not plain data: use numbers, text, bytes, tuples"):
        encode(value)


@pytest.mark.parametrize("row", ROWS)
@given(data=st.data())
def test_every_program_of_every_mechanism_comes_back(
    tmp_path_factory: pytest.TempPathFactory, row: str, data: st.DataObject
) -> None:
    mechanism = resolve(row)
    program = data.draw(Programs(mechanism).strategy())
    path = tmp_path_factory.getbasetemp() / "program.json"
    save(Record(program, ()), path)
    assert load(path).program == program


def test_a_record_comes_back_whole(tmp_path: Path) -> None:
    saved = record(deadlock_allowed=False, machine={"kernel": "Linux 6.18"})
    save(saved, tmp_path / "deep" / "lock.json")
    assert load(tmp_path / "deep" / "lock.json") == saved


def test_a_record_is_readable_and_has_an_event_a_line() -> None:
    lines = dump(record()).splitlines()
    assert any('"mechanism": "tests.subjects:TOKEN_LOCK"' in line for line in lines)
    assert sum('{"is": "Return"' in line for line in lines) == 3


def set_in(*path: Any, to: Any) -> Callable[[Any], None]:
    """A change to a record's data: the place and what to put there."""

    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = to

    return change


DAMAGE = {
    "another format": (set_in("format", to="zip"), "is no saved record of ipc-harness"),
    "a later version": (set_in("version", to=2), "in version 2 of the format, expected version 1"),
    "a true version": (set_in("version", to=True), "in version True of the format"),
    "no version": (set_in("version", to=None), "in version None of the format"),
    "no program": (set_in("program", to=None), 'its "program" is None, expected a dict'),
    "no history": (set_in("history", to="x"), "its \"history\" is 'x', expected a list"),
    "a mechanism that is none": (
        set_in("program", "mechanism", to=7),
        '7 names nothing: expected "module:attribute"',
    ),
    "a mechanism that is not here": (
        set_in("program", "mechanism", to="not_here:LOCK"),
        "No module named 'not_here'; expected a module that can be imported here; run in the",
    ),
    "a mechanism that its module lacks": (
        set_in("program", "mechanism", to="tests.subjects:GOLDEN_LOCK"),
        "has no attribute 'GOLDEN_LOCK'",
    ),
    "no actors": (set_in("program", "actors", to=0), "0 actors, expected 1 to 26"),
    "true actors": (set_in("program", "actors", to=True), "True actors, expected 1 to 26"),
    "too many actors": (set_in("program", "actors", to=10**9), "expected 1 to 26"),
    "actors in words": (set_in("program", "actors", to="two"), "actors is 'two', expected int"),
    "a step that is none": (set_in("program", "steps", 0, to=[1]), "steps is ((1,),"),
    "a step of nobody": (
        set_in("program", "steps", 0, "who", to=3),
        "step 0 names process 3, expected 0 to 2",
    ),
    "a step with a field too many": (
        set_in("program", "steps", 0, "why", to=1),
        "unexpected keyword argument 'why'",
    ),
    "a set-up with a field of another type": (
        set_in("program", "setup", "colour", to=1),
        "is no Setup: colour is 1, expected str",
    ),
    "an event that is none": (set_in("history", 0, to=5), "event 0 is 5, no event"),
    "an event of nobody": (
        set_in("history", 0, "who", to=-1),
        "event 0 names process -1, expected 0 to 2",
    ),
    "an event before the beginning": (set_in("history", 0, "time", to=-1), "happened at -1 ns"),
    "an event after the end of time": (set_in("history", 0, "time", to=1 << 70), "it happened at"),
    "a return without a call": (
        set_in("history", 1, "who", to=1),
        "event 1 says that process 1 is inside a call that it has not made",
    ),
    "a call within a call": (
        set_in("history", 1, to=encode(Invoke(2_000, 0, Acquire()))),
        "event 1 says that process 0 makes a call inside another",
    ),
    "a call of the dead": (
        set_in("history", 1, to=encode(Died(2_000, 1, "SIGKILL"))),
        "event 2 says that process 1 is alive, which had died",
    ),
    "a sleeper without a call": (
        set_in("history", 4, "asleep", to=[0]),
        "event 4 says that process 0 sleeps in a call that it has not made",
    ),
    "bytes that are none": (
        set_in("history", 1, "reply", to={"base64": "?"}),
        "{'base64': '?'} does not decode",
    ),
    "a value of no kind": (
        set_in("history", 1, "reply", to={"a": 1, "b": 2}),
        "{'a': 1, 'b': 2} is not a value of a saved record",
    ),
    "a sentence that is none": (set_in("sentence", to=1), 'its "sentence" is 1, expected a str'),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_record_is_refused_with_the_reason(tmp_path: Path, what: str) -> None:
    change, reason = DAMAGE[what]
    path = write(tmp_path / "lock.json", record(), change)
    with pytest.raises(BadInput) as refused:
        load(path)
    assert str(refused.value).startswith(str(path))
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "is not JSON, or is cut off"),
        (dump(record()).encode()[:-40], "is not JSON, or is cut off"),
        (b"\xff\xfe\x00", "is not JSON, or is cut off"),
        (b"[" * 100_000, "is not JSON, or is cut off"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "is not JSON, or is cut off"),
        (b"[]", "is no saved record of ipc-harness"),
        (b"null", "is no saved record of ipc-harness"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: bytes, reason: str) -> None:
    path = tmp_path / "lock.json"
    path.write_bytes(text)
    with pytest.raises(BadInput, match=reason):
        load(path)


def test_a_record_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    reply: Any = None
    for _ in range(600):
        reply = [reply]
    path = write(tmp_path / "lock.json", record(), set_in("history", 1, "reply", to=reply))
    with pytest.raises(BadInput, match="is nested deeper than any record"):
        load(path)


def test_only_files_are_read_and_nothing_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, reason in (
        (tmp_path / "fifo", "is not a file; give a saved record"),
        (Path("/dev/zero"), "is not a file; give a saved record"),
        (tmp_path, "Is a directory; give a saved record"),
        (tmp_path / "none.json", "No such file or directory; give a saved record"),
    ):
        with pytest.raises(BadInput, match=reason):
            load(path)


OF_ANOTHER = "is no dataclass of its mechanism's"


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "subprocess:Popen",
        "harness.mechanism:Mechanism",
        f"{Bug.__module__}:{Bug.__qualname__}",
        "models.sysv_sem.operations:SemSetup",
        "tests.subjects:TokenPipe",
        "tests.subjects:calls",
        "tests.subjects:Setup.__init__",
        "Exit",
        "",
        7,
        None,
    ],
)
def test_a_record_cannot_name_what_is_not_of_its_mechanism(tmp_path: Path, name: Any) -> None:
    path = write(tmp_path / "lock.json", record(), set_in("program", "setup", to={"is": name}))
    with pytest.raises(BadInput, match=OF_ANOTHER):
        load(path)


def test_a_class_that_a_record_names_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('the trap was imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = write(
        tmp_path / "lock.json", record(), set_in("program", "setup", to={"is": "trap:Setup"})
    )
    with pytest.raises(BadInput, match=OF_ANOTHER):
        load(path)
    assert "trap" not in sys.modules


def test_a_mechanism_whose_module_fails_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = write(tmp_path / "lock.json", record(mechanism="ends:LOCK"))
    with pytest.raises(BadInput, match=r"'ends:LOCK' cannot be imported: SystemExit: 3"):
        load(path)


def test_the_vocabulary_reaches_what_a_mechanism_draws_on_and_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass {}: pass\n"
    nested = "class Outer:\n    @dataclass(frozen=True)\n    class Inner: pass\n"
    files = {
        "far": values.format("Far"),
        "near": values.format("Near") + "from far import Far as _\n",
        "row": values.format("Own") + nested + "import near\nfrom near import Near\nN = Near()\n",
        "aside": values.format("Aside"),
    }
    for name, text in files.items():
        (tmp_path / f"vocabulary_{name}.py").write_text(
            text.replace("import near", "import vocabulary_near as near")
            .replace("from near", "from vocabulary_near")
            .replace("from far", "from vocabulary_far")
        )
    monkeypatch.syspath_prepend(tmp_path)
    resolve("vocabulary_aside:Aside")
    resolve("vocabulary_row:Own")
    assert sorted(vocabulary("vocabulary_row")) == [
        "vocabulary_far:Far",
        "vocabulary_near:Near",
        "vocabulary_row:Outer.Inner",
        "vocabulary_row:Own",
    ]


@given(st.data())
def test_however_a_record_is_changed_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = json.loads(dump(record()))
    place = data.draw(st.sampled_from(sorted(places(text), key=repr)))
    junk: st.SearchStrategy[Any] = (
        st.none() | st.integers() | st.text() | st.just([]) | st.just({}) | st.booleans()
    )
    set_in(*place, to=data.draw(junk))(text)
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_text(json.dumps(text), encoding="utf-8")
    with contextlib.suppress(BadInput):
        load(path)


def places(data: Any) -> list[tuple[Any, ...]]:
    """Every place in JSON data, as the keys that lead there."""
    items = list(data.items() if isinstance(data, dict) else enumerate(data))
    found: list[tuple[Any, ...]] = [(key,) for key, _ in items]
    for key, value in items:
        if isinstance(value, dict | list):
            found += [(key, *rest) for rest in places(value)]
    return found


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match="Is a directory; make room there, or name another place"):
        write_whole(tmp_path / "folder", "text")
    with pytest.raises(BadInput, match="what should be its folder is a file"):
        write_whole(path / "page.html", "text")
    assert path.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["folder", "lock.json"]


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """A FIFO of our own: root could replace a device of the machine's."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "page.html"
    link.symlink_to(tmp_path / "real.html")
    write_whole(link, "text")
    assert link.is_symlink()
    assert (tmp_path / "real.html").read_text() == "text"


def test_steps_are_decoded_by_their_bare_names() -> None:
    steps = (Call(0, Acquire()), Kill(0))
    program = Program("tests.subjects:TOKEN_LOCK", Setup(), 1, steps)
    assert decode(encode(program), vocabulary("tests.subjects")) == program
    assert isinstance(resolve(program.mechanism), Mechanism)
