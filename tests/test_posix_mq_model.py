"""The model of the POSIX message queue, one behaviour a test, without any kernel."""

from typing import Any

import pytest

from harness.relation import SUSPENDED
from harness.spec import Errno, Op, Reply
from models.posix_mq import (
    MALFORMED,
    Close,
    GetAttributes,
    Notify,
    Open,
    Poll,
    PosixMessageQueue,
    QueueSetup,
    ReadStatus,
    Receive,
    Send,
    SetAttributes,
    StopNotifying,
    TakeNotification,
    Unlink,
)
from models.posix_mq.operations import AwaitMessage, AwaitRoom
from tests.model_alone import ASLEEP, Actor, ModelAlone

EAGAIN, EBADF, EBUSY, EINVAL = Errno("EAGAIN"), Errno("EBADF"), Errno("EBUSY"), Errno("EINVAL")
ENOSPC, ENOENT, EMSGSIZE = Errno("ENOSPC"), Errno("ENOENT"), Errno("EMSGSIZE")


class Messenger(Actor):
    def sends(self, message: str, priority: int = 0) -> Any:
        return self.calls(Send(message, priority))

    def receives(self) -> Any:
        return self.calls(Receive())


def made(
    *opened: Open, capacity: int = 2, shared: bool = False, queues_max: int = 256
) -> tuple[ModelAlone, Messenger, Messenger, Messenger]:
    setup = QueueSetup(
        capacity=capacity, shared=shared, opened=opened or (Open(),), queues_max=queues_max
    )
    queues = ModelAlone(PosixMessageQueue(setup, 4))
    a, b, c = (Messenger(queues, who) for who in range(3))
    return queues, a, b, c


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


# Signals and stops


def test_a_handler_without_sa_restart_ends_a_receive() -> None:
    _, a, b, _ = made()
    assert a.receives() is ASLEEP
    assert a.gets_a_signal(restart=False) == Errno("EINTR")
    assert b.sends("x") is None
    assert b.receives() == ("x", 0)


def test_a_handler_with_sa_restart_costs_a_receiver_its_place() -> None:
    _, a, b, c = made()
    assert a.receives() is ASLEEP
    assert b.receives() is ASLEEP
    assert a.gets_a_signal(restart=True) is ASLEEP
    c.sends("x")
    assert (a.answer, b.answer) == (ASLEEP, ("x", 0))


def test_a_stopped_receiver_is_not_in_the_line() -> None:
    _, a, b, _ = made()
    assert a.receives() is ASLEEP
    a.is_stopped()
    assert b.sends("x") is None
    assert b.receives() == ("x", 0)
    a.goes_on()
    assert a.answer is ASLEEP


def test_a_poll_ends_with_eintr_even_after_a_handler_with_sa_restart() -> None:
    _, a, _, _ = made()
    assert a.calls(Poll("POLLIN")) is ASLEEP
    assert a.gets_a_signal(restart=True) == Errno("EINTR")


# Death


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


# Notification


def test_a_notification_comes_once_with_its_sender_and_value() -> None:
    _, a, b, _ = made()
    assert a.calls(Notify(7)) is None
    b.sends("x")
    assert a.calls(TakeNotification()) == ("SI_MESGQ", b.who, 7)
    b.receives()
    b.sends("y")
    assert a.calls(TakeNotification()) == EAGAIN


def test_only_one_process_is_registered() -> None:
    _, a, b, _ = made()
    assert a.calls(Notify()) is None
    assert [a.calls(Notify()), b.calls(Notify())] == [EBUSY, EBUSY]
    assert b.calls(StopNotifying()) is None
    assert b.calls(Notify()) == EBUSY
    assert a.calls(StopNotifying()) is None
    assert b.calls(Notify()) is None


def test_a_sleeping_receiver_holds_a_notification_back() -> None:
    _, a, b, c = made()
    a.calls(Notify())
    assert b.receives() is ASLEEP
    c.sends("x")
    assert a.calls(TakeNotification()) == EAGAIN
    assert c.calls(Notify()) == EBUSY


def test_a_message_in_a_queue_with_messages_does_not_notify() -> None:
    _, a, b, _ = made()
    b.sends("x")
    a.calls(Notify())
    b.sends("y")
    assert a.calls(TakeNotification()) == EAGAIN


def test_a_message_admitted_into_a_queue_of_one_slot_does_not_notify() -> None:
    _, a, b, c = made(capacity=1)
    b.sends("x")
    a.calls(Notify())
    assert b.sends("y") is ASLEEP
    assert c.receives() == ("x", 0)
    assert a.calls(TakeNotification()) == EAGAIN


def test_sigev_none_takes_the_place_and_is_used_up() -> None:
    _, a, b, c = made()
    a.calls(Notify(kind="none"))
    assert b.calls(Notify()) == EBUSY
    c.sends("x")
    assert b.calls(Notify()) is None
    assert a.calls(TakeNotification()) == EAGAIN


def test_closing_any_descriptor_ends_the_registration() -> None:
    _, a, b, _ = made(Open(), Open())
    a.calls(Notify(descriptor=0))
    assert a.calls(Close(1)) is None
    assert b.calls(Notify()) is None


def test_death_ends_the_registration() -> None:
    queues, a, b, _ = made()
    a.calls(Notify())
    a.is_killed()
    assert b.calls(Notify()) is None
    assert "exit-drops-registration" in queues.rules


def test_the_status_line_gives_bytes_and_registration() -> None:
    _, a, b, _ = made()
    a.calls(Notify(kind="none"))
    assert b.calls(ReadStatus()) == (0, 1, 0, a.who)
    b.sends("xyz")
    assert b.calls(ReadStatus()) == (3, 0, 0, None)


# The wait-for graph


def test_a_receiver_of_a_queue_without_a_name_waits_for_those_who_can_send() -> None:
    queues, a, _, _ = made(Open(mode="r"))
    a.calls(Unlink())
    assert a.receives() is ASLEEP
    model, keeper = queues.relation.model, 3
    assert model.partners(queues.state, a.who, AwaitMessage(0, None)) == frozenset({keeper})
    assert model.partners(queues.state, keeper, AwaitRoom(0, None)) == frozenset({0, 1, 2})
