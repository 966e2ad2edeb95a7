"""What ``ipc-harness doctor`` finds out about a machine, and what it says where things lack."""

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.errors import Broken
from harness.execute import facilities, probes, sandbox
from harness.execute.facilities import Facility, Found, doctor
from harness.execute.namespaces import Missing
from harness.execute.sandbox import Sandbox
from tests.sandboxed import inside
from tests.sandboxed.warden import USERS, warden

Report = dict[str, dict[str, Any]]


def examined(place: Path, user: int, switch: str = "on", denied: tuple[str, ...] = ()) -> Report:
    """What this user is told about this machine, by name."""
    python = sys.executable if user == os.geteuid() else shutil.which("python3", path=os.defpath)
    if python is None:
        pytest.skip("no Python that another user may run: install the system's python3")
    found = warden(
        inside.examine_the_machine, python, place=place, user=user, switch=switch, denied=denied
    )
    return {each["name"]: each for each in found["facilities"]}


@pytest.mark.parametrize("user", USERS)
def test_a_machine_with_namespaces(place: Path, user: int, isolating: None) -> None:
    found = examined(place, user)
    for kind in sandbox.NAMESPACES:
        assert found[f"{kind} namespace"]["available"]
    assert found["isolation"]["available"]
    assert found["isolation"]["reason"].startswith("nothing that a run makes can be seen outside")
    assert found["other user ids"]["available"] == (user == 0)
    assert found["/proc of actors"]["available"]
    assert found["sysctls of the ipc namespace"]["available"]
    assert "fs.mqueue.msg_max " in found["sysctls of the ipc namespace"]["reason"]


@pytest.mark.parametrize("user", USERS)
def test_a_machine_without_namespaces(place: Path, user: int) -> None:
    found = examined(place, user, denied=sandbox.NAMESPACES)
    assert not found["isolation"]["available"]
    assert not found["ipc namespace"]["available"]
    assert "most likely by the seccomp filter" in found["ipc namespace"]["reason"]
    assert (
        "POSIX queues and System V objects are made on the plain machine and swept"
        in (found["ipc namespace"]["consequence"])
    )
    assert "seccomp=unconfined" in found["ipc namespace"]["remedy"]
    assert found["sysctls of the ipc namespace"]["reason"].endswith("; a run cannot change any")
    assert found["POSIX message queues"]["available"]


def test_the_sandbox_switched_off(place: Path) -> None:
    found = examined(place, os.geteuid(), switch="off")
    assert found["pid namespace"]["reason"] == "the environment variable IPC_HARNESS_SANDBOX is off"
    assert found["pid namespace"]["remedy"] == "unset IPC_HARNESS_SANDBOX"


def test_every_lack_has_a_consequence_and_a_remedy(place: Path) -> None:
    found = examined(place, os.geteuid(), denied=sandbox.NAMESPACES)
    for name, facility in found.items():
        assert facility["reason"], name
        assert facility["available"] or (facility["consequence"] and facility["remedy"]), name


def test_names_are_told_once() -> None:
    names = [facility.name for facility in doctor()]
    assert len(names) == len(set(names))


def lacking_everything() -> Found:
    """What probing finds where nothing works."""
    lack = Missing("it is raining", "wait for sun")
    names = (*sandbox.NAMESPACES, *facilities._OWN)
    box = Sandbox((), dict.fromkeys(names, lack), (), "/tmp", None, (), "")
    return Found(box, dict.fromkeys(probes.PROBES, "No such device"), "hidden", "forbidden", 1.0)


def test_a_machine_that_lacks_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facilities, "probe", lacking_everything)
    monkeypatch.setattr(facilities, "has_capability", lambda number: False)
    monkeypatch.setattr("platform.machine", lambda: "sparc64")
    found = {facility.name: facility for facility in doctor() if facility.group != "machine"}
    works = {name for name, facility in found.items() if facility.available}
    assert all(name.startswith("RLIMIT_") for name in works)
    assert found["uts namespace"] == Facility(
        "sandbox",
        "uts namespace",
        False,
        "it is raining",
        "the host name is the machine's",
        "wait for sun",
    )
    assert found["System V semaphores"].reason == "No such device"
    assert "no run is possible" in found["/proc of actors"].consequence


def test_ptrace_scope_is_named_as_the_culprit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facilities, "setting", lambda name: "3")
    assert facilities._ptrace_remedy() == "kernel.yama.ptrace_scope is 3: set it to 1"


def test_a_python_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Broken, match=r"/nowhere/python could not be started: No such file"):
        doctor()


def test_a_probe_that_dies_is_told_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facilities, "_PROGRAM", "raise SystemExit('too bad')")
    with pytest.raises(Broken, match="no sandbox could be set up: too bad"):
        doctor()


def test_a_senseless_switch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPC_HARNESS_SANDBOX", "maybe")
    with pytest.raises(Broken, match="IPC_HARNESS_SANDBOX is 'maybe'; set it to on or off"):
        doctor()
