"""The registry of what runs make outside namespaces: all of it is removed, and nothing else."""

import json
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BadInput, Broken
from harness.execute import registry
from tests.sandboxed.libc import LIBC, made
from tests.sandboxed.objects import make_files, make_objects, still_there
from tests.sandboxed.registries import fill_the_disk, recycle_an_id
from tests.sandboxed.warden import warden


@pytest.fixture(autouse=True)
def directory(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty registry, and no run in this process after the test."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(place))
    yield Path(registry.directory())
    registry.adopt(None, registry.Private(), None)


def begins() -> registry.Run:
    """A run begins, and this process belongs to it."""
    run = registry.begin()
    registry.adopt(run, registry.Private(), run.scratch)
    return run


def dies(run: registry.Run) -> None:
    """What the kernel does when the first process of a run dies."""
    os.close(run.lock)


def makes(kind: str) -> str:
    """A queue or a shared memory object with a name of the run's; it is not registered."""
    name = registry.unique_name(kind)
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
    if kind == "posix_mq":
        os.close(made("mq_open", name.encode(), flags, 0o600, None))
    else:
        os.close(made("shm_open", name.encode(), flags, 0o600))
    return name


def exists(name: str) -> bool:
    return Path(f"/dev/shm{name}").exists()


def test_a_dead_runs_objects_are_removed(directory: Path) -> None:
    run = begins()
    objects = make_objects()
    assert len(still_there(objects)) == 9
    dies(run)
    assert len(registry.sweep()) == 9 + 3
    assert still_there(objects) == []
    assert not directory.exists()


def test_a_living_runs_objects_are_left_alone() -> None:
    run = begins()
    objects = make_objects()
    assert registry.sweep() == registry.sweep(run.owner) == []
    assert len(still_there(objects)) == 9
    assert len(registry.finish(run)) == 9 + 3


def test_one_dead_run_can_be_swept_by_itself() -> None:
    first, second = begins(), begins()
    name = makes("posix_shm")
    registry.register("posix_shm", name)
    dies(first)
    dies(second)
    assert registry.sweep(first.owner) == []
    assert registry.sweep(second.owner) == [f"posix_shm {name}"]


def test_what_was_forgotten_is_left_alone() -> None:
    run = begins()
    name = makes("posix_shm")
    registry.register("posix_shm", name)
    registry.forget("posix_shm", name)
    dies(run)
    assert registry.sweep() == []
    assert exists(name)
    LIBC.shm_unlink(name.encode())


def test_what_was_registered_but_never_made_is_no_harm() -> None:
    run = begins()
    for kind in ("posix_mq", "posix_sem", "posix_shm"):
        registry.register(kind, registry.unique_name(kind))
    for kind in ("sysv_sem_key", "sysv_msg_key", "sysv_shm_key"):
        registry.register(kind, registry.unique_key())
    dies(run)
    assert registry.sweep() == []


def test_other_peoples_objects_are_left_alone() -> None:
    run = begins()
    name, queue = makes("posix_shm"), made("msgget", 0, 0o3600)
    dies(run)
    assert registry.sweep() == []
    assert exists(name)
    assert made("msgctl", queue, 0, None) == 0
    LIBC.shm_unlink(name.encode())


def test_an_id_that_was_given_to_somebody_else_is_left_alone(place: Path, isolating: None) -> None:
    found = warden(recycle_an_id, place=place)
    assert found == {**found, "same id": True, "swept": [], "still there": True, "code": 0}


def test_an_id_without_a_key_that_was_changed_later_is_left_alone() -> None:
    run = begins()
    queue = made("msgget", 0, 0o3600)
    registry.register("sysv_msg", queue)
    in_line(run, -1, lambda fields: fields[3].__setitem__(-1, "1"))
    dies(run)
    assert registry.sweep() == []
    assert made("msgctl", queue, 0, None) == 0


def in_line(run: registry.Run, number: int, change: Callable[[list[Any]], None]) -> None:
    """Change a line of a run's file."""
    lines = [json.loads(line) for line in Path(run.path).read_text().splitlines()]
    change(lines[number])
    Path(run.path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_after_a_restart_of_the_machine_only_files_are_removed(directory: Path) -> None:
    run = begins()
    name = makes("posix_shm")
    registry.register("posix_shm", name)
    make_files()
    in_line(run, 0, lambda fields: fields.__setitem__(0, "another boot"))
    dies(run)
    assert [what.split()[0] for what in registry.sweep()] == ["file", "file", "file"]
    assert exists(name)
    assert not directory.exists()
    LIBC.shm_unlink(name.encode())


def test_a_run_of_another_ipc_namespace_is_left_to_it() -> None:
    run = begins()
    in_line(run, 0, lambda fields: fields.__setitem__(1, "ipc:[1]"))
    dies(run)
    assert registry.sweep() == []
    assert Path(run.path).exists()
    in_line(run, 0, lambda fields: fields.__setitem__(1, os.readlink("/proc/self/ns/ipc")))
    registry.sweep()


def test_a_line_that_was_cut_short_does_not_hide_the_others() -> None:
    run = begins()
    name = makes("posix_shm")
    registry.register("posix_shm", name)
    with open(run.path, "a") as file:
        file.write('["made", "posix_')
    dies(run)
    assert registry.sweep() == [f"posix_shm {name}"]


def test_a_run_that_died_as_it_began_is_removed(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    (directory / ".4711-abc").touch()
    registry.sweep()
    assert not directory.exists()


def test_what_resists_does_not_keep_runs_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    run = begins()
    dies(run)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rmdir", resists)
        assert registry.sweep() == []
    assert Path(run.path).exists()
    registry.sweep()


def resists(path: str) -> None:
    raise PermissionError(path)


# Names.


def test_names_are_the_runs_own(directory: Path) -> None:
    run = begins()
    names = {registry.unique_name("posix_mq") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("/ipch-") and len(name) < 32 for name in names)
    assert registry.unique_name("fifo").startswith(f"{run.scratch}/")
    assert all(0 < registry.unique_key() < 2**31 for _ in range(100))
    registry.finish(run)


def test_names_that_may_be_somebody_elses_are_refused() -> None:
    run = begins()
    with pytest.raises(BadInput, match="'/data' may be somebody else's; take names from unique_"):
        registry.register("posix_mq", "/data")
    with pytest.raises(BadInput, match=r"'/tmp/x' is not in .*\.d/; take paths from unique_name"):
        registry.register("socket", "/tmp/x")
    with pytest.raises(BadInput, match="unknown kind of object 'door'; choose one of posix_mq"):
        registry.register("door", "/ipch-1")
    with pytest.raises(BadInput, match="'sysv_sem' has no names; choose one of posix_mq"):
        registry.unique_name("sysv_sem")
    registry.finish(run)


def test_there_are_no_paths_without_a_sandbox() -> None:
    registry.adopt(None, registry.Private(), None)
    with pytest.raises(Broken, match="no place for a fifo: this process is in no sandbox"):
        registry.unique_name("fifo")


def test_what_a_namespace_removes_is_not_written_down() -> None:
    run = begins()
    before = Path(run.path).stat().st_size
    registry.adopt(run, registry.Private(ipc=True), run.scratch)
    registry.register("posix_mq", registry.unique_name("posix_mq"))
    registry.register("sysv_sem_key", registry.unique_key())
    assert Path(run.path).stat().st_size == before
    registry.register("posix_shm", registry.unique_name("posix_shm"))
    assert Path(run.path).stat().st_size > before
    registry.finish(run)


# Where it is.


def test_the_registry_is_its_users_alone(directory: Path) -> None:
    run = begins()
    for path in (directory, Path(run.scratch)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(run.path).stat().st_mode) == 0o600
    registry.finish(run)


def test_the_runtime_directory_is_preferred(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    assert registry.directory() == f"{place}/ipc-harness"


def test_a_directory_that_others_can_enter_is_refused(directory: Path) -> None:
    directory.mkdir(mode=0o755)
    with pytest.raises(Broken, match=r"is not a directory that only this user can enter \(mode 07"):
        registry.begin()
    (directory / "bait").touch()
    with pytest.raises(Broken, match="remove it, or set TMPDIR"):
        registry.sweep()
    shutil.rmtree(directory)


def test_a_place_that_cannot_be_written_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/proc")
    with pytest.raises(Broken, match=r"/proc/ipc-harness-.* cannot be the registry of what runs"):
        registry.begin()


def test_a_full_disk_is_told(place: Path, isolating: None) -> None:
    found = warden(fill_the_disk, place=place)
    assert found["error"] == "Broken"
    assert (
        "No space left on device; set TMPDIR to a directory that can be written and has"
        in (found["text"])
    )


def test_sockets_fit_into_the_scratch_directory() -> None:
    run = begins()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(registry.unique_name("socket"))
    registry.finish(run)
