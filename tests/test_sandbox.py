"""The sandbox: what a run obtains, what it may change, and that nothing of it outlives it."""

import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BadInput, Broken, Unsupported
from harness.execute import sandbox, sysctls
from tests.sandboxed import actors, beginnings, inside, kills, limits
from tests.sandboxed.warden import USERS, warden

SWITCHES = ["on", "off"]
as_every_user = pytest.mark.parametrize("user", USERS)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other user ids: run as root")
in_both_modes = pytest.mark.parametrize("switch", SWITCHES)


# What is there inside.


@as_every_user
def test_a_run_has_everything_to_itself(place: Path, user: int, isolating: None) -> None:
    found = warden(inside.look_around, place=place, user=user)
    assert found["private"]
    assert found["namespaces"] == list(sandbox.NAMESPACES)
    assert set(found["missing"]) <= {"users"}
    assert (found["pid"], found["processes"], found["shared memory"]) == (1, 1, [])
    assert (len(found["scratch"]), found["queues"], found["connects"]) == (1, [], True)
    assert not set(found["inodes"].values()) & set(found["outside"].values())
    assert found["code"] == 0


@as_every_user
def test_a_run_can_have_its_own_limits(place: Path, user: int, isolating: None) -> None:
    limits = warden(inside.look_around, place=place, user=user)["limits"]
    assert limits == [
        name for name, its in sysctls.ALLOWED.items() if sysctls.kernel_version() >= its.since
    ]


@as_every_user
def test_without_namespaces_a_run_says_why(place: Path, user: int) -> None:
    found = warden(inside.look_around, place=place, user=user, switch="off")
    assert found["namespaces"] == found["limits"] == []
    assert not found["private"]
    assert found["owner"]
    assert found["missing"]["ipc"] == (
        "the environment variable IPC_HARNESS_SANDBOX is off; unset IPC_HARNESS_SANDBOX"
    )
    assert found["inodes"] == found["outside"]
    assert (len(found["scratch"]), found["connects"], found["code"]) == (1, True, 0)


@in_both_modes
def test_the_first_process_keeps_mask_and_handlers(place: Path, switch: str) -> None:
    found = warden(beginnings.keep_mask_and_handlers, place=place, switch=switch)
    assert (found["mask"], found["handler"]) == ([10], "_handler")


# How it ends.


@in_both_modes
def test_the_launcher_holds_no_descriptor_of_the_run(place: Path, switch: str) -> None:
    assert warden(beginnings.hear_the_end_of_the_first_process, place=place, switch=switch)["heard"]


@in_both_modes
def test_what_a_terminal_sends_does_not_reach_the_run(place: Path, switch: str) -> None:
    assert warden(beginnings.join_a_session, place=place, switch=switch)["own"]


@in_both_modes
@pytest.mark.parametrize(
    ("how", "code"), [("exit", 7), ("killed", 128 + 9), ("terminated", 128 + 15)]
)
def test_the_launcher_passes_on_how_the_run_ended(
    place: Path, switch: str, how: str, code: int
) -> None:
    found = warden(beginnings.end_with, how, place=place, switch=switch)
    assert (found["code"], found["ended"]) == (code, True)


@in_both_modes
def test_a_launcher_whose_controller_is_gone_starts_nothing(place: Path, switch: str) -> None:
    found = warden(beginnings.start_for_a_stranger, place=place, switch=switch)
    assert (found["word"], found["code"], found["reaped"]) == ("", 1, 0)


@as_every_user
@in_both_modes
@pytest.mark.parametrize("victim", ["controller", "first"])
def test_a_kill_leaves_nothing(place: Path, user: int, switch: str, victim: str) -> None:
    """Not even of processes that are stopped, deaf, asleep in semop, or have run away."""
    found = warden(kills.kill_amid_a_crowd, victim, place=place, user=user, switch=switch)
    _nothing_is_left(found)
    assert switch == "on" or found["visible"] == 9


@as_every_user
def test_the_kernel_ends_a_run_whose_launcher_is_killed(
    place: Path, user: int, isolating: None
) -> None:
    _nothing_is_left(warden(kills.kill_amid_a_crowd, "launcher", place=place, user=user))


def _nothing_is_left(found: dict[str, Any]) -> None:
    assert found["ended"]
    assert found["left"] == found["registry"] == []
    assert found["same mounts"]


@as_every_user
def test_the_next_run_sweeps_after_a_killed_sentinel(place: Path, user: int) -> None:
    found = warden(kills.kill_the_sentinel, place=place, user=user, switch="off")
    assert (found["ended"], found["left"], found["entries"]) == (True, 9, 2)
    assert (found["code"], found["left by the next"], found["registry"]) == (0, [], [])


