"""Descriptors, attributes and names of the model's message queues."""

import pytest

from harness.spec import Errno, Op, Reply
from models.posix_mq import (
    MALFORMED,
    Close,
    GetAttributes,
    Open,
    Poll,
    Receive,
    Send,
    SetAttributes,
    Unlink,
)
from tests.model_alone import ASLEEP
from tests.posix_mq_alone import made

EAGAIN, EBADF, EINVAL, EMSGSIZE, ENOENT, ENOSPC = map(
    Errno, ("EAGAIN", "EBADF", "EINVAL", "EMSGSIZE", "ENOENT", "ENOSPC")
)


# Descriptors and attributes


def test_a_descriptor_allows_what_it_was_opened_for() -> None:
    _, a, _, _ = made(Open(mode="r"), Open(mode="w"))
    assert a.calls(Send("x", descriptor=0)) == EBADF
    assert a.calls(Receive(descriptor=1)) == EBADF
    assert a.calls(Send("x", descriptor=1)) is None
    assert a.calls(Receive(descriptor=0)) == ("x", 0)


def test_processes_that_share_a_description_share_its_o_nonblock() -> None:
    _, a, b, _ = made(shared=True)
    assert a.calls(SetAttributes(nonblock=True)) == (False, 2, 8, 0)
    assert b.receives() == EAGAIN
    assert b.calls(SetAttributes(nonblock=False)) == (True, 2, 8, 0)
    assert a.receives() is ASLEEP


def test_processes_that_opened_the_queue_themselves_share_no_flags() -> None:
    _, a, b, _ = made()
    a.calls(SetAttributes(nonblock=True))
    assert b.receives() is ASLEEP


def test_setting_attributes_changes_no_limit() -> None:
    _, a, _, _ = made()
    a.calls(SetAttributes(nonblock=False, maxmsg=9))
    assert a.calls(GetAttributes()) == (False, 2, 8, 0)
    assert a.calls(SetAttributes(nonblock=True, other_flags=True)) == EINVAL


@pytest.mark.parametrize(
    ("op", "reply"),
    [
        (Send("x" * 9), EMSGSIZE),
        (Send("x", 32768), EINVAL),
        (Send("x", timeout=MALFORMED), EINVAL),
        (Receive(size=7), EMSGSIZE),
        (Receive(timeout=MALFORMED), EINVAL),
        (Send("x", descriptor=9), EBADF),
        (Receive(descriptor=9), EBADF),
        (GetAttributes(9), EBADF),
        (Close(9), EBADF),
        (Poll(descriptor=9), ("POLLNVAL",)),
    ],
)
def test_a_wrong_call_is_refused_whatever_the_queue_holds(op: Op, reply: Reply) -> None:
    _, a, _, _ = made()
    assert a.calls(op) == reply


def test_an_empty_message_is_a_message() -> None:
    _, a, b, _ = made()
    a.sends("", 3)
    assert b.calls(GetAttributes()) == (False, 2, 8, 1)
    assert b.receives() == ("", 3)


# Names


def test_an_unlinked_queue_goes_on_beside_a_new_one_of_the_same_name() -> None:
    _, a, b, _ = made()
    a.sends("old")
    assert a.calls(Unlink()) is None
    assert a.calls(Open()) == ENOENT
    assert a.calls(Open(create=True, maxmsg=1)) == 1
    assert a.calls(GetAttributes(1)) == (False, 1, 8, 0)
    assert b.receives() == ("old", 0)


def test_unlinking_wakes_nobody() -> None:
    _, a, b, c = made()
    assert a.receives() is ASLEEP
    assert b.calls(Unlink()) is None
    assert a.answer is ASLEEP
    c.sends("x")
    assert a.answer == ("x", 0)


def test_an_unlinked_queue_counts_until_its_last_close() -> None:
    queues, a, _, _ = made(queues_max=2)
    other = Open("/r", create=True, maxmsg=1)
    assert a.calls(other) == 1
    assert a.calls(Unlink("/r")) is None
    assert a.calls(other) == ENOSPC
    assert a.calls(Close(1)) is None
    assert a.calls(other) == 1
    assert "close-frees" in queues.rules


def test_a_new_descriptor_has_the_lowest_free_number() -> None:
    _, a, _, _ = made(Open(), Open())
    a.calls(Close(0))
    assert [a.calls(Open()), a.calls(Open())] == [0, 2]
