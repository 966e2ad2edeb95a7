"""What must hold of the names, the limits and the descriptors of POSIX message queues."""

import pytest

from harness.spec import Errno, Op
from harness.testing import ASLEEP
from models.posix_mq import (
    Close,
    GetAttributes,
    Notify,
    Open,
    Poll,
    QueueSetup,
    ReadStatus,
    Receive,
    Send,
    SetAttributes,
    StopNotifying,
    Unlink,
)
from properties.posix_mq import POSIX_MQ
from properties.scenarios import MakeScenario

A, B, C = range(3)
EACCES, EAGAIN, EBADF, EEXIST, EINVAL = map(
    Errno, ("EACCES", "EAGAIN", "EBADF", "EEXIST", "EINVAL")
)
ENAMETOOLONG, ENOENT, ENOSPC, ETIMEDOUT = map(
    Errno, ("ENAMETOOLONG", "ENOENT", "ENOSPC", "ETIMEDOUT")
)
ONE_SLOT = QueueSetup(capacity=1)

# Names


@pytest.mark.parametrize(
    ("name", "error"),
    [
        pytest.param("q", EINVAL, id="no leading slash"),
        pytest.param("/q/q", EACCES, id="second slash"),
        pytest.param("/", ENOENT, id="slash alone"),
        pytest.param("/" + "q" * 256, ENAMETOOLONG, id="too long"),
    ],
)
def test_what_can_be_no_name_is_refused(scenario: MakeScenario, name: str, error: Errno) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Open(name, create=True, maxmsg=1)) == error
    assert run.call(A, Unlink(name)) == error


def test_o_creat_opens_what_exists_and_o_excl_refuses_it(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Open(create=True, exclusive=True, maxmsg=1)) == EEXIST
    assert run.call(A, Open(create=True, maxmsg=1, msgsize=100)) == 1
    assert run.call(A, GetAttributes(1)) == (False, 2, 8, 0)


def test_a_name_is_there_until_it_is_unlinked(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Open("/r")) == ENOENT
    assert run.call(A, Open("/r", create=True, maxmsg=1)) == 1
    assert run.call(A, Close(1)) is None
    assert run.call(B, Unlink("/r")) is None
    assert run.call(B, Unlink("/r")) == ENOENT
    assert run.call(B, Open("/r")) == ENOENT


def test_an_unlinked_queue_goes_on_and_wakes_nobody(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT, actors=3)
    assert run.call(A, Receive()) is ASLEEP
    assert run.call(B, Unlink()) is None
    assert run.asleep(A)
    assert run.call(B, Open()) == ENOENT
    assert run.call(B, Send("x")) is None
    assert run.answer(A) == ("x", 0)
    assert run.call(B, Send("y")) is None
    assert run.call(B, Send("z")) is ASLEEP
    assert run.call(C, Receive()) == ("y", 0)
    assert run.answer(B) is None


def test_unlinking_wakes_no_sender(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, ONE_SLOT)
    assert run.call(A, Send("x")) is None
    assert run.call(A, Send("y")) is ASLEEP
    assert run.call(B, Unlink()) is None
    assert run.asleep(A)


def test_a_new_queue_of_the_same_name_is_another_queue(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Send("old")) is None
    assert run.call(A, Unlink()) is None
    assert run.call(A, Open(create=True, exclusive=True, maxmsg=1)) == 1
    assert run.call(A, Receive(timeout=0.0, descriptor=1)) == ETIMEDOUT
    assert run.call(B, Receive()) == ("old", 0)


# Limits


@pytest.mark.parametrize(("maxmsg", "msgsize"), [(0, 8), (-1, 8), (1, 0), (1, -1)])
def test_attributes_are_positive(scenario: MakeScenario, maxmsg: int, msgsize: int) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Open("/r", create=True, maxmsg=maxmsg, msgsize=msgsize)) == EINVAL


def test_attributes_go_up_to_the_limits(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(topics=("names",), msg_max=4, msgsize_max=256))
    assert run.call(A, Open("/r", create=True, maxmsg=5, msgsize=256)) == EINVAL
    assert run.call(A, Open("/r", create=True, maxmsg=4, msgsize=257)) == EINVAL
    assert run.call(A, Open("/r", create=True, maxmsg=4, msgsize=256)) == 1


def test_defaults_count_within_the_limits(scenario: MakeScenario) -> None:
    setup = QueueSetup(topics=("names",), msg_default=7, msgsize_default=512, msgsize_max=256)
    run = scenario(POSIX_MQ, setup)
    assert run.call(A, Open("/r", create=True)) == 1
    assert run.call(A, GetAttributes(1)) == (False, 7, 256, 0)


def test_a_queue_counts_as_one_until_nobody_has_it_open(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(topics=("names",), queues_max=2))
    make = Open("/s", create=True, maxmsg=1)
    assert run.call(A, Open("/r", create=True, maxmsg=1)) == 1
    assert run.call(A, Unlink("/r")) is None
    assert run.call(B, make) == ENOSPC
    assert run.call(A, Close(1)) is None
    assert run.call(B, make) == 1
    assert run.call(A, Unlink("/s")) is None
    assert run.call(A, make) == ENOSPC
    run.kill(B)
    assert run.call(A, make) == 1


# Descriptors


def test_processes_that_share_a_description_share_o_nonblock(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(shared=True, opened=()))
    assert run.call(A, SetAttributes(nonblock=True)) == (False, 2, 8, 0)
    assert run.call(B, Receive()) == EAGAIN
    assert run.call(B, SetAttributes(nonblock=False)) == (True, 2, 8, 0)
    assert run.call(A, Receive()) is ASLEEP


def test_a_sleeper_is_not_woken_when_o_nonblock_is_set(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(shared=True, opened=()))
    assert run.call(A, Receive()) is ASLEEP
    assert run.call(B, SetAttributes(nonblock=True)) == (False, 2, 8, 0)
    assert run.asleep(A)
    run.signal(A, restart=True)
    assert run.answer(A) == EAGAIN


def test_a_closed_descriptor_is_no_descriptor(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, Close()) is None
    calls: list[Op] = [Send("x"), Receive(), GetAttributes(), SetAttributes(nonblock=True)]
    for op in (*calls, Notify(), StopNotifying(), ReadStatus(), Close()):
        assert run.call(A, op) == EBADF
    assert run.call(A, Poll("POLLIN")) == ("POLLNVAL",)
    assert run.call(B, Send("x")) is None


def test_a_descriptor_is_for_what_it_was_opened_for(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ, QueueSetup(opened=(Open(mode="w"), Open(mode="r"))))
    assert run.call(A, Receive(descriptor=0)) == EBADF
    assert run.call(A, ReadStatus(descriptor=0)) == EBADF
    assert run.call(A, Send("x", descriptor=1)) == EBADF
    assert run.call(A, Send("x", descriptor=0)) is None
    assert run.call(A, Receive(descriptor=1)) == ("x", 0)


def test_mq_setattr_changes_o_nonblock_and_nothing_else(scenario: MakeScenario) -> None:
    run = scenario(POSIX_MQ)
    assert run.call(A, SetAttributes(nonblock=True, other_flags=True)) == EINVAL
    assert run.call(A, SetAttributes(nonblock=True, maxmsg=7)) == (False, 2, 8, 0)
    assert run.call(A, SetAttributes(nonblock=False)) == (True, 2, 8, 0)
    assert run.call(A, GetAttributes()) == (False, 2, 8, 0)