@as_every_user
@in_both_modes
def test_a_kill_at_any_moment_of_the_start_leaves_nothing(
    place: Path, user: int, switch: str
) -> None:
    moments = [0, 0.2, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20]
    assert warden(kills.kill_at, moments, place=place, user=user, switch=switch)["registry"] == []


# Looking in from outside.


@as_every_user
@in_both_modes
@pytest.mark.parametrize("change", ["", "powerless"])
def test_the_controller_sees_in_which_call_an_actor_sleeps(
    place: Path, user: int, switch: str, change: str
) -> None:
    found = warden(actors.watch_an_actor, change, place=place, user=user, switch=switch)
    assert (found["state"], found["in read"], found["ended"]) == ("S", True, True)


@as_root
@in_both_modes
def test_the_controller_sees_actors_that_became_another_user(place: Path, switch: str) -> None:
    found = warden(actors.watch_an_actor, "other user", place=place, user=0, switch=switch)
    assert (found["state"], found["in read"], found["ended"]) == ("S", True, True)


@as_root
@in_both_modes
def test_an_actor_that_became_another_user_is_one(place: Path, switch: str) -> None:
    found = warden(actors.act_as_somebody_else, place=place, user=0, switch=switch)
    assert (found["refused"], found["death"]) == (True, 9)
    assert len(set(found["ids"])) == 1


def test_only_users_of_the_sandbox_can_be_become(place: Path) -> None:
    found = warden(actors.become_unknown, place=place)
    assert found["error"] == "BadInput"
    assert "user 4711 does not exist in this sandbox; it has no others" in found["text"]


# Limits.


@as_every_user
def test_limits_are_written_inside_only(place: Path, user: int, isolating: None) -> None:
    writes = [
        ("fs.mqueue.msg_max", 5),
        ("kernel.sem.semopm", 7),
        ("kernel.sem", [1, 2, 3, 4]),
        ("net.unix.max_dgram_qlen", 3),
    ]
    found = warden(limits.write_limits, writes, place=place, user=user)
    assert [type(old) for old in found["said"]] == [int, int, list, int]
    assert found["said"][2][2] == 7
    assert found["inside"]["fs.mqueue.msg_max"] == "5"
    assert found["inside"]["kernel.sem"].split() == ["1", "2", "3", "4"]
    assert found["inside"]["net.unix.max_dgram_qlen"] == "3"
    assert found["unchanged"]


@as_every_user
@in_both_modes
@pytest.mark.parametrize("name", ["fs.file-max", "kernel.sched_rt_runtime_us", "kernel.sem.x", ""])
def test_limits_of_the_machine_are_refused(place: Path, user: int, switch: str, name: str) -> None:
    found = warden(limits.write_limits, [(name, 5)], place=place, user=user, switch=switch)
    kind, text = found["said"][0]
    assert kind == "BadInput"
    assert f"{name!r} is not a limit that a run may change, for it would change on the" in text
    assert "choose one of fs.mqueue.msg_default" in text
    assert found["unchanged"]


@as_every_user
def test_limits_without_a_namespace_are_refused(place: Path, user: int) -> None:
    found = warden(
        limits.write_limits, [("kernel.msgmni", 5)], place=place, user=user, switch="off"
    )
    kind, text = found["said"][0]
    assert kind == "Unsupported"
    assert "since this run has no ipc namespace of its own; `ipc-harness doctor` says why" in text
    assert found["unchanged"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("kernel.msgmni", -5, "kernel.msgmni cannot be set to '-5': Invalid argument"),
        ("kernel.sem", [1, 2], "kernel.sem was set to '1\\t2', but is (1, 2, "),
        ("kernel.sem.semmni", [1], "kernel.sem.semmni is one number, not (1,)"),
    ],
)
def test_values_that_a_limit_does_not_take_are_refused(
    place: Path, isolating: None, name: str, value: Any, text: str
) -> None:
    kind, said = warden(limits.write_limits, [(name, value)], place=place)["said"][0]
    assert kind == "BadInput"
    assert text in said


def test_a_limit_that_the_kernel_does_not_keep_apart_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sysctls, "kernel_version", lambda: (6, 13))
    with pytest.raises(Unsupported, match=r"belongs to the whole machine before Linux 6\.14"):
        sysctls.write("kernel.pid_max", 400, sandbox.NAMESPACES)
    assert "kernel.pid_max" not in sysctls.writable(sandbox.NAMESPACES)


