"""How the model's message queue passes messages on: their order, and who waits for them."""

import pytest

from harness.relation import SUSPENDED
from harness.spec import Errno
from models.posix_mq import Open, Poll, Receive, Send, Unlink
from models.posix_mq.operations import AwaitMessage, AwaitRoom
from tests.model_alone import ASLEEP
from tests.posix_mq_alone import made

EAGAIN = Errno("EAGAIN")


# Order


def test_messages_of_one_priority_come_out_oldest_first() -> None:
    _, a, b, _ = made()
    a.sends("x")
    a.sends("y")
    assert [b.receives(), b.receives()] == [("x", 0), ("y", 0)]


def test_the_highest_priority_comes_out_first() -> None:
    queues, a, b, _ = made(capacity=4)
    for message, priority in (("low", 0), ("high", 2), ("middle", 1), ("later", 2)):
        a.sends(message, priority)
    received = [b.receives() for _ in range(4)]
    assert received == [("high", 2), ("later", 2), ("middle", 1), ("low", 0)]
    assert "send-overtakes" in queues.rules


# Waiting


def test_a_message_goes_to_the_receiver_that_has_waited_longest() -> None:
    _, a, b, c = made()
    assert b.receives() is ASLEEP
    assert a.receives() is ASLEEP
    c.sends("x")
    assert (a.answer, b.answer) == (ASLEEP, ("x", 0))


def test_a_message_that_was_handed_over_is_nobody_elses() -> None:
    queues, a, b, c = made(Open(), Open(nonblock=True))
    assert a.receives() is ASLEEP
    a.is_put((SUSPENDED, None, None))
    c.sends("x")
    assert queues.state.served == ((a.who, ("x", 0)),)
    assert b.calls(Receive(descriptor=1)) == EAGAIN


def test_senders_are_admitted_in_the_order_of_waiting_whatever_their_priority() -> None:
    queues, a, b, c = made(capacity=1)
    c.sends("x")
    assert a.sends("low", 0) is ASLEEP
    assert b.sends("high", 9) is ASLEEP
    assert c.receives() == ("x", 0)
    assert (a.answer, b.answer) == (None, ASLEEP)
    assert "receive-admits-sender" in queues.rules


def test_an_admitted_message_keeps_its_priority_in_the_queue() -> None:
    _, a, b, c = made()
    c.sends("x")
    c.sends("y")
    assert a.sends("high", 9) is ASLEEP
    assert [c.receives(), b.receives()] == [("x", 0), ("high", 9)]


def test_a_receive_from_a_full_queue_leaves_it_full_if_a_sender_waits() -> None:
    _, a, b, c = made(Open(), Open(nonblock=True), capacity=1)
    c.sends("x")
    assert a.sends("y") is ASLEEP
    assert c.receives() == ("x", 0)
    assert b.calls(Send("z", descriptor=1)) == EAGAIN


@pytest.mark.parametrize("op", [Receive(), Receive(timeout=60.0), Receive(timeout=0.0)])
def test_a_descriptor_with_o_nonblock_never_waits_and_knows_no_deadline(op: Receive) -> None:
    _, a, _, _ = made(Open(nonblock=True))
    assert a.calls(op) == EAGAIN


def test_a_deadline_counts_only_for_a_call_that_would_wait() -> None:
    _, a, _, _ = made(capacity=1)
    assert a.calls(Receive(timeout=0.0)) == Errno("ETIMEDOUT")
    assert a.calls(Send("x", timeout=0.0)) is None
    assert a.calls(Send("y", timeout=0.0)) == Errno("ETIMEDOUT")
    assert a.calls(Receive(timeout=0.0)) == ("x", 0)


def test_a_receiver_whose_time_is_up_leaves_the_line() -> None:
    _, a, b, c = made()
    assert a.calls(Receive(timeout=1.0)) is ASLEEP
    assert b.receives() is ASLEEP
    assert a.runs_out_of_time() == Errno("ETIMEDOUT")
    c.sends("x")
    assert b.answer == ("x", 0)


def test_the_message_of_a_sender_whose_time_is_up_is_never_queued() -> None:
    _, a, b, _ = made(capacity=1)
    a.sends("x")
    assert a.calls(Send("y", timeout=1.0)) is ASLEEP
    assert a.runs_out_of_time() == Errno("ETIMEDOUT")
    assert [b.receives(), b.receives()] == [("x", 0), ASLEEP]


# Polling


def test_poll_says_whether_there_is_a_message_and_whether_there_is_room() -> None:
    _, a, _, _ = made(capacity=1)
    assert a.calls(Poll("POLLOUT", timeout=0.0)) == ("POLLOUT",)
    assert a.calls(Poll("POLLIN", timeout=0.0)) == ()
    a.sends("x")
    assert a.calls(Poll("POLLOUT", timeout=0.0)) == ()
    assert a.calls(Poll("POLLIN", timeout=0.0)) == ("POLLIN",)


def test_a_poller_does_not_see_a_message_that_is_handed_over() -> None:
    _, a, b, c = made()
    assert a.calls(Poll("POLLIN")) is ASLEEP
    assert b.receives() is ASLEEP
    c.sends("x")
    assert (a.answer, b.answer) == (ASLEEP, ("x", 0))


# The wait-for graph


def test_a_receiver_of_a_queue_without_a_name_waits_for_those_who_can_send() -> None:
    queues, a, _, _ = made(Open(mode="r"))
    a.calls(Unlink())
    assert a.receives() is ASLEEP
    model, keeper = queues.relation.model, 3
    assert model.partners(queues.state, a.who, AwaitMessage(0, None)) == frozenset({keeper})
    assert model.partners(queues.state, keeper, AwaitRoom(0, None)) == frozenset({0, 1, 2})
