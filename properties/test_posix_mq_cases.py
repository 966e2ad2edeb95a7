"""What must hold of POSIX message queues beyond a few processes that make calls in turn: fork and
exec, users, namespaces, threads, parallel traffic, and every way in which a process ends."""

from harness.spec import Errno
from properties.kernel import posix_mq_cases, posix_mq_deaths
from properties.scenarios import InSandbox

EACCES, EBADF, EBUSY, EINVAL = map(Errno, ("EACCES", "EBADF", "EBUSY", "EINVAL"))
ENAMETOOLONG, ENOENT, ETIMEDOUT = map(Errno, ("ENAMETOOLONG", "ENOENT", "ETIMEDOUT"))


def test_a_name_has_up_to_255_bytes(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.open_names_of_any_length) == [0, ENAMETOOLONG]


def test_defaults_are_ten_messages_of_8192_bytes(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.create_in_a_new_namespace) == (False, 10, 8192, 0)


def test_a_descriptor_of_a_file_is_no_queue(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.call_on_a_file) == {EBADF}


def test_write_is_no_way_to_send(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.write_to_a_queue) == "EINVAL"


def test_the_file_system_shows_a_queue_with_its_bytes(in_sandbox: InSandbox) -> None:
    there, line = in_sandbox(posix_mq_cases.read_the_file_of_a_queue)
    assert there
    assert line.split() == ["QSIZE:5", "NOTIFY:0", "SIGNO:0"]


def test_limits_are_those_of_the_namespace(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.raise_a_limit_in_a_namespace) == {
        "before": EINVAL,
        "raised": 1,
        "elsewhere": (EINVAL, "10"),
    }


def test_names_are_those_of_the_namespace_but_descriptors_are_not(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.look_from_another_namespace) == {
        "by name": ENOENT,
        "by descriptor": None,
        "received": ("x", 0),
    }


def test_a_receiver_with_a_better_nice_value_is_served_first(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.receive_with, 5, 5, 0, 3) == [2, 3, 0, 1]


def test_a_forked_child_has_no_part_in_its_parents_registration(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.fork_while_registered) == {
        "child": (None, EBUSY, None),
        "parent": ("SI_MESGQ", 0, 7),
    }


def test_a_receive_that_is_restarted_for_ever_keeps_its_deadline(in_sandbox: InSandbox) -> None:
    reply, hits = in_sandbox(posix_mq_cases.interrupt_all_the_time, (0.1, 1.0, 10.0))
    assert reply == ETIMEDOUT
    assert hits > 1


def test_a_descriptor_is_closed_when_a_new_program_begins(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.exec_with_a_queue_open) == (True, "closed")


def test_another_user_needs_permission(in_sandbox: InSandbox) -> None:
    found = in_sandbox(posix_mq_cases.reach_as_another_user)
    assert found == {"read": EACCES, "write": EACCES, "unlink": EACCES}


def test_the_mode_is_cut_by_the_umask(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.create_under_umask, 0o200) == "0o400"


def test_a_descriptor_can_be_passed_on(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.pass_a_descriptor) == {
        "stranger": (None, (False, 2, 8, 1)),
        "own": ("x", 3),
        "shared flag": Errno("EAGAIN"),
    }


def test_parallel_traffic_loses_and_reorders_nothing(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.exchange_in_parallel, 3, 2, 200) == (600, 0)


def test_a_thread_notification_frees_the_place_before_the_thread_is_done(
    in_sandbox: InSandbox,
) -> None:
    assert in_sandbox(posix_mq_cases.notify_by_thread) == {
        "threads": 1,
        "sockets": ["AF_NETLINK"],
        "registered": EBUSY,
        "after the message": None,
        "value": 9,
    }


def test_with_the_capability_the_hard_limits_count(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_cases.exceed_limits_with_a_capability) == {
        "messages": [1, EINVAL],
        "bytes": [2, EINVAL],
        "queues": [1],
    }


def test_a_zombie_is_registered_no_more(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_deaths.kill_the_registered) == {
        "before": EBUSY,
        "state": "Z",
        "after": None,
    }


def test_the_end_of_one_thread_ends_no_registration(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_deaths.end_threads) == {"first thread ended": EBUSY, "killed": None}


def test_an_orphan_stays_registered(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_deaths.leave_an_orphan) == {
        "adopted": True,
        "orphan lives": EBUSY,
        "orphan killed": None,
    }


def test_the_end_of_a_pid_namespace_ends_the_registrations_in_it(in_sandbox: InSandbox) -> None:
    assert in_sandbox(posix_mq_deaths.end_a_pid_namespace) == {"free": None, "left": ("x", 0)}