@as_every_user
def test_not_even_root_can_write_the_machines_sysctls(
    place: Path, user: int, isolating: None
) -> None:
    said = warden(limits.write_the_machines_sysctl, place=place, user=user)["said"]
    assert said == ("Read-only file system" if user == 0 else "Permission denied")


# Machines that refuse.


@as_every_user
def test_a_seccomp_filter_against_all_namespaces(place: Path, user: int) -> None:
    found = warden(inside.look_around, place=place, user=user, denied=sandbox.NAMESPACES)
    assert found["namespaces"] == []
    assert found["missing"]["ipc"].endswith(
        "most likely by the seccomp filter that this process runs under; start the container with "
        "a profile that allows unshare (docker: --security-opt seccomp=unconfined)"
    )
    assert (found["code"], found["connects"]) == (0, True)


@as_every_user
@pytest.mark.parametrize("denied", ["ipc", "pid", "mount", "network", "uts"])
def test_one_namespace_is_denied(place: Path, user: int, isolating: None, denied: str) -> None:
    found = warden(inside.look_around, place=place, user=user, denied=[denied])
    assert found["namespaces"] == [kind for kind in sandbox.NAMESPACES if kind != denied]
    assert f"unshare of the {denied} namespace is refused" in found["missing"][denied]
    assert found["private"] == (denied in ("network", "uts"))
    assert not any(sysctls.ALLOWED[name].namespace == denied for name in found["limits"])
    assert found["code"] == 0


@as_every_user
@pytest.mark.parametrize(("denied", "visible"), [("ipc", 7), ("pid", 0), ("mount", 2)])
@pytest.mark.parametrize("victim", ["controller", "first"])
def test_a_kill_leaves_nothing_where_one_namespace_is_denied(
    place: Path, user: int, isolating: None, denied: str, visible: int, victim: str
) -> None:
    found = warden(kills.kill_amid_a_crowd, victim, place=place, user=user, denied=[denied])
    _nothing_is_left(found)
    assert found["visible"] == visible


@as_every_user
def test_mounting_is_denied(place: Path, user: int, isolating: None) -> None:
    found = warden(inside.look_around, place=place, user=user, denied=["mounts"])
    assert found["namespaces"] == list(sandbox.NAMESPACES)
    assert {"mount", "proc", "shm", "scratch", "mqueue"} <= set(found["missing"])
    assert "Operation not permitted" in found["missing"]["mount"]
    assert not found["private"]
    assert (len(found["scratch"]), found["code"]) == (1, 0)


@as_every_user
def test_no_user_namespace_is_left(place: Path, user: int, isolating: None) -> None:
    found = warden(inside.in_outer_namespace, 0, True, place=place, user=user)
    assert found["namespaces"] == []
    text = "no more user namespaces are to be had: user.max_user_namespaces is 0; raise it: sysctl"
    assert found["missing"]["user"].startswith(text)
    assert found["missing"]["ipc"].startswith(text)


@as_every_user
def test_the_privileged_need_no_user_namespace(place: Path, user: int, isolating: None) -> None:
    found = warden(inside.in_outer_namespace, 0, False, place=place, user=user)
    assert found["namespaces"] == [kind for kind in sandbox.NAMESPACES if kind != "user"]
    assert found["private"]


@as_every_user
def test_a_run_within_a_run(place: Path, user: int, isolating: None) -> None:
    found = warden(inside.in_outer_namespace, 100, False, place=place, user=user)
    assert found["namespaces"] == list(sandbox.NAMESPACES)
    assert found["private"]


# Wishes without meaning.


@pytest.mark.parametrize(("wanted", "users"), [(["user", "time"], 0), ([], 9), ([], -1)])
def test_unknown_namespaces_and_too_many_users_are_refused(
    place: Path, wanted: list[str], users: int
) -> None:
    found = warden(beginnings.want, wanted, users, place=place)
    assert found["error"] == "BadInput"
    assert (
        "choose namespaces of user, ipc, pid, mount, network, uts, and at most 8" in found["text"]
    )


def test_an_unknown_switch_is_refused(place: Path) -> None:
    found = warden(beginnings.want, [], 0, place=place, switch="maybe")
    assert found["error"] == "BadInput"
    assert found["text"] == "IPC_HARNESS_SANDBOX is 'maybe'; set it to on or off, or unset it"


def test_outside_of_a_run_there_is_no_sandbox() -> None:
    with pytest.raises(Broken, match="this process is in no sandbox"):
        sandbox.write_limit("kernel.msgmni", 1)


def test_a_descriptor_that_is_no_pidfd_is_refused() -> None:
    with open("/dev/null") as file, pytest.raises(BadInput, match="is not a pidfd"):
        sandbox.pid_behind(file.fileno())
