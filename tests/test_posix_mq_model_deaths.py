"""What those that die take with them and leave in the model's message queue."""

from models.posix_mq import Receive, Send
from tests.model_alone import ASLEEP
from tests.posix_mq_alone import made


def test_no_message_is_lost_to_a_receiver_killed_in_its_sleep() -> None:
    queues, a, b, _ = made()
    assert a.receives() is ASLEEP
    a.is_killed()
    b.sends("x")
    assert b.receives() == ("x", 0)
    assert "exit-leaves-line" in queues.rules


def test_the_message_of_a_sender_killed_in_its_sleep_is_never_queued() -> None:
    _, a, b, _ = made(capacity=1)
    b.sends("x")
    assert a.sends("y") is ASLEEP
    a.is_killed()
    assert [b.receives(), b.receives()] == [("x", 0), ASLEEP]


def test_a_message_handed_to_a_receiver_that_is_killed_before_it_runs_is_lost() -> None:
    queues, a, b, _ = made()
    assert a.receives() is ASLEEP
    b.calls_before_others_go_on(Send("x"))
    assert queues.state.served == ((a.who, ("x", 0)),)
    a.is_killed()
    assert b.answer is None
    assert b.receives() is ASLEEP


def test_the_message_of_an_admitted_sender_that_is_killed_before_it_runs_stays() -> None:
    _, a, b, _ = made(capacity=1)
    b.sends("x")
    assert a.sends("y") is ASLEEP
    b.calls_before_others_go_on(Receive())
    a.is_killed()
    assert [b.answer, b.receives()] == [("x", 0), ("y", 0)]


def test_queue_and_messages_outlive_everybody() -> None:
    queues, a, b, c = made()
    a.sends("x")
    for actor in (a, b, c):
        actor.is_killed()
    assert queues.state.queues[0] is not None
    assert queues.state.queues[0].messages == (("x", 0),)
    assert queues.state.files.names == (("/q", 0),)
